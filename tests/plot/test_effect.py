"""What an intervention changes: the map of state and time, and the decision."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import effect

from .conftest import TIME


@pytest.fixture
def change():
    values = np.arange(2 * 2 * 5, dtype=float).reshape(2, 2, 5) / 20
    values[:, 1, 0] = np.nan
    accuracy = ("version", "time"), np.full((2, 5), -0.1), {"interval": "95 % over 300 stimuli"}
    variables = {
        "distance": (("version", "state", "time"), values, {"long_name": "change"}),
        "accuracy_difference": accuracy,
        "accuracy_difference_low": (("version", "time"), np.full((2, 5), -0.2)),
        "accuracy_difference_high": (("version", "time"), np.full((2, 5), 0.05)),
        "changed": (("version", "time"), np.full((2, 5), 0.3)),
    }
    return xr.Dataset(variables, {"version": ["acute", "recalibrated"], "state": ["V1", "IT"], "time": TIME})


def traces(figure, name):
    return list(figure.select_traces({"name": name}))


def test_a_map_for_each_version_with_one_colour_scale(change):
    figure = effect(change)
    for name in ("acute", "recalibrated"):
        (heat_map,) = traces(figure, name)
        expected = change["distance"].sel(version=name).values
        np.testing.assert_array_equal(heat_map.z.astype(float), expected)
        assert heat_map.coloraxis == "coloraxis"


def test_colours_of_several_effects_can_be_compared(change):
    small, large = (effect(change.assign(distance=change["distance"] * factor)).layout.coloraxis for factor in (0.4, 3))
    assert (small.cmin, small.cmax) == (0, 1)
    assert large.cmax == 5


def test_an_empty_state_is_blank(change):
    assert traces(effect(change), "acute")[0].z[1][0] is None


def test_the_decision_is_below_with_its_interval(change):
    figure = effect(change)
    assert [line.y[0] for line in traces(figure, "change of accuracy")] == [-0.1, -0.1]
    assert traces(figure, "change of accuracy interval")[0].y[0] == -0.2
    assert len(traces(figure, "decisions that changed")) == 2
    assert figure.layout.title.subtitle.text == "95 % over 300 stimuli"


def test_one_version_needs_no_dimension(change):
    figure = effect(change.isel(version=0, drop=True))
    assert len(traces(figure, "distance")) == 1


def test_changes_of_both_signs_have_zero_in_the_middle(change):
    change["distance"] = -change["distance"]
    axis = effect(change).layout.coloraxis
    assert axis.cmin == -axis.cmax


def test_milliseconds_are_stated(change, milliseconds):
    figure = effect(change, milliseconds=milliseconds)
    assert figure.layout.xaxis3.title.text == "time (ms) = 66 + 25 t, assumed"


def test_a_dataset_without_the_map_is_refused(change):
    with pytest.raises(ValueError, match="needs the variable 'distance', got"):
        effect(change.drop_vars("distance"))


def test_another_dimension_than_version_is_refused(change):
    with pytest.raises(ValueError, match=r"needs the dimensions \(version, state, time\), got \('seed'"):
        effect(change.rename(version="seed"))
