"""A question is answered before the result is shown; the verdict is computed from what was measured."""

import pytest

from cortexsim.explore.panel.asking import BUILT, NEVER, Asking, Guess

NUMBER = Guess("a number", "How many?", (0, 5, 10), lambda result: result, lambda result: f"counted {result}", "points")
WORD = Guess(
    "a word", "Which?", ("V1", "IT"), lambda result: result, lambda result: "looked", needs={"state": "held"}, within=1
)
NEAR = Guess("about", "How many?", (0, 5), lambda result: result, lambda result: "counted", "points", within=2.5)
ASKED = {"number": NUMBER, "word": WORD, "near": NEAR}


def test_a_number_is_judged_by_its_distance():
    ask = Asking(ASKED, "number")
    ask.answer = 5
    assert ask.compare(12, {}) is False
    assert "Wrong, 7 points off.</b> You said 5 points, it is 12 points. counted 12" in ask.result.value
    assert ask.answered == [{"question": "number", "answer": 5, "truth": 12}]


def test_a_word_is_right_or_not():
    ask = Asking(ASKED, "word")
    ask.answer = "V1"
    assert ask.compare("IT", {"state": "held"}) is False
    assert "Wrong.</b>" in ask.result.value
    ask.answer = "IT"
    assert ask.compare("IT", {"state": "held"}) is True


def test_near_enough_is_right():
    ask = Asking(ASKED, "near")
    ask.answer = 5
    assert ask.compare(7.5, {}) is True
    assert "Right, to within 2.5 points" in ask.result.value


def test_two_percentages_differ_by_percentage_points():
    guess = Guess(
        "a share", "How many?", (20, 40), lambda result: result, lambda result: "counted", "percent", within=5
    )
    ask = Asking({"share": guess}, "share")
    ask.answer = 20
    ask.compare(21, {})
    assert "Right, to within 5 percentage points.</b> You said 20 %, it is 21 %." in ask.result.value
    ask.answer = 40
    ask.compare(21, {})
    assert "19 percentage points off" in ask.result.value


def test_a_result_of_other_choices_does_not_judge_the_answer_which_stays():
    ask = Asking(ASKED, "word")
    ask.answer = "IT"
    assert ask.compare("IT", {"state": "cut"}) is None
    assert "Not yet: set «state» to «held», and run it." in ask.result.value
    assert (ask.answer, ask.answered) == ("IT", [])


def test_a_truth_that_is_not_known_is_not_counted():
    ask = Asking(ASKED, "number")
    ask.answer = 0
    assert ask.compare(None, {}) is None
    assert "This result does not answer the question. counted None" in ask.result.value


def test_after_one_answer_a_run_needs_no_other():
    ask = Asking(ASKED, "number")
    assert ask.missing
    ask.answer = 10
    assert not ask.missing
    ask.compare(10, {})
    assert ask.answer is None
    assert not ask.missing


def test_an_answer_stays_visible_after_its_verdict_until_another_is_asked_for():
    ask = Asking(ASKED, "number")
    ask.answer = 10
    assert ask.choice.given is None
    ask.compare(5, {})
    assert (ask.choice.value, ask.choice.given) == (None, 10)
    ask.question = "near"
    assert ask.choice.given is None
    ask.question = "number"
    assert ask.choice.given == 10
    opened = Asking(ASKED, "number")
    opened.recall(ask.answered, {})
    assert opened.choice.given == 10
    ask.remind()
    assert ask.choice.given is None


def test_a_question_is_worded_by_what_is_known_before_and_never_counts_as_a_number():
    asked = Guess(
        "when",
        lambda about: f"When, of {about}?",
        lambda about: [*range(about), NEVER],
        lambda result: result,
        lambda result: "seen",
        "steps",
        form="t = {:g}",
        never=lambda about: about + 1,
    )
    ask = Asking({"when": asked}, "when", about=4)
    assert "When, of 4?" in ask.text.value
    assert [one["label"] for one in ask.choice.options] == ["0", "1", "2", "3", "never"]
    ask.answer = NEVER
    ask.compare(3, {})
    assert "Wrong, 2 steps off.</b> You said never, it is t = 3." in ask.result.value
    assert ask.tries == [("steps", 2)]


def test_minus_one_is_a_number_where_nothing_is_never():
    assert NUMBER.formatted(-1) == "-1 points"
    assert NUMBER.distance(None, -1, 1) == 2


def test_an_exercise_that_is_built_is_solved_or_not_yet():
    ask = Asking({"build": Guess("build", "Build it.", BUILT, lambda r: r > 1, lambda r: f"It is {r}.")}, "build")
    assert ask.compare(1, {}) is False
    assert "○ Not yet.</b> It is 1." in ask.result.value
    assert ask.compare(2, {}) is True
    assert "✓ Solved.</b> It is 2." in ask.result.value


def test_markup_in_a_question_is_text():
    ask = Asking({"odd": Guess("odd", "a < b?", ("<b>",), lambda result: "<b>", lambda result: "x < y")}, "odd")
    ask.answer = "<b>"
    ask.compare(0, {})
    assert "a &lt; b?" in ask.text.value
    assert "You said &lt;b&gt;" in ask.result.value


def test_an_unknown_question_is_refused():
    with pytest.raises(ValueError, match=r"question 'nmber'.*'number'"):
        Asking(ASKED, "nmber")


def test_a_question_can_be_written_as_text_as_every_widget_is():
    # ipywidgets compares traits by methods of its own, which no name here may hide
    assert repr(Asking({})).startswith("Asking(")
