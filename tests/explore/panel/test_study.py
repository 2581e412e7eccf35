"""A panel that measures: what it runs, draws and tells; what goes wrong is said in it; its settings open it again."""

import json
import threading
from typing import ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.study import Study
from cortexsim.explore.panel.subject import Subject


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    data = cs.datasets.digits(12, size=16)
    cs.calibrate(model, data, until=4)
    return {"model": model, "data": data}


class Counting(Study):
    """Sums up pixels, for want of anything simpler that is measured."""

    QUESTIONS: ClassVar = {
        "sum": Guess("the sum", "How much?", (0, 1), lambda r: float(r["sum"]) > 0, lambda r: "summed")
    }
    EXERCISES: ClassVar = {
        "twice": Guess("twice", "And twice?", (0, 1), lambda r: 1, lambda r: "doubled", needs={"times": 2}),
        "any": Guess("any", "And now?", (0, 1), lambda r: 1, lambda r: "summed"),
    }

    def __init__(self, subject, question=""):
        self.goes_on, self.started, self.calls = threading.Event(), threading.Event(), 0
        self.goes_on.set()
        controls = {"times": widgets.IntText(1), "fails": widgets.Checkbox(False)}
        super().__init__(subject, controls, question)

    def why_not(self, choices):
        return "" if choices["times"] > 0 else f"times must be at least 1, got {choices['times']}"

    def measure(self, choices, report):
        self.calls += 1
        report(0.2, "a fifth of it")
        self.started.set()
        self.goes_on.wait(20)
        report(0.5, "half of it")
        if choices["fails"]:
            raise ValueError("no <sums> today")
        return xr.Dataset({"sum": float(self.subject.images["image"].sum()) * choices["times"]})

    def draw(self, result):
        return {"sum": go.Figure(go.Scatter(y=[float(result["sum"])]))}

    def say(self, result):
        return f"{float(result['sum']):.0f} < everything"


@pytest.fixture
def panel(given):
    return Counting(Subject(**given, n=8))


def test_a_run_measures_draws_and_reports(panel):
    panel.run()
    panel.wait(20)
    assert panel.error is None
    assert float(panel.result["sum"]) == float(panel.subject.images["image"].sum())
    assert [live.figure.data[0].y[0] for live in panel.place.children] == [float(panel.result["sum"])]
    assert "&lt; everything" in panel.finding.value
    assert not panel.busy


def test_an_earlier_measurement_is_shown_at_once(panel):
    for times in (1, 2, 1):
        panel.choose(times=times)
        panel.run()
        panel.wait(20)
    assert panel.calls == 2
    assert float(panel.result["sum"]) == float(panel.subject.images["image"].sum())


def test_a_known_result_of_what_was_chosen_during_a_run_is_shown_after_it(panel):
    first = panel.compute()
    panel.choose(times=2)
    panel.goes_on.clear()
    panel.run()
    panel.choose(times=1)
    panel.goes_on.set()
    panel.wait(20)
    assert panel.result is first
    assert len(panel.results) == 2


def test_a_question_wants_its_answer_before_the_run(given):
    panel = Counting(Subject(**given, n=8), "sum")
    panel.run()
    assert "Predict first" in panel.ask.result.value
    assert panel.result is None
    panel.ask.answer = 1
    assert "Predict first" not in panel.ask.result.value
    panel.run()
    panel.wait(20)
    assert "Exactly right" in panel.ask.result.value


def test_an_error_shows_in_the_panel_which_still_works(panel):
    panel.choose(fails=True)
    panel.run()
    panel.wait(20)
    # nothing was drawn yet
    assert "The figures below" not in panel.notice.value
    panel.choose(fails=False)
    panel.run()
    panel.wait(20)
    before = panel.result
    panel.choose(fails=True)
    panel.run()
    panel.wait(20)
    assert isinstance(panel.error, ValueError)
    assert "no &lt;sums&gt; today" in panel.notice.value
    assert "The figures below are those of the previous run" in panel.notice.value
    assert panel.result is before
    panel.choose(fails=False, times=3)
    # it was about other choices
    assert panel.notice.value == ""
    panel.run()
    panel.wait(20)
    assert panel.error is None
    assert panel.notice.value == ""


def test_cancel_stops_a_run_and_keeps_the_previous_result(panel):
    panel.goes_on.clear()
    panel.run()
    assert panel.started.wait(20)
    assert panel.busy
    panel.cancel()
    assert not panel.busy
    panel.goes_on.set()
    panel.wait(20)
    assert panel.result is None
    assert panel.words.value == "cancelled"


def test_the_bar_and_the_words_say_how_much_of_a_run_is_left(panel, monkeypatch):
    monkeypatch.setattr(
        "cortexsim.explore.panel.study.Clock.seconds_left", lambda clock, fraction: 100 * (1 - fraction)
    )
    panel.goes_on.clear()
    panel.run()
    assert panel.started.wait(20)
    assert panel.bar.value == 0.2
    assert panel.words.value == "a fifth of it, 80 s left"
    panel.goes_on.set()
    panel.wait(20)
    assert panel.words.value == ""


