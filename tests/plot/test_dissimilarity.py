"""One representational dissimilarity matrix, on a colour scale that does not move."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot._dissimilarity import dissimilarity


@pytest.fixture
def rdm():
    values = np.array([[0, 0.2, 1.5], [0.2, 0, np.nan], [1.5, np.nan, 0]])
    named = {"class_name": ("stimulus", ["same", "same", "different"])}
    return xr.DataArray(
        values, dims=("stimulus", "other_stimulus"), coords=named, attrs={"long_name": "correlation distance"}
    )


def test_every_distance_is_drawn_on_a_scale_that_does_not_depend_on_them(rdm):
    for one in (rdm, rdm / 10):
        heat_map = dissimilarity(one).data[0]
        np.testing.assert_allclose(np.array(heat_map.z, float), one.values, rtol=1e-6)
        assert (heat_map.zmin, heat_map.zmax) == (0, 2)


def test_classes_are_named_once_in_their_middle_with_a_line_between(rdm):
    figure = dissimilarity(rdm)
    assert list(figure.layout.xaxis.ticktext) == ["same", "different"]
    assert list(figure.layout.xaxis.tickvals) == [0.5, 2]
    assert {shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1} == {1.5}
    assert {shape.y0 for shape in figure.layout.shapes if shape.y0 == shape.y1} == {1.5}


def test_hovering_names_both_stimuli(rdm):
    assert dissimilarity(rdm).data[0].customdata[0][2] == "same 0 and different 2"


def test_the_scale_says_which_distance_it_is(rdm):
    assert dissimilarity(rdm).data[0].colorbar.title.text == "correlation distance"


def test_stimuli_without_classes_are_drawn(rdm):
    figure = dissimilarity(rdm.drop_vars("class_name"), title="RDM of IT")
    assert figure.layout.title.text == "RDM of IT"
    assert not figure.layout.shapes
