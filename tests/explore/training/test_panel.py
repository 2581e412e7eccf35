"""The training panel without a browser: it starts, pauses, resumes and stops, and shows every error."""

import json
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore.training.images import split
from cortexsim.explore.training.panel import Training

LONG_S = 240  # a process' first optimizer takes seconds to import, and a test machine may be busy


@pytest.fixture
def opened():
    """Open panels that are closed at the end, whatever happens."""
    panels = []

    def open_one(lesson, **more):
        panels.append(Training(lesson, **{"question": "", **more}))
        return panels[-1]

    yield open_one
    for panel in panels:
        panel.close()


@pytest.fixture(scope="module")
def finished(tiny):
    """A panel with one finished run."""
    panel = Training(tiny, question="")
    panel.start()
    panel.wait(LONG_S)
    yield panel
    panel.close()


def until(condition):
    """Wait until a condition is true."""
    ends = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < ends, "the condition was never true"
        time.sleep(0.02)


def steps_of(panel):
    return [record.step for record in panel._runs[-1].records]


def own_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("cortexsim-")]


def traces(panel, name="curves"):
    return {trace.name: trace for trace in panel.views.figure(name).data}


def test_nothing_trains_before_it_is_started(opened, tiny):
    before = own_threads()
    panel = opened(tiny)
    assert panel.phase == "idle"
    assert panel.runs == {}
    assert panel.model is None
    assert own_threads() == before
    assert "a run takes 24 steps" in panel.words.value


def test_a_run_has_curves_of_loss_and_accuracy_at_every_readout_time(finished):
    curves = finished.runs["run 1"]
    assert curves["step"].values.tolist() == [0, 20, 24]
    assert curves["time"].values.tolist() == [2, 3, 4]
    assert np.isfinite(curves["loss"]).all()
    assert ((curves["accuracy"] >= 0) & (curves["accuracy"] <= 1)).all()
    assert curves.attrs["status"] == "finished"
    assert finished.phase == "idle"
    assert finished.notice.value == ""


def test_the_figure_shows_the_curves(finished):
    curves, drawn = finished.runs["run 1"], traces(finished)
    np.testing.assert_array_equal(drawn["loss"].y, curves["loss"])
    np.testing.assert_array_equal(drawn["t = 4"].y, curves["accuracy"].sel(time=4))
    np.testing.assert_array_equal(drawn["held-out images"].y, curves["validation"])


def test_held_out_accuracy_is_that_of_the_model_on_images_it_never_saw(finished):
    images = finished._lesson.images().isel(stimulus=slice(64, None))
    shown = cs.simulate(finished.model, images, cs.sustained(), until=4, record=[])
    right = shown["readout"]["logits"].fillna(0).argmax("class") == images["label"]
    expected = right.mean("stimulus").sel(time=[2, 3, 4])
    np.testing.assert_allclose(finished.runs["run 1"]["validation"], expected, atol=1e-6)


def test_the_panel_trains_what_the_same_call_trains(finished, tiny):
    choices = tiny.default_choices
    images = tiny.images().isel(stimulus=slice(0, 64))
    torch.manual_seed(0)
    model = cs.Cortex(tiny.graph_for(choices), 2, 4)
    for _ in cs.train(model, images, tiny.recipe_for(choices)):
        pass
    assert model.checksum() == finished.model.checksum()


def test_kernels_and_rdm_move_from_before_anything_was_learned_to_the_end(finished, tiny):
    shots = finished._trainer.snapshots
    assert shots[0].step == 0
    assert shots[-1].step == 24
    finished.views.look_back.value = 0
    first = np.array(traces(finished, "kernels")["V1->V1"].z, float)
    assert "untrained" in finished.views.words.value
    finished.views.look_back.value = len(shots) - 1
    last = np.array(traces(finished, "kernels")["V1->V1"].z, float)
    assert np.nanmax(np.abs(last - first)) > 0
    expected = finished.model.kernels("V1->V1", 1)[0].detach().numpy()[0, 0]
    np.testing.assert_allclose(last[:3, :3], expected, rtol=1e-5)


