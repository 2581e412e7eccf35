"""Panels whose controls receive the keys that are pressed in them: JupyterLab would cut the cell at an "x"."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import anywidget
import ipywidgets as widgets

from cortexsim.explore.widgets.canvas import joined


class Keys(anywidget.AnyWidget):
    """An invisible widget that listens on the page of every panel."""

    _esm = joined("keys.js")


@cache
def keys() -> Keys:
    """Return the widget of this kernel; it is made for the first panel."""
    return Keys()


class Panel(widgets.VBox):
    """A box whose controls receive all keys but those that run a cell or save the notebook."""

    def __init__(self, children: Sequence[widgets.Widget] = (), **settings: Any) -> None:
        super().__init__(children, **settings)
        self.add_class("cortexsim-panel")
        keys()
