"""An exercise that a panel of trainings can check: its answer is read off the runs that the person has made."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim.explore.choice import Choice, Option
from cortexsim.explore.notice import alert
from cortexsim.suggest import unknown

if TYPE_CHECKING:
    from cortexsim.explore.training import Training

AS_GOOD_AS = 0.02  # of 400 images, two accuracies near 1 that differ by less cannot be told apart


@dataclass(frozen=True)
class Exercise:
    """Something to try in a panel, and a number to find.

    Parameters
    ----------
    text : str
    needs : mapping of str to value
        The choices that make a run the one that is asked about.
    choices : sequence of int
        The answers on offer.
    unit : str
    truth : callable
        The run's curves to the answer.
    because : callable
        The run's curves to what is behind it.
    """

    text: str
    needs: dict[str, Any]
    choices: tuple[int, ...]
    unit: str
    truth: Callable[[xr.Dataset], int]
    because: Callable[[xr.Dataset], str]

    def answering(self, panel: Training) -> xr.Dataset | None:
        """Return the last run of a panel that answers it."""
        for curves in reversed(list(panel.runs.values())):
            chosen = json.loads(curves.attrs["settings"])
            validated = bool(np.isfinite(curves["validation"]).any())
            if validated and all(chosen.get(name) == value for name, value in self.needs.items()):
                return curves
        return None


def gained(curves: xr.Dataset) -> int:
    """Return by how many points held-out accuracy grows from the first readout time to the last, in steps of 5."""
    validation = curves["validation"].values
    return 5 * round(20 * float(validation[-1] - validation[0]))


def as_good_as_the_last(curves: xr.Dataset) -> int:
    """Count the earlier readout times whose held-out accuracy is within 2 points of the last one's."""
    validation = curves["validation"].values
    return int((validation[:-1] >= validation[-1] - AS_GOOD_AS).sum())


def _told(curves: xr.Dataset) -> str:
    validation = curves["validation"]
    told = ", ".join(f"t = {int(t)}: {float(validation.sel(time=t)):.1%}" for t in validation["time"].values)
    return f"{curves.attrs['name']}, held-out images: {told}"


EXERCISES: dict[str, Exercise] = {
    "feedforward": Exercise(
        text=(
            "Switch lateral and feedback off and train again: now signals only go forward, and the image stays on. "
            "By how many points are more held-out images named right at the last readout time than at the first?"
        ),
        needs={"lateral": False, "feedback": False},
        choices=(-10, -5, 0, 5, 10, 20, 30),
        unit="points",
        truth=gained,
        because=lambda curves: (
            f"{_told(curves)}. Without recurrence a state sees the same at every time once the signal has arrived, so "
            "nothing can change: true by construction"
        ),
    ),
    "last-only": Exercise(
        text=(
            "Set loss at to the last only, and train again, all else as before. At how many of the earlier readout "
            "times is the model as good as at the last one (within 2 points on held-out images)?"
        ),
        needs={"loss_at": "readout", "lateral": True, "feedback": True},
        choices=tuple(range(8)),
        unit="earlier readout times",
        truth=as_good_as_the_last,
        because=lambda curves: (
            f"{_told(curves)}. What is not asked for need not be learned: only what is read out at the last time "
            "was trained. Where nothing was learned at all, every time is as good as guessing, and the answer says "
            "nothing: then train with another seed"
        ),
    ),
}


class TrainingExercise(widgets.VBox):
    """Ask an exercise about a panel, and check its answer.

    Parameters
    ----------
    panel : Training
    name : str
        A key of `EXERCISES`.

    Attributes
    ----------
    answer : int or None

    Raises
    ------
    ValueError
        If there is no such exercise.
    """

    answer = traitlets.Int(None, allow_none=True)

    def __init__(self, panel: Training, name: str) -> None:
        if name not in EXERCISES:
            raise ValueError(unknown("exercise", name, EXERCISES))
        self.panel, self._exercise = panel, EXERCISES[name]
        self.text = widgets.HTML(f'<div style="line-height:1.4">{html.escape(self._exercise.text)}</div>')
        self.choice, self.result = Choice(label=self._exercise.unit), widgets.HTML()
        self.choice.offer([Option(one, str(one)) for one in self._exercise.choices], None)
        self.button = widgets.Button(description="check", button_style="primary", layout=widgets.Layout(width="84px"))
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        super().__init__([self.text, widgets.Box([self.choice, self.button], layout=row), self.result])
        traitlets.link((self, "answer"), (self.choice, "value"))
        self.button.on_click(lambda _: self._guarded())

    def check(self) -> bool | None:
        """Say whether the answer is right; None while it cannot be told."""
        curves = self._exercise.answering(self.panel)
        if self.answer is None:
            self._say("Choose an answer first.")
            return None
        if curves is None:
            wanted = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self._exercise.needs.items())
            self._say(f"There is no run yet that tells: train with {html.escape(wanted)}, and let it end or stop it.")
            return None
        truth = self._exercise.truth(curves)
        right = truth == self.answer
        verdict = "Right" if right else f"Not quite: it is {truth} {self._exercise.unit}"
        self._say(f"<b>{verdict}</b>. {html.escape(self._exercise.because(curves))}.")
        return right

    def _say(self, text: str) -> None:
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'

    def _guarded(self) -> None:
        try:
            self.check()
        except Exception as error:  # a widget's exception would show nowhere else
            self.result.value = alert("This answer could not be checked", error, "Train once more, then check again.")
