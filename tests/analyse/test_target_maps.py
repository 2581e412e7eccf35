"""Analyses of readouts that are maps, on a tag that travels along curves at a known speed."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

SPEED, DELAY = 1.25, 2  # steps for each px; time at which the cue is tagged


@pytest.fixture(scope="module")
def paths():
    return cs.datasets.paths(40, size=16, length=(3, 10))


def map_readout(data, tagged, n_times):
    """Make a recording whose readout says yes where `tagged(time)`, shape (stimulus, y, x)."""
    yes = np.stack([tagged(time) for time in range(n_times)], 1)
    logits = np.stack((np.where(yes, -1.0, 1.0), np.where(yes, 1.0, -1.0)), 2)
    node = xr.Dataset(
        {
            "logits": (("stimulus", "time", "class", "y", "x"), logits),
            "populated": ("time", np.ones(n_times, bool)),
        },
        {"stimulus": np.arange(len(yes)), "time": np.arange(n_times), "class": [0, 1]},
    )
    node = node.assign_coords({name: one for name, one in data.coords.items() if one.dims == ("stimulus",)})
    return xr.DataTree.from_dict({"/readout": node})


@pytest.fixture(scope="module")
def travelling(paths):
    distance = paths["distance"].values
    return map_readout(paths, lambda time: (distance >= 0) & (time >= np.ceil(SPEED * distance) + DELAY), 24)


def arrival(length):
    return np.ceil(SPEED * (length - 1)) + DELAY


def test_steps_needed_are_those_that_the_tag_takes_to_the_far_point(paths, travelling):
    steps = cs.analyse.steps_needed(travelling, paths)
    np.testing.assert_array_equal(steps, arrival(paths["length"].values))
    assert steps.attrs["n_solved"] == 40
    xr.testing.assert_equal(steps["length"].drop_vars("stimulus"), paths["length"])


def test_a_map_that_is_wrong_again_at_the_end_is_not_solved(paths, travelling):
    fading = travelling.copy(deep=True)
    fading["readout"]["logits"].values[0, -1] *= -1
    steps = cs.analyse.steps_needed(fading, paths)
    assert np.isnan(steps[0])
    assert np.isfinite(steps[1:]).all()


def test_a_map_that_was_wrong_in_between_counts_from_the_second_time(paths, travelling):
    flickering = travelling.copy(deep=True)
    flickering["readout"]["logits"].values[0, 20] *= -1
    assert cs.analyse.steps_needed(flickering, paths)[0] == 21


def test_pixels_off_the_line_do_not_count(paths, travelling):
    wrong_background = travelling.copy(deep=True)
    background = np.broadcast_to(~paths["line"].values[:, None, None], wrong_background["readout"]["logits"].shape)
    wrong_background["readout"]["logits"].values[background] *= -1
    xr.testing.assert_equal(
        cs.analyse.steps_needed(wrong_background, paths), cs.analyse.steps_needed(travelling, paths)
    )


def test_one_wrong_pixel_of_the_line_makes_a_map_wrong(paths, travelling):
    spoilt = travelling.copy(deep=True)
    spoilt["readout"]["logits"].values[0, :, :, paths["foil_y"][0], paths["foil_x"][0]] *= -1
    exact = cs.analyse.map_accuracy(spoilt, paths, "exact")
    assert exact[-1] == 39 / 40
    assert cs.analyse.map_accuracy(spoilt, paths)[-1] == 1 - 0.5 / 40
    assert 0.99 < cs.analyse.map_accuracy(spoilt, paths, "pixels")[-1] < 1


def test_the_tag_has_reached_the_far_point_when_every_pixel_is_correct(paths, travelling):
    yes_no, exact = (cs.analyse.map_accuracy(travelling, paths, measure) for measure in ("yes/no", "exact"))
    expected = (arrival(paths["length"].values)[:, None] <= np.arange(24)).mean(0)
    np.testing.assert_allclose(exact, expected)
    np.testing.assert_allclose(yes_no, (1 + expected) / 2)
    assert yes_no.attrs["chance"] == 0.5
    assert "chance" not in exact.attrs
    assert (yes_no["low"] <= yes_no).all()


def test_answering_no_everywhere_is_at_chance(paths):
    silent = map_readout(paths, lambda time: np.zeros(paths["target"].shape, bool), 3)
    assert (cs.analyse.map_accuracy(silent, paths) == 0.5).all()
    assert (cs.analyse.map_accuracy(silent, paths, "pixels") == 0.5).all()
    assert (cs.analyse.map_accuracy(silent, paths, "exact") == 0).all()


def test_accuracy_by_length(paths, travelling):
    found = cs.analyse.map_accuracy(travelling, paths, "exact", by="length")
    assert found.dims == ("time", "length")
    for length in found["length"].values:
        assert found.sel(length=length, time=arrival(length)) == 1
        assert found.sel(length=length, time=arrival(length) - 1) == 0


def test_an_empty_readout_is_neither_right_nor_wrong(paths, travelling):
    late = travelling.copy(deep=True)
    late["readout"]["populated"].values[:3] = False
    assert np.isnan(cs.analyse.map_accuracy(late, paths)[:3]).all()
    assert cs.analyse.steps_needed(late, paths).min() >= 3


def test_growth_is_a_line_through_the_steps_needed(paths, travelling):
    steps = cs.analyse.steps_needed(travelling, paths)
    grown = cs.analyse.growth(steps)
    assert abs(grown["slope"] - SPEED) < 0.1
    assert grown["slope_low"] < grown["slope"] < grown["slope_high"]
    assert grown["r"] > 0.98
    assert grown["r_of_medians"] > 0.98
    np.testing.assert_array_equal(grown["median"], arrival(grown["length"].values))
    assert grown["n_solved"].sum() == 40


def test_growth_that_rests_on_one_stimulus_has_no_interval():
    steps = xr.DataArray([5.0, 5, 6, 10], {"length": ("stimulus", [5, 5, 5, 10])}, ("stimulus",))
    grown = cs.analyse.growth(steps)
    assert grown["slope"] == pytest.approx((10 - 16 / 3) / 5)
    assert np.isnan(grown["slope_low"])


def test_steps_that_do_not_grow_have_a_slope_of_0_and_no_correlation():
    steps = xr.DataArray([5.0] * 4, {"length": ("stimulus", [5, 6, 7, 8])}, ("stimulus",))
    grown = cs.analyse.growth(steps)
    assert abs(grown["slope"]) < 1e-12
    assert np.isnan(grown["r"])
    assert np.isnan(grown["r_of_medians"])


def test_the_slope_of_the_wave_is_its_inverse_speed(paths, travelling):
    found = cs.analyse.wave(travelling, paths)
    np.testing.assert_array_equal(found["latency"], arrival(1 + found["distance"].values))
    assert abs(found["slope"] - SPEED) < 0.05
    assert abs(found["intercept"] - DELAY) < 0.6
    assert found["r"] > 0.98
    assert (found["fraction_tagged"] == 1).all()


def test_pixels_that_are_never_tagged_are_counted_and_do_not_bend_the_wave(paths, travelling):
    short = travelling.isel(time=slice(0, 6))
    found = cs.analyse.wave(short, paths)
    assert found.attrs["n_tagged"] < found.attrs["n_pixels"]
    assert found["fraction_tagged"][0] == 1
    assert found["fraction_tagged"][-1] == 0
    assert np.isnan(found["latency"][-1])


def test_a_wave_in_a_single_stimulus_has_a_slope_without_an_interval(paths, travelling):
    alone = travelling.copy(deep=True)
    others = np.arange(len(paths["length"])) != int(paths["length"].values.argmax())
    alone["readout"]["logits"].values[others] = np.array([1.0, -1.0])[None, None, :, None, None]  # no everywhere
    found = cs.analyse.wave(alone, paths)
    assert abs(found["slope"] - SPEED) < 0.1
    assert np.isnan(found["slope_low"])
    assert np.isnan(found["slope_high"])


def test_a_single_stimulus_has_a_wave_and_no_interval(paths, travelling):
    longest = [int(paths["length"].values.argmax())]
    one = travelling.map_over_datasets(lambda node: node.isel(stimulus=longest) if node.sizes else node)
    found = cs.analyse.wave(one, paths.isel(stimulus=longest))
    assert abs(found["slope"] - SPEED) < 0.1
    assert np.isnan(found["slope_low"])


def test_trials_of_one_stimulus_do_not_narrow_a_slope(paths, travelling):
    rows = np.repeat(np.arange(40), 3)
    trials = {"target": ("stimulus", rows), "repeat": ("stimulus", np.tile(range(3), 40)), "stimulus": np.arange(120)}
    often = travelling["readout"].to_dataset().isel(stimulus=rows).assign_coords(trials)
    repeated = paths.isel(stimulus=rows)
    for measured in (cs.analyse.wave, lambda *shown: cs.analyse.growth(cs.analyse.steps_needed(*shown))):
        once, found = measured(travelling, paths), measured(often, repeated)
        np.testing.assert_allclose(found["slope_low"], once["slope_low"])
        assert "40 stimuli, in 120 trials" in found["slope"].attrs["interval"]


def test_pixels_need_lines_on_and_off_the_target(paths, travelling):
    alone = paths.assign(line=paths["target"].astype(bool))
    with pytest.raises(ValueError, match="40 of 40 stimuli have no line pixel off the target"):
        cs.analyse.map_accuracy(travelling, alone, "pixels")


def test_a_latch_keeps_the_tag_that_a_mask_wipes_out(paths, travelling):
    masked = travelling.copy(deep=True)
    logits = masked["readout"]["logits"].values
    logits[:, 10:] = np.array([1.0, -1.0])[None, None, :, None, None]  # no everywhere
    assert cs.analyse.map_accuracy(masked, paths)[-1] == 0.5
    kept = cs.analyse.latched(masked["readout"])
    expected = (arrival(paths["length"].values) < 10).mean()
    assert cs.analyse.map_accuracy(kept, paths)[-1] == (1 + expected) / 2
    xr.testing.assert_equal(kept["logits"][:, :10], masked["readout"]["logits"][:, :10])


def test_a_latch_with_a_threshold_waits_for_more_evidence(paths, travelling):
    growing = travelling.copy(deep=True)
    growing["readout"]["logits"].values[:] *= np.arange(24)[None, :, None, None, None]
    eager, strict = (cs.analyse.latched(growing, threshold) for threshold in (0.0, 40.0))
    first = [(kept["logits"].sel({"class": 1}) > kept["logits"].sel({"class": 0})) for kept in (eager, strict)]
    late = [yes.any(("stimulus", "y", "x")).values.argmax() for yes in first]
    assert late == [2, 21]  # the log odds at the cue are twice the time, from 2 on


def test_a_latched_decision_stays_when_the_state_is_empty(paths, travelling):
    gone = travelling.copy(deep=True)
    gone["readout"]["logits"].values[:, 20:] = np.nan
    gone["readout"]["populated"].values[20:] = False
    kept = cs.analyse.latched(gone)
    yes = (kept["logits"].sel({"class": 1}) > kept["logits"].sel({"class": 0})).isel(time=-1)
    assert (yes.values == (paths["target"].values == 1)).all()


def test_a_latched_classification_is_the_first_sure_one():
    logits = np.array([[[0.0, 0.5], [2.0, 0.0], [0.0, 5.0]], [[0.0, 0.1], [0.1, 0.0], [0.0, 0.1]]])
    node = xr.Dataset({"logits": (("stimulus", "time", "class"), logits)})
    kept = cs.analyse.latched(node, threshold=1.0)["logits"].values
    np.testing.assert_array_equal(kept[0], [[0, 0.5], [2, 0], [2, 0]])
    np.testing.assert_array_equal(kept[1], logits[1])


def test_one_class_leaves_nothing_to_decide():
    with pytest.raises(ValueError, match="at least 2 classes, got 1"):
        cs.analyse.latched(xr.Dataset({"logits": (("stimulus", "time", "class"), np.zeros((3, 2, 1)))}))


def test_the_cumulative_readout_averages_probabilities():
    logits = np.log(np.array([[[0.2, 0.8], [0.6, 0.4], [0.7, 0.3]]]))
    node = xr.Dataset({"logits": (("stimulus", "time", "class"), logits)})
    found = np.exp(cs.analyse.cumulative(node)["logits"].values[0])
    np.testing.assert_allclose(found, [[0.2, 0.8], [0.4, 0.6], [0.5, 0.5]])


def test_the_cumulative_readout_is_populated_where_a_class_is_all_but_certain():
    logits = np.array([[[1000.0, 0.0], [0.0, 900.0]]])
    found = cs.analyse.cumulative(xr.Dataset({"logits": (("stimulus", "time", "class"), logits)}))
    assert found["populated"].all()
    np.testing.assert_allclose(found["logits"].values[0], [[0, -1000], [np.log(0.5), np.log(0.5)]])


def test_the_cumulative_readout_begins_where_the_state_is_populated():
    logits = np.log(np.array([[[0.2, 0.8], [0.6, 0.4]]]))
    logits[:, 0] = np.nan
    found = cs.analyse.cumulative(xr.Dataset({"logits": (("stimulus", "time", "class"), logits)}))
    assert not found["populated"][0, 0]
    np.testing.assert_allclose(np.exp(found["logits"][0, 1]), [0.6, 0.4])


@pytest.mark.parametrize("analysis", [cs.analyse.latched, cs.analyse.cumulative])
def test_readouts_with_a_memory_ignore_logits_of_an_empty_state(analysis):
    logits = np.array([[[9.0, 0.0], [0.0, 2.0], [1.0, 0.0]]])
    found, emptied = (
        analysis(
            xr.Dataset(
                {"logits": (("stimulus", "time", "class"), each), "populated": ("time", [False, True, True])},
            )
        )
        for each in (logits, np.where([[[True], [False], [False]]], np.nan, logits))
    )
    xr.testing.assert_identical(found, emptied)
    assert found["populated"].values.tolist() == [[False, True, True]]
    assert found["logits"].values[0, 2].argmax() == 1


def test_a_latched_map_stays_populated_when_the_state_is_empty():
    logits = np.full((1, 3, 2, 1, 2), np.nan)
    logits[0, :2, :, 0] = np.array([[0.0, 2.0], [1.0, 0.0]])  # the first pixel says yes, the second no
    node = xr.Dataset(
        {"logits": (("stimulus", "time", "class", "y", "x"), logits), "populated": ("time", [True, True, False])}
    )
    kept = cs.analyse.latched(node)
    assert kept["populated"].values.all()
    assert kept["logits"][0, 2].argmax("class").values.tolist() == [[1, 0]]


def test_target_maps_are_put_in_the_order_of_the_recording_by_their_stimulus(paths, travelling):
    named = paths.isel(stimulus=slice(6)).assign_coords(stimulus=list("cafbde"))
    recording = travelling.isel(stimulus=slice(6))
    recording["readout"] = recording["readout"].to_dataset().assign_coords(stimulus=list("cafbde")).drop_vars("length")
    steps = cs.analyse.steps_needed(recording, named)
    xr.testing.assert_identical(cs.analyse.steps_needed(recording, named.sortby("stimulus")), steps)
    right = cs.analyse.map_accuracy(recording, named, "exact")
    xr.testing.assert_identical(cs.analyse.map_accuracy(recording, named.sortby("stimulus"), "exact"), right)
    with pytest.raises(
        ValueError, match=r"same stimuli as the recording's stimuli, got .* without \['c'\] and with \['x'\] as well"
    ):
        cs.analyse.steps_needed(recording, named.assign_coords(stimulus=list("xafbde")))


def test_target_maps_of_classes_that_are_not_read_out_are_refused(paths, travelling):
    with pytest.raises(ValueError, match=r"the target maps ask for \[2\], but the classes of the readout are \[0, 1\]"):
        cs.analyse.steps_needed(travelling, paths.assign(target=paths["target"] * 2))
    beyond = paths.assign(target=paths["target"].where(paths["line"], 7))
    xr.testing.assert_identical(cs.analyse.steps_needed(travelling, beyond), cs.analyse.steps_needed(travelling, paths))


def test_what_does_not_fit_is_refused(paths, travelling):
    readout = travelling["readout"].to_dataset()
    with pytest.raises(ValueError, match=r"this analysis reads maps, logits .* got .*'class'.: record a model"):
        cs.analyse.steps_needed(readout.isel(y=0, x=0), paths)
    with pytest.raises(ValueError, match="the stimuli have no target, line, distance"):
        cs.analyse.wave(travelling, paths[["image"]])
    with pytest.raises(ValueError, match="the targets have"):
        cs.analyse.wave(travelling, paths.isel(x=slice(0, 8)))
    with pytest.raises(ValueError, match="in another order: length differs"):
        cs.analyse.steps_needed(travelling, paths.isel(stimulus=slice(None, None, -1)))
    with pytest.raises(TypeError, match="must be a Dataset with target maps, got ndarray"):
        cs.analyse.steps_needed(travelling, paths["target"].values)
    with pytest.raises(ValueError, match="unknown measure 'hits'"):
        cs.analyse.map_accuracy(travelling, paths, "hits")
    with pytest.raises(ValueError, match="at least 3 solved stimuli"):
        cs.analyse.growth(cs.analyse.steps_needed(travelling.isel(time=slice(0, 2)), paths))
    with pytest.raises(ValueError, match="no coordinate 'depth'"):
        cs.analyse.growth(cs.analyse.steps_needed(travelling, paths), by="depth")
    with pytest.raises(ValueError, match="there is no wave to measure"):
        cs.analyse.wave(travelling.isel(time=slice(0, 1)), paths)
    with pytest.raises(ValueError, match="finite number of nats"):
        cs.analyse.latched(travelling, float("nan"))
    with pytest.raises(ValueError, match="class 1 of two classes, got 1"):
        cs.analyse.latched(readout.isel({"class": slice(0, 1)}))
