"""Accuracy by the target's place in a stream."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import followed


@pytest.fixture
def table():
    dims = ("model", "position")
    variables = {
        "followed": (
            dims,
            [[0.9, 0.2, np.nan], [0.9, 0.8, 0.85]],
            {"interval": "95 % Wilson interval over 50 stimuli"},
        ),
        "followed_low": (dims, [[0.8, 0.1, np.nan], [0.8, 0.7, 0.75]]),
        "followed_high": (dims, [[0.95, 0.35, np.nan], [0.95, 0.85, 0.9]]),
    }
    coordinates = {"model": ["recurrent", "feedforward"], "position": [0, 1, 2]}
    return xr.Dataset(variables, coordinates, {"chance": 0.1})


def test_a_line_for_each_model_with_its_interval_and_chance(table):
    figure = followed(table)
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["recurrent"].y) == [0.9, 0.2, None]
    np.testing.assert_allclose(by_name["feedforward"].error_y.arrayminus.astype(float), 0.1)
    assert by_name["chance"].y[0] == 0.1
    assert list(figure.layout.xaxis.tickvals) == [1, 2, 3]
    assert figure.layout.title.subtitle.text == "95 % Wilson interval over 50 stimuli"


def test_one_model_needs_no_dimension(table):
    figure = followed(table.isel(model=1, drop=True))
    assert list(figure.data[0].x) == [1, 2, 3]


def test_a_table_of_something_else_is_refused(table):
    with pytest.raises(ValueError, match="needs the variable 'followed', got"):
        followed(table.drop_vars("followed"))
    with pytest.raises(ValueError, match=r"accuracy by position must be \(position and at most 1 more\)"):
        followed(table.expand_dims(seed=2))
