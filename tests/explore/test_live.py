"""A figure reaches the browser whole."""

import ipywidgets as widgets
import plotly.graph_objects as go

from cortexsim.explore.engine import engine
from cortexsim.explore.live import Live


def test_a_figure_is_opened_once_and_whole(monkeypatch):
    opened = []
    engine()
    monkeypatch.setattr(widgets.Widget, "open", lambda self: opened.append((len(self._widget_data), self._config)))
    figure = go.Figure(go.Scatter(y=[1, 2]))
    figure.add_scatter(y=[2, 1])
    Live(figure)
    assert [n for n, _ in opened] == [2]
    assert opened[0][1]["responsive"]


def test_plotlys_code_goes_to_the_page_once_before_the_first_figure_and_with_none(monkeypatch):
    opened = []
    monkeypatch.setattr(widgets.Widget, "open", lambda self: opened.append(self))
    engine.cache_clear()
    for _ in range(3):
        Live(go.Figure(go.Scatter(y=[1, 2])))
    engine.cache_clear()
    opened = [one for one in opened if not isinstance(one, widgets.Layout)]
    assert [type(one).__name__ for one in opened] == ["Engine", "Live", "Live", "Live"]
    assert len(opened[0].code) > 1_000_000
    assert all(len(one._esm) < 5_000 for one in opened)
