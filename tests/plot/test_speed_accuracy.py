"""Speed and accuracy as the threshold moves."""

import numpy as np
import pytest
import xarray as xr

from cortexsim import analyse
from cortexsim.plot import speed_accuracy
from cortexsim.plot._speed_accuracy import show_mark


@pytest.fixture
def curve():
    """Thresholds 0.9, 0.5, 0.99: none passes the last."""
    measured = {
        "mean_time": ("threshold", [4.0, 2.0, np.nan]),
        "accuracy": ("threshold", [0.9, 0.6, np.nan], {"long_name": "accuracy", "chance": 0.1, "n": 300}),
        "fraction_decided": ("threshold", [0.5, 1.0, 0.0]),
    }
    return xr.Dataset(measured, {"threshold": [0.9, 0.5, 0.99]})


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_points_are_joined_in_the_order_of_time(curve):
    line = trace(speed_accuracy(curve), "model")
    np.testing.assert_array_equal(line.x, [2, 4, np.nan])
    np.testing.assert_array_equal(line.y, [0.6, 0.9, np.nan])
    assert line.hovertext[1].startswith("threshold 0.9: 0.9 right at a mean of 4")
    assert trace(speed_accuracy(curve), "decided").y.tolist() == [1, 0.5, 0]


def test_key_presses_of_humans_have_an_axis_of_their_own(curve, milliseconds):
    figure = speed_accuracy(curve, humans=True, milliseconds=milliseconds)
    model, human = trace(figure, "model"), trace(figure, "humans, noise sd 0")
    assert model.xaxis != human.xaxis
    assert figure.layout.xaxis2.matches is None
    assert human.x.tolist() == [200, 400, 600, 800, 1000]
    assert human.y.tolist() == [0.11, 0.11, 0.32, 0.57, 0.60]
    assert "a key press is not a readout" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_milliseconds_are_stated_on_the_axis(curve, milliseconds):
    figure = speed_accuracy(curve, milliseconds=milliseconds)
    assert trace(figure, "model").x[0] == 116
    assert figure.layout.xaxis2.title.text == "mean time (ms) = 66 + 25 t, assumed"


def test_a_dataset_without_what_is_drawn_is_refused(curve):
    with pytest.raises(ValueError, match=r"needs \['fraction_decided', 'mean_time'\], got \['accuracy', 'threshold'\]"):
        speed_accuracy(curve[["accuracy"]])


@pytest.fixture
def versions(curve):
    joined = xr.concat([curve, curve.assign(accuracy=curve["accuracy"] - 0.3)], "version", data_vars="all")
    return joined.assign_coords(version=["intact", "acute"])


def test_each_version_has_a_line_and_the_points_of_a_threshold_are_circled(versions):
    figure = speed_accuracy(versions, mark=0.5)
    np.testing.assert_allclose(trace(figure, "acute").y, [0.3, 0.6, np.nan])
    assert trace(figure, "intact").showlegend
    np.testing.assert_allclose([(c.xanchor, c.yanchor) for c in figure.layout.shapes], [(2, 0.6), (2, 0.3)])
    show_mark(figure, versions, 0.9)
    np.testing.assert_allclose([(c.xanchor, c.yanchor) for c in figure.layout.shapes], [(4, 0.9), (4, 0.6)])
    # nothing passes it, so there is no point to circle
    show_mark(figure, versions, 0.99)
    assert not figure.layout.shapes


def test_circles_keep_to_the_clock_of_the_figure(versions, milliseconds):
    figure = speed_accuracy(versions, mark=0.5, milliseconds=milliseconds)
    at = [circle.xanchor for circle in figure.layout.shapes]
    show_mark(figure, versions, 0.5, milliseconds=milliseconds)
    assert [circle.xanchor for circle in figure.layout.shapes] == at == [116, 116]


def test_a_threshold_that_is_not_there_cannot_be_marked(versions):
    with pytest.raises(ValueError, match=r"there is no threshold 0.7 to mark: they are \[0.9, 0.5, 0.99\]"):
        speed_accuracy(versions, mark=0.7)


def test_what_the_analysis_gives_is_drawn(curve):
    logits = xr.DataArray(
        np.log([[[0.5, 0.5], [0.9, 0.1]], [[0.5, 0.5], [0.2, 0.8]]]),
        {"label": ("stimulus", [0, 0]), "time": [3, 4]},
        ("stimulus", "time", "class"),
    )
    figure = speed_accuracy(analyse.speed_accuracy(logits, [0.1, 0.4]))
    assert trace(figure, "model").y[0] == 0.5
    assert trace(figure, "chance").y[0] == 0.5
    assert len(trace(figure, "model interval").y)
