"""The anatomy panel, headless: an edit of the matrix moves all that follows, and what is impossible says why."""

import json

import pytest
import traitlets

import cortexsim as cs
from cortexsim.explore.anatomy.draft import STARTS, Draft
from cortexsim.explore.anatomy.panel import LONGEST, Anatomy


def fact(panel, name):
    return dict(panel.editor.picture["facts"]).get(name)


def first(panel):
    return {state["name"]: state["first"] for state in panel.editor.picture["states"]}


def in_the_browser(panel, *transitions):
    """Do what the matrix does: send the whole list of transitions."""
    panel.editor.transitions = [*panel.editor.transitions, *transitions]


def a_transition(source, target, kind="BRCx2", times=((1, None),)):
    return {"source": source, "target": target, "kind": kind, "times": [list(interval) for interval in times]}


@pytest.fixture
def panel():
    return Anatomy("adjacent")


def test_a_link_from_V1_to_IT_lets_IT_know_in_one_step(panel):
    assert first(panel) == {"V1": 0, "V2": 1, "V4": 2, "IT": 3}
    in_the_browser(panel, a_transition("V1", "IT"))
    assert first(panel) == {"V1": 0, "V2": 1, "V4": 2, "IT": 1}
    assert fact(panel, "IT can be read at") == "t = 1, 2, 3, 4, 5, 6, 7, 8"
    assert "V1->IT" in panel.graph.transition_names


def test_what_the_panel_counts_is_what_a_model_counts(panel):
    model = panel.model()
    assert fact(panel, "parameters").startswith(f"{model.n_parameters():,} if shared over time")
    separate = panel.model(sharing="none").n_parameters()
    assert fact(panel, "parameters").endswith(f", {separate:,} if not")
    planned = cs.schedule(panel.graph, 5)
    assert fact(panel, "multiply-adds").startswith(f"{planned.multiply_adds / 1e6:.2f} million")


def test_the_picture_is_the_schedule(panel):
    planned = cs.schedule(panel.graph, 5, cs.flash(1), until=8)
    moves = panel.editor.picture["moves"]
    assert {(f"{a}->{b}", time) for a, b, time, needed in moves if needed} == set(planned)
    idle = {pair for pair, why in planned.skipped.items() if why == "cannot reach the readout"}
    late = {(f"{a}->{b}", time) for a, b, time, needed in moves if not needed}
    assert late == {pair for pair in idle if pair[0].split("->")[0] in planned.states_at[pair[1] - 1]}
    assert fact(panel, "to read at T = 5").startswith(f"{len(planned)} signals are computed")


def test_a_transition_that_is_closed_for_a_while_delivers_later(panel):
    panel.draft = panel.draft.linked("V4", "IT", "Conv", times=[6, 7])
    assert first(panel)["IT"] == 6
    assert panel.graph.transition("V4->IT").times == cs.Transition("V4", "IT", "Conv", [6, 7]).times


def test_closing_a_transition_at_all_times_cuts_it(panel):
    edited = [one for one in panel.editor.transitions if (one["source"], one["target"]) != ("V4", "IT")]
    panel.editor.transitions = [*edited, a_transition("V4", "IT", times=())]
    assert "V4->IT" not in [one.name for one in panel.draft.transitions]


def test_a_sustained_image_fills_the_times_that_a_flash_leaves_empty():
    panel = Anatomy("three-no-self")
    assert fact(panel, "h3 can be read at") == "t = 2, 4, 6, 8, 10, 12"
    panel.shown = "sustained"
    assert fact(panel, "h3 can be read at") == f"t = {', '.join(map(str, range(2, 13)))}"
    assert panel.settings["presentation"] == cs.sustained().to_dict()


def test_a_readout_at_an_empty_time_is_refused_with_the_possible_times():
    panel = Anatomy("three-no-self")
    panel.readout_time = 9
    assert "nothing to read at time 9: h3 is empty then" in panel.editor.picture["refused"]
    assert "populated at t = 2, 4, 6, 8, 10, 12" in panel.editor.picture["refused"]
    assert "Set the readout time to one of these" in panel.editor.picture["then"]
    assert fact(panel, "parameters") is None
    with pytest.raises(ValueError, match="no model of this graph at readout time 9: nothing to read at time 9"):
        panel.model()
    panel.readout_time = 10
    assert panel.editor.picture["refused"] == ""


