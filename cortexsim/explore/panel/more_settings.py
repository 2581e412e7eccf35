"""Controls that a panel does not need for its question, behind a button."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets


class MoreSettings(widgets.Box):
    """A row of controls that is hidden until its button is pressed.

    Parameters
    ----------
    controls : sequence of Widget

    Attributes
    ----------
    button : ToggleButton
        To be placed with the controls that are always visible.
    """

    def __init__(self, controls: Sequence[widgets.Widget]) -> None:
        self.button = widgets.ToggleButton(description="more settings", layout=widgets.Layout(width="auto"))
        layout = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px", display="none")
        super().__init__(list(controls), layout=layout)
        self.button.observe(lambda change: self._show(change["new"]), names="value")

    def _show(self, shown: bool) -> None:
        self.layout.display = "" if shown else "none"
