"""The tracer panel without a browser: its questions, its records, what it saves."""

import json

import pytest

import cortexsim as cs
from cortexsim.explore.tracer.networks import shipped_content
from cortexsim.export.class_report import read_answers

DRAWN = {"size": 32, "lines": [40, 41, 42, 74], "dot": 40}
ANSWERED = [
    {"question": "nine-pixels", "answer": 12, "truth": 8},
    {"question": "deep-control", "answer": 80, "truth": 50.0},
]


@pytest.fixture
def answered_panel():
    """Make a panel as it is after a drawing and two predictions in the browser."""
    panel = cs.explore.Tracer()
    panel._view.drawn, panel._view.answered = DRAWN, ANSWERED
    return panel


def test_a_reopened_panel_has_the_drawing_and_asks_nothing_twice(answered_panel, tmp_path):
    answered_panel.save(tmp_path / "tracer.json")
    again = cs.explore.reopen(tmp_path / "tracer.json")
    assert again.settings == DRAWN
    assert again._view.answered == ANSWERED
    assert again.ask.answered == ANSWERED


def test_answers_of_a_class_are_read(answered_panel, tmp_path):
    answered_panel.save(tmp_path / "ada.json")
    table = read_answers(tmp_path).table
    assert table[["question", "right"]].to_numpy().tolist() == [["nine-pixels", False], ["deep-control", False]]


def test_without_questions_nothing_is_covered():
    assert shipped_content()["questions"] == []
    assert [one["name"] for one in shipped_content("forty-pixels")["questions"]] == ["forty-pixels", "deep-control"]


def test_an_unknown_question_is_refused():
    with pytest.raises(ValueError, match=r"question.*'ten-pixels'.*nine-pixels"):
        cs.explore.Tracer("ten-pixels")


def test_curves_and_the_control_are_those_of_the_records():
    content = shipped_content("nine-pixels")
    tracer, deep = (cs.zoo.load(name).about["by_length"] for name in ("tracer", "tracer-deep"))
    assert {line["length"]: line["percent"] for line in content["accuracy"]["lines"]} == {
        length: tracer[str(length)]["yes/no"] for length in (10, 20, 40, 60)
    }
    percent = deep["40"]["yes/no_end"]
    assert content["accuracy"]["control"]["percent"] == content["questions"][-1]["truth"] == percent


def test_every_line_waits_for_the_question_that_it_would_answer():
    content = shipped_content("nine-pixels")
    waits = {line["length"]: line["after"] for line in content["accuracy"]["lines"]}
    assert waits == {10: "nine-pixels", 20: "forty-pixels", 40: "forty-pixels", 60: "forty-pixels"}
    assert content["known"]["after"] == "forty-pixels"
    assert content["accuracy"]["control"]["after"] == "deep-control"


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        ({**DRAWN, "size": 40}, r"size must be one of \[32, 48, 64, 96\], got 40"),
        ({**DRAWN, "lines": [40, 32 * 32]}, "lines must be whole numbers from 0 to 1023"),
        ({**DRAWN, "dot": 3}, "and dot one of them"),
        ({"size": 32}, r"the settings of a drawing lack \['lines', 'dot'\]"),
    ],
)
def test_a_damaged_drawing_is_refused(answered_panel, tmp_path, drawn, message):
    path = tmp_path / "tracer.json"
    answered_panel.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "shows": drawn}))
    with pytest.raises(ValueError, match=message):
        cs.explore.reopen(path)


def test_there_is_nothing_to_record_before_something_is_drawn():
    with pytest.raises(ValueError, match="there is nothing to record: draw a curve in the panel"):
        cs.explore.Tracer().record()
