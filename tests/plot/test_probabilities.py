"""Class probabilities over time: lines, gaps, names and the mark at the present."""

import numpy as np
import pytest
import torch

from cortexsim.plot import probabilities


def line(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def labels(figure):
    return [annotation.text for annotation in figure.layout.annotations if annotation.xref == "paper"]


def test_a_line_is_the_softmax_of_the_logits(masked):
    logits = torch.from_numpy(masked["readout"]["logits"].sel(stimulus=1).values)
    expected = torch.softmax(logits, dim=-1)[:, 2]
    np.testing.assert_allclose(line(probabilities(masked, stimulus=1), "owl").y, expected, rtol=1e-5)


def test_empty_times_are_gaps_that_are_shaded(flashed):
    figure = probabilities(flashed, stimulus=0)
    assert np.isnan(line(figure, "cat").y).tolist() == [True, True, False, True, True]
    assert line(figure, "cat").connectgaps is False
    spans = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.name == "empty"]
    assert spans == [(-0.5, 1.5), (2.5, 4.5)]


def test_the_right_class_is_named_and_drawn_thick(flashed):
    figure = probabilities(flashed, stimulus=1)
    assert "dog (right)" in labels(figure)
    assert line(figure, "dog").line.width > line(figure, "cat").line.width


def test_without_labels_no_class_is_called_right(flashed):
    unlabelled = flashed.map_over_datasets(lambda node: node.drop_vars("label", errors="ignore"))
    unlabelled.attrs = flashed.attrs
    assert not any("right" in text for text in labels(probabilities(unlabelled, stimulus=1)))


def test_the_present_is_a_vertical_line(flashed):
    (now,) = probabilities(flashed, stimulus=0, time=3).select_shapes({"name": "now"})
    assert (now.x0, now.x1) == (3, 3)


def test_classes_can_be_named_by_the_user(flashed):
    assert line(probabilities(flashed, stimulus=0, classes=["a", "b", "c"]), "b").name == "b"


def test_axis_titles_come_from_the_coordinates(flashed):
    figure = probabilities(flashed, stimulus=0)
    assert figure.layout.xaxis.title.text == "time (steps)"


def test_too_few_class_names_are_refused(flashed):
    with pytest.raises(ValueError, match=r"there are 3 classes, but 2 names: \['a', 'b'\]"):
        probabilities(flashed, stimulus=0, classes=["a", "b"])


def test_a_time_that_was_not_recorded_is_refused(flashed):
    with pytest.raises(ValueError, match="has no time -1: it has 0 to 4"):
        probabilities(flashed, stimulus=0, time=-1)
