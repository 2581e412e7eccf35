"""The box that contains a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from cortexsim.explore.widgets.keys import keys


class Panel(widgets.VBox):
    """A box whose controls receive all keys except those that run a cell or save the notebook."""

    def __init__(self, children: Sequence[widgets.Widget] = (), **settings: Any) -> None:
        super().__init__(children, **settings)
        self.add_class("cortexsim-panel")
        keys()