def test_an_area_out_of_reach_is_reported_and_the_rest_is_still_drawn(panel):
    panel.draft = panel.draft.cut("V4", "IT")
    assert "nothing ever reaches the last state 'IT'" in panel.editor.picture["refused"]
    assert "Connect the first area" in panel.editor.picture["then"]
    assert first(panel) == {"V1": 0, "V2": 1, "V4": 2, "IT": None}
    assert any(target == "V4" for _, target, *_ in panel.editor.picture["moves"])
    with pytest.raises(ValueError, match="nothing ever reaches the last state 'IT'"):
        _ = panel.graph
    panel.undo()
    assert first(panel)["IT"] == 3


def test_a_graph_without_any_transition_holds_its_image_and_nothing_else(panel):
    panel.editor.transitions = []
    assert first(panel) == {"V1": 0, "V2": None, "V4": None, "IT": None}
    assert panel.editor.picture["moves"] == []


def test_an_impossible_change_is_reported_in_the_panel_which_keeps_its_graph(panel):
    before, drawn = panel.editor.transitions, panel.editor.picture
    in_the_browser(panel, a_transition("V1", "IT", "BRDx2"))
    assert 'role="alert"' in panel.notice.value
    assert "BRDx2 cannot link these states" in panel.notice.value
    assert panel.editor.transitions == before
    assert panel.editor.picture == drawn
    in_the_browser(panel, a_transition("V1", "IT"))
    assert panel.notice.value == ""


def test_a_number_that_is_refused_does_not_stay_in_its_field(panel):
    panel.readout_text.value = 99
    assert "got 99" in panel.notice.value
    assert panel.readout_text.value == panel.readout_time == 5
    panel.until_text.value = LONGEST + 1
    assert panel.until_text.value == panel.until == 8


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("readout_time", 9, "the readout time must be 1 to the last time, 8, got 9"),
        ("readout_time", 0, "the readout time must be 1 to the last time, 8, got 0"),
        ("until", LONGEST + 1, f"the last time must be 1 to {LONGEST}, got {LONGEST + 1}"),
        ("shown", "masked", "unknown presentation"),
    ],
)
def test_a_wrong_value_is_refused_in_the_panel(panel, name, value, said):
    before = panel.settings
    setattr(panel, name, value)
    assert said in panel.notice.value
    assert panel.settings == before
    # and does not stand in the way of the next change
    panel.draft = panel.draft.linked("V1", "IT", "BRCx2")
    assert panel.notice.value == ""
    assert first(panel)["IT"] == 1


def test_an_unknown_start_is_refused_at_once(panel):
    with pytest.raises(traitlets.TraitError, match=r"unknown start 'ful': .* did you mean 'full'"):
        panel.start = "ful"
    assert panel.start == "adjacent"


def test_time_cannot_end_before_the_last_transition_opens():
    panel = Anatomy("resnet")
    panel.readout_time = 8
    panel.until = 8
    assert "open or close up to t = 9" in panel.notice.value


# --- back -----------------------------------------------------------------------------------------------------------


def test_undo_takes_back_one_change_after_the_other(panel):
    begun = panel.settings
    assert panel.undo_button.disabled
    in_the_browser(panel, a_transition("V1", "IT"))
    linked = panel.settings
    panel.shown = "sustained"
    panel.start = "resnet"
    assert panel.draft == Draft.of(STARTS["resnet"].graph())
    panel.undo()
    panel.undo()
    assert panel.settings == linked
    assert panel.start == "adjacent"
    panel.editor._handle_custom_msg({"act": "undo"}, [])
    assert panel.settings == begun
    assert panel.undo_button.disabled


def test_reset_goes_back_to_the_start_and_can_be_undone(panel):
    begun = panel.settings
    panel.draft = panel.draft.linked("V1", "IT", "BRCx2").cut("V1", "V2")
    edited = panel.settings
    panel.reset_button.click()
    assert panel.settings == begun
    panel.undo_button.click()
    assert panel.settings == edited


@pytest.mark.parametrize("start", list(STARTS))
def test_every_start_can_be_read_at_its_readout_time(start):
    panel = Anatomy(start)
    assert panel.editor.picture["refused"] == ""
    assert panel.graph == STARTS[start].graph()
    assert panel.until >= panel.readout_time


