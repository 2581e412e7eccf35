"""Radio buttons, with the reasons why some cannot be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import traitlets

from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.following import Following


class Option(NamedTuple):
    """A value, its label, and the reason why it cannot be chosen ("" if it can)."""

    value: int | str
    label: str
    reason: str = ""


class Choice(Following):
    """A row of radio buttons.

    Parameters
    ----------
    label : str

    Attributes
    ----------
    options : list of dict
        `value`, `label` and `reason` of each; set by `offer`.
    value : int, str or None
        The chosen one; None if none is chosen yet.
    given : int, str or None
        An answer that was judged; it is marked until another is chosen.
    disabled : bool
        True if nothing can be chosen.
    """

    _esm = joined("following.js", "choice.js")
    _css = styles("stage.css")
    label = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Dict()).tag(sync=True)
    value = traitlets.Any(None, allow_none=True).tag(sync=True)
    given = traitlets.Any(None, allow_none=True).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def offer(self, options: Sequence[Option], value: int | str | None) -> None:
        """Show other options, of which one is chosen."""
        with self.hold_sync():
            self.options = [option._asdict() for option in options]
            self.value = value
        self.layout.display = "" if len(options) > 1 else "none"
