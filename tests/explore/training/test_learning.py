"""The parts of the training panel: curves, snapshots, questions and images."""

import json

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore.panel.asking import NEVER
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.lessons import LESSONS
from cortexsim.explore.training.questions import QUESTIONS, Forecast, Learned, Outlook
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.snapshot import probe_of, take

OUTLOOK = Outlook(steps=60, times=[2, 3], chance=0.5)


def record(step, loss, accuracy):
    return cs.Progress(step, 60, 0, loss, accuracy, None, 0.1, 1.0, 1.0)


def measured(status="finished", **more):
    """A run in which t = 3 passes 75 % at step 40, t = 2 at step 60."""
    records = [
        record(0, 0.7, {2: 0.5}),
        record(10, 0.6, {2: 0.5}),
        record(20, 0.5, {2: 0.6, 3: 0.6}),
        record(40, 0.4, {2: 0.7, 3: 0.8}),
        record(60, 0.2, {2: 0.9, 3: 0.9}),
    ]
    return Run("run 1", {}, [2, 3], records, {2: 0.8, 3: 0.9}, status, **more)


def test_a_point_of_a_curve_is_the_mean_of_its_20_steps():
    curves = measured().curves()
    assert curves["step"].values.tolist() == [0, 20, 40, 60]
    np.testing.assert_allclose(curves["loss"], [0.7, 0.55, 0.4, 0.2])
    np.testing.assert_allclose(curves["accuracy"].sel(time=2), [0.5, 0.55, 0.7, 0.9])
    np.testing.assert_allclose(curves["accuracy"].sel(time=3), [np.nan, 0.6, 0.8, 0.9])


def test_a_run_without_records_has_empty_curves():
    curves = Run("run 1", {}, [2, 3]).curves()
    assert curves["accuracy"].shape == (0, 2)
    assert np.isnan(curves["validation"]).all()


@pytest.mark.parametrize(("question", "answer"), [("takeoff", 40), ("first", 3), ("best", 3)])
def test_every_question_is_answered_by_the_curves(question, answer):
    one, learned = QUESTIONS[question], Learned(OUTLOOK, measured().curves(), True)
    assert one.truth(learned) == answer
    assert answer in one.offered(OUTLOOK) or question == "takeoff"
    assert one.asked(OUTLOOK)
    assert one.because(learned)


@pytest.mark.parametrize("question", ["takeoff", "first"])
def test_only_a_finished_training_shows_what_never_comes(question):
    begun = measured().curves().isel(step=slice(0, 2))
    assert QUESTIONS[question].truth(Learned(OUTLOOK, begun, False)) is None
    assert QUESTIONS[question].truth(Learned(OUTLOOK, begun, True)) == NEVER
    assert "No readout time exceeded 60 %" in QUESTIONS[question].because(Learned(OUTLOOK, begun, True))


def test_a_first_time_that_was_trained_alone_is_attributed_to_the_recipe():
    alone = Run("run 1", {}, [2, 3], [record(20, 0.5, {2: 0.6}), record(40, 0.4, {2: 0.8})]).curves()
    assert "comes from the recipe" in QUESTIONS["first"].because(Learned(OUTLOOK, alone, True))
    assert "comes from the recipe" not in QUESTIONS["first"].because(Learned(OUTLOOK, measured().curves(), True))


def test_never_counts_as_the_last_step():
    assert QUESTIONS["takeoff"].distance(OUTLOOK, NEVER, 40) == 20
    assert QUESTIONS["first"].distance(OUTLOOK, NEVER, 3) == 1


def test_milestones_are_about_ten_round_numbers():
    assert Outlook(1860).milestones == list(range(200, 1801, 200))
    assert Outlook(310).milestones == list(range(50, 301, 50))
    assert Outlook(3).milestones == [1, 2, 3]


@pytest.fixture
def asked():
    forecast = Forecast("takeoff")
    forecast.ask(OUTLOOK)
    forecast.answer = 30
    forecast.fix()
    return forecast


def test_a_prediction_is_judged_once_as_soon_as_it_is_answered(asked):
    asked.learn(measured("running").curves().isel(step=slice(0, 2)), over=False)
    assert "You said" not in asked.result.value
    asked.learn(measured("running").curves(), over=False)
    assert (
        "Wrong, 10 training steps off.</b> You said 30 training steps, it is 40 training steps." in asked.result.value
    )
    asked.learn(measured().curves(), over=True)
    assert asked.tries == [("training steps", 10)]
    assert asked.missing, "the next training is not predicted again"


def test_a_stopped_run_does_not_show_what_never_comes(asked):
    asked.learn(measured("stopped").curves().isel(step=slice(0, 2)), over=True)
    assert "does not count" in asked.result.value
    assert asked.tries == []


