"""Keys pressed in a panel reach only its controls: otherwise JupyterLab would cut the cell at an "x"."""

from __future__ import annotations

from functools import cache

import anywidget

from cortexsim.explore.widgets.canvas import joined, styles


class Keys(anywidget.AnyWidget):
    """An invisible widget that listens on the page of every panel."""

    _esm = joined("keys.js")
    # it is made with the first panel, so these styles are there for all of them
    _css = styles()


@cache
def keys() -> Keys:
    """Return the widget of this kernel; it is made for the first panel."""
    return Keys()
