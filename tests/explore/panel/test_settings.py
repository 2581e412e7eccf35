"""What was shown and answered in a panel is saved as a small file, and opens again; `rerun` and pages read it too."""

import json

import numpy as np
import pytest

import cortexsim as cs
from cortexsim import explore
from cortexsim.cli import main
from cortexsim.explore import Anatomy, Masking, Tour, Training, reopen
from cortexsim.explore.anatomy.arrival import ANATOMY
from cortexsim.explore.panel.reopening import SHOWS, STUDIES
from cortexsim.explore.panel.settings import shown_settings
from cortexsim.explore.tour.questions import QUESTIONS as questions_of_the_tour
from cortexsim.explore.training.questions import QUESTIONS as questions_of_a_training
from cortexsim.export.page import open_source


@pytest.fixture(scope="module")
def tour():
    panel = Tour("digits-tiny", stimulus=2, until=3, question="arrival")
    panel.wait()
    panel.ask.answer = 1
    panel.ask.reveal()
    return panel


def test_a_tour_opens_again_with_its_answers(tour, tmp_path):
    tour.save(tmp_path / "mine.json")
    again = reopen(tmp_path / "mine.json")
    assert isinstance(again, Tour)
    assert again.settings == tour.settings
    assert again.ask.answered == [{"question": "arrival", "answer": 1, "truth": tour.ask.answered[0]["truth"]}]
    assert "Answered before: when a signal arrives: said t = 1" in again.ask.result.value
    again.wait()


def test_a_tour_is_run_again_and_becomes_a_page_from_its_file(tour, tmp_path, capsys):
    tour.save(tmp_path / "mine.json")
    assert main(["rerun", str(tmp_path / "mine.json"), "--to", str(tmp_path / "again.nc")]) == 0
    with cs.open_recording(tmp_path / "again.nc") as written:
        np.testing.assert_array_equal(written["readout"]["logits"], tour.recording["readout"]["logits"])
    assert open_source(str(tmp_path / "mine.json")).settings == tour.settings


def test_a_graph_opens_again_with_what_was_built_and_answered(tmp_path):
    panel = Anatomy("adjacent", question="arrival")
    panel.draft = panel.draft.linked("V1", "IT", "BRCx2")
    panel.exercise("one-step").check()
    panel.save(tmp_path / "graph.json")
    again = reopen(tmp_path / "graph.json")
    assert isinstance(again, Anatomy)
    assert again.settings == panel.settings
    assert again.ask.question == "arrival"
    assert again.ask.answered == [{"question": "one-step", "answer": True, "truth": True}]
    assert "a short cut: solved" in again.ask.result.value


def test_a_training_opens_again_on_its_choices(tmp_path):
    panel = Training("contours", learning_rate=0.02, question="takeoff")
    panel.save(tmp_path / "training.json")
    again = reopen(tmp_path / "training.json")
    assert isinstance(again, Training)
    assert again.settings == panel.settings
    assert again.ask.question == "takeoff"


def test_a_training_of_ones_own_wants_its_lesson(tiny, tmp_path):
    panel = Training(tiny, seed=3)
    panel.save(tmp_path / "own.json")
    with pytest.raises(ValueError, match="give it as lesson="):
        reopen(tmp_path / "own.json")
    assert reopen(tmp_path / "own.json", lesson=tiny).settings == panel.settings


def test_answers_with_markup_are_text(tour):
    again = Tour("digits-tiny", stimulus=2, until=3, question="")
    again.ask.recall([{"question": "arrival", "answer": "<b>", "truth": "x"}], {})
    assert "said &lt;b&gt;" in again.ask.result.value
    again.wait()


@pytest.mark.parametrize("panel", ["Anatomy", "Training"])
def test_panels_without_a_measurement_cannot_be_rerun_or_exported(panel, tmp_path, capsys):
    made = {"Anatomy": Anatomy, "Training": Training}[panel]("contours" if panel == "Training" else "adjacent")
    made.save(tmp_path / "mine.json")
    assert main(["rerun", str(tmp_path / "mine.json")]) != 0
    assert f"a panel {panel} has no measurement to repeat" in capsys.readouterr().err
    with pytest.raises(ValueError, match=f"no page can be made of a panel {panel}"):
        open_source(str(tmp_path / "mine.json"))


