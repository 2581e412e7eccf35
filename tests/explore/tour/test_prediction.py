"""A prediction is asked for before anything is read out; every answer is worked out from what was run."""

import pytest

from cortexsim.explore.panel.asking import NEVER, tally
from cortexsim.explore.panel.settings import check_answers
from cortexsim.explore.tour.prediction import Prediction
from cortexsim.explore.tour.questions import QUESTIONS, Facts
from cortexsim.explore.widgets.stage import Stage

NONE = [None, None]
FACTS = Facts(
    last="IT",
    n_transitions=2,
    holds=[False, False, True, True, True, True],
    right=[*NONE, True, False, True, True],
    n=100,
    chance=0.5,
)
BATCH, CONTROL = [*NONE, 0.6, 0.8, 0.93, 0.91], [*NONE, 0.55, 0.58, None, None]


def asking(question):
    panel = Prediction(Stage(), question)
    panel.start(FACTS, control=True)
    return panel


def known(**changes):
    return Facts(**{**vars(FACTS), "batch": BATCH, "control": CONTROL, **changes})


def test_a_signal_arrives_when_the_last_state_first_holds_something():
    assert QUESTIONS["arrival"].truth(FACTS) == 2
    assert QUESTIONS["arrival"].truth(known(holds=[False] * 6)) == NEVER


def test_a_state_whose_start_is_given_is_reached_when_the_signal_arrives_and_not_at_time_0():
    started = known(holds=[True] * 6, starts=True)
    assert QUESTIONS["arrival"].truth(started) == 2
    assert "populated from t = 0" in QUESTIONS["arrival"].because(started)
    assert QUESTIONS["arrival"].truth(known(holds=[True] * 6, n_transitions=6, starts=True)) == NEVER


@pytest.mark.parametrize(
    ("right", "expected"),
    [([True, False, True, True], 4), ([True] * 4, 2), ([True, True, True, False], NEVER), ([False] * 4, NEVER)],
)
def test_settled_means_right_at_all_later_times(right, expected):
    assert QUESTIONS["settled"].truth(known(right=[*NONE, *right])) == expected


def test_the_level_lies_halfway_between_guessing_and_always_right():
    assert QUESTIONS["batch"].truth(known()) == 3
    assert QUESTIONS["batch"].truth(known(batch=[*NONE, 0.5, 0.6, 0.7, 0.749])) == NEVER


def test_the_control_is_judged_at_its_last_readable_time():
    assert QUESTIONS["control"].truth(known()) == 58


def test_never_is_as_far_as_the_step_after_the_last_time():
    assert QUESTIONS["settled"].distance(FACTS, NEVER, 4) == 2
    assert QUESTIONS["settled"].distance(FACTS, NEVER, NEVER) == 0


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_the_answer_of_every_question_can_be_chosen_or_lies_between_choices(name):
    one = QUESTIONS[name]
    choices = one.choices(known())
    assert min(choices) <= one.truth(known()) <= max(choices)
    assert one.asked(known())
    assert one.because(known())


@pytest.mark.parametrize(
    ("question", "cover"), [("", ""), ("arrival", "time"), ("settled", "readout"), ("batch", "readout")]
)
def test_a_question_covers_what_would_give_it_away(question, cover):
    assert asking(question).stage.cover == cover


def test_revealing_says_how_close_it_was_and_uncovers():
    panel = asking("settled")
    panel.answer = 5
    panel.reveal_button.click()
    assert "Wrong, 1 step off.</b> You said t = 5, it is t = 4. It was wrong at t = 3." in panel.result.value
    assert panel.stage.cover == ""
    assert [(mark["time"], mark["on"]) for mark in panel.stage.marks] == [(4, "probability"), (5, "probability")]
    assert panel.tries == [("steps", 1)]


def test_arrival_is_said_to_be_true_by_construction():
    panel = asking("arrival")
    panel.answer = 2
    panel.reveal()
    assert "Exactly right.</b>" in panel.result.value
    assert "2 connections lead to IT, each takes one step" in panel.result.value
    assert "true by construction" in panel.result.value


def test_nothing_is_revealed_without_a_prediction():
    panel = asking("settled")
    panel.reveal()
    assert panel.stage.cover == "readout"
    assert "Choose an answer first" in panel.result.value
    assert panel.tries == []


def test_skipping_uncovers_and_does_not_count():
    panel = asking("settled")
    panel.skip_button.click()
    assert panel.stage.cover == ""
    assert panel.tries == []


def test_a_prediction_counts_once():
    panel = asking("settled")
    panel.answer = 4
    panel.reveal()
    panel.reveal()
    assert len(panel.tries) == 1


