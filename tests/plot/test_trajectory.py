"""Paths of stimuli through the space of components."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import trajectory


@pytest.fixture
def path():
    values = np.arange(3 * 4 * 3, dtype=float).reshape(3, 4, 3)
    values[0] = np.nan
    coordinates = {
        "time": ("time", [0, 1, 2], {"units": "steps"}),
        "label": ("stimulus", [0, 1, 0, 1], {"long_name": "class"}),
        "explained_variance_ratio": ("component", [0.6, 0.3, 0.05]),
    }
    return xr.DataArray(values, coordinates, ["time", "stimulus", "component"])


def test_a_trace_for_each_class_holds_the_paths_of_its_stimuli_with_gaps_between(path):
    figure = trajectory(path)
    assert [trace.name for trace in figure.data] == ["class 0", "class 1"]
    nan = np.nan
    # stimuli 0 and 2: nothing at time 0, then two points, then a gap
    np.testing.assert_array_equal(figure.data[0].x, [nan, 12, 24, nan, nan, 18, 30, nan])
    assert figure.data[0].connectgaps is False


def test_a_square_marks_the_first_time_that_is_not_empty(path):
    assert list(trajectory(path).data[0].marker.symbol[:3]) == ["circle", "square", "circle"]


def test_three_dimensions_draw_the_third_component(path):
    figure = trajectory(path, dimensions=3)
    assert figure.data[0].type == "scatter3d"
    assert figure.data[0].z[1] == 14
    assert figure.layout.scene.zaxis.title.text == "component 3 (5 % of variance)"


def test_axes_say_how_much_of_the_variance_they_hold(path):
    assert trajectory(path).layout.xaxis.title.text == "component 1 (60 % of variance)"


def test_milliseconds_are_stated(path, milliseconds):
    figure = trajectory(path, milliseconds=milliseconds)
    assert "time (ms) = 66 + 25 t, assumed" in figure.layout.title.subtitle.text
    assert "t = 1 (91 ms" in figure.data[0].hovertext[1]


def test_without_classes_there_is_one_trace(path):
    assert [trace.name for trace in trajectory(path.drop_vars("label")).data] == ["stimuli"]


def test_averages_have_a_colour_and_a_dash_each_and_say_what_they_are(path):
    means = path.groupby("label").mean().assign_coords(label=["different", "same"])
    figure = trajectory(means)
    assert [trace.name for trace in figure.data] == ["label different", "label same"]
    np.testing.assert_array_equal(figure.data[0].x, [np.nan, 15, 27, np.nan])
    assert figure.data[0].hovertext[1] == "label different, t = 1"
    assert figure.layout.title.subtitle.text.startswith("the mean path of each label;")
    many = trajectory(xr.concat([means] * 4, "label").assign_coords(label=range(8)))
    assert len({(trace.line.color, trace.line.dash) for trace in many.data}) == 8


def test_four_dimensions_are_refused(path):
    with pytest.raises(ValueError, match="dimensions must be 2 or 3, got 4"):
        trajectory(path, dimensions=4)


def test_too_few_components_are_refused(path):
    with pytest.raises(ValueError, match="3 dimensions need as many components, got 2"):
        trajectory(path.isel(component=slice(2)), dimensions=3)


def test_a_coordinate_that_the_stimuli_lack_is_refused(path):
    with pytest.raises(ValueError, match=r"no coordinate 'size' to be coloured by, only \['label'\]"):
        trajectory(path, by="size")
