"""Pictures stand where they are shown, and the class probabilities below."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import stream
from cortexsim.plot._stream import show_stream

from .conftest import TIME

PICTURES = np.zeros((2, 3, 4, 4), np.uint8)


@pytest.fixture
def logits():
    values = np.zeros((2, 5, 3))
    values[:, :2] = np.nan
    values[0, 4, 1] = np.log(2)
    return xr.DataArray(values, {"model": ["recurrent", "feedforward"], "time": TIME}, ("model", "time", "class"))


def names(figure):
    (found,) = figure.select_traces({"name": "names of the pictures"})
    return list(found.text)


def line(figure, index, row=2):
    (found,) = (trace for trace in figure.data if trace.meta == {"class": index, "row": row})
    return found


def test_pictures_stand_at_their_times_and_probabilities_below(logits):
    figure = stream(logits, PICTURES, [1, 2], steps_per_frame=2, target=0, arrival=2, classes=["a", "b", "c"])
    assert [(image.x, image.sizex) for image in figure.layout.images] == [(0.5, 1.92), (2.5, 1.92)]
    assert list(line(figure, 1).y) == pytest.approx([None, None, 1 / 3, 1 / 3, 0.5])
    assert line(figure, 1).line.width > line(figure, 2).line.width > line(figure, 0).line.width
    assert list(line(figure, 1, row=3).y)[4] == pytest.approx(1 / 3)
    # a readout holds for its step, as a picture does
    assert line(figure, 1).line.shape == "hvh"
    assert names(figure) == ["<b>b (target)</b>", "c"]
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {(1.5, 3.5)}


def test_another_stream_takes_its_place(logits):
    figure = stream(logits, PICTURES, [1, 2], steps_per_frame=2, target=0, classes=["a", "b", "c"])
    n = len(figure.layout.annotations)
    show_stream(figure, logits, PICTURES, [0, 2], steps_per_frame=2, target=1, classes=["a", "b", "c"])
    assert names(figure) == ["a", "<b>c (target)</b>"]
    assert line(figure, 2).line.width > line(figure, 1).line.width
    assert len(figure.layout.annotations) == n


def test_one_model_needs_no_dimension_and_a_colour_stays_the_targets(logits):
    figure = stream(logits[0], PICTURES, [1, 2], steps_per_frame=1, target=0)
    other = stream(logits[0], PICTURES, [1, 2], steps_per_frame=1, target=1)
    assert line(figure, 1).line.color == line(other, 2).line.color


def test_what_is_no_stream_is_refused(logits):
    with pytest.raises(ValueError, match="a picture for each frame, got 2 for 3 frames"):
        stream(logits, PICTURES, [1, 2, 0], steps_per_frame=1, target=0)
    with pytest.raises(ValueError, match="there is no frame 2: the frames are 0 to 1"):
        stream(logits, PICTURES, [1, 2], steps_per_frame=1, target=2)
    with pytest.raises(ValueError, match=r"of a stream's readout must be \(time, class and at most 1 more\)"):
        stream(logits.expand_dims(seed=2), PICTURES, [1, 2], steps_per_frame=1, target=0)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"steps_per_frame": 0}, ValueError, "steps_per_frame must be a whole number of steps, at least 1, got 0"),
        ({"arrival": -1}, ValueError, "arrival must be a whole number of steps, at least 0, got -1"),
        ({"classes": []}, ValueError, "classes must have a name for each of the 3 classes, got 0"),
        ({"pictures": None}, TypeError, "pictures must be an array with a picture for each frame, got NoneType"),
    ],
)
def test_other_arguments_of_a_stream_are_refused(logits, change, kind, message):
    call = {"pictures": PICTURES, "shown": [1, 2], "steps_per_frame": 2, "target": 0}
    with pytest.raises(kind, match=message):
        stream(logits, **call | change)
