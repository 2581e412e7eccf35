"""Questions about a training: predicted before it starts, told by itself as soon as it has answered; and exercises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import xarray as xr

from cortexsim.explore.panel.asking import NEVER, Asking, Guess

ROUND = (1, 2, 5)
AS_GOOD_AS = 0.02  # of 400 images, two accuracies near 1 that differ by less cannot be told apart


@dataclass(frozen=True)
class Outlook:
    """What a person knows of a training before it starts.

    Parameters
    ----------
    steps : int
        In all.
    times : sequence of int
        The readout times that are trained.
    chance : float
        Accuracy of guessing.
    """

    steps: int
    times: Sequence[int] = field(default_factory=list)
    chance: float = 0.0

    @property
    def level(self) -> float:
        """Halfway between guessing and always right."""
        return (1 + self.chance) / 2

    @property
    def milestones(self) -> list[int]:
        """About ten round numbers of steps, evenly spread over the training."""
        rough = max(self.steps / 12, 1)
        scale = 10 ** int(np.floor(np.log10(rough)))
        every = next(scale * one for one in (*ROUND, 10) if scale * one >= rough)
        return list(range(every, self.steps + 1, every))


class Learned(NamedTuple):
    """What a training has told so far.

    Parameters
    ----------
    outlook : Outlook
    curves : Dataset
        As `Run.curves` gives them.
    whole : bool
        Whether it went to its end: only then something can never have come.
    """

    outlook: Outlook
    curves: xr.Dataset
    whole: bool


def first_passing(curves: xr.Dataset, level: float) -> tuple[int, int] | None:
    """Return the first step at which some readout time is at the level, and the earliest such time."""
    passing = (curves["accuracy"] >= level).values
    found = np.flatnonzero(passing.any(1))
    if not len(found):
        return None
    which = int(np.flatnonzero(passing[found[0]])[0])
    return int(curves["step"][found[0]]), int(curves["time"][which])


def _takeoff(learned: Learned) -> int | None:
    found = first_passing(learned.curves, learned.outlook.level)
    return found[0] if found else (NEVER if learned.whole else None)


def _first(learned: Learned) -> int | None:
    found = first_passing(learned.curves, learned.outlook.level)
    return found[1] if found else (NEVER if learned.whole else None)


def _best(learned: Learned) -> int | None:
    # held-out images are named when a training ends, also one that was stopped
    validation = learned.curves["validation"].values
    return int(learned.curves["time"][int(np.nanargmax(validation))]) if np.isfinite(validation).any() else None


def _how_far(learned: Learned) -> str:
    curves, found = learned.curves, first_passing(learned.curves, learned.outlook.level)
    if found is None:
        best = float(curves["accuracy"].max()) if curves.sizes["step"] else float("nan")
        return f"No readout time came above {best:.0%}."
    there = curves["accuracy"].sel(step=found[0]).dropna("time")
    return f"At step {found[0]:,} " + ", ".join(f"t = {int(one['time'])}: {float(one):.0%}" for one in there) + "."


def _which_first(learned: Learned) -> str:
    told, found = _how_far(learned), first_passing(learned.curves, learned.outlook.level)
    trained = 0 if found is None else int(learned.curves["accuracy"].sel(step=found[0]).count())
    if trained != 1:
        return told
    return f"{told} No other readout time was trained by then: this answer is the recipe's, not the model's."


def _held_out(curves: xr.Dataset) -> str:
    told = ", ".join(f"t = {int(one['time'])}: {float(one):.1%}" for one in curves["validation"])
    return f"{curves.attrs['name']}, held-out images: {told}"


QUESTIONS: dict[str, Guess] = {
    "takeoff": Guess(
        title="when learning takes off",
        text=lambda outlook: (
            f"After how many training steps is some readout time first past {outlook.level:.0%} right? "
            f"(guessing: {outlook.chance:.0%})"
        ),
        choices=lambda outlook: [*outlook.milestones, NEVER],
        truth=_takeoff,
        because=_how_far,
        unit="training steps",
        label="step",
        never=lambda outlook: outlook.steps,
    ),
    "first": Guess(
        title="which readout time learns first",
        text=lambda outlook: f"Which readout time is first past {outlook.level:.0%}?",
        choices=lambda outlook: [*outlook.times, NEVER],
        truth=_first,
        because=_which_first,
        unit="steps",
        form="t = {:g}",
        label="t (steps)",
        never=lambda outlook: max(outlook.times, default=0) + 1,
    ),
    "best": Guess(
        title="which readout time ends best",
        text="When it is over: at which readout time are most held-out images named right?",
        choices=lambda outlook: list(outlook.times),
        truth=_best,
        because=lambda learned: f"{_held_out(learned.curves)}; of equal ones the earliest counts.",
        unit="steps",
        form="t = {:g}",
        label="t (steps)",
    ),
}


def _gained(curves: xr.Dataset) -> int:
    """Return by how many points held-out accuracy grows from the first readout time to the last, in steps of 5."""
    validation = curves["validation"].values
    return 5 * round(20 * float(validation[-1] - validation[0]))


def _as_good_as_the_last(curves: xr.Dataset) -> int:
    """Count the earlier readout times whose held-out accuracy is within 2 points of the last one's."""
    validation = curves["validation"].values
    return int((validation[:-1] >= validation[-1] - AS_GOOD_AS).sum())


