"""Kernels as small images: in colour where they look at the image, signed between states."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot._kernels import kernels


@pytest.fixture
def first():
    weights = np.zeros((3, 3, 2, 2))
    weights[0, 0], weights[1, 2, 0, 1] = 0.5, -0.25
    return xr.DataArray(weights, dims=("filter", "channel", "y", "x"), name="V1")


@pytest.fixture
def between():
    return xr.DataArray(np.arange(24.0).reshape(2, 3, 2, 2) - 30, dims=("target", "source", "y", "x"), name="V1->V2")


def test_a_filter_is_grey_where_it_is_zero_and_bright_in_the_colour_that_it_likes(first, between):
    picture = np.array(kernels(first, between).data[0].z)
    assert picture.shape == (5, 5, 4), "two by two filters of two by two pixels, with gaps"
    assert picture[0, 0].tolist() == [255, 128, 128, 255]
    assert picture[0, 4].tolist() == [128, 128, 64, 255]


def test_between_filters_the_page_shows_through(first, between):
    picture = np.array(kernels(first, between).data[0].z)
    assert (picture[2, :, 3] == 0).all()
    assert (picture[3:, 3:, 3] == 0).all(), "the fourth place is empty"


def test_a_row_is_a_target_and_a_column_a_source(first, between):
    z = np.array(kernels(first, between).data[1].z, float)
    assert z.shape == (5, 8)
    np.testing.assert_array_equal(z[3:5, 6:8], between.values[1, 2])
    assert np.isnan(z[2]).all()
    assert np.isnan(z[:, [2, 5]]).all()


def test_the_colour_scale_of_a_transition_is_the_same_for_both_signs(first, between):
    heat_map = kernels(first, between).data[1]
    assert (heat_map.zmin, heat_map.zmax) == (-30, 30)


def test_kernels_that_are_all_zero_are_drawn(first, between):
    figure = kernels(first * 0, between * 0)
    assert np.array(figure.data[0].z)[0, 0].tolist() == [128, 128, 128, 255]


def test_captions_say_what_is_drawn(first, between):
    figure = kernels(first, between)
    assert figure.layout.xaxis.title.text == "image → V1: 3 kernels (grey is 0)"
    assert figure.layout.xaxis2.title.text == "V1->V2: 2 × 3 kernels"


def test_kernels_without_three_colours_are_refused(between):
    odd = xr.DataArray(np.zeros((3, 2, 2, 2)), dims=("filter", "channel", "y", "x"), name="V1")
    with pytest.raises(ValueError, match=r"must have 3 channels .* got 2"):
        kernels(odd, between)