def test_a_file_that_lacks_something_is_refused(tour, tmp_path):
    tour.save(tmp_path / "mine.json")
    saved = json.loads((tmp_path / "mine.json").read_text())
    with pytest.raises(ValueError, match=r"the settings lack \['answered'\]: required are"):
        reopen({name: value for name, value in saved.items() if name != "answered"})
    with pytest.raises(ValueError, match="of schema 9"):
        reopen({**saved, "schema": 9})


@pytest.fixture
def graph():
    """The settings of a panel that asks in numbers, and whether something was built."""
    return shown_settings(Anatomy("adjacent", question="arrival"))


@pytest.mark.parametrize(
    ("answered", "match"),
    [
        (["x"], "damaged at number 1 of 1: the settings of an answer must be a mapping, got str"),
        ([{"answer": 1}], r"damaged at number 1 of 1: the settings of an answer lack \['question', 'truth'\]"),
        ([{"question": "arrival", "anser": 1, "truth": 1}], "unknown setting 'anser': .* did you mean 'answer'"),
        ([{"question": "arival", "answer": 1, "truth": 1}], "1 of 1: unknown question 'arival': .* mean 'arrival'"),
        (
            [{"question": ["x"], "answer": 1, "truth": 1}],
            r"1 of 1: unknown question \['x'\]: the allowed values are",
        ),
        ([{"question": "arrival", "answer": "x", "truth": 1}], "answer to 'arrival' must be a finite number, got 'x'"),
        (
            [{"question": "arrival", "answer": True, "truth": 1}],
            "answer to 'arrival' must be a finite number, got True",
        ),
        ([{"question": "arrival", "answer": 1, "truth": float("nan")}], "truth to 'arrival' must be a finite .* nan"),
        ([{"question": "one-step", "answer": 1, "truth": True}], "answer to 'one-step' must be true, got 1"),
        (
            [{"question": "one-step", "answer": True, "truth": "x"}],
            "truth to 'one-step' must be true or false, got 'x'",
        ),
    ],
)
def test_damaged_answers_are_refused_with_where_and_what_is_allowed(graph, answered, match):
    with pytest.raises(ValueError, match=match):
        reopen({**graph, "answered": answered})


@pytest.mark.parametrize("answer", ["x", 11, None, [5]])
def test_an_answer_that_was_not_on_offer_is_refused(answer):
    saved = shown_settings(Training("contours"))
    before = [{"question": "feedforward", "answer": 5, "truth": 35}, {"question": "feedforward", "truth": 5}]
    with pytest.raises(ValueError, match=r"at number 2 of 2: .* 'feedforward' must be one of \[-10, -5, 0, .*, got"):
        reopen({**saved, "answered": [before[0], {**before[1], "answer": answer}]})


def test_damaged_answers_of_a_panel_that_measures_are_refused():
    saved = Masking("digits-tiny").settings
    with pytest.raises(ValueError, match="damaged at number 1 of 1: unknown question 'x'"):
        reopen({**saved, "answered": [{"question": "x", "answer": 1, "truth": 1}]})


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"question": 5}, "question must be text, got 5"),
        ({"shows": 5}, "shows must be a mapping, got 5"),
        ({"answered": 5}, "answered must be a list, got 5"),
        ({"answered": "x"}, "answered must be a list, got 'x'"),
    ],
)
def test_a_value_of_another_type_is_refused(graph, changes, match):
    with pytest.raises(TypeError, match=match):
        reopen({**graph, **changes})


def test_a_panel_that_does_not_exist_is_refused(graph):
    with pytest.raises(ValueError, match=r"unknown panel \['Tour'\]: the allowed values are"):
        reopen({**graph, "panel": ["Tour"]})


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "{"])
def test_a_file_that_cannot_be_read_as_json_is_refused(text, tmp_path):
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(ValueError, match=r"mine.json is not JSON.*; write it with panel.save"):
        reopen(tmp_path / "mine.json")


@pytest.mark.parametrize("name", sorted((*STUDIES, *SHOWS)))
def test_a_saved_answer_belongs_to_one_question_or_exercise(name):
    panel = getattr(explore, name)
    shows = {"Tour": questions_of_the_tour, "Anatomy": ANATOMY, "Training": questions_of_a_training}
    asked = shows.get(name) or panel.QUESTIONS
    assert not {*asked} & {*panel.EXERCISES}
    # an experiment of the paper shows what it is, and asks nothing; the tracer asks on its stage
    assert asked or name in ("Experiment", "Tracer", "MaskingTrials")