def test_impossible_choices_are_reported_before_a_run(panel):
    panel.choose(times=0)
    assert panel.button.disabled
    assert "at least 1, got 0" in panel.words.value
    panel.run()
    assert "at least 1, got 0" in panel.notice.value
    with pytest.raises(ValueError, match="at least 1, got 0"):
        panel.compute()
    panel.choose(times=1)
    assert not panel.button.disabled


def test_two_panels_do_not_disturb_each_other(given):
    one, other = (Counting(Subject(**given, n=8)) for _ in range(2))
    other.choose(times=2)
    one.run()
    other.run()
    one.wait(20)
    other.wait(20)
    assert float(other.result["sum"]) == 2 * float(one.result["sum"])


def test_an_exercise_is_checked_by_what_the_panel_measured(panel):
    exercise = panel.exercise("twice")
    assert exercise.check() is None
    assert "Choose an answer first" in exercise.ask.result.value
    exercise.ask.answer = 1
    assert exercise.check() is None
    assert "set «times» to «2»" in exercise.ask.result.value
    panel.choose(times=2)
    panel.run()
    panel.wait(20)
    assert exercise.check() is True
    # a second press leaves the verdict
    assert exercise.check() is None
    assert "Exactly right" in exercise.ask.result.value
    with pytest.raises(ValueError, match="exercise 'thrice'"):
        panel.exercise("thrice")


def test_what_an_exercise_needs_is_set_by_its_button(panel):
    exercise = panel.exercise("twice")
    exercise.ask.answer = 1
    assert exercise.ask.set_button.layout.display == "none"
    exercise.check()
    assert exercise.ask.set_button.layout.display == ""
    exercise.ask.set_button.click()
    assert panel.choices["times"] == 2
    assert exercise.ask.set_button.layout.display == "none"
    # what is set is not asked for again, neither before the run nor while it runs
    exercise.check()
    assert "It is set: run it now." in exercise.ask.result.value
    panel.goes_on.clear()
    panel.run()
    exercise.check()
    assert "Wait for the run to end" in exercise.ask.result.value
    panel.goes_on.set()
    panel.wait(20)
    assert exercise.check() is True


def test_a_panel_covers_its_unanswered_questions_and_nothing_without_one(given, panel):
    asking = Counting(Subject(**given, n=8), "sum")
    assert asking.covered("sum")
    asking.ask.answer = 1
    asking.run()
    asking.wait(20)
    assert not asking.covered("sum")
    assert not panel.covered("sum")


def test_an_exercise_without_a_run_says_so_and_its_answer_is_kept_with_the_panels(panel, given):
    exercise = panel.exercise("any")
    exercise.ask.answer = 1
    assert exercise.check() is None
    assert "Nothing was run yet" in exercise.ask.result.value
    panel.compute()
    assert exercise.check() is True
    again = Counting.from_settings(panel.settings, **given)
    assert again.ask.answered == [{"question": "any", "answer": 1, "truth": 1}]
    assert "Answered before: any: said 1, it is 1." in again.ask.result.value


def test_settings_are_plain_open_the_panel_again_and_keep_the_answers(panel, given, tmp_path):
    panel.choose(times=2)
    panel.ask.question = "sum"
    panel.ask.answer = 0
    panel.run()
    panel.wait(20)
    panel.save(tmp_path / "mine.json")
    settings = json.loads((tmp_path / "mine.json").read_text())
    again = Counting.from_settings(settings, **given)
    assert again.settings == settings
    assert again.ask.answered == [{"question": "sum", "answer": 0, "truth": 1}]
    assert again.compute().identical(panel.result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 7}, "of schema 7"),
        ({"panel": "Tour"}, "of the panel Tour, not of Counting"),
        ({"extra": 1}, "unknown setting 'extra'"),
        ({"choices": {"tims": 2}}, "choice 'tims'"),
        ({"choices": {"times": "two"}}, "times must be of the type int, got 'two'"),
        ({"subject": {"n": 3}}, r"the settings of the subject lack \['model', 'data'\]"),
    ],
)
def test_settings_of_something_else_are_refused(panel, given, change, message):
    with pytest.raises(ValueError, match=message):
        Counting.from_settings({**panel.settings, **change}, **given)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"choices": [2]}, r"choices must be a mapping, got \[2\]"), ({"subject": 3}, "subject must be a mapping, got 3")],
)
def test_settings_of_another_type_are_refused(panel, given, change, message):
    with pytest.raises(TypeError, match=message):
        Counting.from_settings({**panel.settings, **change}, **given)


def test_settings_that_name_no_model_want_it_and_refuse_another(panel, given):
    with pytest.raises(ValueError, match="name no model"):
        Counting.from_settings(panel.settings, data=given["data"])
    other = cs.Cortex(given["model"].graph, 10, 4)
    with pytest.raises(ValueError, match="its checksum is"):
        Counting.from_settings(panel.settings, model=other, data=given["data"])


