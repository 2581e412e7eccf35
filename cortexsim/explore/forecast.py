"""A prediction about a training, made before it starts and told by itself as soon as the training has answered."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim.explore.choice import Choice, Option
from cortexsim.explore.questions import NEVER, tally
from cortexsim.suggest import unknown

JUST_WATCH = ("nothing, just watch", "")
ROUND = (1, 2, 5)


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


@dataclass(frozen=True)
class Riddle:
    """A question about a training.

    Parameters
    ----------
    title : str
        For the menu.
    unit : "training steps" or "steps"
        Of the distance; steps are those of the model's time.
    text : callable
        Outlook to the question in words.
    choices : callable
        Outlook to the answers; `NEVER` may be among them.
    truth : callable
        Outlook, curves and whether the training is over to the answer; None while it cannot be told.
    because : callable
        Outlook, curves and the answer to what is behind it.
    """

    title: str
    unit: str
    text: Callable[[Outlook], str]
    choices: Callable[[Outlook], list[int]]
    truth: Callable[[Outlook, xr.Dataset, bool], int | None]
    because: Callable[[Outlook, xr.Dataset, int], str]

    def spelled(self, value: int) -> str:
        """Write an answer with its unit."""
        if value == NEVER:
            return "never"
        return f"{value:,} training steps" if self.unit == "training steps" else f"t = {value}"

    def distance(self, outlook: Outlook, guess: int, truth: int) -> int:
        """Say how far a guess is from the truth; never counts as after the last one."""
        after = outlook.steps if self.unit == "training steps" else max(outlook.times, default=0) + 1
        one, other = (after if value == NEVER else value for value in (guess, truth))
        return abs(one - other)


def first_passing(curves: xr.Dataset, level: float) -> tuple[int, int] | None:
    """Return the first step at which some readout time is at the level, and the earliest such time."""
    passing = (curves["accuracy"] >= level).values
    found = np.flatnonzero(passing.any(1))
    if not len(found):
        return None
    which = int(np.flatnonzero(passing[found[0]])[0])
    return int(curves["step"][found[0]]), int(curves["time"][which])


def _takeoff(outlook: Outlook, curves: xr.Dataset, over: bool) -> int | None:
    found = first_passing(curves, outlook.level)
    return found[0] if found else (NEVER if over else None)


def _first(outlook: Outlook, curves: xr.Dataset, over: bool) -> int | None:
    found = first_passing(curves, outlook.level)
    return found[1] if found else (NEVER if over else None)


def _best(outlook: Outlook, curves: xr.Dataset, over: bool) -> int | None:
    validation = curves["validation"].values
    if not over or not np.isfinite(validation).any():
        return None
    return int(curves["time"][int(np.nanargmax(validation))])


def _how_far(outlook: Outlook, curves: xr.Dataset, truth: int) -> str:
    found = first_passing(curves, outlook.level)
    if found is None:
        best = float(curves["accuracy"].max()) if curves.sizes["step"] else float("nan")
        return f"no readout time came above {best:.0%}"
    step, _ = found
    there = curves["accuracy"].sel(step=step).dropna("time")
    told = ", ".join(f"t = {int(t)}: {float(there.sel(time=t)):.0%}" for t in there["time"].values)
    return f"at step {step:,} {told}"


def _validated(outlook: Outlook, curves: xr.Dataset, truth: int) -> str:
    validation = curves["validation"]
    told = ", ".join(f"t = {int(t)}: {float(validation.sel(time=t)):.1%}" for t in validation["time"].values)
    return f"held-out images, {told}; of equal ones the earliest counts"


RIDDLES: dict[str, Riddle] = {
    "takeoff": Riddle(
        title="when learning takes off",
        unit="training steps",
        text=lambda outlook: (
            f"After how many training steps is some readout time first past {outlook.level:.0%} right? "
            f"(guessing: {outlook.chance:.0%})"
        ),
        choices=lambda outlook: [*outlook.milestones, NEVER],
        truth=_takeoff,
        because=_how_far,
    ),
    "first": Riddle(
        title="which readout time learns first",
        unit="steps",
        text=lambda outlook: f"Which readout time is first past {outlook.level:.0%}?",
        choices=lambda outlook: [*outlook.times, NEVER],
        truth=_first,
        because=_how_far,
    ),
    "best": Riddle(
        title="which readout time ends best",
        unit="steps",
        text=lambda outlook: "When it is over: at which readout time are most held-out images named right?",
        choices=lambda outlook: list(outlook.times),
        truth=_best,
        because=_validated,
    ),
}


class Forecast(widgets.VBox):
    """Ask before a training, tell when it has answered, and keep count.

    Parameters
    ----------
    question : str
        A key of `RIDDLES`, or "" for none.

    Attributes
    ----------
    question : str
    prediction : int or None
        None is not made yet.
    tries : list of (str, int)
        Unit and distance of each prediction that was told.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    question = traitlets.Unicode()
    prediction = traitlets.Int(None, allow_none=True)

    def __init__(self, question: str) -> None:
        if question and question not in RIDDLES:
            raise ValueError(unknown("question", question, RIDDLES))
        self.tries: list[tuple[str, int]] = []
        self._outlook = Outlook(1)
        self._waits = False
        self.menu = widgets.Dropdown(
            options=[JUST_WATCH, *((one.title, name) for name, one in RIDDLES.items())],
            value=question,
            description="predict",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="290px"),
        )
        self.text, self.result, self.answer = widgets.HTML(), widgets.HTML(), Choice()
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        super().__init__(
            [widgets.Box([self.menu, self.text], layout=row), widgets.Box([self.answer], layout=row), self.result],
            question=question,
        )
        traitlets.link((self, "question"), (self.menu, "value"))
        traitlets.link((self, "prediction"), (self.answer, "value"))
        self.observe(lambda _: self.ask(self._outlook), names="question")

    @property
    def missing(self) -> bool:
        """Whether a question is asked that has no answer yet."""
        return bool(self.question) and self.prediction is None

    def ask(self, outlook: Outlook) -> None:
        """Ask about another training; an answer that is still possible stays."""
        self._outlook, asked = outlook, RIDDLES.get(self.question)
        self._waits = False
        for control in (self.text, self.answer):
            control.layout.display = "none" if asked is None else ""
        if asked is None:
            self.prediction = None
            return
        choices = asked.choices(outlook)
        self.text.value = f'<div style="line-height:1.4">{html.escape(asked.text(outlook))}</div>'
        self.answer.label = "step" if asked.unit == "training steps" else "t (steps)"
        kept = self.prediction if self.prediction in choices else None
        self.answer.offer([Option(one, "never" if one == NEVER else f"{one:,}") for one in choices], kept)
        self.answer.disabled = False

    def hold(self) -> None:
        """Take the answer as it is: the training begins."""
        self._waits = bool(self.question)
        self.menu.disabled = self.answer.disabled = True
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
        asked, guess = RIDDLES.get(self.question), self.prediction
        if self._waits and asked is not None and guess is not None:
            whole = over and (curves.attrs["status"] == "finished" or asked is RIDDLES["best"])
            truth = asked.truth(self._outlook, curves, whole)
            if truth is not None:
                self._tell(asked, guess, truth, curves)
            elif over:
                self._waits = False
                self._say("The training ended before it could tell, so this prediction does not count.")
        if over:
            self.menu.disabled = self.answer.disabled = False
            # each training is predicted anew
            self.prediction = None

    def _tell(self, asked: Riddle, guess: int, truth: int, curves: xr.Dataset) -> None:
        self._waits = False
        distance = asked.distance(self._outlook, guess, truth)
        self.tries.append((asked.unit, distance))
        unit = asked.unit[:-1] if distance == 1 else asked.unit
        close = "exactly right" if distance == 0 else f"{distance:,} {unit} off"
        self._say(
            f"You said {asked.spelled(guess)}, it is {asked.spelled(truth)}: <b>{close}</b> "
            f"({html.escape(asked.because(self._outlook, curves, truth))}). So far: {tally(self.tries)}."
        )

    def _say(self, text: str) -> None:
        # as high as a line even when empty, so that nothing jumps
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'
