"""Something to try in a panel, whose answer is checked by what that panel has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets

from cortexsim._support.checks import unknown
from cortexsim.explore.panel.asking import Asking, Guess
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.widgets.shortcuts import Panel


class Exercise(Panel):
    """Asks something about a panel, and checks the answer by what that panel has run.

    Parameters
    ----------
    panel : Exercising
    name : str
        A key of the panel's `EXERCISES`.

    Attributes
    ----------
    ask : Asking
        What it tells is kept with what the panel has told.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """

    def __init__(self, panel: Exercising, name: str) -> None:
        if name not in panel.EXERCISES:
            raise ValueError(unknown("exercise", name, panel.EXERCISES))
        self.panel, self._exercise = panel, panel.EXERCISES[name]
        self.ask = Asking({name: self._exercise}, name)
        self.ask.answered = panel.ask.answered
        self.ask.menu.layout.display = "none"
        self.button = widgets.Button(description="check", button_style="primary", layout=widgets.Layout(width="84px"))
        super().__init__([self.ask, self.button])
        self.button.on_click(lambda _: self._guarded())

    def check(self) -> bool | None:
        """Say whether the answer is right; None while it cannot be told."""
        if self.ask.answer is None:
            self.ask.remind("Choose an answer first.")
            return None
        made = self.panel.results
        if not made and not self._exercise.needs:
            self.ask.remind("Nothing was run yet that could tell: do so in the panel, then check again.")
            return None
        fitting = [pair for pair in made if self._exercise.fits(pair[0])]
        # without a run, what it needs is told
        chosen, result = (fitting or list(made) or [({}, None)])[-1]
        return self.ask.tell(result, chosen)

    def _guarded(self) -> None:
        try:
            self.check()
        except Exception as error:  # a widget's exception would show nowhere else
            self.ask.result.value = alert("This answer could not be checked", error, "Run the panel, then check again.")


class Exercising:
    """What panels that have exercises share."""

    EXERCISES: ClassVar[Mapping[str, Guess]] = {}
    ask: Any

    @property
    def results(self) -> Sequence[tuple[Mapping[str, Any], Any]]:
        """The choices and the result of each run, oldest first."""
        raise NotImplementedError

    def exercise(self, name: str) -> Exercise:
        """Ask an exercise about this panel, which checks the answer by what the panel has run.

        Parameters
        ----------
        name : str
            A key of `EXERCISES`.

        Raises
        ------
        ValueError
            If there is no such exercise.
        """
        return Exercise(self, name)
