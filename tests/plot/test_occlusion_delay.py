"""The delay by occlusion, in a model and in humans."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import occlusion_delay


@pytest.fixture
def time():
    attrs = {"long_name": "mean reaction time", "units": "steps", "interval": "95 % over 4 seeds"}
    return xr.DataArray([2.0, 3.0, np.nan], {"occluded": [0.0, 0.3, 0.6]}, ["occluded"], attrs=attrs)


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_humans_and_model_have_separate_axes(time):
    figure = occlusion_delay(time)
    onset = trace(figure, "humans: decoding onset")
    assert trace(figure, "model").yaxis != onset.yaxis
    assert (onset.y.tolist(), onset.error_y.array.tolist()) == ([79, 123], [3, 15])
    assert trace(figure, "humans: decoding peak").y.tolist() == [139, 199]


def test_a_criterion_that_is_never_met_is_a_gap(time):
    assert np.isnan(trace(occlusion_delay(time), "model").y).tolist() == [False, False, True]


def test_milliseconds_are_stated_and_the_band_spans_20_to_50_ms_a_step(time, milliseconds):
    figure = occlusion_delay(time, milliseconds=milliseconds)
    assert trace(figure, "model").y[:2].tolist() == [116, 141]
    assert list(trace(figure, "model at 20 to 50 ms per step").y) == [106, 126, 216, 166, 106, None]
    assert figure.layout.yaxis.title.text == "model: time (ms) = 66 + 25 t, assumed"


def test_an_occluded_fraction_is_no_percentage(time):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got 0 to 60"):
        occlusion_delay(time.assign_coords(occluded=[0, 30, 60]))
