"""The code of plotly, sent to a page once: with plotly alone, every figure of a notebook would send all 5 MB."""

from __future__ import annotations

from functools import cache

import anywidget
import traitlets
from plotly.offline import get_plotlyjs

from cortexsim.explore.widgets.canvas import joined


class Engine(anywidget.AnyWidget):
    """An invisible widget that carries the code of all figures to the page.

    A small machine takes seconds to load five figures, each with its own copy of the code.
    """

    _esm = joined("plotly_promise.js", "plotly_engine.js")

    code = traitlets.Unicode().tag(sync=True)


@cache
def engine() -> Engine:
    """Return the engine of this kernel; it is made for the first figure."""
    return Engine(code=get_plotlyjs())
