"""Two forms of one network: every value of one against the other's, and the parameters that each needs."""

import numpy as np
import pytest
import xarray as xr

from cortexsim import plot


@pytest.fixture
def logits():
    values = np.array([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [2.0, 2.5]]])
    return xr.DataArray(
        values, {"form": ["loop", "stack"]}, ("form", "stimulus", "class"), attrs={"long_name": "readout"}
    )


def test_a_point_is_a_value_of_both_forms(logits):
    figure = plot.agreement(logits)
    diagonal, points = figure.data
    assert (list(points.x), list(points.y)) == ([0, 1, 2, 3], [0, 1, 2, 2.5])
    assert list(diagonal.x) == list(diagonal.y) == [0, 3]
    assert "4 values" in figure.layout.title.subtitle.text
    assert "largest difference 0.5" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.title.text == "readout of the loop"


def test_an_agreement_is_of_two_forms(logits):
    with pytest.raises(ValueError, match=r"two forms, got \['loop'\]"):
        plot.agreement(logits.isel(form=[0]))
    with pytest.raises(ValueError, match="must be"):
        plot.agreement(logits.isel(form=0))


@pytest.fixture
def counts():
    return xr.DataArray([10, 20, 30], {"steps": [1, 2, 3]}, ("steps",), attrs={"long_name": "parameters", "units": "1"})


def test_parameters_are_counted_from_zero_and_the_chosen_steps_stand_out(counts):
    figure = plot.parameters_by_steps(counts, at=2, title="weights of its own")
    (line,) = figure.data
    assert list(line.y) == [10, 20, 30]
    assert line.marker.size[1] > line.marker.size[0]
    assert figure.layout.yaxis.rangemode == "tozero"
    assert "weights of its own" in figure.layout.title.text


def test_steps_that_were_not_counted_are_refused(counts):
    with pytest.raises(ValueError, match=r"one of the steps \[1, 2, 3\], got 4"):
        plot.parameters_by_steps(counts, at=4)
