"""Which item is reported: one matrix for each model, with the diagonal outlined."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot._intrusions import intrusions


@pytest.fixture
def table():
    values = np.array([[[0.9, 0.0, 0.1], [0.7, 0.2, 0.1]], [[0.9, 0.0, 0.1], [0.0, 0.95, 0.05]]])
    names = {"model": ["recurrent", "feedforward"], "arriving": [1, 2], "item": ["1", "2", "other"]}
    return xr.Dataset({"reported": (("model", "arriving", "item"), values)}, names)


def test_a_matrix_for_each_model_with_its_numbers(table):
    figure = intrusions(table)
    assert [one.name for one in figure.data] == ["recurrent", "feedforward"]
    assert list(figure.data[0].text[1]) == ["70 %", "20 %", "10 %"]
    assert {(one.zmin, one.zmax) for one in figure.data} == {(0, 1)}
    diagonal = [(shape.x0, shape.y0) for shape in figure.layout.shapes if shape.xref == "x2"]
    assert diagonal == [(-0.5, -0.5), (0.5, 0.5)]


def test_a_covered_model_shows_no_number(table):
    figure = intrusions(table, covered=["feedforward"])
    assert figure.data[0].text[0][0] == "90 %"
    assert {text for row in figure.data[1].text for text in row} == {""}
    assert not np.isfinite(np.asarray(figure.data[1].z, float)).any()


def test_another_table_is_refused(table):
    with pytest.raises(ValueError, match="needs the variable 'reported'"):
        intrusions(table.rename(reported="followed"))
