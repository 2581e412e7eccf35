"""The colours of all figures and canvases, and the size of their text."""

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import get_colorscale

from cortexsim.explore.widgets.movie import Movie
from cortexsim.explore.widgets.stage import Stage
from cortexsim.plot import lines, theme
from tests.plot.look import SEEN_BY, check_look, lab, lightness, linear


def test_the_sequential_scale_gets_lighter_all_the_way():
    assert (np.diff(lightness(theme.sequential_stops())[:, 0]) > 0).all()


def test_the_diverging_scale_is_lightest_in_the_middle():
    light = lightness([colour for _, colour in get_colorscale(theme.DIVERGING)])[:, 0]
    middle = len(light) // 2
    assert (np.diff(light[: middle + 1]) > 0).all()
    assert (np.diff(light[middle:]) < 0).all()


@pytest.mark.parametrize("reader", SEEN_BY)
def test_colour_blind_readers_can_discriminate_the_colours_of_lines(reader):
    seen = lab(linear(theme.COLOURS) @ np.transpose(SEEN_BY[reader]))
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    assert apart[np.triu_indices(len(seen), 1)].min() > 10


def test_films_on_canvases_have_the_colour_scale_of_the_figures():
    for widget in (Movie, Stage):
        head, *rest = str(widget._esm).partition("\nconst SVG")
        assert all(stop in head for stop in theme.sequential_stops())
        assert all(colour in head for colour in theme.COLOURS)
        assert not any(stop in "".join(rest) for stop in theme.sequential_stops()), "a second colour scale"


def test_a_text_below_12_px_another_colour_scale_and_another_colour_are_noticed():
    jet = get_colorscale("Jet")
    check_look({"data": [{"type": "heatmap", "colorscale": get_colorscale(theme.SEQUENTIAL)}]})
    for trace in (
        {"type": "heatmap", "colorscale": jet},
        {"type": "heatmap"},
        {"type": "scatter", "line": {"color": "#ff0000"}},
        {"type": "scatter", "textfont": {"size": 11}},
    ):
        with pytest.raises(AssertionError):
            check_look({"data": [trace]})


def test_wrapped_lines_are_no_longer_than_asked():
    text = "one two three four five six"
    assert all(len(line) <= 9 for line in theme.wrapped(text, 9).split("<br>"))
    assert theme.wrapped(text, 9).replace("<br>", " ") == text


def test_nan_and_infinity_travel_to_the_browser_as_none():
    assert theme.for_json(np.array([1.0, np.nan, np.inf])).tolist() == [1.0, None, None]


def test_all_text_of_an_enlarged_figure_is_that_of_a_panel():
    figure = go.Figure(layout={"template": theme.template(), "title": {"text": "a", "subtitle": {"text": "b"}}})
    figure.add_scatter(x=[1], y=[1], mode="text", text=["c"], textfont_size=12)
    figure.add_annotation(text="d", font_size=20)
    theme.enlarged(figure)
    layout = figure.layout
    small = (layout.font, layout.title.font, layout.title.subtitle.font, layout.legend.font, figure.data[0].textfont)
    assert {one.size for one in small} == {14}
    assert layout.annotations[0].font.size == 20


def test_title_and_subtitle_in_one_line_leave_the_plot_as_high_as_it_was():
    figure = go.Figure(layout={"template": theme.template()})
    lines.head(figure, "a", "b " * 80, height=400)
    plot_px = figure.layout.height - figure.layout.margin.t
    theme.in_one_line(figure, width=200)
    assert figure.layout.title.text.startswith("a; b b")
    assert not figure.layout.title.subtitle.text
    assert figure.layout.height - figure.layout.margin.t == plot_px
    assert figure.layout.height < 400
