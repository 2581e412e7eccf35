"""The lesson of the tracer: six curves and tests while it learns, runs that are looked at, named and removed."""

import time

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.explore.training.lessons import LESSONS
from cortexsim.explore.training.panel import Training
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.tracing import LONG, SHORT, SIX, six_curves, traced, tracing_lesson
from cortexsim.plot._learning import LOOKED_AT

LONG_S = 240


@pytest.fixture(scope="module")
def two_runs():
    """A panel with two runs of three steps each."""
    lesson = tracing_lesson(
        n=56, n_held_out=8, recipe=cs.Recipe.tracing(epochs=1, batch_size=16), tests_every=1, title="tiny"
    )
    panel = Training(lesson, question="")
    for progressive in (True, False):
        panel.controls.progressive.value = progressive
        panel.start()
        panel.wait(LONG_S)
    yield panel
    panel.close()


def test_a_run_that_is_stopped_has_a_model_that_can_be_used():
    lesson = tracing_lesson(
        n=56, n_held_out=8, recipe=cs.Recipe.tracing(epochs=100_000, batch_size=16), title="endless"
    )
    panel = Training(lesson, question="")
    panel.start()
    ends = time.monotonic() + LONG_S
    while "tested" not in panel.runs["run 1"]:
        assert time.monotonic() < ends, "it never began"
        time.sleep(0.05)
    panel.stop()
    panel.wait(LONG_S)
    assert panel.notice.value == ""
    assert panel.runs["run 1"].attrs["status"] == "stopped"
    assert panel.model.at_size(20)(cs.datasets.paths(1, size=20)).shape[-1] == 20
    panel.close()


def traces(panel, name="curves"):
    return {trace.name: trace for trace in panel.views.figure(name).data}


def marked(panel):
    return {shape.x0 for shape in panel.views.figure("curves").layout.shapes if shape.name == LOOKED_AT}


def test_it_is_tested_on_new_curves_while_it_learns(two_runs):
    assert two_runs.notice.value == ""
    curves = two_runs.runs["run 2"]
    assert curves["tested_step"].values.tolist() == [0, 3]
    assert curves["images"].values.tolist() == [SHORT, LONG]
    assert ((curves["tested"] >= 0) & (curves["tested"] <= 1)).all()
    assert curves["time"].values.tolist() == [9, 10, 11, 12]
    drawn = traces(two_runs)
    np.testing.assert_array_equal(drawn[LONG].y, curves["tested"].sel(images=LONG))
    np.testing.assert_array_equal(drawn[f"run 1, {LONG}"].y, two_runs.runs["run 1"]["tested"].sel(images=LONG))


def test_progressive_loss_is_the_recipes_or_off(two_runs):
    lesson = LESSONS["tracer"]
    chosen = lesson.default_choices
    assert lesson.recipe_for(chosen).progressive == (0.5, 24)
    assert cs.Recipe.tracing().progressive == (0.5, 24)
    first, second = (settings["progressive"] for settings, _ in two_runs.results)
    assert (first, second) == (True, False)


def test_looking_back_shows_an_earlier_map_and_marks_its_step(two_runs):
    shots = two_runs._trainers[-1].snapshots
    two_runs.views.look_back.value = 0
    assert "at training step 0" in two_runs.views.figure("maps").layout.title.text
    assert marked(two_runs) == {0}
    two_runs.views.look_back.value = len(shots) - 1
    assert marked(two_runs) == set()
    assert f"step {shots[-1].step}" in two_runs.views.figure("maps").layout.title.text


def test_the_curves_are_there_before_a_run_and_gone_with_another_task():
    panel = Training("tracer", question="")
    maps = panel.views.figure("maps")
    assert [one.text for one in maps.layout.annotations] == [f"0 of {length} px" for length, _ in SIX]
    panel.controls.task.value = "digits"
    assert panel.views.figure("maps") is None
    panel.close()


def test_another_run_can_be_looked_at_and_named(two_runs):
    two_runs.run_row.menu.value = "run 1"
    assert f"run 2, {LONG}" in traces(two_runs)
    two_runs.run_row.name.value = "progressive"
    assert list(two_runs.runs) == list(two_runs.models) == ["progressive", "run 2"]
    assert two_runs.run_row.menu.value == "progressive"
    with pytest.raises(ValueError, match=r"no other run has \(progressive, run 2\), got 'run 2'"):
        two_runs.rename("progressive", "run 2")
    two_runs.run_row.menu.value = "run 2"
    assert f"progressive, {LONG}" in traces(two_runs)


def test_the_model_that_ships_traces_the_six_curves_and_an_untrained_one_does_not():
    maps = traced(cs.zoo.load("tracer").at_size(32).eval(), six_curves(), 90)
    assert maps["length"].values.tolist() == [length for length, _ in SIX]
    np.testing.assert_array_equal(maps["reached"], maps["length"])
    assert maps["exact"].all()
    chosen = LESSONS["tracer"].default_choices
    untrained = traced(LESSONS["tracer"].model_for(chosen, 2).at_size(32).eval(), six_curves(), 90)
    assert not untrained["exact"].any()


def test_a_gap_ends_the_reach():
    curves = cs.datasets.paths(1, size=16, length=(8, 8), part="test", seed=0)
    model = cs.zoo.load("tracer").at_size(16).eval()
    after = [int(traced(model, curves, time)["reached"][0]) for time in (0, 3, 30)]
    assert after[0] <= after[1] < after[2] == 8


def test_changes_of_the_recipe_are_marked_in_the_plot():
    lesson = LESSONS["contours"]
    ((step, words),) = lesson.recipe_changes(lesson.default_choices)
    assert step == pytest.approx(0.65 * lesson.steps, abs=1)
    assert words == "all images, all readout times"
    run = Run("run 1", {}, [3], changes=[(step, words)]).curves()
    figure = cs.plot.learning(run)
    assert {shape.x0 for shape in figure.layout.shapes if "recipe" in shape.name} == {step}
    assert [one.text for one in figure.layout.annotations if one.name == "recipe changes"] == [f"from here: {words}"]