# --- taken away -----------------------------------------------------------------------------------------------------


def test_settings_open_the_panel_again(panel):
    panel.draft = panel.draft.linked("V4", "IT", "Conv", times=[6, 7]).cut("V1", "V1")
    panel.shown, panel.readout_time = "sustained", 7
    again = Anatomy.from_settings(json.loads(json.dumps(panel.settings)))
    assert again.settings == panel.settings
    assert again.editor.picture == panel.editor.picture


def test_an_impossible_graph_opens_again_as_well(panel):
    panel.draft = panel.draft.cut("V4", "IT")
    again = Anatomy.from_settings(panel.settings)
    assert again.editor.picture["refused"] == panel.editor.picture["refused"] != ""


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"schema": 7}, "the settings are of schema 7"),
        ({"size": 3}, "unknown setting 'size'"),
        ({"graph": {"states": []}}, "a graph needs states"),
        ({"presentation": {"kind": "masked", "duration": 1, "soa": 2, "mask": "noise"}}, "this panel shows"),
        ({"until": 0}, "the last time must be"),
    ],
)
def test_wrong_settings_are_refused(panel, change, match):
    with pytest.raises(ValueError, match=match):
        Anatomy.from_settings({**panel.settings, **change})


def test_a_graph_of_ones_own_opens_at_a_time_that_can_be_read():
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    panel = Anatomy(graph)
    assert panel.graph == graph
    assert panel.readout_time == 2
    assert panel.start == "own"
    panel.start = "full"
    panel.start = "own"
    assert panel.graph == graph


def test_a_weighed_shortcut_of_ones_own_is_kept():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8, shortcut=0.5)
    panel = Anatomy(graph)
    in_the_browser(panel)
    assert panel.graph == graph


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"graph": "recurrent"}, ValueError, "unknown start 'recurrent'"),
        ({"graph": 3}, TypeError, "graph must be a CortexGraph, or one of .*, got int"),
        ({"presentation": cs.masked(1, 2)}, ValueError, "this panel shows"),
        ({"question": "settled"}, ValueError, "unknown question 'settled'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        Anatomy(**arguments)


def test_a_function_is_no_kind_that_can_be_edited():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8).with_update("IT", lambda state: None)
    with pytest.raises(TypeError, match=r"\['IT'\] have functions of their own"):
        Anatomy(graph)


# --- predictions and exercises ----------------------------------------------------------------------------------------


def test_an_exercise_does_not_open_on_the_cell_that_solves_it():
    panel = cs.explore.Anatomy("adjacent", exercise="one-step")
    opened = panel if hasattr(panel, "editor") else panel.panel
    assert opened.editor.selected == ["V1", "V2"]


def test_the_consequences_are_covered_until_the_arrival_is_predicted():
    panel = Anatomy("adjacent", question="arrival")
    assert panel.editor.cover == "time"
    panel.ask.answer = 1
    panel.ask.reveal()
    assert "Wrong, 2 steps off.</b> You said t = 1, it is t = 3." in panel.ask.result.value
    assert "true by construction" in panel.ask.result.value
    assert panel.editor.cover == ""


def test_the_number_of_readable_times_is_predicted():
    panel = Anatomy("three-no-self", question="readable")
    panel.ask.answer = 5
    panel.ask.reveal()
    assert "Wrong, 1 time off.</b> You said 5 times, it is 6 times. h3 is populated at t = 2, 4, 6, 8, 10, 12" in (
        panel.ask.result.value
    )


def test_an_edit_asks_about_the_new_graph_only_while_the_old_one_is_covered():
    panel = Anatomy("adjacent", question="arrival")
    panel.ask.answer = 3
    panel.draft = panel.draft.linked("V1", "IT", "BRCx2")
    assert panel.ask.answer is None
    panel.ask.answer = 1
    panel.ask.reveal()
    assert "Exactly right.</b>" in panel.ask.result.value
    panel.draft = panel.draft.cut("V1", "IT")
    panel.readout_time = 4
    assert panel.editor.cover == ""
    assert "The graph has changed since then." in panel.ask.result.value
    panel.undo()
    panel.undo()
    assert "The graph has changed" not in panel.ask.result.value
    panel.start = "full"
    assert panel.editor.cover == "time"


