"""The present moment in a figure, and how it moves."""

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from cortexsim.plot import add_cursor, add_points, hide_cursor, move_cursor, narrowed, time_course, trajectory


@pytest.fixture
def path():
    values = np.arange(12, dtype=float).reshape(3, 2, 2)
    values[0] = np.nan
    return xr.DataArray(values, {"time": [0, 1, 2], "label": ["a", "b"]}, ["time", "label", "component"])


def test_the_line_is_at_the_time_and_moves(course):
    figure = add_cursor(time_course(course), 1)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(1, 1)]
    move_cursor(figure, 3)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(3, 3)]


def test_a_matrix_of_times_has_a_line_for_each_axis():
    figure = add_cursor(go.Figure(), 1, along="xy")
    move_cursor(figure, 2)
    across, up = figure.layout.shapes
    assert (across.x0, across.x1, across.y0, across.y1) == (2, 2, 0, 1)
    assert (up.x0, up.x1, up.y0, up.y1) == (0, 1, 2, 2)


def test_other_shapes_stay(course):
    figure = time_course(course)
    figure.add_vline(x=0.5, name="arrival")
    move_cursor(add_cursor(figure, 1), 4)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5, 4]


def test_rings_follow_the_paths_and_are_nowhere_at_empty_times(path):
    figure = add_points(trajectory(path), path, 1)
    assert figure.data[-1].x == (4, 6)
    move_cursor(figure, 2)
    assert (figure.data[-1].x, figure.data[-1].y) == ((8, 10), (9, 11))
    move_cursor(figure, 0)
    assert figure.data[-1].x == (None, None)


def test_a_hidden_cursor_is_there_by_its_names_and_the_figure_itself_keeps_it(course, path):
    figure = add_cursor(time_course(course), 1)
    figure.add_vline(x=0.5, name="arrival")
    hidden = hide_cursor(figure)
    assert [(shape.name, shape.visible) for shape in hidden.layout.shapes] == [("now across", False), ("arrival", None)]
    assert [shape.visible for shape in figure.layout.shapes] == [None, None]
    rings = hide_cursor(add_points(trajectory(path), path, 1)).data
    assert [trace.visible for trace in rings] == [None] * (len(rings) - 1) + [False]
    assert rings[-1].meta["2"] == {"x": [8, 10], "y": [9, 11]}


def test_a_narrow_figure_has_all_its_words_in_short_lines(course):
    wide = time_course(course, title="how well the label can be decoded from every state at every time of the trial")
    words = f"{wide.layout.title.text} {wide.layout.title.subtitle.text}".replace("<br>", " ").split()
    narrow = narrowed(wide, height=300, width=30)
    lines = [*narrow.layout.title.text.split("<br>"), *narrow.layout.title.subtitle.text.split("<br>")]
    assert " ".join(lines).split() == words
    assert max(map(len, lines)) <= 30
    assert narrow.layout.height == 300


@pytest.mark.parametrize(("name", "value"), [("height", -1), ("width", 1)])
def test_a_figure_is_not_narrowed_to_no_size(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of"):
        narrowed(go.Figure(), **{name: value})
