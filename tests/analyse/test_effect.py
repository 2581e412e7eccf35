"""An effect is where, when and how much an intervention changes; two recordings that differ otherwise have none."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.analyse._effect import _mean, _wilson, effect, paired_difference

LABELS = [0, 1, 2, 0, 1, 2]


def pair(model, images, **changes):
    shared = {"until": 6, "labels": LABELS, "dtype": "float64", **changes}
    silence = {"silence": {"V2->V1": [3]}}
    given = {key: shared.pop(key) for key in ("silence", "gain", "lesion") if key in shared} or silence
    return cs.simulate(model, images, **shared, **given), cs.simulate(model, images, **shared)


def test_a_change_travels_one_synapse_a_step(calibrated, pictures):
    found = effect(*pair(calibrated, pictures))
    began = (found["distance"] > 0).argmax("time")
    assert found["distance"].dims == ("state", "time")
    assert dict(zip(found["state"].values.tolist(), began.values.tolist(), strict=True)) == {"V1": 3, "V2": 4, "IT": 5}
    assert found["time"].attrs["units"] == "steps"
    assert found.attrs["intervention"] == "V2->V1 silenced (t = 3)"
    assert found.attrs["lesion"] == "acute"


def test_distance_is_the_length_of_the_change_over_that_of_the_intact_state(calibrated, pictures):
    recording, intact = pair(calibrated, pictures)
    h, h0 = (one["V1"]["activation"].values[:, 3].reshape(6, -1) for one in (recording, intact))
    ratio = np.linalg.norm(h - h0, axis=1) / np.linalg.norm(h0, axis=1)
    at_3 = effect(recording, intact).sel(state="V1", time=3)
    np.testing.assert_allclose(at_3["distance"], ratio.mean(), rtol=1e-12)
    half = 2.5705818 * ratio.std(ddof=1) / np.sqrt(6)
    np.testing.assert_allclose(at_3["distance_high"] - at_3["distance"], half, rtol=1e-6)
    np.testing.assert_allclose(at_3["distance"] - at_3["distance_low"], half, rtol=1e-6)


def test_before_arrival_there_is_no_effect_and_none_is_averaged_in(calibrated, pictures):
    found = effect(*pair(calibrated, pictures))
    assert np.isnan(found["distance"].sel(state="IT", time=[0, 1])).all()
    assert np.isnan(found["changed"].sel(time=[0, 1])).all()
    assert np.isnan(found["accuracy"].sel(time=[0, 1])).all()
    assert found["distance"].sel(state="IT", time=2) == 0


def test_a_state_that_an_intervention_empties_is_reported(calibrated, pictures):
    found = effect(*pair(calibrated, pictures, silence={"V1->V2": None}))
    assert found["emptied"].sel(state="V2").values.tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert found["emptied"].sel(state="V1").values.tolist() == [0] * 7
    assert np.isnan(found["distance"].sel(state="V2")).all()


def test_the_decision_is_compared_stimulus_by_stimulus(calibrated, pictures):
    recording, intact = pair(calibrated, pictures, gain={"forward": 3.0})
    found = effect(recording, intact).sel(time=6)
    z, z0 = (one["readout"]["logits"].values[:, 6] for one in (recording, intact))
    right, was = (logits.argmax(1) == LABELS for logits in (z, z0))
    assert found["changed"] == (z.argmax(1) != z0.argmax(1)).mean()
    assert found["accuracy"] == right.mean()
    assert found["accuracy_difference"] == pytest.approx(right.mean() - was.mean())
    p, p0 = (torch.softmax(torch.from_numpy(logits), 1)[range(6), LABELS].numpy() for logits in (z, z0))
    odds = np.log(p / (1 - p)) - np.log(p0 / (1 - p0))
    assert found["log_odds_change"] == pytest.approx(odds.mean(), rel=1e-9)
    assert found["log_odds_change"].attrs["units"] == "nat"
    assert found["accuracy_difference"].attrs["interval"] == "95 % paired Bonett-Price interval over 6 stimuli"


def test_without_labels_there_is_no_accuracy(calibrated, pictures):
    found = effect(*pair(calibrated, pictures, labels=None))
    assert "changed" in found
    assert "accuracy" not in found


def test_repeats_are_no_stimuli_of_their_own(calibrated, pictures):
    recording, intact = pair(calibrated, pictures, noise=0.5, repeats=4)
    found = effect(recording, intact)
    h, h0 = (one["V1"]["activation"].values[:, 4].reshape(24, -1) for one in (recording, intact))
    ratio = (np.linalg.norm(h - h0, axis=1) / np.linalg.norm(h0, axis=1)).reshape(6, 4).mean(1)
    bounds = [found[name].sel(state="V1", time=4) for name in ("distance", "distance_low", "distance_high")]
    np.testing.assert_allclose(bounds, _mean(ratio), rtol=1e-9)
    assert found.attrs["n"] == 6
    assert found["changed"].attrs["interval"] == "95 % Wilson interval over 6 stimuli"


def test_a_recording_on_disk_is_compared_without_being_read_whole(calibrated, pictures, tmp_path):
    recording, intact = pair(calibrated, pictures)
    cs.save_recording(recording, tmp_path / "cut.nc")
    with cs.open_recording(tmp_path / "cut.nc") as opened:
        xr.testing.assert_allclose(effect(opened, intact), effect(recording, intact))


def test_an_effect_can_be_saved(calibrated, pictures, tmp_path):
    found = effect(*pair(calibrated, pictures))
    found.to_netcdf(tmp_path / "effect.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "effect.nc", engine="h5netcdf") as opened:
        xr.testing.assert_allclose(opened.load(), found)


def test_stimuli_and_times_are_paired_by_their_coordinates(calibrated, pictures):
    recording, intact = pair(calibrated, pictures)
    backwards = slice(None, None, -1)
    wanted = effect(recording, intact)
    for dim in ("stimulus", "time"):
        xr.testing.assert_identical(effect(recording, intact.isel({dim: backwards})), wanted)
    xr.testing.assert_allclose(effect(recording.isel(stimulus=backwards), intact), wanted)
    first = {"stimulus": slice(0, 4), "time": slice(0, 5)}
    part = effect(recording.isel(first), intact.isel(first))
    assert part["time"].values.tolist() == [0, 1, 2, 3, 4]
    assert part.attrs["n"] == 4


# --- intervals ------------------------------------------------------------------------------------------------------


def test_the_intervals_are_those_of_the_books():
    # Wilson (1927), 8 of 10; Bonett & Price (2012) by hand, 3 lost and 1 gained of 10
    np.testing.assert_allclose(_wilson(np.r_[np.ones(8), 0, 0]), [0.8, 0.49016, 0.94332], atol=1e-5)
    gained, lost = 2 / 12, 4 / 12
    half = 1.959964 * np.sqrt((gained + lost - (gained - lost) ** 2) / 12)
    wanted = [-0.2, gained - lost - half, gained - lost + half]
    np.testing.assert_allclose(paired_difference(np.r_[-1, -1, -1, 1, np.zeros(6)]), wanted, atol=1e-6)


def test_no_changed_decision_among_few_stimuli_leaves_an_effect_possible():
    mean, low, high = paired_difference(np.zeros(10))
    assert mean == 0
    assert low < -0.1
    assert high > 0.1


def test_repeats_that_all_agree_change_no_interval_and_others_do_not_narrow_it_below_a_width():
    once = np.r_[-1, -1, 1, np.zeros(7)]
    np.testing.assert_array_equal(paired_difference(once), paired_difference(np.tile(once, (4, 1)).mean(0)))
    unchanged = np.array([[1, -1], [-1, 1], [0, 0]]).mean(1)
    assert paired_difference(unchanged)[1] < -0.2


def test_one_stimulus_has_a_mean_and_no_interval(calibrated, pictures):
    found = effect(*pair(calibrated, pictures[:1], labels=[0])).sel(state="V1", time=3)
    assert found["distance"] > 0
    assert np.isnan(found["distance_low"])


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"images": 1}, "images"),
        ({"presentation": cs.sustained()}, "presentation"),
        ({"until": 5}, "until"),
        ({"quantity": "rate"}, "quantity"),
        ({"dtype": "float16"}, "dtype"),
        ({"noise": 0.1}, "noise"),
        ({"labels": [0] * 6}, "coordinates"),
    ],
)
def test_recordings_that_differ_otherwise_are_refused(calibrated, pictures, change, differs):
    recording, _ = pair(calibrated, pictures)
    images = 1 - pictures if change.pop("images", 0) else pictures
    if "presentation" in change:
        cs.calibrate(calibrated, pictures, cs.sustained(), until=6)
    intact = cs.simulate(calibrated, images, **{"until": 6, "labels": LABELS, "dtype": "float64", **change})
    with pytest.raises(ValueError, match=rf"the two recordings also differ in .*'{differs}'"):
        effect(recording, intact)


def test_parts_with_other_stimuli_or_times_are_refused(calibrated, pictures):
    recording, intact = pair(calibrated, pictures)
    with pytest.raises(ValueError, match="the two recordings must have the same stimuli in the same order, but 3 of 3"):
        effect(recording.isel(stimulus=slice(0, 3)), intact.isel(stimulus=slice(3, 6)))
    with pytest.raises(ValueError, match="the two recordings must have the same stimuli, got 6 and 1 of them"):
        effect(recording, intact.isel(stimulus=[3]))
    with pytest.raises(ValueError, match=r"the two recordings must have the same times, got \[0, 1\] and \[1, 2\]"):
        effect(recording.isel(time=slice(0, 2)), intact.isel(time=slice(1, 3)))


def test_recordings_of_another_model_are_refused(calibrated, pictures):
    recording, _ = pair(calibrated, pictures)
    with torch.no_grad():
        calibrated.pre.weight.mul_(1.1)
    cs.calibrate(calibrated, pictures, until=6)
    _, intact = pair(calibrated, pictures)
    with pytest.raises(ValueError, match=r"the two recordings also differ in \['model', 'statistics'\]"):
        effect(recording, intact)


def test_an_acute_lesion_with_other_statistics_is_refused(calibrated, pictures):
    recording, _ = pair(calibrated, pictures)
    held = calibrated.statistics[cs.flash(1)].held(3)
    intact = cs.simulate(calibrated, pictures, until=6, labels=LABELS, dtype="float64", statistics=held)
    with pytest.raises(ValueError, match=r"the two recordings also differ in \['statistics'\]"):
        effect(recording, intact)


def test_recordings_in_the_wrong_order_are_refused(calibrated, pictures):
    recording, intact = pair(calibrated, pictures)
    with pytest.raises(ValueError, match=r"the second recording is not intact: V2->V1 silenced \(t = 3\)"):
        effect(intact, recording)
    with pytest.raises(ValueError, match="the first recording has no intervention"):
        effect(intact, intact)
