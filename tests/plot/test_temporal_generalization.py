"""The matrix of train and test times."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import temporal_generalization


@pytest.fixture
def scores():
    values = np.array([[np.nan, np.nan, np.nan], [np.nan, 0.9, 0.5], [np.nan, 0.3, 0.8]])
    times = {name: (name, [0, 1, 2], {"units": "steps", "long_name": name}) for name in ("train_time", "test_time")}
    return xr.DataArray(values, times, ["train_time", "test_time"], attrs={"long_name": "decoding", "chance": 0.5})


def test_rows_are_train_times_whatever_the_order_of_dimensions(scores):
    heat_map = temporal_generalization(scores.transpose("test_time", "train_time")).data[0]
    assert heat_map.z[1][2] == 0.5
    assert heat_map.z[2][1] == 0.3


def test_empty_times_are_blank(scores):
    assert temporal_generalization(scores).data[0].z[0].tolist() == [None, None, None]


def test_chance_is_the_middle_of_the_colours(scores):
    heat_map = temporal_generalization(scores).data[0]
    np.testing.assert_allclose([heat_map.zmin, heat_map.zmid, heat_map.zmax], [0.1, 0.5, 0.9])


def test_no_share_below_0_is_named_where_chance_is_low(scores):
    few = temporal_generalization(scores.assign_attrs(chance=0.1)).data[0].colorbar.tickvals
    assert few == pytest.approx((0.1, 0.5, 0.9))
    assert temporal_generalization(scores).data[0].colorbar.tickvals == pytest.approx((0.1, 0.3, 0.5, 0.7, 0.9))


def test_both_axes_state_the_assumption(scores, milliseconds):
    figure = temporal_generalization(scores, milliseconds=milliseconds)
    assert figure.layout.xaxis.title.text == "test time: time (ms) = 66 + 25 t, assumed"
    assert figure.data[0].y.tolist() == [66, 91, 116]


def test_scores_without_a_number_are_refused(scores):
    with pytest.raises(ValueError, match="scores are NaN at all times"):
        temporal_generalization(scores * np.nan)


def test_other_dimensions_are_refused(scores):
    with pytest.raises(ValueError, match=r"must be \(train_time, test_time\), got \(test_time\)"):
        temporal_generalization(scores.isel(train_time=1))
