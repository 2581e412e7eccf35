"""A graph is a value: it is refused when impossible, changed by making another, drawn, and kept as plain data."""

import json

import pytest

import cortexsim as cs
from cortexsim.graph.states import RESERVED
from cortexsim.graph.transitions import Convolution, Times


def state(name, features=4, side=8):
    return cs.State(name, features, side, side)


def pair(kind, source=(4, 8), target=(4, 8), times=None):
    """Two states with one transition of a kind."""
    states = (state("V1", *source), state("V2", *target))
    return cs.CortexGraph(states, (cs.Transition("V1", "V2", kind, Times.of(times)),))


def a_kind(source, target):
    """Known by its name; a graph never calls it."""


def an_update(state):
    """Known by its name; a graph never calls it."""


@pytest.fixture
def graph():
    return cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)


# --- impossible graphs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_are_refused(name):
    with pytest.raises(ValueError, match=f"cannot be named '{name}': reserved are"):
        state(name)


@pytest.mark.parametrize("name", ["", "V 1", "1V", "class", "V1-V2", 3])
def test_names_that_are_no_identifiers_are_refused(name):
    with pytest.raises(ValueError, match="must be a Python identifier such as 'V1'"):
        state(name)


@pytest.mark.parametrize(("features", "side"), [(0, 8), (-1, 8), (4, 0)])
def test_states_without_units_are_refused(features, side):
    with pytest.raises(ValueError, match="must be a whole number, at least 1, got"):
        state("V1", features, side)


def test_half_a_channel_is_refused():
    with pytest.raises(ValueError, match=r"features of V1 must be a whole number, at least 1, got 4\.5"):
        state("V1", 4.5)


def test_a_graph_without_states_is_refused():
    with pytest.raises(ValueError, match="at least one state, got none"):
        cs.CortexGraph((), ())


def test_duplicate_states_are_refused():
    with pytest.raises(ValueError, match=r"states must have different names, got \['V1'\] more than once"):
        cs.CortexGraph((state("V1"), state("V1")), ())


def test_duplicate_transitions_are_refused():
    twice = (cs.Transition("V1", "V2", "BRCx2"), cs.Transition("V1", "V2", "Conv"))
    with pytest.raises(ValueError, match=r"transitions must have different names, got \['V1->V2'\]"):
        cs.CortexGraph((state("V1"), state("V2")), twice)


def test_a_transition_to_an_unknown_state_is_refused_and_the_nearest_is_suggested():
    with pytest.raises(ValueError, match=r"'V1->V22': unknown state 'V22'.*did you mean 'V2'\?"):
        cs.CortexGraph((state("V1"), state("V2")), (cs.Transition("V1", "V22", "BRCx2"),))


def test_sizes_with_a_ratio_other_than_a_power_of_two_are_refused():
    with pytest.raises(ValueError, match="is not a power of two; V1 is 9x9, V2 3x3"):
        pair("BRCx2", (4, 9), (4, 3))


def test_height_and_width_must_change_alike():
    states = (cs.State("V1", 4, 8, 8), cs.State("V2", 4, 4, 8))
    with pytest.raises(ValueError, match="height and width change by different ratios, 8x8 to 4x8"):
        cs.CortexGraph(states, (cs.Transition("V1", "V2", "BRCx2"),))


def test_a_last_state_that_nothing_reaches_is_refused():
    with pytest.raises(ValueError, match="nothing ever reaches the last state 'V2': no path of open transitions"):
        cs.CortexGraph((state("V1"), state("V2")), (cs.Transition("V2", "V1", "BRCx2"),))


def test_a_path_whose_transitions_are_open_at_the_wrong_times_does_not_reach():
    states = (state("V1"), state("V2"), state("IT"))
    late_first = (cs.Transition("V1", "V2", "BRCx2", Times.of(5)), cs.Transition("V2", "IT", "BRCx2", Times.of(3)))
    with pytest.raises(ValueError, match="nothing ever reaches the last state 'IT'"):
        cs.CortexGraph(states, late_first)


def test_a_path_that_opens_late_reaches():
    assert pair("BRCx2", times=100).last == "V2"


@pytest.mark.parametrize(("source", "target"), [((4, 8), (6, 8)), ((4, 8), (4, 4))])
def test_a_shortcut_between_different_shapes_is_refused(source, target):
    with pytest.raises(ValueError, match="an identity shortcut needs states of one shape"):
        pair("BRCx2+0.5I", source, target)


@pytest.mark.parametrize(("source", "target"), [((4, 8), (4, 8)), ((4, 8), (6, 4)), ((4, 8), (4, 2))])
def test_Pool_only_halves_the_side_and_keeps_the_features(source, target):
    with pytest.raises(ValueError, match="Pool cannot link these states"):
        pair("Pool", source, target)


@pytest.mark.parametrize("kind", ["BRCx2", "BRCx1", "Conv"])
def test_BRC_and_Conv_do_not_lead_to_a_larger_state(kind):
    with pytest.raises(ValueError, match=r"cannot link these states: .* kinds that can are \['BRDx2', 'BRDx1'\]"):
        pair(kind, (4, 4), (4, 8))


