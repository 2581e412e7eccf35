"""Noise, repeats and gains change a running model, independently of the batch."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.recording.description import settings


def values(recording, state):
    return recording[state]["activation"].values


def noisy(model, images, **changes):
    return cs.simulate(model, images, **{"until": 4, "noise": 0.5, "repeats": 3, "dtype": "float64", **changes})


# --- noise and repeats ----------------------------------------------------------------------------------------------


def test_noise_is_added_to_the_state_in_standard_deviations_of_its_channel(calibrated, pictures):
    images = pictures[:2].repeat(1, 1, 1, 1)
    clean = cs.simulate(calibrated, images, until=1, dtype="float64")
    many = noisy(calibrated, images, until=1, repeats=200)
    added = values(many, "V1")[:, 0] - np.repeat(values(clean, "V1")[:, 0], 200, axis=0)
    spread = calibrated.statistics[cs.flash(1)].at("V1", 0)[1].sqrt().numpy()
    np.testing.assert_allclose(added.std((0, 2, 3)), 0.5 * spread, rtol=0.02)
    np.testing.assert_allclose(added.mean((0, 2, 3)), 0, atol=0.02 * spread.max())


def test_noise_acts_on_what_follows(calibrated, pictures):
    recording = noisy(calibrated, pictures, until=1, transition_noise=None)
    kept = torch.from_numpy(values(recording, "V1")[:, 0])
    statistics = calibrated.statistics[cs.flash(1)]
    normalize = calibrated.normalizer(cs.flash(1))
    transition = calibrated.graph.transition("V1->V2")
    with torch.no_grad():
        rate = torch.relu(normalize(kept, "V1", 0))
        arrives = calibrated.deliver(transition, 1, kept, rate, normalize)
    left = values(recording, "V2")[:, 1] - arrives.numpy()
    # what is left is the noise of V2 itself: one number a unit, not correlated with what arrives
    spread = statistics.at("V2", 1)[1].sqrt().numpy()
    np.testing.assert_allclose(left.std((0, 2, 3)), 0.5 * spread, rtol=0.2)


def test_repeats_differ_and_are_labelled(calibrated, pictures):
    recording = noisy(calibrated, pictures, labels=[0, 1, 2, 0, 1, 2])
    readout = recording["readout"]
    assert readout["target"].values.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    assert readout["repeat"].values.tolist() == [0, 1, 2] * 6
    assert readout["label"].values.tolist() == np.repeat([0, 1, 2, 0, 1, 2], 3).tolist()
    first = values(recording, "IT")[:3, 4]
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first[1], first[2])


@pytest.mark.parametrize("batch_size", [1, 4, 5])
def test_noise_does_not_depend_on_the_batch(calibrated, pictures, batch_size):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))
    cs.calibrate(calibrated, pictures, mixed, until=4)
    settings = {"presentation": mixed, "transition_noise": {"lateral": (0.5, [2, 3])}}
    whole = noisy(calibrated, pictures, **settings)
    parts = noisy(calibrated, pictures, batch_size=batch_size, **settings)
    for node in ("V1", "V2", "IT"):
        np.testing.assert_allclose(values(parts, node), values(whole, node), rtol=1e-12, atol=1e-12)


def test_noise_does_not_depend_on_the_number_of_repeats_or_of_stimuli(calibrated, pictures):
    whole = noisy(calibrated, pictures)
    some = noisy(calibrated, pictures[:2], repeats=2)
    np.testing.assert_allclose(values(some, "IT"), values(whole, "IT")[[0, 1, 3, 4]], rtol=1e-12)


def test_the_seed_determines_the_noise(calibrated, pictures):
    first, again, other = (noisy(calibrated, pictures, seed=seed) for seed in (0, 0, 1))
    xr.testing.assert_identical(first, again)
    assert not np.allclose(values(first, "V1")[:, 0], values(other, "V1")[:, 0])


def test_states_and_times_get_noise_of_their_own(calibrated, pictures):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=(8, 8), shortcut=0.5)
    model = cs.Cortex(graph, n_classes=3, readout_time=3).double()
    cs.calibrate(model, pictures, cs.sustained(), until=3)
    shown = {"presentation": cs.sustained(), "until": 3, "repeats": 1}
    added = {}
    for state, time in (("V1", 0), ("V1", 1), ("V2", 1)):
        clean, loud = (noisy(model, pictures, **shown, noise=noise) for noise in (0.0, 1e-6))
        added[state, time] = (values(loud, state) - values(clean, state))[:, time].ravel()
    correlations = np.corrcoef(list(added.values()))[np.triu_indices(3, 1)]
    assert np.abs(correlations[[0, 2]]).max() < 0.5
    assert np.abs(np.corrcoef(added["V1", 0], added["V1", 1])[0, 1]) < 0.5


def test_repeats_of_a_masked_trial_see_the_same_mask(calibrated, pictures):
    cs.calibrate(calibrated, pictures, cs.masked(1, 2), until=4)
    recording = noisy(calibrated, pictures, presentation=cs.masked(1, 2), until=2, noise=1e-9)
    drawn = values(recording, "V1")[:, 2].reshape(6, 3, -1)
    np.testing.assert_allclose(drawn[:, 1], drawn[:, 0], atol=1e-6)
    assert not np.allclose(drawn[0, 0], drawn[1, 0])


def test_repeats_without_noise_are_refused(calibrated, pictures):
    with pytest.raises(
        ValueError, match=r"3 repeats without noise would all be equal; give noise=\.\.\., or repeats=1"
    ):
        noisy(calibrated, pictures, noise=0.0)


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf"), True, "much"])
def test_noise_that_is_no_amount_is_refused(calibrated, pictures, noise):
    with pytest.raises(ValueError, match="noise must be a number of standard deviations, at least 0, got"):
        noisy(calibrated, pictures, noise=noise)


@pytest.mark.parametrize("repeats", [0, 1.5, True, None])
def test_repeats_that_are_no_number_are_refused(calibrated, pictures, repeats):
    with pytest.raises(ValueError, match="repeats must be a whole number, at least 1, got"):
        noisy(calibrated, pictures, repeats=repeats)


def test_noise_of_a_model_without_statistics_is_in_standard_deviations_over_the_stimuli(small_model, shown_images):
    clean = cs.simulate(small_model, shown_images, until=1, dtype="float64")
    many = noisy(small_model, shown_images, until=1, repeats=200)
    added = values(many, "V1")[:, 0] - np.repeat(values(clean, "V1")[:, 0], 200, axis=0)
    np.testing.assert_allclose(added.std((0, 2, 3)), 0.5 * values(clean, "V1")[:, 0].std((0, 2, 3)), rtol=0.03)
    assert "on these stimuli" in settings(many)["noise_units"]


def test_noise_of_a_model_without_statistics_is_as_strong_with_a_lesion(small_model, shown_images):
    shown = {"until": 4, "silence": {"V2->IT": None}}
    how = {"lesion": "mean-replaced", "calibrate_on": shown_images.isel(stimulus=[0])}
    # V1 at time 0 is the same in all of them, and so is its noise
    runs = [noisy(small_model, shown_images, **extra) for extra in ({}, shown, {**shown, **how})]
    for one in runs[1:]:
        np.testing.assert_array_equal(values(one, "V1")[:, 0], values(runs[0], "V1")[:, 0])


def test_noise_on_a_state_of_unknown_spread_is_refused_before_the_first_step(calibrated, pictures):
    statistics = calibrated.statistics[cs.flash(1)]
    del statistics.moments["IT", 4]
    calibrated.step = None
    with pytest.raises(MissingStatisticsError, match="no statistics for IT at time 4"):
        noisy(calibrated, pictures)


def test_a_recording_says_how_much_noise_and_in_what_units(calibrated, pictures):
    recording = noisy(calibrated, pictures, transition_noise={"V2->V1": (0.25, [3])})
    made = settings(recording)
    assert (made["noise"], made["repeats"]) == (0.5, 3)
    assert "standard deviations of the channel" in made["noise_units"]
    assert made["transition_noise"] == {"V2->V1": [0.25, [[3, 4]]]}
    told = cs.summary(recording)
    assert "Every state had noise of 0.5 standard deviations at every time." in told
    assert "V2->V1 had noise of 0.25 standard deviations: t = 3." in told
    assert "Each stimulus was shown 3 times" in told


@pytest.mark.parametrize("change", [{"noise": 0.4}, {"repeats": 2}, {"gain": {"V1->V1": 0.5}}])
def test_a_finished_recording_of_other_noise_repeats_or_gain_is_not_resumed(calibrated, pictures, tmp_path, change):
    path = tmp_path / "noisy.nc"
    noisy(calibrated, pictures, to=path).close()
    noisy(calibrated, pictures, to=path, resume=True).close()
    with pytest.raises(FileExistsError, match=rf"differs in .*'{next(iter(change))}'"):
        noisy(calibrated, pictures, to=path, resume=True, **change)


@pytest.mark.parametrize("name", ["target", "repeat"])
def test_names_of_coordinates_that_distinguish_repeats_are_reserved(calibrated, shown_images, name):
    images = shown_images.astype("float64").assign_coords({name: ("stimulus", range(5))})
    with pytest.raises(ValueError, match=rf"the images' coordinates \['{name}'\] have names that a recording uses"):
        noisy(calibrated, images)


# --- energy ---------------------------------------------------------------------------------------------------------


def test_a_masked_recording_says_how_much_contrast_was_shown(calibrated, pictures, tmp_path):
    cs.calibrate(calibrated, pictures, cs.masked(1, 2), until=6)
    recording = cs.simulate(calibrated, pictures, cs.masked(1, 2), until=6, batch_size=4, to=tmp_path / "masked.nc")
    once = (pictures.var((-2, -1), correction=0).mean(1) * 64).numpy()
    for node in recording.children.values():
        np.testing.assert_allclose(node["target_energy"], once, rtol=1e-9)
        np.testing.assert_allclose(node["mask_energy"], 5 * once, rtol=0.02)
        assert node["mask_energy"].attrs["units"] == "px step (pixel values in [0, 1])"
    recording.close()


def test_without_a_mask_there_is_no_energy(calibrated, pictures):
    assert "mask_energy" not in cs.simulate(calibrated, pictures, until=3)["V1"].coords


def test_a_mask_that_comes_after_the_end_is_a_flash_and_has_no_energy(calibrated, pictures):
    late = cs.masked(1, 7)
    cs.calibrate(calibrated, pictures, late, until=8)
    flash = calibrated.statistics[cs.flash(1)]
    masked = cs.simulate(calibrated, pictures, late, until=6, statistics=flash)
    np.testing.assert_array_equal(values(masked, "IT"), values(cs.simulate(calibrated, pictures, until=6), "IT"))
    assert masked["V1"]["mask_energy"].values.tolist() == [0.0] * 6
    assert "mask" not in {masked["V1"]["shown"].attrs["flag_meanings"].split()[k] for k in masked["V1"]["shown"].values}


# --- gain -----------------------------------------------------------------------------------------------------------


def test_a_gain_scales_what_is_delivered_then_and_only_then(calibrated, pictures):
    intact, halved, silent = (
        cs.simulate(calibrated, pictures, until=4, dtype="float64", **change)
        for change in ({}, {"gain": {"V2->V1": (0.5, [3])}}, {"silence": {"V2->V1": [3]}})
    )
    np.testing.assert_array_equal(values(halved, "V1")[:, :3], values(intact, "V1")[:, :3])
    between = (values(intact, "V1")[:, 3] + values(silent, "V1")[:, 3]) / 2
    np.testing.assert_allclose(values(halved, "V1")[:, 3], between, rtol=1e-9, atol=1e-12)
    assert not np.allclose(values(halved, "V1")[:, 4], values(intact, "V1")[:, 4])


def test_a_gain_of_zero_delivers_zeros_where_silence_delivers_nothing(calibrated, pictures):
    zero = cs.simulate(calibrated, pictures, until=3, gain={"V1->V2": 0.0})
    silent = cs.simulate(calibrated, pictures, until=3, silence={"V1->V2": None})
    assert zero["V2"]["populated"].values.tolist() == [False, True, True, True]
    assert not values(zero, "V2")[:, 1].any()
    assert not silent["V2"]["populated"].values.any()


def test_a_summary_reports_a_gain(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=4, gain={"V2->V1": (0.5, [3])})
    assert "V2->V1 was multiplied by 0.5: t = 3." in cs.summary(recording)


def test_noise_on_a_transition_is_in_units_of_its_target(calibrated, pictures):
    clean = cs.simulate(calibrated, pictures, until=1, dtype="float64")
    loud = noisy(calibrated, pictures, until=1, noise=0.0, repeats=100, transition_noise={"V1->V2": (0.3, [1])})
    np.testing.assert_array_equal(values(loud, "V1"), np.repeat(values(clean, "V1"), 100, axis=0))
    added = values(loud, "V2")[:, 1] - np.repeat(values(clean, "V2")[:, 1], 100, axis=0)
    spread = calibrated.statistics[cs.flash(1)].at("V2", 1)[1].sqrt().numpy()
    np.testing.assert_allclose(added.std((0, 2, 3)), 0.3 * spread, rtol=0.05)
