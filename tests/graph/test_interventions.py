"""Silencing by name and by direction; a silence that changes nothing is no result."""

import json

import pytest

import cortexsim as cs
from cortexsim.graph.interventions import amounts, changes, direction, silenced
from cortexsim.graph.transitions import Times
from cortexsim.recording.description import settings

GRAPH = cs.fully_recurrent({"V1": 4, "V2": 4, "IT": 4}, size=8)


def test_direction_follows_the_order_of_the_states():
    found = {name: direction(GRAPH, name) for name in ("V1->IT", "V2->V2", "IT->V1")}
    assert found == {"V1->IT": "forward", "V2->V2": "lateral", "IT->V1": "feedback"}


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("forward", ["V1->V2", "V1->IT", "V2->IT"]),
        ("lateral", ["V1->V1", "V2->V2", "IT->IT"]),
        ("feedback", ["V2->V1", "IT->V1", "IT->V2"]),
    ],
)
def test_a_direction_selects_all_its_transitions(word, names):
    assert silenced(GRAPH, {word: range(3, 5)}) == dict.fromkeys(names, Times.of([3, 4]))


def test_the_three_directions_are_all_transitions_each_once():
    closed = silenced(GRAPH, dict.fromkeys(("forward", "lateral", "feedback")))
    assert sorted(closed) == sorted(GRAPH.transition_names)


def test_a_transition_silenced_by_name_and_by_direction_is_refused():
    with pytest.raises(ValueError, match="V2->V1 is silenced twice, by 'feedback' and by 'V2->V1'; give it once"):
        silenced(GRAPH, {"feedback": [3], "V2->V1": [4]})


def test_an_unknown_word_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown transition 'feedbak': .* did you mean 'feedback'"):
        silenced(GRAPH, {"feedbak": None})


def test_a_direction_that_the_graph_lacks_is_refused():
    only_forward = cs.adjacent({"V1": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    with pytest.raises(ValueError, match=r"there is no feedback transition to silence: .* \['V1->IT'\]"):
        silenced(only_forward, {"feedback": None})


def test_a_schedule_takes_the_same_words():
    planned = cs.schedule(GRAPH, 4, silence={"lateral": [3]})
    assert [name for (name, time), why in planned.skipped.items() if (time, why) == (3, "silenced")] == [
        "V1->V1",
        "V2->V2",
        "IT->IT",
    ]


def test_a_recording_names_the_transitions_that_a_word_selected(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"feedback": [4]})
    feedback = [name for name in calibrated.graph.transition_names if direction(calibrated.graph, name) == "feedback"]
    assert settings(recording)["silence"] == {name: [[4, 5]] for name in feedback}


def test_a_word_selects_the_same_as_the_names(calibrated, pictures):
    names = silenced(calibrated.graph, {"feedback": [4]})
    word, named = (cs.simulate(calibrated, pictures, until=6, silence=s) for s in ({"feedback": [4]}, names))
    assert word.identical(named)
    assert json.loads(word.attrs["cortexsim"])["silence"]


def test_a_silence_after_the_end_is_refused(calibrated, pictures):
    message = r"silencing V2->V1 \(t = 7…8\) would change nothing: the recording ends at time 6"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": [7, 8]})


def test_a_silence_before_anything_can_be_delivered_is_refused(calibrated, pictures):
    message = r"silencing feedback \(t = 1\) would change nothing: up to time 6 it delivers only at t = 2…6"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=6, silence={"feedback": [1]})


def test_silencing_a_transition_that_never_delivers_is_refused(calibrated, pictures):
    message = r"silencing V2->V1 \(always\) would change nothing: up to time 1 it delivers at no time"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=1, silence={"V2->V1": None})


