"""The figure of the time of best agreement: points with the range over resamples, by the time of the reference."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.plot import best_time


@pytest.fixture
def best():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(10, 5, 4))
    node = xr.DataArray(values, {"stimulus": range(10), "time": [1, 2, 3, 4, 5]}, ("stimulus", "time", "unit"))
    model = cs.analyse.rdm(node.rename("activation"))
    # the reference is the model, later and three times as slow, in another unit
    brain = model.isel(time=[0, 2, 4]).rename(time="brain_time").assign_coords(brain_time=[40.0, 100.0, 160.0])
    brain["brain_time"].attrs["units"] = "ms"
    return cs.analyse.best_time(model, brain, n_bootstrap=50)


def points(figure):
    return [trace for trace in figure.data if trace.mode == "markers"]


def test_points_are_the_best_times_and_bars_their_ranges(best):
    (shown,) = points(best_time(best))
    assert shown.x.tolist() == [40, 100, 160]
    assert shown.y.tolist() == [1, 3, 5]
    np.testing.assert_array_equal(shown.y + np.asarray(shown.error_y.array), best["high"])
    np.testing.assert_array_equal(shown.y - np.asarray(shown.error_y.arrayminus), best["low"])


def test_axes_and_subtitle_say_units_and_what_the_range_is_over(best):
    figure = best_time(best)
    assert figure.layout.xaxis.title.text == "brain time (ms)"
    assert figure.layout.yaxis.title.text == "best time (steps)"
    assert "50 resamples of 10 stimuli" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert [trace.name for trace in figure.data if trace.mode == "lines"] == []


def test_equal_times_are_a_line_if_the_units_are_equal(best):
    steps = best.assign_coords(brain_time=("brain_time", [1, 3, 5], {"units": "steps"}))
    (diagonal,) = (trace for trace in best_time(steps).data if trace.mode == "lines")
    assert (list(diagonal.x), list(diagonal.y)) == ([1, 5], [1, 5])


def test_several_models_stand_next_to_each_other_with_their_names(best):
    one, other = points(best_time(xr.concat([best, best], xr.Variable("model", ["a", "b"]))))
    assert (one.name, other.name) == ("a", "b")
    assert (other.x - one.x > 0).all()
    assert one.marker.color != other.marker.color


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (lambda best: best.values, TypeError, "best"),
        (lambda best: best.isel(brain_time=0, drop=True), ValueError, "dimensions of best times"),
        (lambda best: best.expand_dims(subject=2), ValueError, "dimensions of best times"),
        (lambda best: best * np.nan, ValueError, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn_is_refused(best, given, error, words):
    with pytest.raises(error, match=words):
        best_time(given(best))
