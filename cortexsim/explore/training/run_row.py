"""The row of the training panel in which a run is chosen, named and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets


class RunRow(widgets.Box):
    """A menu of runs, the name of the chosen one, and a button that removes it.

    Parameters
    ----------
    on_look : callable
        Called when another run is chosen in the menu.
    on_rename : callable
        Called with the new name of the chosen run.
    on_remove : callable
        Called with the name of the chosen run.
    """

    def __init__(
        self, on_look: Callable[[], None], on_rename: Callable[[str], None], on_remove: Callable[[str], None]
    ) -> None:
        initial = {"description_width": "initial"}
        self._listing, self._on_look, self._on_rename = False, on_look, on_rename
        self.menu = widgets.Dropdown(description="look at", layout=widgets.Layout(width="330px"), style=initial)
        self.name = widgets.Text(
            description="its name", continuous_update=False, layout=widgets.Layout(width="240px"), style=initial
        )
        self.remove = widgets.Button(
            description="remove", tooltip="remove the run that is looked at", layout=widgets.Layout(width="84px")
        )
        self.change = widgets.ToggleButton(
            description="name or remove", layout=widgets.Layout(width="auto"), tooltip="the run that is looked at"
        )
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        super().__init__([self.menu, self.change, self.name, self.remove], layout=row)
        self.change.observe(lambda _: self._show_change(), names="value")
        self._show_change()
        self.layout.display = "none"
        self.menu.observe(lambda _: self._look(), names="value")
        self.name.observe(lambda change: self._rename(change["new"]), names="value")
        self.remove.on_click(lambda _: on_remove(self.menu.value))

    def offer(self, options: Sequence[tuple[str, str]], look_at: str | None = None) -> None:
        """Offer runs, as pairs of description and name; the chosen one stays chosen, or the last is."""
        wanted = look_at or self.menu.value
        names = [name for _, name in options]
        self._listing = True
        self.layout.display = "" if options else "none"
        try:
            if list(options) != list(self.menu.options):
                self.menu.options = list(options)
            if names:
                self.menu.value = wanted if wanted in names else names[-1]
            self.name.value = self.menu.value or ""
        finally:
            self._listing = False

    def _show_change(self) -> None:
        for one in (self.name, self.remove):
            one.layout.display = "" if self.change.value else "none"

    # what the panel itself sets is no choice

    def _look(self) -> None:
        if not self._listing:
            self._on_look()

    def _rename(self, new: str) -> None:
        if not self._listing and self.menu.value and new != self.menu.value:
            self._on_rename(new)
