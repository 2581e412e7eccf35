"""Base of the panels on a bundled result: nothing is computed, and each part stays covered until it was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import xarray as xr

from cortexsim._support.progress import Report, silent
from cortexsim.explore.panel.controls import Chosen, Control
from cortexsim.explore.panel.study import Study


class BundledStudy(Study):
    """A panel on a result that ships with cortexsim, whose controls act at once.

    What a question asks about is drawn once it is answered; without a question, everything is drawn.

    Parameters
    ----------
    question : str
        A key of `QUESTIONS`, or "" for none.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    ACTION: ClassVar[str] = "show the answer"

    def __init__(self, question: str = "") -> None:
        super().__init__(None, self.controls_for(), question)
        self._open()

    def controls_for(self) -> Mapping[str, Control | widgets.DOMWidget]:
        """Declare the controls by the names of the choices; all of them belong to `VIEWS`."""
        return {}

    def opened(self) -> xr.Dataset:
        """Open the result."""
        raise NotImplementedError

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Open the result, which has all choices."""
        return self.opened()

    def _open(self) -> None:
        chosen = self.choices
        result = self.measure(chosen, silent)
        self._made[self._key_of(chosen)] = chosen, result
        self._take(chosen, result)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, model: Any = None, data: Any = None) -> Self:
        """Open a panel from the `settings` of another, with what was answered uncovered."""
        panel = super().from_settings(settings, model=model, data=data)
        panel._draw(panel.result)
        return panel

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        return cls(question=settings["question"])