def test_another_state_has_another_rdm(finished):
    finished.views.state.value = "IT"
    before = np.array(traces(finished, "rdm")["distance"].z, float)
    finished.views.state.value = "V1"
    assert "RDM of V1 at t = 4, 8 held-out stimuli" in finished.views.figure("rdm").layout.title.text
    assert not np.allclose(before, np.array(traces(finished, "rdm")["distance"].z, float))


def test_a_run_pauses_and_resumes(opened, endless):
    panel = opened(endless)
    panel.start_button.click()
    until(lambda: panel._runs[-1].records and steps_of(panel)[-1] > 0)
    panel.pause_button.click()
    until(lambda: panel.phase == "paused")
    paused_at = steps_of(panel)[-1]
    assert panel.pause_button.description == "resume"
    time.sleep(0.5)
    assert steps_of(panel)[-1] == paused_at
    panel.pause_button.click()
    until(lambda: steps_of(panel)[-1] > paused_at)
    assert panel.pause_button.description == "pause"


def test_a_stopped_run_has_curves_and_a_model_that_can_be_used(opened, endless):
    panel = opened(endless)
    panel.start()
    until(lambda: panel._runs[-1].records and steps_of(panel)[-1] > 0)
    panel.stop_button.click()
    panel.wait(LONG_S)
    assert panel.runs["run 1"].attrs["status"] == "stopped"
    assert "stopped at step" in panel.words.value
    assert np.isfinite(panel.runs["run 1"]["validation"]).all()
    images = cs.datasets.contours(4, size=16, part="test")
    recording = cs.simulate(panel.model, images, cs.sustained(), until=8)
    assert bool(recording["readout"]["populated"].sel(time=8))
    assert panel.model.about["steps"] == steps_of(panel)[-1]


def test_a_paused_run_can_be_stopped(opened, endless):
    panel = opened(endless)
    panel.start()
    panel.pause()
    until(lambda: panel.phase == "paused")
    panel.stop()
    panel.wait(LONG_S)
    assert panel.runs["run 1"].attrs["status"] == "stopped"


def test_choices_cannot_be_changed_while_it_trains_and_can_afterwards(opened, endless):
    panel = opened(endless)
    panel.start()
    assert panel.start_button.disabled
    assert panel.controls.seed.disabled
    # a double click is no error
    panel.start_button.click()
    assert panel.notice.value == ""
    panel.start()
    assert "a run is in progress: stop it first" in panel.notice.value
    panel.stop()
    panel.wait(LONG_S)
    assert not panel.start_button.disabled
    assert not panel.controls.seed.disabled
    assert panel.stop_button.disabled
    assert panel.progress.value < 1, "the bar of a run that was stopped is full"


def test_a_diverged_training_is_reported_with_advice(opened, tiny):
    panel = opened(tiny, learning_rate=1e30)
    panel.start()
    panel.wait(LONG_S)
    assert 'role="alert"' in panel.notice.value
    assert "the loss was not a finite number at step" in panel.notice.value
    assert "Choose a lower learning rate, then start again." in panel.notice.value
    assert panel.runs["run 1"].attrs["status"] == "failed"
    assert panel.model is None
    panel.controls.learning_rate.value = 0.01
    panel.start()
    panel.wait(LONG_S)
    assert panel.runs["run 2"].attrs["status"] == "finished"