EXERCISES: dict[str, Guess] = {
    "feedforward": Guess(
        title="is it the recurrence?",
        text="Switch lateral and feedback off and train again: now signals only go forward, and the image stays on. "
        "By how many points are more held-out images named right at the last readout time than at the first?",
        choices=(-10, -5, 0, 5, 10, 20, 30),
        truth=_gained,
        because=lambda curves: (
            f"{_held_out(curves)}. Without recurrence a state sees the same at every time once the signal has arrived, "
            "so nothing can change: true by construction."
        ),
        unit="points",
        needs={"lateral": False, "feedback": False},
    ),
    "last-only": Guess(
        title="you get what you ask for",
        text="Set loss at to the last only, and train again, all else as before. At how many of the earlier readout "
        "times is the model as good as at the last one (within 2 points on held-out images)?",
        choices=tuple(range(8)),
        truth=_as_good_as_the_last,
        because=lambda curves: (
            f"{_held_out(curves)}. What is not asked for need not be learned: only what is read out at the last time "
            "was trained. Where nothing was learned at all, every time is as good as guessing, and the answer says "
            "nothing: then train with another seed."
        ),
        unit="earlier readout times",
        needs={"loss_at": "readout", "lateral": True, "feedback": True},
    ),
}


class Forecast(Asking):
    """Ask before a training, tell when it has answered, and keep count.

    Parameters
    ----------
    question : str
        A key of `QUESTIONS`, or "" for none.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    _waits = False

    def __init__(self, question: str) -> None:
        super().__init__(QUESTIONS, question, about=Outlook(1))

    @property
    def missing(self) -> bool:
        """Whether a question is asked that has no answer yet; each training is predicted anew."""
        return bool(self.question) and self.answer is None

    def ask(self, outlook: Outlook) -> None:
        """Ask about another training; an answer that is still possible stays."""
        self.about, asked = outlook, self.asked
        self._waits = self.choice.disabled = False
        if asked is not None:
            self._offer(asked, self.answer)

    def hold(self) -> None:
        """Take the answer as it is: the training begins."""
        self._waits = bool(self.question)
        self.menu.disabled = self.choice.disabled = True
        self._say("Taken: it will be told as soon as the training has answered." if self._waits else "")

    def learn(self, curves: xr.Dataset, *, over: bool) -> None:
        """Look whether the training has answered; tell how close the prediction was if it has.

        Parameters
        ----------
        curves : Dataset
            As `Run.curves` gives it.
        over : bool
            Whether the training has ended; one that was stopped or failed says nothing about what never came.
        """
        asked = self.asked
        if self._waits and asked is not None:
            learned = Learned(self.about, curves, over and curves.attrs["status"] == "finished")
            if asked.truth(learned) is not None:
                self._waits = False
                self.tell(learned, {})
            elif over:
                self._waits = False
                self._say("The training ended before it could tell, so this prediction does not count.")
        if over:
            self.menu.disabled = self.choice.disabled = False
            # each training is predicted anew
            self.answer = None