def test_a_prediction_about_the_batch_waits_for_its_measurement():
    panel = asking("batch")
    panel.answer = 4
    panel.reveal()
    assert "Measuring" in panel.result.value
    assert panel.stage.cover == "readout"
    panel.learn(BATCH, final=False)
    assert "You said t = 4, it is t = 3. It gets 60 % of 100 right at t = 2, 91 % at t = 5." in panel.result.value
    assert panel.stage.cover == ""


def test_a_measurement_that_failed_does_not_count():
    panel = asking("control")
    panel.answer = 60
    panel.reveal()
    panel.learn(final=True)
    assert "could not be measured" in panel.result.value
    assert panel.stage.cover == ""
    assert panel.tries == []


KEYS = {"arrival": 1, "settled": 1, "batch": 1, "control": 1}


def covered(panel):
    return set(panel.stage.covers)


def asked_in_turn(*questions):
    """A panel in which these questions were answered, and the last one is asked."""
    panel = Prediction(Stage(), questions[0])
    panel.start(known(), control=True, keys=KEYS)
    for question in questions[:-1]:
        panel.question = question
        panel.answer = panel.asked.offered(panel.about)[1]
        panel.reveal()
    panel.question = questions[-1]
    return panel


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        (["arrival"], {"probability", "accuracy", "control"}),
        (["arrival", "settled"], {"probability", "accuracy", "control"}),
        (["settled", "batch"], {"accuracy", "control"}),
        (["settled", "batch", "control"], {"control"}),
        (["control", "settled"], {"probability"}),
        (["settled", ""], set()),
    ],
)
def test_each_chart_stays_covered_until_its_own_question_is_answered(questions, expected):
    assert covered(asked_in_turn(*questions)) == expected


def test_the_answer_to_one_question_uncovers_nothing_else():
    panel = asked_in_turn("arrival", "arrival")
    assert panel.stage.cover == ""
    assert covered(panel) == {"probability", "accuracy", "control"}
    assert "«when this image is recognised»" in panel.stage.covers["probability"]


def test_what_no_other_image_changes_is_not_asked_again():
    panel = asked_in_turn("settled", "arrival", "arrival")
    said = panel.result.value
    panel.start(known(), control=True, keys={**KEYS, "settled": 2})
    assert panel.stage.cover == ""
    assert panel.result.value == said
    assert panel.reveal_button.disabled
    assert covered(panel) == {"probability", "accuracy", "control"}


def test_after_skip_other_images_are_shown_without_questions_until_one_is_chosen():
    panel = Prediction(Stage(), "settled")
    panel.start(known(), control=True, keys=KEYS)
    panel.skip()
    panel.start(known(), control=True, keys={**KEYS, "settled": 2})
    assert (panel.stage.cover, covered(panel)) == ("", set())
    panel.question = "batch"
    assert (panel.stage.cover, covered(panel)) == ("readout", {"probability", "accuracy", "control"})


def test_another_recording_is_asked_about_anew():
    panel = asking("settled")
    panel.answer = 4
    panel.reveal()
    panel.start(FACTS, control=True)
    assert panel.answer is None
    assert panel.stage.cover == "readout"
    assert panel.stage.marks == []
    assert panel.tries == [("steps", 0)]


def test_what_cannot_be_answered_is_not_asked():
    panel = Prediction(Stage(), "control")
    panel.start(FACTS, control=False)
    assert panel.question == ""
    assert "control" not in [value for _, value in panel.menu.options]
    panel.start(Facts(**{**vars(FACTS), "right": [None] * 6}), control=False)
    assert [value for _, value in panel.menu.options] == ["", "arrival"]


def test_the_question_stays_when_the_menu_changes():
    panel = asking("batch")
    panel.start(FACTS, control=False)
    assert panel.question == panel.menu.value == "batch"


def test_an_error_in_an_answer_is_shown_in_the_panel(monkeypatch):
    panel = asking("settled")
    panel.answer = 4
    monkeypatch.setattr(Facts, "readable", property(lambda _: 1 / 0))
    panel.reveal_button.click()
    assert 'role="alert"' in panel.result.value
    assert "division by zero" in panel.result.value


def test_the_tally_keeps_steps_and_points_apart():
    text = tally([("steps", 1), ("steps", 2), ("points", 12)])
    assert text == "2 predictions, on average 1.5 steps off; 1 prediction, on average 12.0 points off"


def test_the_former_name_of_a_question_still_opens_it():
    panel = Prediction(Stage(), "sibling")
    panel.start(FACTS, control=True)
    assert panel.question == "control"
    panel.question = ""
    panel.question = "sibling"
    assert panel.question == "control"
    saved = [{"question": "sibling", "answer": 60, "truth": 58}]
    check_answers(saved, QUESTIONS)
    panel.recall(saved, {})
    assert panel.answered == [{"question": "control", "answer": 60, "truth": 58}]
