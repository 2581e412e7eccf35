"""The film of dissimilarities: a frame a time, sorted by a coordinate, blank where the state is empty."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import rdm_movie


@pytest.fixture
def rdm():
    values = np.arange(3 * 16, dtype=float).reshape(3, 4, 4)
    values[0] = np.nan
    coordinates = {
        "time": ("time", [0, 1, 2], {"units": "steps", "long_name": "time"}),
        "stimulus": [10, 11, 12, 13],
        "label": ("stimulus", [1, 0, 1, 0]),
    }
    return xr.DataArray(values, coordinates, ["time", "stimulus", "other_stimulus"], attrs={"long_name": "distance"})


def test_a_frame_is_the_matrix_of_its_time(rdm):
    figure = rdm_movie(rdm)
    assert [frame.name for frame in figure.frames] == ["0", "1", "2"]
    np.testing.assert_array_equal(figure.frames[2].data[0].z.astype(float), rdm.values[2])


def test_an_empty_time_is_a_blank_frame_that_says_so_and_the_film_begins_after_it(rdm):
    figure = rdm_movie(rdm)
    assert all(value is None for value in np.ravel(figure.frames[0].data[0].z))
    assert "empty" in figure.frames[0].layout.xaxis.title.text
    assert figure.layout.sliders[0].active == 1
    np.testing.assert_array_equal(np.asarray(figure.data[0].z, dtype=float), rdm.values[1])


def test_stimuli_are_sorted_by_a_coordinate_and_groups_parted(rdm):
    figure = rdm_movie(rdm, by="label")
    order = [1, 3, 0, 2]
    np.testing.assert_array_equal(figure.frames[1].data[0].z.astype(float), rdm.values[1][np.ix_(order, order)])
    assert {shape.y0 for shape in figure.select_shapes({"name": "group"}) if shape.y0 == shape.y1} == {1.5}
    assert figure.data[0].customdata[0][1] == "11 and 13"


def test_one_colour_scale_holds_for_all_times(rdm):
    heat_map = rdm_movie(rdm).data[0]
    assert (heat_map.zmin, heat_map.zmax) == (0, 47)
    assert all(frame.data[0].zmax is None for frame in rdm_movie(rdm).frames)


def test_the_slider_states_milliseconds(rdm, milliseconds):
    slider = rdm_movie(rdm, milliseconds=milliseconds).layout.sliders[0]
    assert slider.currentvalue.prefix == "time (ms) = 66 + 25 t, assumed: "
    assert [step.label for step in slider.steps] == ["66", "91", "116"]


def test_a_coordinate_that_the_stimuli_lack_is_refused(rdm):
    with pytest.raises(ValueError, match=r"no coordinate 'length' to sort by, only \['label', 'stimulus'\]"):
        rdm_movie(rdm, by="length")


def test_more_stimuli_than_a_browser_plays_are_refused():
    many = xr.DataArray(np.zeros((1, 301, 301)), dims=["time", "stimulus", "other_stimulus"])
    with pytest.raises(ValueError, match=r"301 x 301 stimuli: draw up to 300, as in rdm\.isel"):
        rdm_movie(many)


def test_a_film_without_a_number_is_refused(rdm):
    with pytest.raises(ValueError, match="dissimilarities are NaN at all times"):
        rdm_movie(rdm * np.nan)
