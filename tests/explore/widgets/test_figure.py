"""A figure reaches the browser whole, and a redrawn one in one message."""

import json

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import pytest

from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.plotly_engine import engine


@pytest.fixture
def sent(monkeypatch):
    """The names of what any widget sends after it was opened."""
    sent = []
    monkeypatch.setattr(Live, "send_state", lambda self, key: sent.append(set(key)))
    return sent


@pytest.fixture
def figure():
    figure = go.Figure(go.Scatter(y=[1, 2]))
    return figure.add_scatter(y=np.array([2.0, np.nan]))


def test_a_figure_is_there_as_it_was_given(figure):
    live = Live(figure)
    assert [json.loads(text)["y"] for text in live.traces] == [[1, 2], [2.0, None]]
    around = json.loads(live.around)
    assert around["height"] == 360
    assert "data" not in around


def test_a_redrawn_figure_sends_its_changes_in_one_message_and_otherwise_nothing(figure, sent):
    live = Live(figure)
    sent.clear()
    live.redraw()
    assert not any(sent)
    before = list(live.traces)
    sent.clear()
    figure.data[1].y = [3, 4]
    figure.layout.title.text = "other"
    live.redraw()
    assert sent == [{"traces", "around"}]
    assert live.traces[0] == before[0]
    assert json.loads(live.traces[1])["y"] == [3, 4]
    assert json.loads(live.around)["title"]["text"] == "other"


def test_another_figure_takes_its_place(figure):
    live = Live(figure)
    other = go.Figure(go.Bar(y=[5]))
    live.take(other)
    assert live.figure is other
    assert [json.loads(text)["type"] for text in live.traces] == ["bar"]


def test_zoom_and_hidden_lines_are_kept_unless_traces_or_axes_differ(figure):
    def revision():
        return json.loads(live.around)["uirevision"]

    live = Live(figure)
    before = revision()
    live.redraw()
    live.take(go.Figure([go.Scatter(y=[1, 2, 3]), go.Scatter(y=[2, 1, 0])]))
    assert revision() == before
    live.take(go.Figure([go.Scatter(y=[1, 2, 3], name="another run"), *live.figure.data]))
    assert revision() == before + 1
    live.take(go.Figure(live.figure).update_xaxes(title_text="another axis"))
    assert revision() == before + 2


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
    assert all(len(one._esm) < 8_000 for one in opened)
