"""Results are joined with their intervals, also where these are equal."""

import numpy as np
import xarray as xr

from cortexsim._support.joining import joined


def result(value, low):
    coords = {
        "time": [0, 1],
        "low": ("time", [low, low]),
        "shown": ("time", [1, 0]),
        "extra_high": ("time", [1.0, value]),
    }
    return xr.DataArray([value, value], coords, ["time"], "accuracy")


def test_an_interval_has_the_new_dimension_also_where_it_is_equal_in_all_results():
    along = xr.Variable("model", ["one", "other"], {"long_name": "model"})
    same = joined([result(0.5, 0.1), result(0.7, 0.1)], along)
    assert same["low"].dims == same.dims == ("model", "time")
    np.testing.assert_array_equal(same["low"], np.full((2, 2), 0.1))
    assert same["shown"].dims == ("time",)
    different = joined([result(0.5, 0.1), result(0.7, 0.2)], along)
    np.testing.assert_array_equal(different["low"], [[0.1, 0.1], [0.2, 0.2]])
    np.testing.assert_array_equal(different["extra_high"], [[1.0, 0.5], [1.0, 0.7]])


def test_datasets_are_joined_like_arrays():
    tables = [result(value, 0.1).to_dataset() for value in (0.5, 0.7)]
    table = joined(tables, "seed", combine_attrs="override", data_vars="all")
    assert table["low"].dims == ("seed", "time")
