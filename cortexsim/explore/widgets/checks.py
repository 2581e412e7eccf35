"""A row of boxes to tick: any number of several options."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import traitlets


class Checks(widgets.HBox):
    """A box for each option, all of them ticked at first.

    Parameters
    ----------
    options : sequence of str
    description : str
        Text before the boxes.

    Attributes
    ----------
    value : tuple of str
        The options that are ticked, in their order.
    """

    value: traitlets.Tuple = traitlets.Tuple()
    _is_shown = False

    def __init__(self, options: Sequence[str], description: str) -> None:
        self.options, self.description = tuple(options), description
        layout = widgets.Layout(width="auto", margin="0 10px 0 0")
        self.boxes = [widgets.Checkbox(True, description=one, indent=False, layout=layout) for one in options]
        super().__init__([widgets.Label(description), *self.boxes], layout=widgets.Layout(align_items="center"))
        self.value = self.options
        for box in self.boxes:
            box.observe(lambda _: self._read(), names="value")

    @traitlets.validate("value")
    def _known(self, proposal: traitlets.Bunch) -> tuple[str, ...]:
        wanted = tuple(proposal["value"])
        if not set(wanted) <= set(self.options):
            raise traitlets.TraitError(f"some of {list(self.options)} are needed, got {list(wanted)}")
        return wanted

    @traitlets.observe("value")
    def _show(self, _change: object) -> None:
        self._is_shown = True
        for box, name in zip(self.boxes, self.options, strict=True):
            box.value = name in self.value
        self._is_shown = False

    def _read(self) -> None:
        # not while all boxes follow a new value, one after the other
        if not self._is_shown:
            self.value = tuple(name for box, name in zip(self.boxes, self.options, strict=True) if box.value)
