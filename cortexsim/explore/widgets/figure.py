"""A plotly figure in a notebook that is redrawn in place, as wide as its page and in the colours of its theme."""

from __future__ import annotations

from typing import Any

import anywidget
import plotly.graph_objects as go
import traitlets
from plotly.io.json import to_json_plotly

from cortexsim.explore.widgets.plotly_engine import PROMISE, engine


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

    _esm = (
        PROMISE
        + """
// what lies over or under a figure can be drawn without laying it out again, and is so by `relayout` alone
const LAID_OVER = ["shapes", "images"];
const CONFIG = { displaylogo: false, displayModeBar: false };

export default {
  async render({ model, el }) {
    const Plotly = await window.cortexsimPlotly.module;
    const place = document.createElement("div");
    el.append(place);

    let said = { traces: [], around: {} };
    const draw = () => {
      const before = said;
      said = { traces: model.get("traces"), around: JSON.parse(model.get("around")) };
      const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
      const names = Object.keys({ ...before.around, ...said.around });
      const other = names.filter((name) => !same(before.around[name], said.around[name]));
      if (same(before.traces, said.traces) && other.every((name) => LAID_OVER.includes(name))) {
        return Plotly.relayout(place, Object.fromEntries(other.map((name) => [name, said.around[name] ?? null])));
      }
      const data = said.traces.map((text) => JSON.parse(text));
      return Plotly.react(place, data, structuredClone(said.around), CONFIG);
    };

    // traces and what is around them come in one message, but are heard of one after the other; and a figure that is
    // out of view waits, so that one which is seen does not wait for it
    let late = false;
    let seen = true;
    const catchUp = () => {
      if (!late || !seen) return;
      late = false;
      draw();
    };
    const soon = () => {
      late = true;
      queueMicrotask(catchUp);
    };
    const watcher = new IntersectionObserver((entries) => {
      seen = entries.at(-1).isIntersecting;
      catchUp();
    });
    const heard = ["change:traces", "change:around"];
    for (const event of heard) model.on(event, soon);

    // plotly follows the window alone: not a side bar that opens, nor a cell that is shown for the first time
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (place.clientWidth === width || place.clientWidth === 0) return;
      width = place.clientWidth;
      requestAnimationFrame(() => place.clientWidth && Plotly.Plots.resize(place));
    });
    await draw();
    observer.observe(place);
    watcher.observe(place);
    return () => {
      observer.disconnect();
      watcher.disconnect();
      for (const event of heard) model.off(event, soon);
      Plotly.purge(place);
    };
  },
};
"""
    )
    # The figure's colours are sent by the kernel once, the theme is the browser's and may change at any time:
    # so text and lines take JupyterLab's own variables, which follow its theme. A number in a cell of a heatmap stands
    # out against the cell, whatever the theme.
    _css = """
    .cortexsim-live { width: 100%; min-width: 0; }
    .cortexsim-live text:not(.annotation-text):not(.textpoint text):not(.heatmap-label text) {
      fill: var(--jp-ui-font-color1, #7a7a7a) !important;
    }
    .cortexsim-live path.xtick, .cortexsim-live path.ytick, .cortexsim-live .xlines-above,
    .cortexsim-live .ylines-above { stroke: var(--jp-ui-font-color3, #7a7a7a) !important; }
    """

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