@pytest.mark.parametrize("kind", ["BRDx1", "BRDx2"])
def test_BRD_does_not_lead_to_a_smaller_state(kind):
    with pytest.raises(ValueError, match=r"cannot link these states: .* kinds that can are \['BRCx2', 'BRCx1', 'Conv'"):
        pair(kind, (4, 8), (4, 4))


def test_a_kind_that_is_neither_text_nor_callable_is_refused():
    with pytest.raises(TypeError, match="kind of V1->V2 must be one of BRCx2"):
        pair(3)


# --- convolutions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target_side", "strides"), [(32, (1, 1)), (16, (2, 1)), (8, (2, 2)), (4, (4, 2)), (2, (4, 4))]
)
def test_a_size_ratio_is_bridged_by_two_strides(target_side, strides):
    convolutions = pair("BRCx2", (4, 32), (8, target_side)).convolutions("V1->V2")
    assert tuple(convolution.stride for convolution in convolutions) == strides


def test_between_two_convolutions_there_is_the_mean_of_the_features():
    first, second = pair("BRCx2", (4, 8), (7, 8)).convolutions("V1->V2")
    assert (first.in_channels, first.out_channels, second.in_channels, second.out_channels) == (4, 5, 5, 7)


def test_a_larger_state_is_reached_by_transposed_convolutions():
    assert pair("BRDx2", (4, 4), (4, 8)).convolutions("V1->V2") == (
        Convolution(4, 4, 2, True),
        Convolution(4, 4, 1, True),
    )


def test_one_convolution_bridges_the_whole_ratio():
    assert pair("Conv", (4, 8), (6, 2)).convolutions("V1->V2") == (Convolution(4, 6, 4, False),)


def test_Pool_and_callables_have_no_convolutions():
    assert pair("Pool", (4, 8), (4, 4)).convolutions("V1->V2") == ()
    assert pair(a_kind).convolutions("V1->V2") == ()


# --- changed by making another -------------------------------------------------------------------------------------


def test_without_removes_a_transition_from_a_copy_of_the_graph(graph):
    assert "V2->V1" not in graph.without("V2->V1").transition_names
    assert "V2->V1" in graph.transition_names


