"""Panels keep the keys that are pressed in them: in JupyterLab "x" on a slider would cut the panel's cell."""

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
    """Return the one of this kernel; made for the first panel."""
    return Keys()


class Panel(widgets.VBox):
    """A box whose controls answer to keys themselves; what runs a cell or saves the notebook still does."""

    def __init__(self, children: Sequence[widgets.Widget] = (), **settings: Any) -> None:
        super().__init__(children, **settings)
        self.add_class("cortexsim-panel")
        keys()