def checked(panel, name):
    exercise = panel.exercise(name)
    return exercise.check(), exercise.ask.result.value


def test_the_exercise_of_one_step_is_solved_by_a_short_cut(panel):
    solved, said = checked(panel, "one-step")
    assert solved is False
    assert "○ Not yet.</b> IT is first reached at t = 3; it should be t = 1." in said
    panel.draft = panel.draft.linked("V1", "IT", "Conv")
    solved, said = checked(panel, "one-step")
    assert solved is True
    assert "✓ Solved.</b> IT is first reached at t = 1, by V1-&gt;IT (Conv)" in said
    panel.editor.transitions = []
    assert "Nothing reaches IT by t = 8." in checked(panel, "one-step")[1]


def test_the_exercise_of_even_times_is_solved_by_a_skip_or_by_a_gate():
    panel = Anatomy("no-self")
    assert "3, 5, 7 are odd" in checked(panel, "even-times")[1]
    panel.draft = panel.draft.cut("V4", "IT").cut("IT", "V4").linked("V2", "IT", "BRCx2").linked("IT", "V2", "BRDx2")
    solved, said = checked(panel, "even-times")
    assert solved
    assert "IT can be read at t = 2, 4, 6, 8, and at no odd time." in said

    panel = Anatomy("adjacent")
    panel.draft = panel.draft.cut("IT", "IT").linked("V4", "IT", "BRCx2", times=[4, 6])
    assert checked(panel, "even-times")[0]
    panel.draft = panel.draft.linked("V4", "IT", "BRCx2", times=[4])
    assert "at least two even times" in checked(panel, "even-times")[1]


def test_the_exercise_of_one_time_is_solved_by_one_open_moment_and_nothing_that_stays(panel):
    assert "it should be one time only" in checked(panel, "one-time")[1]
    panel.draft = panel.draft.cut("IT", "IT")
    assert not checked(panel, "one-time")[0]
    panel.draft = panel.draft.linked("V4", "IT", "BRCx2", times=[3])
    solved, said = checked(panel, "one-time")
    assert solved
    assert "IT can be read at t = 3 and at no other time." in said
    panel.editor.transitions = []
    assert checked(panel, "one-time")[0] is False


def test_the_exercise_of_a_long_way_is_solved_by_feedback_from_the_last_area_alone():
    panel = Anatomy("no-self")
    assert "V1 is populated again at t = 2; it should be t = 4." in checked(panel, "long-way")[1]
    panel.draft = panel.draft.cut("V2", "V1")
    assert "Nothing returns to V1" in checked(panel, "long-way")[1]
    panel.draft = panel.draft.linked("IT", "V1", "BRDx2")
    solved, said = checked(panel, "long-way")
    assert solved
    assert "V1 is populated again at t = 4." in said
    panel.shown = "sustained"
    assert not checked(panel, "long-way")[0]


def test_a_built_graph_can_be_checked_again_in_the_same_place(panel):
    exercise = panel.exercise("one-step")
    assert exercise.ask.choice.layout.display == "none"
    exercise.button.click()
    panel.draft = panel.draft.linked("V1", "IT", "Conv")
    exercise.button.click()
    assert "Solved" in exercise.ask.result.value
    assert [one["truth"] for one in panel.ask.answered] == [False, True]
    panel.draft = panel.draft.cut("V1", "IT")
    assert "Solved" in exercise.ask.result.value
    assert "The graph has changed since then." in exercise.ask.result.value
    panel.undo()
    assert "The graph has changed" not in exercise.ask.result.value


def test_an_unknown_exercise_is_refused(panel):
    with pytest.raises(ValueError, match=r"unknown exercise 'one_step': .* did you mean 'one-step'"):
        panel.exercise("one_step")


def test_kinds_are_explained_in_words_next_to_the_matrix(panel):
    words = panel.editor.picture["kinds"]
    assert words["BRCx2"] == "BN, ReLU, convolution; twice"
    assert words["BRCx2+I"].endswith("; plus the source itself")


def test_a_graph_that_can_be_read_at_another_time_is_not_called_impossible():
    panel = Anatomy("three-no-self")
    panel.readout_time = 9
    assert panel.editor.picture["heading"] == "Choose another readout time"
    panel.draft = panel.draft.cut("h2", "h3")
    assert panel.editor.picture["heading"] == "Impossible"
