"""A plotly figure in a notebook that is redrawn in place, as wide as its page and in the colours of its theme."""

from __future__ import annotations

from typing import Any

import anywidget
import plotly.graph_objects as go
import traitlets
from plotly.io.json import to_json_plotly

from cortexsim.explore.widgets.canvas import joined
from cortexsim.explore.widgets.plotly_engine import engine


class Live(anywidget.AnyWidget):
    """Shows a figure, and what it has become after every `redraw`.

    A redrawn figure goes to the browser as one message, and no way back; where nothing but shapes and images differ, it
    is not laid out again. plotly's FigureWidget lays out everything for every change, and sends back what came of it.

    Parameters
    ----------
    figure : Figure
        Kept, not copied.

    Attributes
    ----------
    figure : Figure
        What is shown; changed in place, it is shown so after `redraw`.
    """

    _esm = joined("plotly_promise.js", "figure.js")
    _css = joined("figure.css")

    traces = traitlets.List(traitlets.Unicode()).tag(sync=True)
    around = traitlets.Unicode().tag(sync=True)

    def __init__(self, figure: go.Figure) -> None:
        engine()
        self.figure, self._forms = figure, 1  # plotly takes 0 for none
        super().__init__(**self._said())
        self.add_class("cortexsim-live")

    def redraw(self) -> None:
        """Show the figure as it is now."""
        with self.hold_sync():
            for name, said in self._said().items():
                self.set_trait(name, said)

    def take(self, figure: go.Figure) -> None:
        """Show another figure in this one's place; one with other traces or axes is not zoomed, and hides no line."""
        self._forms += _form(figure) != _form(self.figure)
        self.figure = figure
        self.redraw()

    def _said(self) -> dict[str, Any]:
        """Spell out the figure as JSON: a text for each trace, and one for what is around them; NaN is null."""
        layout = self.figure.layout.to_plotly_json()
        # as high as plotly's own widget; what somebody zoomed, or hid, stays so as long as the revision is the same
        around = {"height": 360, "uirevision": self._forms, **layout}
        return {
            "traces": [to_json_plotly(trace.to_plotly_json()) for trace in self.figure.data],
            "around": to_json_plotly(around),
        }


def _form(figure: go.Figure) -> object:
    axes = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
    return [(trace.type, trace.name) for trace in figure.data], axes