def test_a_silence_that_holds_in_part_is_taken(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": range(1, 20)})
    assert settings(recording)["silence"] == {"V2->V1": [[1, 20]]}


def test_no_times_at_all_silence_nothing(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": range(3, 3)})
    assert settings(recording)["silence"] == {"V2->V1": []}


# --- states ---------------------------------------------------------------------------------------------------------


def test_a_state_selects_all_transitions_that_leave_it():
    assert silenced(GRAPH, {"V2": [3]}) == dict.fromkeys(["V2->V1", "V2->V2", "V2->IT"], Times.of([3]))


def test_a_silenced_state_still_receives_and_the_last_one_is_read_out(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"V2": range(3, 7)})
    assert bool(recording["V2"]["populated"].values[1:].all())
    # what is in IT at 2 came from V2 at 1; from 3 on only IT itself delivers to it
    assert bool(recording["readout"]["populated"].values[2:].all())


def test_a_state_silenced_together_with_a_transition_of_its_own_is_refused():
    with pytest.raises(ValueError, match="V2->V1 is silenced twice, by 'V2' and by 'V2->V1'; give it once"):
        silenced(GRAPH, {"V2": [3], "V2->V1": [5]})


def test_silencing_a_state_that_nothing_leaves_is_refused():
    only_forward = cs.adjacent({"V1": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    with pytest.raises(ValueError, match=r"no transition leaves IT: the transitions are \['V1->IT'\]"):
        silenced(only_forward, {"IT": None})


def test_silenced_transitions_are_described():
    assert str(changes(GRAPH, {"V2->V1": range(3, 21), "V1->V1": None}, None, None)) == (
        "V2->V1 silenced (t = 3…20), V1->V1 silenced (always)"
    )


def test_gains_and_noise_are_described_exactly():
    done = changes(GRAPH, None, {"V2->V1": (0.1 + 0.2, [3])}, {"V1->V1": 2})
    assert str(done) == "V2->V1 times 0.30000000000000004 (t = 3), V1->V1 noise of 2 (always)"
    assert done
    assert not changes(GRAPH, {}, None, None)


# --- gains and noise ------------------------------------------------------------------------------------------------


def test_an_amount_alone_is_for_ever():
    assert amounts(GRAPH, {"V2->V1": 0.5}, "gain") == {"V2->V1": (0.5, Times())}
    assert amounts(GRAPH, {"V2->V1": (2, [3])}, "gain") == {"V2->V1": (2.0, Times.of([3]))}


@pytest.mark.parametrize(
    ("what", "value", "error", "message"),
    [
        ("gain", 1.0, ValueError, "a gain of 1 on V2->V1 would change nothing"),
        ("transition_noise", (0, None), ValueError, "a transition_noise of 0 on V2->V1 would change nothing"),
        ("gain", (-1.0, None), ValueError, r"gain of V2->V1 must be a number, at least 0, got -1\.0"),
        ("gain", float("nan"), ValueError, "gain of V2->V1 must be a number, at least 0, got nan"),
        ("gain", "half", ValueError, "gain of V2->V1 must be a number, at least 0, got 'half'"),
        ("gain", range(3), ValueError, r"gain of V2->V1 must be a number, at least 0, got range\(0, 3\)"),
    ],
)
def test_an_amount_that_changes_nothing_or_is_no_number_is_refused(what, value, error, message):
    with pytest.raises(error, match=message):
        amounts(GRAPH, {"V2->V1": value}, what)


def test_two_gains_on_a_transition_are_refused():
    with pytest.raises(ValueError, match="V2->V1 is given a gain twice, by 'feedback' and by 'V2'; give it once"):
        amounts(GRAPH, {"feedback": 0.5, "V2": 0.5}, "gain")


def test_gains_that_are_no_mapping_are_refused():
    with pytest.raises(TypeError, match=r"gain must map transitions to an amount and times, .* got float"):
        amounts(GRAPH, 0.5, "gain")


@pytest.mark.parametrize("what", ["gain", "transition_noise"])
def test_a_gain_or_noise_while_the_transition_is_silenced_is_refused(calibrated, pictures, what):
    message = rf"V2->V1 is silenced \(t = 3…4\) and has a {what} \(t = 4…5\): the times must not overlap"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": [3, 4]}, **{what: {"V2": (0.5, [4, 5])}})


def test_a_gain_after_the_silence_is_taken(calibrated, pictures):
    made = settings(cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": [3, 4]}, gain={"V2->V1": (0.5, [5])}))
    assert made["silence"] == {"V2->V1": [[3, 5]]}
    assert made["gain"] == {"V2->V1": [0.5, [[5, 6]]]}


def test_a_gain_where_nothing_is_delivered_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match=r"a gain on V2->V1 \(t = 1\) would change nothing: up to time 6 it delivers"):
        cs.simulate(calibrated, pictures, until=6, gain={"V2->V1": (0.5, [1])})
    # V2 is empty once nothing reaches it
    closed = {"V1->V2": None}
    with pytest.raises(ValueError, match=r"noise on V2->V1 \(always\) would change nothing"):
        cs.simulate(calibrated, pictures, until=3, silence=closed, transition_noise={"V2->V1": 0.5})
