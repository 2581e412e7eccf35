"""What a test over time found is drawn under the curves and around the cells that it is about."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

DRAWN = np.random.default_rng(0)


def seeds_of(*shape, dims):
    values = 0.5 + 0.1 * DRAWN.standard_normal((8, *shape))
    values[..., 3:6] += 0.3
    coordinates = {dim: np.arange(n) for dim, n in zip(dims, shape, strict=True) if dim != "state"}
    return xr.DataArray(values, coordinates, ("seed", *dims), "decode", {"chance": 0.5, "long_name": "accuracy"})


@pytest.fixture
def course():
    values = seeds_of(10, dims=("time",))
    return values.mean("seed", keep_attrs=True), cs.analyse.significance(values)


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_a_bar_is_below_the_significant_times(course):
    bar = trace(cs.plot.time_course(course[0], significant=course[1]), "decode significant")
    assert list(bar.x) == [2.5, 5.5, None]
    assert bar.y[0] < course[0].min()


def test_the_caption_says_what_was_tested(course):
    text = cs.plot.time_course(course[0], significant=course[1]).layout.title.subtitle.text.replace("<br>", " ")
    assert "bars: different from chance, 0.5, p < 0.05, cluster permutation test over 8 seeds, 128 flips" in text


def test_every_line_has_a_bar_of_its_own_colour():
    values = seeds_of(2, 10, dims=("state", "time")).assign_coords(state=["V1", "IT"])
    figure = cs.plot.time_course(values.mean("seed", keep_attrs=True), significant=cs.analyse.significance(values))
    bars = [trace(figure, f"{name} significant") for name in ("V1", "IT")]
    assert [bar.line.color for bar in bars] == [trace(figure, name).line.color for name in ("V1", "IT")]
    assert bars[1].y[0] < bars[0].y[0]


def test_significant_cells_of_a_matrix_are_outlined():
    values = seeds_of(10, 10, dims=("train_time", "test_time"))
    found = cs.analyse.significance(values)
    figure = cs.plot.temporal_generalization(values.mean("seed", keep_attrs=True), significant=found)
    outline = trace(figure, "significant")
    np.testing.assert_array_equal(np.asarray(outline.z)[1:-1, 1:-1], found["significant"])
    assert "outlined: different from" in figure.layout.title.subtitle.text


def test_a_test_at_other_times_is_refused(course):
    with pytest.raises(ValueError, match="the test must have the values of time that are drawn"):
        cs.plot.time_course(course[0], significant=course[1].isel(time=slice(5)))


def test_a_test_of_other_dimensions_is_refused(course):
    with pytest.raises(ValueError, match=r"the test must have the dimensions of what is drawn, \('time',\), got"):
        cs.plot.time_course(course[0], significant=course[1].expand_dims("state"))


def test_what_is_no_test_is_refused(course):
    with pytest.raises(TypeError, match=r"must be what analyse.significance returns, got DataArray"):
        cs.plot.time_course(course[0], significant=course[1]["p"])
