"""plotly's own code, sent to a page once: as plotly ships it, every figure of a notebook would bring all 5 MB again."""

from __future__ import annotations

from functools import cache

import anywidget
import traitlets
from plotly.offline import get_plotlyjs

from cortexsim.explore.widgets.canvas import joined


class Engine(anywidget.AnyWidget):
    """An invisible widget that carries the code of all figures to the page.

    To load five figures at once, each with code of its own, takes a small machine longer than the 2 s that anywidget
    waits for a model; then a figure is drawn, if at all, and never follows again.
    """

    _esm = joined("plotly_promise.js", "plotly_engine.js")

    code = traitlets.Unicode().tag(sync=True)


@cache
def engine() -> Engine:
    """Return the one of this kernel; made for the first figure."""
    return Engine(code=get_plotlyjs())
