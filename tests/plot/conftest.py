"""Small labelled results, as the analyses give them."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

TIME = ("time", np.arange(5), {"long_name": "time", "units": "steps"})


def with_ends(array, width):
    """Give an array an interval of ± width."""
    ends = {"low": (array.dims, array.values - width), "high": (array.dims, array.values + width)}
    return array.assign_coords(ends)


@pytest.fixture
def milliseconds():
    return cs.Milliseconds(onset_ms=66, step_ms=25)


@pytest.fixture
def course():
    """Accuracy of two states at times 0 to 4; IT is empty at 0 and 1, and once again at 3."""
    values = np.array([[0.2, np.nan], [0.3, np.nan], [0.4, 0.5], [0.5, np.nan], [0.6, 0.8]])
    array = xr.DataArray(values, {"time": TIME, "state": ("state", ["V1", "IT"])}, ["time", "state"], "accuracy")
    array.attrs = {
        "long_name": "accuracy",
        "units": "1",
        "chance": 0.1,
        "n": 200,
        "interval": "95 % Wilson interval over 200 stimuli",
    }
    return with_ends(array, 0.05)


@pytest.fixture
def masking():
    """Two masks at SOAs of 1 to 4 steps; a mask at SOA 4 comes too late to reach IT."""
    soa = ("soa", [1, 2, 3, 4], {"long_name": "SOA", "units": "steps"})
    values = [[0.2, 0.4, 0.6, 0.8], [0.5, 0.6, 0.7, 0.8]]
    accuracy = xr.DataArray(values, {"mask": ["noise", "itself"], "soa": soa}, ["mask", "soa"], "accuracy")
    accuracy.attrs = {"long_name": "accuracy", "units": "1", "chance": 0.1, "interval": "95 % over 400 stimuli"}
    result = xr.Dataset({"accuracy": with_ends(accuracy, 0.05), "unmasked": ("soa", [0.6, 0.7, 0.8, 0.9])})
    result.attrs["readout_time"] = 6
    return result.assign_coords(reaches=("soa", [True, True, True, False]), duration=("soa", [1, 2, 3, 4]))
