"""Accuracy by readout time: a line for each model and kind of statistics, and the trained time marked."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from cortexsim import plot


@pytest.fixture
def accuracy():
    values = np.full((2, 2, 5), np.nan)
    values[0, 0, 2:], values[0, 1, 2:], values[1, 0, 2] = [0.5, 0.9, 0.8], [0.5, 0.6, 0.4], 0.7
    coordinates = {
        "model": ["recurrent", "feedforward"],
        "statistics": ["of each time", "held"],
        "time": ("time", np.arange(5), {"long_name": "readout time", "units": "steps"}),
    }
    made = xr.DataArray(values, coordinates, ("model", "statistics", "time"), attrs={"chance": 0.5, "interval": "none"})
    return made.assign_coords(low=made - 0.1, high=made + 0.1)


def lines(figure):
    return {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}


def test_a_model_and_kind_that_was_not_measured_is_no_line(accuracy):
    drawn = lines(plot.any_time(accuracy))
    assert sorted(drawn) == ["feedforward, of each time", "recurrent, held", "recurrent, of each time"]
    np.testing.assert_allclose(drawn["recurrent, held"].y, [np.nan, np.nan, 0.5, 0.6, 0.4])
    assert drawn["feedforward, of each time"].y[2] == 0.7


def test_a_kind_of_statistics_has_a_colour_and_a_model_a_dash(accuracy):
    drawn = lines(plot.any_time(accuracy))
    own, held, control = (
        drawn[name] for name in ("recurrent, of each time", "recurrent, held", "feedforward, of each time")
    )
    assert len({own.line.color, control.line.color, held.line.color}) == 3
    assert own.line.dash == held.line.dash != control.line.dash


def test_the_models_own_curve_is_drawn_over_the_others_and_named_first(accuracy):
    figure = plot.any_time(accuracy)
    *others, own = lines(figure).values()
    assert own.name == "recurrent, of each time"
    assert own.line.width < min(one.line.width for one in others)
    assert own.legendrank < min(one.legendrank for one in others)


def test_the_label_of_the_trained_time_is_above_the_curves(accuracy):
    written = next(plot.any_time(accuracy, readout_time=3).select_annotations({"text": "trained to answer here"}))
    assert (written.text, written.yref, written.y, written.yanchor) == (
        "trained to answer here",
        "y domain",
        1,
        "bottom",
    )


def test_the_trained_time_is_marked_and_the_axis_is_all_of_accuracy(accuracy):
    figure = plot.any_time(accuracy, readout_time=3)
    assert [shape.x0 for shape in figure.layout.shapes] == [3]
    assert figure.layout.yaxis.range == (-0.02, 1.04)
    assert figure.layout.xaxis.title.text == "readout time (steps)"
    assert not plot.any_time(accuracy).layout.shapes


def test_other_dimensions_are_refused(accuracy):
    with pytest.raises(ValueError, match=r"must be \(model, statistics, time\), got \(statistics, time\)"):
        plot.any_time(accuracy[0])


def test_names_stand_at_the_ends_of_their_lines_and_none_covers_another(accuracy):
    accuracy[0, 1, 4] = 0.79
    figure = plot.any_time(accuracy)
    assert figure.layout.showlegend is False
    named = {one.text.replace("<br>", " "): one for one in figure.select_annotations({"name": "line end"})}
    assert set(named) == set(lines(figure))
    plot_px = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    low, high = figure.layout.yaxis.range
    middles = sorted((one.y - low) / (high - low) * plot_px + one.yshift for one in named.values())
    assert all(upper - lower >= 18 for lower, upper in pairwise(middles))
    assert 0 <= middles[0] <= middles[-1] <= plot_px
