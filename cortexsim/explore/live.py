"""A plotly figure in a notebook that is redrawn in place, as wide as its page and in the colours of its theme."""

from __future__ import annotations

from typing import Any

import anywidget
import plotly.graph_objects as go

from cortexsim.explore.engine import PROMISE, engine


class Live(go.FigureWidget):
    """A figure that a panel keeps and updates.

    Parameters
    ----------
    figure : Figure
        What to show first.
    """

    # plotly's own widget, once the page has it; what the kernel says before is kept and told it then
    _esm = (
        PROMISE
        + """
const SAID = ["addTraces", "deleteTraces", "moveTraces", "restyle", "relayout", "update", "animate",
  "removeLayoutProps", "removeTraceProps"].map((name) => `_py2js_${name}`);

async function begin(context) {
  const { model } = context;
  const early = [];
  const ears = SAID.map((name) => [`change:${name}`, () => model.get(name) && early.push([name, model.get(name)])]);
  for (const [event, ear] of ears) model.on(event, ear);
  const own = (await window.cortexsimPlotly.module).default();
  for (const [event, ear] of ears) model.off(event, ear);
  await own.initialize(context);
  for (const [name, said] of early) {
    model.set(name, said);
    model.set(name, null);
  }
  return own;
}

export default () => {
  let own;
  return {
    // not waited for: anywidget gives up a model that takes longer than 2 s
    initialize(context) { own = begin(context); },
    async render(context) { return (await own).render(context); },
  };
};
"""
    )
    # The figure's colours are sent by the kernel once, the theme is the browser's and may change at any time:
    # so text and lines take JupyterLab's own variables, which follow its theme.
    _css = """
    .cortexsim-live { width: 100%; min-width: 0; }
    .cortexsim-live text:not(.annotation-text) { fill: var(--jp-ui-font-color1, #7a7a7a) !important; }
    .cortexsim-live path.xtick, .cortexsim-live path.ytick, .cortexsim-live .xlines-above,
    .cortexsim-live .ylines-above { stroke: var(--jp-ui-font-color3, #7a7a7a) !important; }
    """

    _whole = False

    def __init__(self, figure: go.Figure) -> None:
        super().__init__(figure)
        self._config = {"responsive": True, "displaylogo": False, "displayModeBar": False}
        self.add_class("cortexsim-live")
        self._whole = True
        self.open()

    def open(self) -> None:
        """Tell the browser of the figure, once it is whole.

        plotly opens an empty one and sends data and layout in messages of their own; where several figures come at once
        to a busy browser, those are lost, and the figure stays white.
        """
        if self._whole:
            engine()
            super().open()

    def take(self, figure: go.Figure) -> None:
        """Become another figure of the same kind; only what differs is sent to the browser.

        Parameters
        ----------
        figure : Figure
            By the same function as the first one, so that it has as many traces.
        """
        with self.batch_update():
            for mine, new in zip(self.data, figure.data, strict=True):
                mine.update(new.to_plotly_json(), overwrite=True)
            self.layout.annotations = figure.layout.annotations
            self.layout.shapes = figure.layout.shapes
            self.layout.title.text = figure.layout.title.text


class Fit(anywidget.AnyWidget):
    """An invisible ruler: tells the figures beside it when the width of their page has changed.

    plotly fits a figure to its container when the window is resized, not when a side bar opens or when the cell is
    shown for the first time.
    """

    _esm = """
    function render({ el }) {
      el.style.width = "100%";
      let width = 0;
      const observer = new ResizeObserver(() => {
        if (el.clientWidth === width || el.clientWidth === 0) return;
        width = el.clientWidth;
        requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
      });
      observer.observe(el);
      return () => observer.disconnect();
    }
    export default { render };
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layout.width = "100%"
        self.layout.height = "0"
