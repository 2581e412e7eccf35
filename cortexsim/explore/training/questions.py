"""Questions about a training, asked before it starts and judged while it runs; and exercises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim._support.resources import data_folder
from cortexsim.explore.panel.asking import NEVER, Asking, Guess

ROUND = (1, 2, 5)
AS_GOOD_AS = 0.02  # with 400 images, two accuracies near 1 that differ by less cannot be distinguished


@dataclass(frozen=True)
class Outlook:
    """A training before it starts.

    Parameters
    ----------
    steps : int
        Number of training steps.
    times : sequence of int
        The readout times that are trained.
    chance : float
        Accuracy by chance.
    """

    steps: int
    times: Sequence[int] = field(default_factory=list)
    chance: float = 0.0

    @property
    def level(self) -> float:
        """Halfway between chance and 1."""
        return (1 + self.chance) / 2

    @property
    def milestones(self) -> list[int]:
        """About ten round numbers of steps, evenly spaced over the training."""
        rough = max(self.steps / 12, 1)
        scale = 10 ** int(np.floor(np.log10(rough)))
        every = next(scale * one for one in (*ROUND, 10) if scale * one >= rough)
        return list(range(every, self.steps + 1, every))


class Learned(NamedTuple):
    """A training so far.

    Parameters
    ----------
    outlook : Outlook
    curves : Dataset
        As `Run.curves` gives them.
    finished : bool
        Whether it reached its end: only then is it known that an event never occurs.
    """

    outlook: Outlook
    curves: xr.Dataset
    finished: bool


def first_passing(curves: xr.Dataset, level: float) -> tuple[int, int] | None:
    """Return the first step at which a readout time reaches the level, and the earliest such time."""
    passing = (curves["accuracy"] >= level).values
    found = np.flatnonzero(passing.any(1))
    if not len(found):
        return None
    which = int(np.flatnonzero(passing[found[0]])[0])
    return int(curves["step"][found[0]]), int(curves["time"][which])


def _takeoff(learned: Learned) -> int | None:
    found = first_passing(learned.curves, learned.outlook.level)
    return found[0] if found else (NEVER if learned.finished else None)


def _first(learned: Learned) -> int | None:
    found = first_passing(learned.curves, learned.outlook.level)
    return found[1] if found else (NEVER if learned.finished else None)


def _best(learned: Learned) -> int | None:
    # the test on held-out images is made at the end, also of a training that was stopped
    validation = learned.curves["validation"].values
    return int(learned.curves["time"][int(np.nanargmax(validation))]) if np.isfinite(validation).any() else None


def _how_far(learned: Learned) -> str:
    curves, found = learned.curves, first_passing(learned.curves, learned.outlook.level)
    if found is None:
        best = float(curves["accuracy"].max()) if curves.sizes["step"] else float("nan")
        return f"No readout time exceeded {percent(best)}."
    there = curves["accuracy"].sel(step=found[0]).dropna("time")
    return f"At step {found[0]:,} " + ", ".join(f"t = {int(one['time'])}: {percent(float(one))}" for one in there) + "."


def _which_first(learned: Learned) -> str:
    text, found = _how_far(learned), first_passing(learned.curves, learned.outlook.level)
    trained = 0 if found is None else int(learned.curves["accuracy"].sel(step=found[0]).count())
    if trained != 1:
        return text
    return f"{text} No other readout time was trained by then: this answer comes from the recipe, not from the model."


def _held_out(curves: xr.Dataset) -> str:
    values = ", ".join(f"t = {int(one['time'])}: {percent(float(one), 1)}" for one in curves["validation"])
    return f"{curves.attrs['name']}, held-out images: {values}"


def _twice_as_long(curves: xr.Dataset) -> int | None:
    """Return the percentage of the longest test curves with every line pixel right at the end; None without tests."""
    return round(100 * float(curves["tested"][-1, -1])) if "tested" in curves else None


def _by_length(curves: xr.Dataset) -> str:
    if "tested" not in curves:
        return "This task has no longer curves: choose the tracer under «task»."
    last = curves["tested"].isel(tested_step=-1)
    values = ", ".join(f"{name}: {percent(float(one))}" for name, one in zip(last["images"].values, last, strict=True))
    return f"{curves.attrs['name']}, every line pixel right after three steps a pixel: {values}."


def over_seeds() -> str:
    """Report what the tracers that were trained before, with and without the progressive loss, solve at 20 px."""
    path = data_folder() / "models" / "tracing" / "progressive.json"
    runs = json.loads(path.read_text(encoding="utf-8"))
    said = []
    for progressive, how in ((True, "with the progressive loss"), (False, "without it")):
        each = [one for one in runs if one["progressive"] == progressive]
        solved = [f"{one['exact_by_length_and_steps_a_pixel']['20']['3']:g}" for one in each]
        said.append(f"{', '.join(solved)} % {how}")
    seeds, curves = len({one["seed"] for one in runs}), runs[0]["n_curves"]
    return f"Of {seeds} seeds that were trained both ways for cortexsim, {curves} curves each: {'; '.join(said)}."


QUESTIONS: dict[str, Guess] = {
    "twenty": Guess(
        title="curves twice as long",
        text="It is trained on curves of up to 10 px. At the end, what percentage of curves of 20 px will it solve "
        "(every line pixel right)?",
        choices=tuple(range(0, 101, 10)),
        truth=lambda learned: _twice_as_long(learned.curves) if learned.finished else None,
        because=lambda learned: _by_length(learned.curves),
        unit="percent",
        within=10,
    ),
    "takeoff": Guess(
        title="when accuracy rises above chance",
        text=lambda outlook: (
            "After how many training steps does the accuracy at some readout time first exceed "
            f"{percent(outlook.level)}? (Chance is {percent(outlook.chance)}.)"
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
        text=lambda outlook: f"Which readout time is the first to exceed {percent(outlook.level)}?",
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
        text="At the end: at which readout time are most held-out images classified correctly?",
        choices=lambda outlook: list(outlook.times),
        truth=_best,
        because=lambda learned: f"{_held_out(learned.curves)}; among equal times the earliest counts.",
        unit="steps",
        form="t = {:g}",
        label="t (steps)",
    ),
}


def _gained(curves: xr.Dataset) -> int:
    """Return the gain in held-out accuracy from the first readout time to the last, in percentage points, to 5."""
    validation = curves["validation"].values
    return 5 * round(20 * float(validation[-1] - validation[0]))


def _as_good_as_the_last(curves: xr.Dataset) -> int:
    """Count the earlier readout times with a held-out accuracy within 2 percentage points of the last one."""
    validation = curves["validation"].values
    return int((validation[:-1] >= validation[-1] - AS_GOOD_AS).sum())


EXERCISES: dict[str, Guess] = {
    "progressive": Guess(
        title="without the progressive loss",
        text="Half of the batches first run up to 24 steps without gradients, so that later answers are trained, too. "
        "Switch «progressive loss» off (under «more settings»), and train the tracer again. What percentage of curves "
        "of 20 px does it solve?",
        choices=tuple(range(0, 101, 10)),
        truth=_twice_as_long,
        because=lambda curves: (
            f"{_by_length(curves)} Compare it with your run with the progressive loss; one seed is an anecdote. "
            f"{over_seeds()}"
        ),
        unit="percent",
        needs={"task": "tracer", "progressive": False},
        within=10,
    ),
    "feedforward": Guess(
        title="is it the recurrence?",
        text="Switch lateral and feedback off (under «more settings») and train again: signals now only go forward, "
        "and the image is sustained. By how many percentage points is held-out accuracy higher at the last readout "
        "time than at the first?",
        choices=(-10, -5, 0, 5, 10, 20, 30),
        truth=_gained,
        because=lambda curves: (
            f"{_held_out(curves)}. Without recurrence, an area receives the same input at every time once the signal "
            "has arrived, so nothing can change: true by construction."
        ),
        unit="percentage points",
        needs={"lateral": False, "feedback": False},
    ),
    "last-only": Guess(
        title="you get what you ask for",
        text="Under «more settings», set «loss at» to «the last only», switch «short curves first» off, and train "
        "again with everything else as before. At how many of the earlier readout times is the model as good as at the "
        "last one (within 2 percentage points on held-out images)?",
        choices=tuple(range(6)),
        truth=_as_good_as_the_last,
        because=lambda curves: (
            f"{_held_out(curves)}. Only the readout at the last time was trained, so the earlier ones need not be "
            "good. If nothing was learned at all, all times are at chance, and the answer says nothing: then train "
            "with another seed."
        ),
        unit="earlier readout times",
        # with short curves first, an earlier time is trained for most of the run
        needs={"loss_at": "readout", "lateral": True, "feedback": True, "short_first": False},
    ),
}


class Forecast(Asking):
    """A question that is asked before a training and judged as soon as the training has answered it.

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
        """True if the present question has no answer yet; each training is predicted again."""
        return bool(self.question) and self.answer is None

    def ask(self, outlook: Outlook) -> None:
        """Ask about the next training; an answer that is still possible stays."""
        self.about, asked = outlook, self.asked
        self._waits = self.choice.disabled = False
        if asked is not None:
            self._offer(asked, self.answer)

    def fix(self) -> None:
        """Fix the answer, because the training starts."""
        self._waits = bool(self.question)
        self.menu.disabled = self.choice.disabled = True
        self._say(
            "Your prediction is fixed; it is judged as soon as the training has answered it." if self._waits else ""
        )

    def learn(self, curves: xr.Dataset, *, over: bool) -> None:
        """Judge the prediction if the training has answered it.

        Parameters
        ----------
        curves : Dataset
            As `Run.curves` gives it.
        over : bool
            Whether the training has ended; only a finished one shows that an event never occurs.
        """
        asked = self.asked
        if self._waits and asked is not None:
            learned = Learned(self.about, curves, over and curves.attrs["status"] == "finished")
            if asked.truth(learned) is not None:
                self._waits = False
                self.compare(learned, {})
            elif over:
                self._waits = False
                self._say("The training ended before it answered, so this prediction does not count.")
        if over:
            self.menu.disabled = self.choice.disabled = False
            # each training is predicted again
            self.answer = None
