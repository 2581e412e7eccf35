"""Model time as wall-clock time: the formula, what it is written on, and what it refuses."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.brains.milliseconds import in_steps


def test_time_0_is_the_onset_and_a_step_adds_its_length():
    assert cs.Milliseconds(onset_ms=66, step_ms=25).of(np.array([0, 1, 4])).tolist() == [66, 91, 166]


def test_a_duration_has_no_onset_in_it():
    assert cs.Milliseconds(onset_ms=66, step_ms=25).lasting(6) == 150


def test_it_says_that_it_is_assumed():
    assert str(cs.Milliseconds(onset_ms=66, step_ms=25)) == "time (ms) = 66 + 25 t, assumed"


def test_an_array_gets_a_coordinate_that_states_the_assumption(flashed):
    node = flashed["V2"].to_dataset()
    added = cs.Milliseconds(onset_ms=66, step_ms=20.5).add_to(node)
    assert added["time_ms"].values.tolist() == [66, 86.5, 107, 127.5, 148]
    assert added["time_ms"].attrs == {"units": "ms", "long_name": "time after image onset, assumed 66 + 20.5 t"}
    assert "time_ms" not in node.coords


def test_25_ms_are_half_a_step_to_one_and_a_quarter_by_the_paper():
    assert in_steps(25) == (0.5, 1.25)


def test_an_array_without_time_is_refused():
    with pytest.raises(ValueError, match=r"no coordinate 'time' to convert to milliseconds, only \['state'\]"):
        cs.Milliseconds(onset_ms=66, step_ms=25).add_to(xr.DataArray([1.0], {"state": ["V1"]}, ["state"]))


def test_milliseconds_are_not_made_of_milliseconds():
    array = xr.DataArray([1.0], {"time": ("time", [80.0], {"units": "ms"})}, ["time"])
    with pytest.raises(ValueError, match="'time' must be in steps, got 'ms'"):
        cs.Milliseconds(onset_ms=66, step_ms=25).add_to(array)


@pytest.mark.parametrize("step_ms", [0, -25, float("nan"), float("inf")])
def test_a_step_takes_time(step_ms):
    with pytest.raises(ValueError, match="step_ms must be above 0 ms, got"):
        cs.Milliseconds(onset_ms=66, step_ms=step_ms)


def test_nothing_is_seen_before_it_is_shown():
    with pytest.raises(ValueError, match="onset_ms must be at least 0 ms, got -1"):
        cs.Milliseconds(onset_ms=-1, step_ms=25)


def test_milliseconds_are_numbers():
    with pytest.raises(TypeError, match="step_ms must be a number of milliseconds, got '25'"):
        cs.Milliseconds(onset_ms=66, step_ms="25")


@pytest.mark.parametrize("wrong", [None, "1", [1], {}, np.array(["a"]), np.datetime64("2020-01-01")])
def test_a_time_that_is_no_number_is_refused(wrong):
    ms = cs.Milliseconds(onset_ms=66, step_ms=25)
    for call in (ms.of, ms.lasting, in_steps):
        with pytest.raises(TypeError, match=r"(time|steps|duration_ms) must be a number or an array of numbers, got"):
            call(wrong)


def test_only_labelled_arrays_with_times_in_numbers_get_milliseconds():
    ms, values = cs.Milliseconds(onset_ms=66, step_ms=25), xr.DataArray([0.5, 1.0], dims=["time"])
    with pytest.raises(TypeError, match="are added to a DataArray or a Dataset, got array"):
        ms.add_to(values.values)
    for times in (["a", "b"], [np.nan, 1.0], [True, False]):
        with pytest.raises(ValueError, match="the coordinate 'time' must be numbers of steps, got"):
            ms.add_to(values.assign_coords(time=times))
