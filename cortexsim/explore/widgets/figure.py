"""Plotly figures that are redrawn in place, as wide as the page, and in the colours of its theme."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import traitlets
from plotly.io.json import to_json_plotly

from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.following import Following
from cortexsim.explore.widgets.plotly_engine import engine
from cortexsim.plot.theme import enlarged


class Live(Following):
    """A figure, which is drawn again at every `redraw`.

    A figure is sent to the browser as one message, without an answer; if only shapes and images have changed, it is not
    laid out again. plotly's FigureWidget lays out everything at every change, and sends the result back.

    Parameters
    ----------
    figure : Figure
        It is not copied; its text is enlarged to that of panels.

    Attributes
    ----------
    figure : Figure
        Changes in place are shown by `redraw`.
    """

    _esm = joined("following.js", "plotly_promise.js", "figure.js")
    _css = styles("figure.css")

    traces = traitlets.List(traitlets.Unicode()).tag(sync=True)
    around = traitlets.Unicode().tag(sync=True)

    def __init__(self, figure: go.Figure) -> None:
        engine()
        self.figure, self._forms = enlarged(figure), 1  # plotly treats 0 as none
        super().__init__(_dom_classes=("cortexsim-live",), **self._as_json())

    def redraw(self) -> None:
        """Show the present state of the figure."""
        with self.hold_sync():
            for name, value in self._as_json().items():
                self.set_trait(name, value)

    def take(self, figure: go.Figure) -> None:
        """Show another figure in this one's place; if its traces or axes differ, zoom and hidden lines are reset."""
        self._forms += _form(figure) != _form(self.figure)
        self.figure = enlarged(figure)
        self.redraw()

    def _as_json(self) -> dict[str, Any]:
        """Return the figure as JSON: a text for each trace, and one for the layout; NaN becomes null."""
        layout = self.figure.layout.to_plotly_json()
        # the height of plotly's own widget; zoom and hidden lines are kept while the revision is the same
        around = {"height": 360, "uirevision": self._forms, **layout}
        return {
            "traces": [to_json_plotly(trace.to_plotly_json()) for trace in self.figure.data],
            "around": to_json_plotly(around),
        }


def _form(figure: go.Figure) -> object:
    axes = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
    return [(trace.type, trace.name) for trace in figure.data], axes
