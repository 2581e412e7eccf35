"""What stands behind the panel in which a model learns: its curves, its snapshots, its questions, its images."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore.panel.asking import NEVER
from cortexsim.explore.training.lesson import LESSONS, Choices
from cortexsim.explore.training.questions import QUESTIONS, Forecast, Learned, Outlook
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.snapshot import probe_of, take

OUTLOOK = Outlook(steps=60, times=[2, 3], chance=0.5)


def record(step, loss, accuracy):
    return cs.Progress(step, 60, 0, loss, accuracy, None, 0.1, 1.0, 1.0)


def told(status="finished", **more):
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
    curves = told().curves()
    assert curves["step"].values.tolist() == [0, 20, 40, 60]
    np.testing.assert_allclose(curves["loss"], [0.7, 0.55, 0.4, 0.2])
    np.testing.assert_allclose(curves["accuracy"].sel(time=2), [0.5, 0.55, 0.7, 0.9])
    np.testing.assert_allclose(curves["accuracy"].sel(time=3), [np.nan, 0.6, 0.8, 0.9])


def test_a_run_that_has_told_nothing_has_empty_curves():
    curves = Run("run 1", {}, [2, 3]).curves()
    assert curves["accuracy"].shape == (0, 2)
    assert np.isnan(curves["validation"]).all()


@pytest.mark.parametrize(("riddle", "answer"), [("takeoff", 40), ("first", 3), ("best", 3)])
def test_every_riddle_is_answered_by_the_curves(riddle, answer):
    one, learned = QUESTIONS[riddle], Learned(OUTLOOK, told().curves(), True)
    assert one.truth(learned) == answer
    assert answer in one.offered(OUTLOOK) or riddle == "takeoff"
    assert one.asked(OUTLOOK)
    assert one.because(learned)


@pytest.mark.parametrize("riddle", ["takeoff", "first"])
def test_what_never_comes_is_told_at_the_end_only(riddle):
    begun = told().curves().isel(step=slice(0, 2))
    assert QUESTIONS[riddle].truth(Learned(OUTLOOK, begun, False)) is None
    assert QUESTIONS[riddle].truth(Learned(OUTLOOK, begun, True)) == NEVER
    assert "No readout time came above 60%" in QUESTIONS[riddle].because(Learned(OUTLOOK, begun, True))


def test_which_time_learns_first_is_the_recipes_answer_where_no_other_was_trained():
    alone = Run("run 1", {}, [2, 3], [record(20, 0.5, {2: 0.6}), record(40, 0.4, {2: 0.8})]).curves()
    assert "the recipe's, not the model's" in QUESTIONS["first"].because(Learned(OUTLOOK, alone, True))
    assert "recipe's" not in QUESTIONS["first"].because(Learned(OUTLOOK, told().curves(), True))


def test_never_is_as_far_as_the_last_step():
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
    forecast.hold()
    return forecast


def test_a_prediction_is_told_as_soon_as_it_is_answered_and_once(asked):
    asked.learn(told("running").curves().isel(step=slice(0, 2)), over=False)
    assert "You said" not in asked.result.value
    asked.learn(told("running").curves(), over=False)
    assert "You said 30 training steps, it is 40 training steps: <b>10 training steps off</b>" in asked.result.value
    asked.learn(told().curves(), over=True)
    assert asked.tries == [("training steps", 10)]
    assert asked.missing, "the next training is not predicted anew"


def test_a_run_that_was_stopped_says_nothing_about_what_never_came(asked):
    asked.learn(told("stopped").curves().isel(step=slice(0, 2)), over=True)
    assert "does not count" in asked.result.value
    assert asked.tries == []


def test_an_rdm_is_that_of_the_model_calibrated_on_the_probe_itself(tiny):
    torch.manual_seed(0)
    model = tiny.model_for(tiny.usual, 2)
    probe = probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 4)
    model.train()
    shot = take(model, probe, cs.sustained(), 7)
    assert model.training, "a look changed the model's mode"
    cs.calibrate(model, torch.from_numpy(probe["image"].values), cs.sustained(), until=4)
    shown = cs.simulate(model, probe, cs.sustained(), until=4)
    for name in ("V1", "V2", "IT"):
        patterns = shown[name]["activation"].sel(time=4).values.reshape(8, -1)
        np.testing.assert_allclose(shot.rdms[name], 1 - np.corrcoef(patterns), atol=1e-4)
    assert shot.step == 7
    assert list(shot.kernels) == model.graph.transition_names
    np.testing.assert_array_equal(shot.first, model.pre.weight.detach())


def test_a_snapshot_keeps_what_was_there(tiny):
    model = tiny.model_for(tiny.usual, 2)
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
    with pytest.raises(ValueError, match=r"needs 30 stimuli of each class, and there are fewer of \['different'"):
        probe_of(cs.datasets.contours(20, size=16), ["different", "same"], 30)


def test_a_lesson_draws_until_it_is_wanted_no_longer():
    seen = []

    def wanted():
        return len(seen) < 2

    with pytest.raises(InterruptedError):
        LESSONS["digits"].images(lambda n, left: seen.append(n), wanted)
    assert seen == [0, 250]


def test_images_of_ones_own_come_from_all_over_and_each_once(tiny):
    own = cs.datasets.contours(110, size=16, part="test").sortby("label").assign_coords(which=("stimulus", range(110)))
    lesson = type(tiny)(**{**vars(tiny), "data": own})
    taken = lesson.images(lambda *_: None, lambda: True)
    which = taken["which"].values
    assert len(set(which)) == len(which) == tiny.n == 104
    xr.testing.assert_identical(taken, own.isel(stimulus=which))
    xr.testing.assert_identical(taken, lesson.images(lambda *_: None, lambda: True))
    # class by class as they were given, those that are held out would all be of one class
    assert 0.25 < float(taken["label"][-tiny.held :].mean()) < 0.75
    short = type(tiny)(**{**vars(tiny), "data": own.isel(stimulus=slice(0, 50))})
    with pytest.raises(ValueError, match="the lesson wants 104 images, but the data hold 50"):
        short.images(lambda *_: None, lambda: True)


@pytest.mark.parametrize("name", list(LESSONS))
def test_every_lesson_can_be_trained_as_it_opens(name):
    lesson = LESSONS[name]
    model = lesson.model_for(lesson.usual, lesson.n_classes)
    assert model.readable(lesson.recipe.presentation, lesson.readout_time) == lesson.readable(lesson.usual)
    assert lesson.recipe_for(lesson.usual).validation == 0


def test_without_the_curriculum_all_times_and_images_are_trained_from_the_start():
    lesson = LESSONS["contours"]
    recipe = lesson.recipe_for(Choices(0.01, 8, short_first=False))
    assert recipe.unfolded_at(0) is None
    assert recipe.share_at(0) == 1
    assert lesson.recipe_for(lesson.usual).unfolded_at(0) == 3


def test_settings_without_what_is_needed_are_refused():
    with pytest.raises(ValueError, match=r"the settings lack \['readout_time'\]"):
        Choices.from_dict({"learning_rate": 0.1})
