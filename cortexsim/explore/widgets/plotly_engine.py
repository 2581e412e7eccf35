"""plotly's own code, sent to a page once: as plotly ships it, every figure of a notebook would bring all 5 MB again."""

from __future__ import annotations

from functools import cache

import anywidget
import traitlets
from plotly.offline import get_plotlyjs

# whoever comes first, an engine or a figure, makes the promise of plotly that the page keeps
PROMISE = """
window.cortexsimPlotly ??= (() => {
  let keep;
  const module = new Promise((resolve) => { keep = resolve; });
  return { module, keep, begun: false };
})();
"""


class Engine(anywidget.AnyWidget):
    """An invisible widget that carries the code of all figures to the page.

    To load five figures at once, each with code of its own, takes a small machine longer than the 2 s that anywidget
    waits for a model; then a figure is drawn, if at all, and never follows again.
    """

    _esm = (
        PROMISE
        + """
export default {
  initialize({ model }) {
    const page = window.cortexsimPlotly;
    if (page.begun) return;
    page.begun = true;
    const address = URL.createObjectURL(new Blob([model.get("code")], { type: "text/javascript" }));
    page.keep(import(address).then(() => window.Plotly).finally(() => URL.revokeObjectURL(address)));
  },
};
"""
    )

    code = traitlets.Unicode().tag(sync=True)


@cache
def engine() -> Engine:
    """Return the one of this kernel; made for the first figure."""
    return Engine(code=get_plotlyjs())
