"""Time courses: lines, gaps, intervals, chance, ceiling, and their captions."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import time_course


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_a_line_for_each_state_and_a_gap_where_it_is_empty(course):
    line = trace(time_course(course), "IT")
    np.testing.assert_array_equal(line.y, course.sel(state="IT").values)
    assert line.connectgaps is False


def test_an_interval_does_not_span_what_is_empty(course):
    band = trace(time_course(course), "IT interval")
    # two shapes of one point each, closed and parted
    assert list(band.x) == [2, 2, 2, None, 4, 4, 4, None]
    np.testing.assert_allclose([y for y in band.y if y is not None], [0.45, 0.55, 0.45, 0.75, 0.85, 0.75])


def test_chance_is_a_line_and_the_interval_is_described(course):
    figure = time_course(course)
    assert trace(figure, "chance").y == (0.1, 0.1)
    assert figure.layout.title.subtitle.text == "95 % Wilson interval over 200 stimuli"


@pytest.mark.parametrize(
    ("values", "text", "position"),
    [
        ([0.5, 0.5, 0.6, 0.9, 0.9], ("", "chance"), "top left"),
        ([np.nan, np.nan, 0.6, 0.12, 0.11], ("", "chance"), "bottom left"),
        ([np.nan, np.nan, 0.6, 0.08, 0.12], ("chance", ""), "top right"),
    ],
)
def test_the_label_of_chance_is_where_no_line_is(course, values, text, position):
    named = trace(time_course(course.isel(state=[0]).copy(data=np.array(values)[:, None])), "chance")
    assert (named.text, named.textposition) == (text, position)


def test_an_array_without_an_interval_says_so(course):
    plain = course.drop_vars(["low", "high"]).drop_attrs()
    figure = time_course(plain)
    assert [line.name for line in figure.data] == ["V1", "IT"]
    assert figure.layout.title.subtitle.text == "no interval was given"


def test_a_noise_ceiling_of_one_number_spans_all_times(course):
    figure = time_course(course.isel(state=0, drop=True).assign_coords(ceiling_low=0.6, ceiling_high=0.7))
    assert figure.data[0].name == "noise ceiling"
    assert set(trace(figure, "noise ceiling").y) == {0.6, 0.7, None}


def test_milliseconds_are_stated_on_the_axis_next_to_the_papers_range(course, milliseconds):
    figure = time_course(course, milliseconds=milliseconds)
    assert figure.layout.xaxis.title.text == "time (ms) = 66 + 25 t, assumed"
    assert trace(figure, "V1").x.tolist() == [66, 91, 116, 141, 166]
    assert "t = 2 (116 ms; 106 to 166 ms at 20 to 50 ms per step)" in trace(figure, "V1").hovertext[2]


def test_steps_are_named_by_the_coordinate(course):
    assert time_course(course).layout.xaxis.title.text == "time (steps)"


def test_too_many_dimensions_are_answered_with_what_to_do(course):
    with pytest.raises(ValueError, match=r"\(time and at most 2 more\), got .*; select one value .* \.isel\(part=0\)"):
        time_course(course.expand_dims(seed=2, part=2, axis=(-2, -1)))


def test_an_array_without_time_is_refused(course):
    with pytest.raises(ValueError, match=r"the dimensions of a time course must be \(time.*got \(state\)"):
        time_course(course.isel(time=0))


def test_milliseconds_are_no_bare_number(course):
    with pytest.raises(TypeError, match=r"Milliseconds\(onset_ms=..., step_ms=...\).*got 25"):
        time_course(course, milliseconds=25)


def test_a_ceiling_for_each_state_is_refused(course):
    ceilings = {name: ("state", [0.6, 0.7]) for name in ("ceiling_low", "ceiling_high")}
    with pytest.raises(ValueError, match=r"one number or one for each time, got dimensions \('state',\)"):
        time_course(course.assign_coords(ceilings))


def test_models_or_seeds_are_dashes_of_the_colour_of_their_area():
    values = np.arange(2 * 3 * 4, dtype=float).reshape(2, 3, 4)
    dims = ("seed", "state", "time")
    coordinates = {"seed": [0, 7], "state": ["V1", "V2", "IT"], "time": np.arange(4)}
    array = xr.DataArray(values, coordinates, dims, "accuracy", {"chance": 0.5, "units": "1"})
    array = array.assign_coords(low=(dims, values - 1), high=(dims, values + 1))
    figure = time_course(array)
    found = {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert len(found) == 6
    for name, seed, state in (("V1, seed 0", 0, 0), ("IT, seed 7", 1, 2)):
        np.testing.assert_array_equal(found[name].y, values[seed, state])
        assert found[name].line.dash == ("solid", "dash")[seed]
    assert found["V2, seed 0"].line.color == found["V2, seed 7"].line.color != found["IT, seed 7"].line.color
    assert figure.layout.legend.title.text == "state, seed"


def test_times_in_another_order_are_refused_because_a_line_would_run_back(course):
    with pytest.raises(ValueError, match=r"the time of a time course must be in rising order, got .*sortby\('time'\)"):
        time_course(course.isel(time=slice(None, None, -1)))


@pytest.mark.parametrize("values", [np.zeros(3), 3, [0.1, 0.2]])
def test_what_is_no_labelled_array_is_refused_in_words(values):
    with pytest.raises(TypeError, match=r"a time course must be a DataArray with the dimensions \(time\), got"):
        time_course(values)


def test_an_interval_that_is_equal_for_all_models_is_drawn_for_each():
    one = xr.DataArray(
        [0.5, 0.7], {"time": [0, 1], "low": ("time", [0.4, 0.6]), "high": ("time", [0.6, 0.8])}, ["time"]
    )
    several = xr.concat([one, one + 0.01], xr.Variable("model", ["a", "b"]), coords="different", compat="equals")
    assert several["low"].dims == ("time",)
    bands = [trace for trace in time_course(several).data if trace.fill == "toself"]
    assert len(bands) == 2
    assert bands[0].y == bands[1].y
