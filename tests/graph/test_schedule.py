"""A schedule says what runs when, what is empty when, and why the rest does not run."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.graph._schedule import EmptyStateError, arrival
from cortexsim.graph.transitions import Times

AREAS = {"V1": 4, "V2": 4, "IT": 4}
FULL = cs.fully_recurrent(AREAS, size=8)
ADJACENT = cs.adjacent(AREAS, size=8)
WITHOUT_SELF = cs.adjacent(AREAS, size=8, self_transitions=False)
FORWARD = cs.adjacent(AREAS, size=8, lateral=False, feedback=False)
RESNET = cs.resnet({"h1": 4, "h2": 4}, size=8, steps=2)


def populated(graph, presentation, until=6):
    planned = cs.schedule(graph, presentation=presentation, until=until)
    return {name: list(planned.populated(name)) for name in graph.state_names}


# --- arrival and emptiness -----------------------------------------------------------------------------------------


def test_image_reaches_IT_only_after_one_step_per_area():
    assert populated(ADJACENT, cs.flash(1)) == {"V1": list(range(7)), "V2": list(range(1, 7)), "IT": list(range(2, 7))}


def test_image_reaches_every_state_of_a_fully_recurrent_graph_in_one_step():
    assert populated(FULL, cs.flash(1)) == {"V1": list(range(7)), "V2": list(range(1, 7)), "IT": list(range(1, 7))}


def test_without_self_transitions_a_flash_lives_at_even_or_odd_times():
    assert populated(WITHOUT_SELF, cs.flash(1)) == {"V1": [0, 2, 4, 6], "V2": [1, 3, 5], "IT": [2, 4, 6]}


def test_without_self_transitions_two_steps_of_image_fill_every_time():
    assert populated(WITHOUT_SELF, cs.flash(2)) == {
        "V1": list(range(7)),
        "V2": list(range(1, 7)),
        "IT": list(range(2, 7)),
    }


def test_a_flash_passes_through_a_forward_graph_and_leaves_it_empty():
    assert populated(FORWARD, cs.flash(1)) == {"V1": [0], "V2": [1], "IT": [2]}


def test_a_sustained_image_fills_a_forward_graph():
    assert populated(FORWARD, cs.sustained()) == {
        "V1": list(range(7)),
        "V2": list(range(1, 7)),
        "IT": list(range(2, 7)),
    }


def test_a_mask_populates_a_forward_graph_again():
    shown = cs.masked(duration=1, soa=3, mask_duration=1)
    assert populated(FORWARD, shown) == {"V1": [0, 3], "V2": [1, 4], "IT": [2, 5]}


def test_a_movie_of_unknown_length_keeps_entering():
    assert populated(FORWARD, cs.sequence())["IT"] == list(range(2, 7))


def test_a_resnet_runs_one_state_after_the_other():
    assert populated(RESNET, cs.flash(1)) == {"h1": [0, 1, 2], "h2": [3, 4, 5, 6]}


def test_a_resnet_that_is_shown_the_image_throughout_hands_on_once():
    assert populated(RESNET, cs.sustained())["h2"] == [3, 4, 5, 6]


def test_of_a_mixture_a_state_counts_as_populated_if_any_component_reaches_it():
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 3, mask_duration=1))
    assert populated(FORWARD, mixed) == {"V1": [0, 3], "V2": [1, 4], "IT": [2, 5]}


# --- what runs, and why the rest does not --------------------------------------------------------------------------


def test_only_transitions_that_lead_to_the_readout_run():
    assert list(cs.schedule(ADJACENT, 2)) == [("V1->V2", 1), ("V2->IT", 2)]


def test_the_pairs_are_in_running_order():
    planned = cs.schedule(ADJACENT, 5)
    order = [(time, ADJACENT.transition_names.index(name)) for name, time in planned]
    assert order == sorted(order)


def test_several_readouts_need_what_each_needs():
    assert set(cs.schedule(ADJACENT, [2, 3])) == set(cs.schedule(ADJACENT, 2)) | set(cs.schedule(ADJACENT, 3))


def test_each_reason_for_not_running_is_given():
    graph = ADJACENT.without("V1->V1", times=2)
    skipped = cs.schedule(graph, 3, silence={"V2->V2": Times.of(2)}).skipped
    assert skipped["V1->V1", 2] == "closed at this time"
    assert skipped["V2->V2", 2] == "silenced"
    assert skipped["V2->IT", 1] == "source empty"
    assert skipped["V2->V1", 2] == "cannot reach the readout"


def test_every_pair_runs_or_is_skipped_for_a_reason():
    planned = cs.schedule(ADJACENT, 5)
    every = {(name, time) for name in ADJACENT.transition_names for time in range(1, 6)}
    assert set(planned) | set(planned.skipped) == every
    assert not set(planned) & set(planned.skipped)


def test_states_beyond_a_silenced_transition_stay_empty():
    planned = cs.schedule(FORWARD, (), cs.flash(1), until=4, silence={"V1->V2": Times.of(None)})
    assert planned.populated("V2") == planned.populated("IT") == ()


def test_an_image_that_enters_late_needs_the_late_pairs():
    assert ("V1->V2", 4) in cs.schedule(FORWARD, 5, cs.masked(1, 3))
    assert ("V1->V2", 3) not in cs.schedule(FORWARD, 5, cs.masked(1, 3))


def test_recording_a_state_runs_the_transitions_that_lead_to_it_at_every_time():
    planned = cs.schedule(ADJACENT, record=["V1"], until=3)
    assert [pair for pair in planned if pair[0].endswith("->V1")] == [
        ("V1->V1", 1),
        ("V1->V1", 2),
        ("V2->V1", 2),
        ("V1->V1", 3),
        ("V2->V1", 3),
    ]
    assert not any(name.endswith("->IT") for name, _ in planned)


def test_recorded_states_are_needed_up_to_the_last_readout():
    graph = ADJACENT.without("V2->V1").without("IT->V2")
    assert ("V1->V1", 3) in cs.schedule(graph, 3, record=["V1"])


def test_recording_at_given_times_runs_no_later():
    planned = cs.schedule(ADJACENT, record={"V1": [2]}, until=4)
    assert max(time for _, time in planned) == 2


def test_nothing_asked_for_runs_nothing():
    assert len(cs.schedule(ADJACENT, until=5)) == 0


def test_numpys_numbers_are_readout_times():
    assert list(cs.schedule(ADJACENT, np.int64(3))) == list(cs.schedule(ADJACENT, 3))


def test_the_schedule_lists_the_transitions_that_deliver_at_a_time():
    assert [t.name for t in cs.schedule(ADJACENT, 2).at(2)] == ["V2->IT"]
    assert cs.schedule(ADJACENT, 2).at(7) == ()


# --- refused -------------------------------------------------------------------------------------------------------


def test_an_empty_last_state_names_the_times_at_which_it_is_populated():
    with pytest.raises(EmptyStateError, match=r"nothing to read at time 5: IT is empty then.*populated at t = 2, 4"):
        cs.schedule(WITHOUT_SELF, [4, 5])


def test_a_last_state_that_is_never_reached_is_reported():
    with pytest.raises(EmptyStateError, match="up to time 1 it is populated at no time"):
        cs.schedule(ADJACENT, 1)


def test_a_readout_that_one_component_of_a_mixture_leaves_empty_is_refused():
    with pytest.raises(EmptyStateError, match=r"populated at t = 2$"):
        cs.schedule(FORWARD, 5, cs.mixture(cs.masked(1, 3), cs.flash(1)))


def test_negative_times_are_refused():
    with pytest.raises(ValueError, match="a readout time must be a whole number, at least 0, got -1"):
        cs.schedule(ADJACENT, -1)


@pytest.mark.parametrize("until", [-1, 3])
def test_an_end_before_the_last_requested_time_is_refused(until):
    with pytest.raises(ValueError, match=f"until must be at least the last time that is asked for, 4, got {until}"):
        cs.schedule(ADJACENT, 4, until=until)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown state 'MT'"):
        cs.schedule(ADJACENT, record=["MT"])
    with pytest.raises(ValueError, match="unknown transition 'V1->V4'"):
        cs.schedule(ADJACENT, 3, silence={"V1->V4": Times()})
    with pytest.raises(ValueError, match="unknown state 'MT'"):
        cs.schedule(ADJACENT, 3).populated("MT")


# --- seen ----------------------------------------------------------------------------------------------------------


def test_the_text_of_a_schedule_explains_it():
    text = str(cs.schedule(ADJACENT, 3))
    assert "schedule to time 3: 7 of 21 transition-times run" in text
    assert "t = 0: populated V1" in text
    assert "skips V2->V1, V2->V2, V2->IT, IT->V2, IT->IT: source empty" in text


def test_a_schedule_draws_a_sign_for_each_pair():
    drawn = cs.schedule(ADJACENT, 3)._repr_html_()
    assert drawn.count('">●</td>') == 7
    assert drawn.count('">·</td>') == 14
    assert 'title="source empty"' in drawn


def test_a_model_is_no_graph():
    with pytest.raises(TypeError, match=r"schedule needs a graph, such as model\.graph, got Cortex"):
        cs.schedule(cs.Cortex(FORWARD, 3, 3), 3)


def test_multiplications_are_counted_as_the_convolutions_make_them():
    graph = cs.adjacent({"V1": 4, "V2": 6}, size=8)
    # strided: 9 * 4 * 5 weights at 4x4 positions, then 9 * 5 * 6; transposed: 9 * 6 * 5 at 4x4, then 9 * 5 * 4 at 8x8
    assert graph.multiply_adds("V1->V2") == 9 * 4 * 5 * 16 + 9 * 5 * 6 * 16
    assert graph.multiply_adds("V2->V1") == 9 * 6 * 5 * 16 + 9 * 5 * 4 * 64
    assert graph.multiply_adds("V1->V1") == 2 * 9 * 4 * 4 * 64
    planned = cs.schedule(graph, readout_time=2)
    assert planned.multiply_adds == sum(graph.multiply_adds(name) for name, _ in planned)


@pytest.mark.parametrize("name", [name for name, paper in cs.zoo.PAPER.items() if paper.sharing != "all"])
def test_the_papers_parameters_are_counted_without_making_a_model(name):
    paper = cs.zoo.PAPER[name]
    planned = cs.schedule(paper.graph(), paper.readout_time)
    counted = planned.n_parameters(10, pre_net=paper.pre_net, shared=paper.sharing == "time")
    assert counted == paper.n_parameters


def test_only_transitions_that_contribute_to_the_readout_have_parameters():
    assert cs.schedule(FORWARD, 2).n_parameters(3) == cs.Cortex(ADJACENT, 3, 5).n_parameters(2)
    assert cs.schedule(ADJACENT, 3).n_parameters(3) > cs.schedule(ADJACENT, 2).n_parameters(3)


def test_parameters_of_a_function_are_left_to_the_model():
    graph = FORWARD.with_transition("V1", "IT", lambda source, target: None)
    with pytest.raises(ValueError, match=r"only a model can count the weights of \['V1->IT'\]"):
        cs.schedule(graph, 2, cs.sustained()).n_parameters(3)
    with pytest.raises(ValueError, match="unknown pre_net 'shallow'"):
        cs.schedule(FORWARD, 2).n_parameters(3, pre_net="shallow")


def test_arrival_is_found_however_deep_the_graph_is():
    assert arrival(ADJACENT) == 2
    assert arrival(cs.resnet({"h1": 4, "h2": 4}, size=8, steps=120)) == 121


def test_arrival_waits_for_a_transition_that_opens_late():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8, self_transitions=True)
    assert arrival(graph.without("V1->IT", times=range(1, 7))) == 7


def test_a_flash_that_never_reaches_the_last_state_has_no_arrival():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    with pytest.raises(EmptyStateError, match="what is shown at time 0 never reaches IT"):
        arrival(graph.without("V1->IT", times=range(1, 7)))
