"""Silencing by name and by direction; a silence that changes nothing is no result."""

import json

import pytest

import cortexsim as cs
from cortexsim.recording import settings
from cortexsim.silence import direction, silenced
from cortexsim.transition import Times

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
def test_a_word_stands_for_all_transitions_of_its_direction(word, names):
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


def test_a_recording_says_the_transitions_that_a_word_stood_for(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"feedback": [4]})
    feedback = [name for name in calibrated.graph.transition_names if direction(calibrated.graph, name) == "feedback"]
    assert settings(recording)["silence"] == {name: [[4, 5]] for name in feedback}


def test_a_word_gives_what_the_names_give(calibrated, pictures):
    names = silenced(calibrated.graph, {"feedback": [4]})
    word, spelled = (cs.simulate(calibrated, pictures, until=6, silence=s) for s in ({"feedback": [4]}, names))
    assert word.identical(spelled)
    assert json.loads(word.attrs["cortexsim"])["silence"]


def test_a_silence_after_the_end_is_refused(calibrated, pictures):
    message = r"silencing V2->V1 \(t = 7…8\) would change nothing: the recording ends at time 6"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": [7, 8]})


def test_a_silence_before_anything_can_be_delivered_is_refused(calibrated, pictures):
    message = r"silencing feedback \(t = 1\) would change nothing: up to time 6 it delivers only at t = 2…6"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=6, silence={"feedback": [1]})


def test_silencing_what_never_delivers_is_refused(calibrated, pictures):
    message = r"silencing V2->V1 \(always\) would change nothing: up to time 1 it delivers at no time"
    with pytest.raises(ValueError, match=message):
        cs.simulate(calibrated, pictures, until=1, silence={"V2->V1": None})


def test_a_silence_that_holds_in_part_is_taken(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": range(1, 20)})
    assert settings(recording)["silence"] == {"V2->V1": [[1, 20]]}


def test_no_times_at_all_silence_nothing(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=6, silence={"V2->V1": range(3, 3)})
    assert settings(recording)["silence"] == {"V2->V1": []}
