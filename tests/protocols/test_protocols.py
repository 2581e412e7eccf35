"""A protocol runs targets x conditions, reads all out at one time, and marks conditions that cannot matter by then."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import binomtest

import cortexsim as cs
from cortexsim import protocols
from cortexsim.analyse.interval import fraction
from cortexsim.graph._schedule import arrival
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.protocols.conditions import distinct
from cortexsim.protocols.rsvp import _streams

GRID = {"soas": (1, 3), "masks": ("noise", "texture")}


@pytest.fixture
def targets(shown_images) -> xr.Dataset:
    return shown_images.astype("float64").assign_coords(depth=("stimulus", [0.1, 0.2, 0.3, 0.9, 1.0]))


def masked_grid(model, targets, **changes):
    return protocols.masking(model, targets, **{**GRID, "readout_time": 6, "calibrate_on": targets, **changes})


# --- masking --------------------------------------------------------------------------------------------------------


def test_a_masking_grid_is_a_small_labelled_table_with_its_controls(calibrated, targets):
    table = masked_grid(calibrated, targets, durations=(1,))
    assert table["accuracy"].dims == ("duration", "mask", "soa")
    assert table["mask"].values.tolist() == ["noise", "texture", "target", "blank"]
    assert table["correct"].dims == ("duration", "mask", "soa", "stimulus")
    assert table["soa"].attrs == {"long_name": "stimulus-onset asynchrony", "units": "steps"}
    assert table["label"].values.tolist() == [0, 1, 2, 0, 1]
    assert table.attrs["readout_time"] == 6
    assert table["accuracy"].attrs["interval"] == "95 % Wilson interval over 5 stimuli"


def test_a_cell_is_what_simulating_this_condition_reads_out(calibrated, targets):
    table = masked_grid(calibrated, targets, seed=3)
    shown = [cs.masked(1, soa, mask) for soa in (1, 3) for mask in ("noise", "texture", "target")] + [cs.flash(1)]
    # the order of a mixture's components decides who sees what while the statistics are taken
    order = [cs.masked(1, s, m) for s in (1, 3) for m in ("noise", "texture", "target")]
    every = cs.mixture(*order[:3], cs.flash(1), *order[3:])
    assert set(every.components) == set(shown)
    statistics = cs.calibrate(calibrated, targets, every, until=6, seed=3, keep=False)
    for name, soa, presentation in (("texture", 3, cs.masked(1, 3, "texture")), ("blank", 1, cs.flash(1))):
        recording = cs.simulate(calibrated, targets, presentation, until=6, statistics=statistics, seed=3)
        right = recording["readout"]["logits"].values[:, 6].argmax(1) == targets["label"].values
        cell = table.sel(duration=1, mask=name, soa=soa)
        assert cell["correct"].values.tolist() == right.tolist()
        found = binomtest(int(right.sum()), 5).proportion_ci(method="wilson")
        np.testing.assert_allclose(
            [cell["accuracy"], cell["low"], cell["high"]], [right.mean(), found.low, found.high], rtol=1e-4
        )


def test_the_blank_control_is_the_same_at_every_SOA_and_runs_once(calibrated, targets, monkeypatch):
    runs = []
    monkeypatch.setattr(
        "cortexsim.protocols.conditions.simulate", lambda *a, **k: runs.append(a[2]) or cs.simulate(*a, **k)
    )
    table = masked_grid(calibrated, targets)
    assert len(runs) == len(set(runs)) == 7
    blank = table["correct"].sel(mask="blank", duration=1)
    np.testing.assert_array_equal(blank.sel(soa=1), blank.sel(soa=3))


def test_a_mask_that_cannot_be_in_the_last_state_by_then_is_marked_and_has_no_value(calibrated, targets):
    # from V1 to IT takes two steps: a mask at 3 is there at 5
    assert arrival(calibrated.graph) == 2
    table = masked_grid(calibrated, targets, readout_time=4)
    reaches = table["reaches"].sel(duration=1)
    assert reaches.sel(mask="noise").values.tolist() == [True, False]
    assert reaches.sel(mask="blank").values.tolist() == [True, True]
    late = table.sel(duration=1, mask="noise", soa=3)
    assert np.isnan([late[name] for name in ("accuracy", "low", "high")]).all()
    assert np.isnan(late["correct"]).all()
    assert np.isfinite(table["accuracy"].sel(duration=1, mask="noise", soa=1))


def test_the_datas_own_names_of_stimuli_are_those_of_the_result(calibrated, targets):
    named = targets.assign_coords(stimulus=list("vwxyz"))
    table, plain = masked_grid(calibrated, named), masked_grid(calibrated, targets)
    assert table["stimulus"].values.tolist() == list("vwxyz")
    np.testing.assert_array_equal(table["correct"], plain["correct"])
    assert masked_grid(calibrated, named, by="depth")["stimulus"].values.tolist() == list("vwxyz")
    recording = masked_grid(calibrated, named, record=["IT"])
    assert recording["IT"]["target"].values[:5].tolist() == list("vwxyz")
    streams = protocols.rapid_sequence(calibrated, named, n_frames=2, calibrate_on=targets)
    assert streams["stimulus"].values.tolist() == list("vwxyz")
    with pytest.raises(ValueError, match="unknown by 'stimulus'"):
        masked_grid(calibrated, named, by="stimulus")
    lacking = targets.assign_coords(depth=("stimulus", [1.0, 1, 2, np.nan, 2]))
    with pytest.raises(ValueError, match="depth is missing"):
        masked_grid(calibrated, lacking, by="depth")


def test_an_index_of_several_levels_is_several_coordinates_of_the_result(calibrated, targets):
    levels = {"object": ("stimulus", list("aabbc")), "view": ("stimulus", [0, 1, 0, 1, 0])}
    indexed = targets.assign_coords(levels).set_index(stimulus=["object", "view"])
    table = protocols.flash_duration(calibrated, indexed, durations=(1, 2), readout_time=6, calibrate_on=targets)
    assert table["object"].values.tolist() == list("aabbc")
    assert table["stimulus"].values.tolist() == [0, 1, 2, 3, 4]
    streams = protocols.rapid_sequence(calibrated, indexed, n_frames=2, calibrate_on=targets)
    assert streams["view"].values.tolist() == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"until": 2.5}, "until must be a whole number of steps, at least 1, got 2.5"),
        ({"seed": "one"}, "seed must be a whole number, got 'one'"),
        ({"positions": (0, 0.5)}, "a position must be a whole number, got 0.5"),
    ],
)
def test_numbers_of_a_stream_are_whole(calibrated, targets, changes, message):
    with pytest.raises(ValueError, match=message):
        protocols.rapid_sequence(calibrated, targets, n_frames=2, calibrate_on=targets, **changes)


def test_an_SOA_beyond_the_readout_cannot_matter(calibrated, targets):
    table = masked_grid(calibrated, targets, readout_time=5, soas=(1, 9))
    assert table["reaches"].sel(duration=1, mask="noise").values.tolist() == [True, False]


def test_where_nothing_stays_a_blank_that_has_passed_is_no_condition(small_model, shown_images):
    table = protocols.masking(small_model, shown_images, soas=(1, 2), readout_time=4)
    # V1 -> V2 -> IT and nothing else: the flash is in IT at 2 alone, the mask from its onset + 2 on
    assert table["reaches"].sel(duration=1, mask="blank").values.tolist() == [False, False]
    assert table["reaches"].sel(duration=1, mask="noise").values.tolist() == [True, True]


def test_the_readout_time_is_the_models_own_or_what_the_longest_SOA_needs(calibrated, targets):
    assert masked_grid(calibrated, targets, readout_time=None).attrs["readout_time"] == 5
    assert masked_grid(calibrated, targets, readout_time=None, soas=(1, 5)).attrs["readout_time"] == 7


def test_a_target_may_stay_until_its_mask_comes(calibrated, targets):
    table = masked_grid(calibrated, targets, durations="soa")
    assert table["accuracy"].dims == ("mask", "soa")
    assert table["duration"].values.tolist() == [1, 3]
    assert table["duration"].dims == ("soa",)


def test_masks_may_be_given_and_named(calibrated, targets):
    given = torch.rand((3, 8, 8), generator=torch.Generator().manual_seed(0))
    table = masked_grid(calibrated, targets, masks={"mine": given}, controls=False)
    assert table["mask"].values.tolist() == ["mine"]


def test_the_users_model_is_not_touched(calibrated, targets):
    before = dict(calibrated.statistics)
    masked_grid(calibrated, targets)
    assert calibrated.statistics == before


def test_one_set_of_statistics_serves_all_conditions(calibrated, targets):
    images = torch.from_numpy(targets["image"].values)
    conditions = [cs.masked(1, soa, mask) for soa in (1, 3) for mask in ("noise", "target")] + [cs.flash(1)]
    for presentation in conditions:
        cs.calibrate(calibrated, images, presentation, until=6)
    # one set each would be a difference between the conditions
    with pytest.raises(MissingStatisticsError, match="no single set of the model's statistics covers all conditions"):
        protocols.masking(calibrated, targets, soas=(1, 3), readout_time=6)
    cs.calibrate(calibrated, images, cs.mixture(*conditions), until=6)
    table = protocols.masking(calibrated, targets, soas=(1, 3), readout_time=6)
    assert "mixture" in table.attrs["statistics"]


def test_conditions_without_statistics_are_named(calibrated, targets):
    with pytest.raises(MissingStatisticsError, match=r"none at all for \['masked: .*calibrate_on=\.\.\."):
        protocols.masking(calibrated, targets, readout_time=6)


def test_with_states_the_result_is_one_recording(calibrated, targets, tmp_path):
    recording = masked_grid(calibrated, targets, record=["IT"])
    assert list(recording.children) == ["IT", "readout"]
    node = recording["IT"]
    assert node["activation"].sizes["stimulus"] == 8 * 5
    assert set(node["mask"].values.tolist()) == {"noise", "texture", "target", "blank"}
    assert node["target"].values.tolist() == list(range(5)) * 8
    blank = node["mask"].values == "blank"
    assert (node["mask_energy"].values[blank] == 0).all()
    assert (node["mask_energy"].values[~blank] > 0).all()
    np.testing.assert_allclose(node["target_energy"].values, np.tile(node["target_energy"].values[:5], 8))
    table = masked_grid(calibrated, targets)
    right = recording["readout"]["logits"].values[:, 6].argmax(1) == recording["readout"]["label"].values
    noise = (recording["readout"]["mask"].values == "noise") & (recording["readout"]["soa"].values == 3)
    assert right[noise].tolist() == table["correct"].sel(duration=1, mask="noise", soa=3).values.tolist()
    assert "masking, 8 conditions" in cs.summary(recording)
    cs.save_recording(recording, tmp_path / "grid.zarr")
    with cs.open_recording(tmp_path / "grid.zarr") as opened:
        assert opened["IT"]["mask"].values.tolist() == node["mask"].values.tolist()
        assert json.loads(opened.attrs["cortexsim"])["protocol"]["readout_time"] == 6


def test_a_table_can_be_saved(calibrated, targets, tmp_path):
    table = masked_grid(calibrated, targets)
    table.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "grid.nc", engine="h5netcdf") as opened:
        xr.testing.assert_allclose(opened.load(), table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"durations": (2,)}, "SOA 1 is shorter than duration 2"),
        ({"durations": "SOA"}, "durations must be numbers of steps, or 'soa', got 'SOA'"),
        ({"soas": ()}, r"soas must be at least one value, each once, got \[\]"),
        ({"soas": (1, 1)}, r"soas must be at least one value, each once, got \[1, 1\]"),
        ({"soas": (0, 1)}, "soa must be a whole number of steps, at least 1, got 0"),
        ({"masks": ("nois",)}, "unknown mask 'nois'"),
        ({"readout_time": 0}, "readout_time must be a whole number of steps, at least 1, got 0"),
        ({"statistics": cs.flash(1)}, "give either statistics, or images to take them on"),
    ],
)
def test_what_is_no_grid_is_refused(calibrated, targets, change, message):
    with pytest.raises(ValueError, match=message):
        masked_grid(calibrated, targets, **change)


def test_targets_without_labels_are_refused(calibrated, targets):
    with pytest.raises(ValueError, match="the data must be a Dataset with the coordinate 'label'"):
        masked_grid(calibrated, targets.drop_vars("label"))


@pytest.mark.parametrize("name", ["soa", "low", "reaches"])
def test_coordinates_with_a_name_of_the_protocols_own_are_refused(calibrated, targets, name):
    with pytest.raises(ValueError, match=rf"the data's coordinates \['{name}'\] have names that the protocol uses"):
        masked_grid(calibrated, targets.assign_coords({name: ("stimulus", range(5))}))


# --- other grids ----------------------------------------------------------------------------------------------------


def test_flashes_of_several_durations(calibrated, targets):
    table = protocols.flash_duration(calibrated, targets, durations=(1, 3), calibrate_on=targets)
    assert table["accuracy"].dims == ("duration",)
    assert table["duration"].values.tolist() == [1, 3]
    assert table.attrs["readout_time"] == 5


def test_contrast_is_lowered_about_the_images_own_mean(calibrated, targets):
    recording = protocols.contrast(calibrated, targets, contrasts=(0.5, 1.0), presentation=cs.flash(1), record=["V1"])
    pixels = torch.from_numpy(targets["image"].values)
    mean = pixels.mean((-2, -1), keepdim=True)
    entered = calibrated.pre_net(mean + 0.5 * (pixels - mean)).detach().numpy()
    half = recording["V1"]["contrast"].values == 0.5
    np.testing.assert_allclose(recording["V1"]["activation"].values[half, 0], entered, rtol=1e-5, atol=1e-6)


def test_a_stimulus_has_the_same_noise_at_every_level_only_stronger(calibrated, targets):
    grey = targets.copy(data={"image": np.full_like(targets["image"].values, 0.5)})
    recording = protocols.noise(
        calibrated, grey, levels=(0.0, 0.01, 0.02), presentation=cs.flash(1), record=["V1"], seed=1
    )
    entered = recording["V1"]["activation"].values[:, 0].reshape(3, 5, -1)
    np.testing.assert_allclose(entered[2] - entered[0], 2 * (entered[1] - entered[0]), rtol=1e-3, atol=1e-5)
    assert np.abs(entered[1] - entered[0]).max() > 1e-3


def test_occlusion_is_read_from_a_factor_of_the_data(calibrated, targets):
    table = protocols.occlusion(
        calibrated, targets, factor="depth", edges=(0, 0.25, 0.5, 0.75, 1.0), presentation=cs.flash(1)
    )
    assert table["n"].values.tolist() == [2, 1, 0, 2]
    correct = table["correct"].values
    wanted = [correct[:2].mean(), correct[2], np.nan, correct[3:].mean()]
    np.testing.assert_allclose(table["accuracy"], wanted)
    assert table["from"].values.tolist() == [0, 0.25, 0.5, 0.75]
    assert table["correct"]["depth"].values.tolist() == [0.1, 0.2, 0.3, 0.9, 1.0]


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            lambda m, d: protocols.contrast(m, d, contrasts=(0,), presentation=cs.flash(1)),
            "must be a number above 0",
        ),
        (
            lambda m, d: protocols.noise(m, d, levels=(-1,), presentation=cs.flash(1)),
            "a level of noise must be a number",
        ),
        (lambda m, d: protocols.occlusion(m, d), r"no coordinate 'visible_fraction', only \['depth', 'label'\]"),
        (
            lambda m, d: protocols.occlusion(m, d, factor="depth", edges=(1, 0)),
            "edges must be at least two numbers in rising order",
        ),
    ],
)
def test_conditions_that_are_not_allowed_are_refused(calibrated, targets, run, message):
    with pytest.raises(ValueError, match=message):
        run(calibrated, targets)


@pytest.mark.parametrize("nothing", [0, False, "", [], np.array(0)], ids=repr)
def test_what_is_no_presentation_is_not_taken_for_the_default_one(calibrated, targets, nothing):
    calls = [
        lambda: cs.simulate(calibrated, targets, nothing, until=4),
        lambda: cs.multiply_adds(calibrated, presentation=nothing),
        lambda: calibrated(torch.rand(2, 3, 8, 8).double(), nothing),
        lambda: protocols.contrast(calibrated, targets, presentation=nothing),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="presentation"):
            call()


def test_wrong_types_of_a_protocol_are_refused_before_anything_is_simulated(calibrated, targets):
    with pytest.raises(ValueError, match="controls must be True or False, got 'no'"):
        masked_grid(calibrated, targets, controls="no")
    with pytest.raises(TypeError, match="data must be a Dataset of images, got a NoneType"):
        protocols.occlusion(calibrated, None)
    with pytest.raises(ValueError, match="there are no images"):
        masked_grid(calibrated, targets.isel(stimulus=[]))
    with pytest.raises(TypeError, match="channels must be a list of numbers, got 1"):
        protocols.influence(calibrated, targets, "V1", time=0, until=4, channels=1)
    with pytest.raises(ValueError, match="time must be a whole number, at least 0, got ''"):
        protocols.influence(calibrated, targets, "V1", time="", until=4)


def test_a_mixture_is_no_one_way_of_showing(calibrated, targets):
    with pytest.raises(TypeError, match="a protocol needs a single presentation, got a mixture"):
        protocols.contrast(calibrated, targets, presentation=cs.mixture(cs.flash(1), cs.sustained()))


# --- lesions --------------------------------------------------------------------------------------------------------


def test_a_lesion_comes_in_three_versions_each_with_the_numbers_of_effect(calibrated, targets):
    silence = {"feedback": range(3, 7)}
    table = protocols.lesion(calibrated, targets, silence, calibrate_on=targets, until=6)
    assert table["version"].values.tolist() == ["acute", "recalibrated", "mean-replaced"]
    assert table["distance"].dims == ("version", "state", "time")
    intact = cs.simulate(calibrated, targets, until=6)
    for version, extra in (("acute", {}), ("mean-replaced", {"lesion": "mean-replaced", "calibrate_on": targets})):
        wanted = cs.analyse.effect(cs.simulate(calibrated, targets, until=6, silence=silence, **extra), intact)
        for name in ("distance", "accuracy_difference", "log_odds_change"):
            np.testing.assert_allclose(table[name].sel(version=version), wanted[name])
            np.testing.assert_allclose(table[f"{name}_low"].sel(version=version), wanted[f"{name}_low"])
    assert table.attrs["n"] == 5


def test_a_lesion_returns_its_readouts_and_reports_its_progress(calibrated, targets):
    said = []
    table = protocols.lesion(
        calibrated, targets, {"lateral": None}, calibrate_on=targets, until=6, report=lambda *one: said.append(one)
    )
    intact = cs.simulate(calibrated, targets, until=6)["readout"].to_dataset()
    np.testing.assert_array_equal(table["logits_intact"], intact["logits"])
    acute = cs.simulate(calibrated, targets, until=6, silence={"lateral": None})["readout"].to_dataset()
    np.testing.assert_array_equal(table["logits"].sel(version="acute"), acute["logits"])
    assert table["label"].values.tolist() == [0, 1, 2, 0, 1]
    assert cs.analyse.reaction_time(table["logits"].sel(version="acute"), 0.5).attrs["n"] == 5
    assert [round(share * 30) for share, _ in said] == [0, 5, 10, 20]
    assert said[2][1] == "recalibrated: 5 images, statistics of 5 images"


@pytest.mark.parametrize(
    "given", [{"gain": {"lateral": (0.5, range(3, 7))}}, {"transition_noise": {"feedback": (0.5, range(3, 7))}}]
)
def test_what_is_weakened_or_noisy_comes_in_three_versions_too(calibrated, targets, given):
    table = protocols.lesion(calibrated, targets, calibrate_on=targets, until=6, **given)
    intact = cs.simulate(calibrated, targets, until=6)
    for version in ("acute", "recalibrated", "mean-replaced"):
        images = {} if version == "acute" else {"calibrate_on": targets}
        recording = cs.simulate(calibrated, targets, until=6, lesion=version, **images, **given)
        wanted = cs.analyse.effect(recording, intact)
        np.testing.assert_array_equal(table["distance"].sel(version=version), wanted["distance"])
    same = table["distance"].sel(version="acute") == table["distance"].sel(version="mean-replaced")
    # noise shifts no mean
    assert bool(same.isel(time=6).all()) == ("transition_noise" in given)
    assert " 0.5 (t = 3…6)" in table.attrs["intervention"]


def test_a_lesion_of_nothing_and_one_without_images_are_refused(calibrated, targets):
    with pytest.raises(ValueError, match="a lesion silences, weakens or disturbs something: give silence"):
        protocols.lesion(calibrated, targets, until=6)
    for given in ({"silence": {"lateral": None}}, {"gain": {"lateral": 0.5}}):
        with pytest.raises(ValueError, match="a lesion needs images to take statistics and means on"):
            protocols.lesion(calibrated, targets, until=6, **given)


# --- streams --------------------------------------------------------------------------------------------------------


def streams(model, targets, **changes):
    return protocols.rapid_sequence(model, targets, **{"n_frames": 3, "calibrate_on": targets, **changes})


def test_a_stream_is_read_out_at_every_time_for_every_position_of_the_target(calibrated, targets):
    table = streams(calibrated, targets, steps_per_frame=2)
    assert table["accuracy"].dims == ("position", "time")
    assert table["position"].values.tolist() == [0, 1, 2]
    # six steps of frames, and two to arrive
    assert table["time"].values.tolist() == list(range(8))
    assert np.isnan(table["accuracy"].values[:, :2]).all()
    assert np.isfinite(table["accuracy"].values[:, 2:]).all()
    assert table["lag"].sel(position=1).values.tolist() == [-2, -1, 0, 1, 2, 3, 4, 5]


def test_before_the_target_arrives_its_position_makes_no_difference(calibrated, targets):
    table = streams(calibrated, targets)
    # frame 0 alone has arrived at 2: with the target at 1 or 2 it is the same distractor
    np.testing.assert_array_equal(table["correct"].sel(time=2, position=1), table["correct"].sel(time=2, position=2))


def test_a_stream_returns_what_was_shown_and_all_that_was_read_out(calibrated, targets):
    said = []
    table = streams(calibrated, targets, steps_per_frame=2, report=lambda *one: said.append(one))
    pictures = table["picture"].values
    assert (pictures[1, :, 1] == np.arange(5)).all()
    np.testing.assert_array_equal(pictures[1, :, 2], pictures[0, :, 2])
    named = table["logits"].values[1, :, 7].argmax(-1)
    np.testing.assert_array_equal(table["correct"].sel(position=1, time=7), named == targets["label"].values)
    assert [round(share * 4) for share, _ in said] == [0, 1, 2, 3]
    assert said[0][1] == "statistics of 5 other streams"


def test_a_readout_follows_where_the_targets_last_step_has_just_arrived(calibrated, targets):
    table = streams(calibrated, targets, steps_per_frame=2, until=5)
    for position, time in ((0, 3), (1, 5)):
        at = table["accuracy"].sel(position=position, time=time)
        assert float(table["followed"].sel(position=position)) == float(at)
        assert float(table["followed_low"].sel(position=position)) == float(at["low"])
    # the last one arrives after the end
    assert np.isnan(table["followed"].sel(position=2))


def test_distractors_are_of_other_classes(targets):
    marked = targets.copy(
        data={"image": np.broadcast_to(targets["label"].values[:, None, None, None], (5, 3, 8, 8)) / 2.0}
    )
    drawn = _streams(marked, 40, 0)[:, :, 0, 0, 0].numpy() * 2
    assert (drawn != targets["label"].values[:, None]).all()
    assert all(set(row) == {0, 1, 2} - {label} for row, label in zip(drawn, targets["label"].values, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_frames": 0}, "n_frames must be a whole number, at least 1, got 0"),
        ({"positions": (0, 3)}, r"positions must lie between 0 and 2, got \[0, 3\]"),
        ({"steps_per_frame": 0}, "steps_per_frame must be a whole number of steps, at least 1, got 0"),
        ({"calibrate_on": None}, "no single set of the model's statistics covers all conditions"),
    ],
)
def test_what_is_no_stream_is_refused(calibrated, targets, change, message):
    with pytest.raises(ValueError, match=message):
        streams(calibrated, targets, **change)


def test_a_stream_of_one_class_has_no_distractors(calibrated, targets):
    with pytest.raises(ValueError, match="a stream needs distractors of another class, but all labels are 0"):
        streams(calibrated, targets.assign_coords(label=("stimulus", [0] * 5)))


# --- masks over a readout that is a map ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traced():
    """Curves of two lengths, and the model that traces them."""
    curves = [cs.datasets.paths(6, size=20, length=(length, length), part="test") for length in (6, 14)]
    return cs.zoo.load("tracer").at_size(20), xr.concat(curves, "stimulus", combine_attrs="drop_conflicts")


def masked_curves(traced, **changes):
    chosen = {"soas": (4, 8, 20), "durations": "soa", "readout_time": 24, "latch": 2.0, "by": "length", **changes}
    return protocols.masking(*traced, **chosen)


def test_a_mask_stops_what_the_wave_has_not_reached_and_a_latch_keeps_what_it_has(traced):
    table = masked_curves(traced)
    assert table["accuracy"].dims == ("mask", "soa", "length")
    accuracy = table["accuracy"].sel(mask="noise")
    assert float(accuracy.sel(soa=4, length=14)) <= 0.6
    assert float(accuracy.sel(soa=8, length=14)) <= 0.6
    assert float(accuracy.sel(soa=8, length=6)) >= 0.9
    assert float(accuracy.sel(soa=20, length=14)) >= 0.9
    # the picture as its own mask takes nothing away
    assert float(table["accuracy"].sel(mask="target").min()) >= 0.9


def test_without_a_latch_the_mask_wipes_the_tag_whenever_it_comes(traced):
    table = masked_curves(traced, latch=None, soas=(20,), masks=("noise",), controls=False)
    assert float(table["accuracy"].max()) <= 0.75


def test_by_counts_each_value_apart_and_keeps_the_coordinate_under_another_name(traced):
    table = masked_curves(traced, soas=(8,))
    assert table["length"].values.tolist() == [6, 14]
    assert table["stimulus_length"].values.tolist() == [6] * 6 + [14] * 6
    right = table["correct"].sel(mask="noise", soa=8)
    assert float(right[:6].mean()) == pytest.approx(float(table["accuracy"].sel(mask="noise", soa=8, length=6)))
    assert set(np.unique(right)) <= {0.0, 0.5, 1.0}
    assert table.attrs["chance"] == 0.5
    assert table.attrs["latch"] == 2.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"by": "lenght"}, "did you mean 'length'"),
        ({"record": ["V1"]}, "the result is a recording: leave them out"),
    ],
)
def test_what_is_asked_of_the_decisions_must_be_possible(traced, changes, message):
    with pytest.raises(ValueError, match=message):
        masked_curves(traced, **changes)


def test_a_map_needs_places_at_which_it_is_asked(traced):
    model, curves = traced
    with pytest.raises(ValueError, match="end_y, end_x, foil_y and foil_x"):
        protocols.masking(model, curves.drop_vars(["foil_y", "foil_x"]))


# --- each connection ------------------------------------------------------------------------------------------------


def test_each_connection_is_the_lesion_of_it_alone(calibrated, targets):
    options = {"until": 4, "calibrate_on": targets}
    table = protocols.each_lesion(calibrated, targets, **options)
    assert table["connection"].values.tolist() == list(calibrated.graph.transition_names)
    for name in ("V1->V1", "V2->V1"):
        alone = protocols.lesion(calibrated, targets, {name: None}, **options)
        for variable in ("accuracy", "accuracy_difference", "accuracy_difference_low", "accuracy_intact"):
            np.testing.assert_array_equal(table[variable].sel(connection=name), alone[variable])


def test_a_connection_that_the_graph_lacks_is_named(calibrated, targets):
    with pytest.raises(ValueError, match="unknown connection 'V1->V9'"):
        protocols.each_lesion(calibrated, targets, ["V1->V9"], until=4, calibrate_on=targets)
    with pytest.raises(ValueError, match="connections is empty"):
        protocols.each_lesion(calibrated, targets, [], until=4, calibrate_on=targets)


# --- which item of a stream is reported -----------------------------------------------------------------------------


def test_the_reported_item_is_the_latest_of_its_class_that_can_have_arrived(calibrated, targets):
    table = protocols.rapid_sequence(calibrated, targets, n_frames=3, steps_per_frame=2, calibrate_on=targets)
    assert table["reported"].dims == ("arriving", "item")
    assert table["item"].values.tolist() == ["1", "2", "3", "other"]
    label, first = targets["label"].values, arrival(calibrated.graph)
    for place in range(3):
        counts = dict.fromkeys(table["item"].values.tolist(), 0)
        for position in range(3):
            for stimulus in range(5):
                shown = label[table["picture"].values[position, stimulus]]
                said = table["logits"].values[position, stimulus, 2 * place + 1 + first].argmax()
                same = [k for k in range(place + 1) if shown[k] == said]
                counts[str(same[-1] + 1) if same else "other"] += 1
        np.testing.assert_allclose(table["reported"][place], np.array(list(counts.values())) / 15)
    np.testing.assert_allclose(table["reported"].sum("item"), 1)
    # the three streams of a target share its distractors: 5 independent ones, not 15
    ends = [table[f"reported{end}"].values for end in ("", "_low", "_high")]
    np.testing.assert_allclose(ends, fraction(5 * table["reported"].values, 5))


@pytest.mark.parametrize("soas", [2, np.array(2), b"2", None])
def test_a_single_number_is_not_a_list_of_conditions(soas):
    with pytest.raises(TypeError, match=r"soas must be a list of values, such as \[1, 2\], got"):
        distinct("soas", soas)


def test_arrays_of_conditions_are_lists():
    assert distinct("soas", np.array([2, 1])) == [2, 1]
    assert distinct("states", "V1") == ["V1"]


def test_protocols_of_one_answer_refuse_a_readout_that_is_a_map():
    curves = cs.datasets.paths(4, size=16, part="test")
    tracer = cs.zoo.load("tracer")
    runs = {
        "a lesion": lambda: cs.protocols.lesion(tracer, curves, {"V1->V1": [3]}, until=4, calibrate_on=curves),
        "a table of lesions": lambda: cs.protocols.each_lesion(tracer, curves, until=4, calibrate_on=curves),
        "a stream": lambda: cs.protocols.rapid_sequence(tracer, curves),
    }
    for what, run in runs.items():
        with pytest.raises(ValueError, match=rf"is a map, and {what} compares one answer .*cs.analyse.map_accuracy"):
            run()