def test_an_rdm_is_that_of_the_model_calibrated_on_the_probe_itself(tiny):
    torch.manual_seed(0)
    model = tiny.model_for(tiny.default_choices, 2)
    probe = probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 4)
    model.train()
    shot = take(model, probe, cs.sustained(), 7)
    assert model.training, "a snapshot changed the mode of the model"
    cs.calibrate(model, torch.from_numpy(probe["image"].values), cs.sustained(), until=4)
    shown = cs.simulate(model, probe, cs.sustained(), until=4)
    for name in ("V1", "V2", "IT"):
        patterns = shown[name]["activation"].sel(time=4).values.reshape(8, -1)
        np.testing.assert_allclose(shot.rdms[name], 1 - np.corrcoef(patterns), atol=1e-4)
    assert shot.step == 7
    assert list(shot.kernels) == model.graph.transition_names
    np.testing.assert_array_equal(shot.first, model.pre.weight.detach())


def test_a_snapshot_is_a_copy(tiny):
    model = tiny.model_for(tiny.default_choices, 2)
    probe = probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 4)
    shot = take(model, probe, cs.sustained(), 0)
    before = shot.first.values.copy()
    with torch.no_grad():
        model.pre.weight += 1
    np.testing.assert_array_equal(shot.first.values, before)


def test_a_probe_comes_class_by_class_with_its_names():
    probe = probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 3)
    assert probe["label"].values.tolist() == [0, 0, 0, 1, 1, 1]
    assert probe["class_name"].values.tolist() == ["different"] * 3 + ["same"] * 3


def test_a_probe_without_enough_stimuli_is_refused():
    with pytest.raises(ValueError, match=r"needs 30 stimuli of each class, but there are fewer of \['different'"):
        probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 30)


def test_drawing_stops_when_the_report_raises():
    seen = []

    def report(fraction, message):
        if len(seen) == 2:
            raise InterruptedError
        seen.append((fraction, message.split(",")[1].strip()))

    with pytest.raises(InterruptedError):
        LESSONS["digits"].images(report)
    assert seen == [(0, "0 of 4"), (250 / 4400, "250 of 4")]


def test_given_images_are_chosen_at_random_and_each_once(tiny):
    own = cs.datasets.contours(110, size=16, part="test").sortby("label").assign_coords(which=("stimulus", range(110)))
    lesson = type(tiny)(**{**vars(tiny), "data": own})
    taken = lesson.images()
    which = taken["which"].values
    assert len(set(which)) == len(which) == tiny.n == 104
    xr.testing.assert_identical(taken, own.isel(stimulus=which))
    xr.testing.assert_identical(taken, lesson.images())
    # in the order of the data, all held-out images would be of one class
    assert 0.25 < float(taken["label"][-tiny.n_held_out :].mean()) < 0.75
    short = type(tiny)(**{**vars(tiny), "data": own.isel(stimulus=slice(0, 50))})
    with pytest.raises(ValueError, match="the training needs 104 images, but the data contain only 50"):
        short.images()


@pytest.mark.parametrize("name", list(LESSONS))
def test_every_lesson_can_be_trained_as_it_opens(name):
    lesson = LESSONS[name]
    model = lesson.model_for(lesson.default_choices, lesson.n_classes)
    shown = lesson.readable(lesson.default_choices)
    # a map of the first area can be read from time 0 on; what is drawn are the times that are trained
    assert shown == model.readable(lesson.recipe.presentation, lesson.readout_time)[-len(shown) :]
    assert lesson.recipe_for(lesson.default_choices).validation == 0


def test_without_the_curriculum_all_times_and_images_are_trained_from_the_start():
    lesson = LESSONS["contours"]
    recipe = lesson.recipe_for(Choices(0.01, 8, short_first=False))
    assert recipe.unfolded_at(0) is None
    assert recipe.share_at(0) == 1
    assert lesson.recipe_for(lesson.default_choices).unfolded_at(0) == 3


def test_incomplete_settings_are_refused():
    with pytest.raises(ValueError, match=r"the settings lack \['readout_time'\]"):
        Choices.from_dict({"learning_rate": 0.1})


def test_the_answer_about_the_progressive_loss_reports_the_seeds_that_ship(tmp_path, monkeypatch):
    from cortexsim._support.resources import data_folder
    from cortexsim.explore.training import questions

    shipped = json.loads((data_folder() / "models" / "tracing" / "progressive.json").read_text(encoding="utf-8"))
    assert sorted((one["seed"], one["progressive"]) for one in shipped) == [
        (seed, progressive) for seed in range(3) for progressive in (False, True)
    ]
    for one in shipped:
        one["exact_by_length_and_steps_a_pixel"]["20"]["3"] = 10.0 * one["seed"] + (0.5 if one["progressive"] else 0.0)
    folder = tmp_path / "models" / "tracing"
    folder.mkdir(parents=True)
    (folder / "progressive.json").write_text(json.dumps(shipped), encoding="utf-8")
    monkeypatch.setattr(questions, "data_folder", lambda: tmp_path)
    said = questions.over_seeds()
    assert "Of 3 seeds" in said
    assert said.endswith("0.5, 10.5, 20.5 % with the progressive loss; 0, 10, 20 % without it.")