def test_without_at_some_times_closes_it_only_then(graph):
    changed = graph.without("V2->V1", times=range(3, 6))
    assert [t in changed.transition("V2->V1").times for t in range(1, 8)] == [
        True,
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_without_twice_adds_up(graph):
    assert graph.without("V2->V1", 3).without("V2->V1", 4) == graph.without("V2->V1", [3, 4])


def test_without_the_only_way_to_the_last_state_is_refused(graph):
    with pytest.raises(ValueError, match="nothing ever reaches the last state 'IT'"):
        graph.without("V2->IT")


def test_without_an_unknown_transition_suggests_the_nearest(graph):
    with pytest.raises(ValueError, match=r"unknown transition 'V2->V11'.*did you mean 'V2->V1'\?"):
        graph.without("V2->V11")


@pytest.mark.parametrize("times", [0, -3, range(0, 2)])
def test_without_at_time_0_or_before_is_refused(graph, times):
    with pytest.raises(ValueError, match="a transition delivers must be a whole number, at least 1, got"):
        graph.without("V2->V1", times=times)


def test_with_transition_adds_one_with_its_times(graph):
    added = graph.with_transition("V1", "IT", "BRCx2", times=range(4, 6)).transition("V1->IT")
    assert (added.kind, added.times) == ("BRCx2", Times.of([4, 5]))


def test_a_transition_taken_away_and_put_back_gives_the_same_graph(graph):
    assert graph.without("V2->V1").with_transition("V2", "V1", "BRDx2") == graph


def test_with_transition_refuses_an_existing_transition(graph):
    with pytest.raises(ValueError, match=r"V2->V1 exists already \(BRDx2\); remove it first"):
        graph.with_transition("V2", "V1", "BRDx2")


def test_with_transition_refuses_an_unknown_state(graph):
    with pytest.raises(ValueError, match="unknown state 'MT'"):
        graph.with_transition("V1", "MT", "BRCx2")


def test_with_update_gives_one_state_an_update(graph):
    changed = graph.with_update("V2", an_update)
    assert changed.state("V2").update is an_update
    assert changed.with_update("V2", None) == graph


def test_with_shortcut_weighs_the_identity_of_every_self_transition(graph):
    changed = graph.with_shortcut(0.25)
    assert {t.kind for t in changed.transitions if t.source == t.target} == {"BRCx2+0.25I"}
    assert changed.shortcut == 0.25
    assert [t for t in changed.transitions if t.source != t.target] == [
        t for t in graph.transitions if t.source != t.target
    ]
    assert changed.with_shortcut(0).with_shortcut(graph.shortcut) == graph


def test_a_graph_without_self_transitions_has_no_shortcut():
    bare = cs.adjacent({"V1": 4, "V2": 4}, size=8, self_transitions=False)
    assert bare.shortcut is None
    with pytest.raises(ValueError, match="can carry an identity shortcut"):
        bare.with_shortcut(0.5)


def test_shortcuts_of_several_weights_have_no_one_weight(graph):
    mixed = graph.without("V1->V1").with_transition("V1", "V1", "BRCx2+0.1I")
    with pytest.raises(ValueError, match=r"different weights: \[0.1, "):
        mixed.shortcut  # noqa: B018


@pytest.mark.parametrize("weight", [-0.1, 1.5, float("nan"), True, "half"])
def test_a_shortcut_that_is_no_weight_is_refused(graph, weight):
    with pytest.raises(ValueError, match="a number from 0 to 1, got"):
        graph.with_shortcut(weight)


def test_unknown_states_are_refused_with_a_suggestion(graph):
    with pytest.raises(ValueError, match=r"unknown state 'V3': the allowed values are \['V1', 'V2', 'IT'\]; did you"):
        graph.state("V3")


# --- seen ----------------------------------------------------------------------------------------------------------


def test_the_matrix_has_a_row_for_each_source_and_a_column_for_each_target(graph):
    matrix = graph.matrix()
    assert list(matrix.index) == list(matrix.columns) == ["V1", "V2", "IT"]
    assert matrix.loc["V1", "V2"] == "BRCx2"
    assert matrix.loc["V2", "V1"] == "BRDx2"
    assert matrix.loc["V1", "IT"] == ""


def test_the_matrix_shows_the_times_of_a_limited_transition(graph):
    assert graph.without("V2->V1", times=[3]).matrix().loc["V2", "V1"] == "BRDx2 (t = 1…2, t ≥ 4)"


def test_the_matrix_of_a_time_leaves_out_closed_transitions(graph):
    changed = graph.without("V2->V1", times=[3])
    assert changed.matrix(3).loc["V2", "V1"] == ""
    assert changed.matrix(4).loc["V2", "V1"] == "BRDx2"


@pytest.mark.parametrize("time", [0, -1])
def test_the_matrix_of_no_time_is_refused(graph, time):
    with pytest.raises(ValueError, match=f"time must be a whole number, at least 1, got {time}"):
        graph.matrix(time)


def test_the_matrix_is_drawn_in_a_notebook_without_letting_html_in(graph):
    def evil(source, target): ...

    evil.__name__ = "<script>"
    drawn = graph.with_transition("V1", "IT", evil)._repr_html_()
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn
    assert drawn.count("<tr>") == 4
    assert "8×8×4" in drawn


def test_the_matrix_is_drawn_as_text(graph):
    text = str(graph)
    assert "V1 8x8x4, V2 4x4x4, IT 2x2x4" in text
    assert [line.split() for line in text.splitlines()[-1:]] == [["IT", "·", "BRDx2", "BRCx2+I"]]


# --- kept ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "graph",
    [
        cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, shortcut=1 / 3).without("V2->V1", times=range(3, 6)),
        cs.resnet({"h1": 4, "h2": 6}, size=8, steps=3),
        cs.adjacent({"V1": 4, "V2": 4}, size=[(8, 6), (4, 3)]),
    ],
)
def test_a_graph_comes_back_from_json(graph):
    assert cs.CortexGraph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph


def test_callables_come_back_by_their_names(graph):
    graph = graph.with_transition("V1", "IT", a_kind).with_update("V2", an_update)
    saved = json.loads(json.dumps(graph.to_dict()))
    assert cs.CortexGraph.from_dict(saved, {"a_kind": a_kind, "an_update": an_update}) == graph


def test_a_callable_that_is_not_given_back_is_named(graph):
    saved = graph.with_transition("V1", "IT", a_kind).to_dict()
    with pytest.raises(ValueError, match=r"the transition V1->IT was saved by its name 'a_kind'.*modules=\{'a_kind'"):
        cs.CortexGraph.from_dict(saved)


def test_an_update_that_is_not_given_back_is_named(graph):
    saved = graph.with_update("V2", an_update).to_dict()
    with pytest.raises(ValueError, match=r"the update of V2 was saved by its name 'an_update'.*got \['other'\]"):
        cs.CortexGraph.from_dict(saved, {"other": an_update})


def test_whether_a_signal_that_comes_and_goes_meets_an_opening_is_known_without_counting_every_step():
    """V2 and V3 pass the signal to and fro: V3 has it at even times, so its way to IT must be open at an odd one."""
    states = [cs.State(name, 4, 4, 4) for name in ("V1", "V2", "V3", "IT")]

    def graph(opens):
        return cs.CortexGraph(
            states,
            [
                cs.Transition("V1", "V2", "BRCx1", 1),
                cs.Transition("V2", "V3", "BRCx1"),
                cs.Transition("V3", "V2", "BRCx1"),
                cs.Transition("V3", "IT", "BRCx1", opens),
            ],
        )

    assert graph(10**9 + 1).last == "IT"
    with pytest.raises(ValueError, match="nothing ever reaches the last state 'IT'"):
        graph(10**9)