def test_a_choice_beyond_its_control_is_refused_and_changes_nothing():
    panel = cs.explore.HowLong("contours")
    before = panel.choices
    for name, value, allowed in (
        ("held_from", 99, r"held_from must be one of \[3, 4, 5, 6, 7, 8\], got 99"),
        ("task", "contour", r"task must be one of \['contours', 'digits', 'digits-tiny'\], got 'contour'"),
        ("task", ["contours"], "task must be one of"),
    ):
        with pytest.raises(ValueError, match=allowed):
            panel.choose(**{name: value})
    assert panel.choices == before
    folding = cs.explore.Folding()
    with pytest.raises(ValueError, match=r"steps must be a number from 1 to \d+, got 900"):
        folding.choose(steps=900)
    assert folding.choices["steps"] < 900


def test_a_panel_takes_all_images_where_there_are_fewer_than_its_own_number(given):
    panel = cs.explore.Changes(**given, question="")
    assert panel.subject.n == 12 < cs.explore.Changes.N


@pytest.mark.parametrize("name", ["tracer", "tracer-mazes"])
def test_a_map_reading_model_says_which_images_it_needs(name, given):
    pictures = given["data"].drop_vars("target", errors="ignore").assign_coords(label=("stimulus", ["a", "b"] * 6))
    with pytest.raises(ValueError, match=r"for each pixel.* needs images with target maps, as cs.datasets.paths"):
        Subject(model=name, data=pictures, n=12)


def test_a_subject_refuses_wrong_arguments_with_the_allowed_ones(given):
    with pytest.raises(ValueError, match="not both"):
        Subject("contours", **given)
    with pytest.raises(TypeError, match="go together"):
        Subject(model=given["model"])
    with pytest.raises(ValueError, match="n is 50, but there are 12"):
        Subject(**given, n=50)
    with pytest.raises(ValueError, match=r"task 'contour'.*'contours'"):
        Subject("contour")
    with pytest.raises(ValueError, match="n must be at most 10,000 where images are drawn, got 100000"):
        Subject("contours", n=100_000)
    with pytest.raises(ValueError, match=r"unknown data None.*'digits', 'contours'"):
        Subject(model=given["model"], data={})
    assert Subject("contours", n=3).images.sizes["stimulus"] == 3


def test_images_that_come_class_by_class_are_taken_of_all_classes(given):
    digits = cs.datasets.digits(200, size=16)
    sorted_digits = digits.isel(stimulus=np.argsort(digits["label"].values, kind="stable"))
    subject = Subject(model=given["model"], data=sorted_digits, n=100)
    for some in (subject.images, subject.some(20), subject.training(50)):
        n = some.sizes["stimulus"]
        assert np.bincount(some["label"].values, minlength=10).tolist() == [n // 10] * 10
    drawn = Subject("contours", n=6)
    assert drawn.some(4).identical(drawn.images.isel(stimulus=slice(0, 4)))


def test_reopen_refuses_other_settings_with_the_allowed_ones(tmp_path):
    with pytest.raises(FileNotFoundError, match="no settings at"):
        cs.explore.reopen(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        cs.explore.reopen(tmp_path / "broken.json")
    with pytest.raises(ValueError, match="the key 'panel' is missing"):
        cs.explore.reopen({"schema": 1})
    with pytest.raises(ValueError, match=r"panel 'Maskin'.*'Masking'"):
        cs.explore.reopen({"panel": "Maskin"})


def test_an_exercise_shows_as_a_widget(panel):
    # a method by a name of traitlets' own would break it
    exercise = panel.exercise("twice")
    assert exercise.ask.get_state()["children"]
    assert exercise._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_a_notebook_stores_a_sentence_for_a_panel_without_a_kernel(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == "Counting: a panel that needs its kernel. Run the cells from the top to use it."
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


STALE = "cortexsim-stale"


def test_figures_of_other_choices_are_dimmed_and_those_of_an_earlier_run_come_back(panel):
    panel.compute()
    first = panel.result
    panel.choose(times=2)
    assert STALE in panel.body._dom_classes
    assert STALE in panel.finding._dom_classes
    panel.compute()
    assert STALE not in panel.body._dom_classes
    panel.choose(times=1)
    assert panel.result is first
    assert STALE not in panel.body._dom_classes
    assert panel.calls == 2


def test_progress_and_errors_take_the_place_of_the_sentence_about_the_previous_run(panel):
    panel.compute()
    assert panel.finding.layout.display == ""
    panel.goes_on.clear()
    panel.choose(times=3)
    panel.run()
    assert panel.started.wait(20)
    assert panel.finding.layout.display == "none"
    assert panel.cancel_button.layout.display == ""
    panel.goes_on.set()
    panel.wait()
    assert panel.finding.layout.display == ""
    assert panel.cancel_button.layout.display == "none"
    panel.choose(fails=True)
    panel.run()
    panel.wait()
    assert panel.finding.layout.display == "none"


class WithMore(Counting):
    MORE: ClassVar = ("fails",)


def test_more_settings_are_shown_after_a_press(given):
    panel = WithMore(Subject(**given, n=8))
    action, more = panel.children[1:3]
    assert panel._controls["fails"] in more.children
    assert more.layout.display == "none"
    action.children[-1].value = True
    assert more.layout.display == ""