def test_any_other_error_in_the_thread_is_reported_too(opened, tiny, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("cortexsim.explore.training.lesson.accuracies", fails)
    panel = opened(tiny)
    panel.start()
    panel.wait(LONG_S)
    assert "The training ended with an error" in panel.notice.value
    assert "the disk is on fire" in panel.notice.value
    assert not panel.start_button.disabled


def test_an_error_in_drawing_is_reported_and_the_training_continues(opened, tiny, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("out of paint")

    panel = opened(tiny)
    monkeypatch.setattr("cortexsim.explore.training.views.learning", fails)
    panel.start()
    panel.wait(LONG_S)
    assert "This could not be drawn" in panel.notice.value
    assert "out of paint" in panel.notice.value
    assert panel.model is not None


def test_closing_ends_the_threads(opened, endless):
    panel = opened(endless)
    panel.start()
    until(lambda: panel.phase == "training")
    assert len(own_threads()) == 2
    panel.close()
    assert own_threads() == []


@pytest.mark.slow
def test_the_threads_end_with_the_kernel():
    script = textwrap.dedent("""
        import time
        from cortexsim.explore.training.panel import Training
        panel = Training("digits", question="")
        panel.start()
        while panel.phase != "training":
            time.sleep(0.02)
        print("training", flush=True)
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG_S)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "training\n"


def test_two_panels_at_once_do_not_disturb_each_other(opened, finished, tiny):
    one, other = opened(tiny), opened(tiny, seed=1)
    one.start()
    other.start()
    one.wait(LONG_S)
    other.wait(LONG_S)
    xr.testing.assert_identical(one.runs["run 1"], finished.runs["run 1"])
    assert one.model.checksum() == finished.model.checksum()
    assert other.model.checksum() != finished.model.checksum()


def test_training_leaves_the_number_of_threads_as_it_was(finished):
    seen = []
    asking = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    asking.start()
    asking.join()
    assert seen == [torch.get_num_threads()]


def test_earlier_runs_are_drawn_described_by_their_changes_and_can_be_removed(opened, tiny):
    panel = opened(tiny)
    panel.start()
    panel.wait(LONG_S)
    panel.controls.seed.value = 1
    panel.controls.lateral.value = False
    panel.start()
    panel.wait(LONG_S)
    assert list(panel.runs) == ["run 1", "run 2"]
    assert [text for text, _ in panel.run_row.menu.options] == [
        "run 1, finished: nothing changed",
        "run 2, finished: lateral False, seed 1",
    ]
    np.testing.assert_array_equal(traces(panel)["run 1, t = 4"].y, panel.runs["run 1"]["accuracy"].sel(time=4))
    assert panel.model is panel.models["run 2"]
    panel.run_row.menu.value = "run 1"
    panel.run_row.remove.click()
    assert list(panel.runs) == list(panel.models) == ["run 2"]
    assert "run 1, t = 4" not in traces(panel)
    panel.run_row.remove.click()
    assert panel.runs == {}
    assert panel.model is None
    assert panel.run_row.remove.disabled
    assert len(traces(panel)["loss"].y) == 0


def test_a_run_in_progress_and_an_unknown_one_cannot_be_removed(opened, endless):
    panel = opened(endless)
    panel.start()
    with pytest.raises(ValueError, match="run 1 is in progress: stop it first"):
        panel.remove("run 1")
    with pytest.raises(ValueError, match="unknown run 'run 7'"):
        panel.remove("run 7")


def test_it_asks_for_a_prediction_before_it_starts(opened, tiny):
    panel = opened(tiny, question="best")
    panel.start()
    assert "Predict first" in panel.ask.result.value
    assert panel.runs == {}
    panel.ask.answer = 3
    panel.start()
    assert panel.ask.choice.disabled
    panel.wait(LONG_S)
    best = panel.runs["run 1"]["validation"].idxmax().item()
    assert f"You said t = 3, it is t = {best:.0f}" in panel.ask.result.value
    assert (panel.ask.answer, panel.ask.choice.given) == (None, 3)
    assert panel.ask.missing
    panel.start()
    assert panel.ask.choice.given is None


def test_choices_that_cannot_be_trained_are_reported_at_once(opened, tiny):
    panel = opened(tiny)
    panel.controls.readout_time.value = 1
    assert "This cannot be trained" in panel.notice.value
    assert "nothing to read at time 1: IT is empty then" in panel.notice.value
    panel.start()
    assert panel.runs == {}
    panel.controls.readout_time.value = 5
    assert panel.notice.value == ""
    panel.controls.learning_rate.value = -1
    assert "learning_rate must be positive, got -1" in panel.notice.value
    panel.controls.learning_rate.value = 0.1
    panel.controls.seed.value = -3
    assert "seed must be a whole number from 0 to" in panel.notice.value


def test_settings_open_a_panel_on_the_same_choices(opened):
    panel = opened("digits", learning_rate=0.3, feedback=False, seed=7)
    settings = json.loads(json.dumps(panel.settings))
    again = Training.from_settings(settings, question="first")
    assert again.settings == panel.settings
    assert again.controls.task.value == "digits"
    assert again.controls.feedback.value is False


def test_another_task_opens_with_its_own_choices(opened):
    panel = opened("contours")
    assert panel.controls.short_first.layout.display == ""
    panel.controls.task.value = "digits"
    assert panel.settings["readout_time"] == 5
    assert panel.controls.short_first.layout.display == "none"
    assert panel.notice.value == ""


def test_a_model_is_saved_and_loaded(finished, tmp_path):
    finished.save(tmp_path / "mine.safetensors")
    loaded = cs.load(tmp_path / "mine.safetensors")
    assert loaded.checksum() == finished.model.checksum()
    assert loaded.about["steps"] == 24
    with pytest.raises(FileExistsError, match="exists already"):
        finished.save(tmp_path / "mine.safetensors")


def test_without_a_model_nothing_is_saved(opened, tiny, tmp_path):
    with pytest.raises(ValueError, match="there is no trained model yet: start a run"):
        opened(tiny).save(tmp_path / "mine.safetensors")


def test_an_exercise_is_checked_against_the_runs(opened, tiny):
    panel = opened(tiny, lateral=False, feedback=False)
    exercise = panel.exercise("feedforward")
    exercise.button.click()
    assert "Choose an answer first" in exercise.ask.result.value
    exercise.ask.answer = 10
    assert exercise.check() is None
    assert "Not yet: set «lateral» to «off», «feedback» to «off», and run it." in exercise.ask.result.value
    panel.start()
    panel.wait(LONG_S)
    assert exercise.check() is False
    assert "it is 0 percentage points" in exercise.ask.result.value
    exercise.ask.answer = 0
    assert exercise.check() is True
    assert "true by construction" in exercise.ask.result.value


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"task": "contour"}, "unknown task 'contour': .* did you mean 'contours'"),
        ({"question": "takeof"}, "unknown question 'takeof'.* did you mean 'takeoff'"),
        ({"learning_rate": -1}, "learning_rate must be positive, got -1"),
        ({"learning_rat": 3}, "unknown choice 'learning_rat'.* did you mean 'learning_rate'"),
        ({"readout_time": 99}, "readout_time must be a whole number from 1 to 24, got 99"),
        ({"readout_time": 2}, "nothing to read at time 2: IT is empty then"),
    ],
)
def test_wrong_arguments_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        Training(**arguments)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"schema": 2}, r"the settings are of schema 2 \(written by cortexsim unknown\), but"),
        ({"schema": 1, "task": "own", "learning_rate": 0.1, "readout_time": 4}, "give it as lesson="),
        ({"schema": 1, "task": "contours", "rate": 1}, "unknown setting 'rate'"),
    ],
)
def test_wrong_settings_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        Training.from_settings(settings)


def test_an_unknown_exercise_is_refused(finished):
    with pytest.raises(ValueError, match="unknown exercise 'feedback'"):
        finished.exercise("feedback")


def test_given_images_in_class_order_are_split_into_sets_of_all_classes(tiny):
    curves = cs.datasets.contours(200, size=16, length=(4, 6))
    one_after_the_other = curves.isel(stimulus=np.argsort(curves["label"].values, kind="stable"))
    lesson = replace(tiny, data=one_after_the_other)
    images = lesson.images()
    training, held_out, _ = split(images, 40)
    for some in (training, held_out, training.isel(stimulus=slice(0, 32))):
        assert 0.3 < some["label"].values.mean() < 0.7
    assert images.sizes["stimulus"] == 104
    assert images.identical(lesson.images())
