"""Latencies of the states, next to those of the macaque."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.plot import arrivals, latencies


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_arrival_is_the_first_time_at_which_a_state_is_populated(flashed):
    assert arrivals(flashed).values.tolist() == [0, 1, 2]
    assert "follows from the graph alone" in arrivals(flashed).attrs["interval"]


def test_a_state_that_stays_empty_has_no_latency_and_is_named(small_model, shown_images):
    figure = latencies(cs.simulate(small_model, shown_images, until=2, silence={"V1->V2": None}, record=["V1", "V2"]))
    assert np.isnan(trace(figure, "model").x).tolist() == [False, True]
    assert [(note.text, note.y) for note in figure.layout.annotations] == [("never reached", "V2")]


def test_without_an_assumption_steps_and_milliseconds_have_a_panel_each(flashed):
    figure = latencies(flashed)
    macaque = trace(figure, "macaque (Schmolesky et al. 1998)")
    assert trace(figure, "model").xaxis != macaque.xaxis
    assert dict(zip(macaque.y, macaque.x, strict=True))["V4"] == 104
    assert macaque.error_x.array.tolist() == [4, 9, 11, 21, 23]
    assert "recalled" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_with_an_assumption_one_axis_has_both_and_bars_span_20_to_50_ms_per_step(flashed, milliseconds):
    figure = latencies(flashed, milliseconds=milliseconds)
    assert trace(figure, "model").x.tolist() == [66, 91, 116]
    assert trace(figure, "IT at 20 to 50 ms per step").x == (106, 166)
    assert figure.layout.xaxis.title.text == "ms after image onset; model: time (ms) = 66 + 25 t, assumed"


def test_an_interval_is_drawn_in_the_axis_own_unit(milliseconds):
    ends = {"low": ("state", [1.0]), "high": ("state", [4.0])}
    latency = xr.DataArray([2.0], {"state": ["V4"], **ends}, ["state"], attrs={"interval": "over 4 seeds"})
    error = trace(latencies(latency, milliseconds=milliseconds), "model").error_x
    assert (error.array[0], error.arrayminus[0]) == (50, 25)


def test_a_recording_without_states_has_no_latencies(small_model, shown_images):
    with pytest.raises(ValueError, match="contains no state, only the readout"):
        arrivals(cs.simulate(small_model, shown_images, until=2, record=[]))


def test_latencies_are_one_for_each_state(course):
    with pytest.raises(ValueError, match=r"the dimensions of latencies must be \(state\), got \(time, state\)"):
        latencies(course)
