"""A figure reaches the browser whole."""

import ipywidgets as widgets
import plotly.graph_objects as go

from cortexsim.explore.live import Live


def test_a_figure_is_opened_once_and_whole(monkeypatch):
    opened = []
    monkeypatch.setattr(widgets.Widget, "open", lambda self: opened.append((len(self._widget_data), self._config)))
    figure = go.Figure(go.Scatter(y=[1, 2]))
    figure.add_scatter(y=[2, 1])
    Live(figure)
    assert [n for n, _ in opened] == [2]
    assert opened[0][1]["responsive"]
