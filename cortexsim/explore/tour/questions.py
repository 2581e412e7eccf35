"""Questions and exercises of the first panel; every answer is read from the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cortexsim._support.percentages import percent
from cortexsim.explore.panel.asking import NEVER, Guess


@dataclass(frozen=True)
class Facts:
    """The results of a run that questions need.

    Parameters
    ----------
    last : str
        The state that is read out.
    n_transitions : int
        On the shortest path from the first state to it.
    holds : sequence of bool
        At each time from 0: True if the state is populated.
    right : sequence of (bool or None)
        At each time: True if this image was classified correctly; None where nothing can be read, or without a label.
    n : int
        Number of images in the batch.
    batch, control : sequence of (float or None)
        Accuracy at each time, of the model and of its feedforward control; empty until it is measured.
    chance : float
        Accuracy of guessing.
    starts : bool
        True if the start of the last state is given, so that it is populated before a signal reaches it.
    """

    last: str
    n_transitions: int
    holds: Sequence[bool]
    right: Sequence[bool | None]
    n: int = 0
    chance: float = 0.0
    batch: Sequence[float | None] = field(default_factory=list)
    control: Sequence[float | None] = field(default_factory=list)
    starts: bool = False

    @property
    def level(self) -> float:
        """Halfway between guessing and always right."""
        return (1 + self.chance) / 2

    @property
    def until(self) -> int:
        """The last time."""
        return len(self.holds) - 1

    @property
    def readable(self) -> list[int]:
        """The times at which something can be read."""
        return [time for time, holds in enumerate(self.holds) if holds]


@dataclass(frozen=True)
class Question(Guess):
    """A prediction to make while the part of the picture that shows the answer is covered.

    Parameters
    ----------
    cover : "readout" or "time"
        The part that stays hidden until the prediction is made.
    measured : "batch", "control" or ""
        The measurement that the answer needs.
    mark : "probability", "accuracy" or ""
        The chart in which the answer is marked.
    """

    cover: str = "readout"
    measured: str = ""
    mark: str = ""


def first_reached(facts: Facts) -> int:
    """Return the time at which a signal first reaches the last state."""
    if facts.starts:
        return facts.n_transitions if facts.n_transitions <= facts.until else NEVER
    return facts.readable[0] if facts.readable else NEVER


def settled_at(facts: Facts) -> int:
    """Return the first time from which the image is classified correctly at every later time."""
    since = NEVER
    for time in reversed(facts.readable):
        if not facts.right[time]:
            break
        since = time
    return since


def reaches_level(facts: Facts) -> int:
    """Return the first time at which the batch's accuracy is halfway between guessing and always right."""
    return next((time for time, value in enumerate(facts.batch) if value is not None and value >= facts.level), NEVER)


def control_last(facts: Facts) -> int:
    """Return the feedforward control's accuracy at its last readable time, in percent."""
    return round(100 * [value for value in facts.control if value is not None][-1])


def _anatomy(facts: Facts) -> str:
    if facts.starts:
        return (
            f"{facts.n_transitions} connections lead to {facts.last}, each takes one step: true by construction. "
            f"{facts.last} is populated from t = 0, because its start is given (zeros in CORnet-RT), but until then it "
            "is the same for every image."
        )
    if not facts.readable:
        return f"Nothing reaches {facts.last} by t = {facts.until}."
    return (
        f"{facts.n_transitions} connections lead to {facts.last}, each takes one step, and no training changes that: "
        "true by construction."
    )


def _this_image(facts: Facts) -> str:
    wrong = [time for time in facts.readable if not facts.right[time]]
    if not wrong:
        return "It was right at every time at which it could be read."
    return f"It was wrong at t = {', '.join(map(str, wrong))}."


def _growth(facts: Facts) -> str:
    known = [(time, value) for time, value in enumerate(facts.batch) if value is not None]
    (first, at_first), (last, at_last) = known[0], known[-1]
    return f"It gets {percent(at_first)} of {facts.n} right at t = {first}, {percent(at_last)} at t = {last}."


def _compared_with_model(facts: Facts) -> str:
    last = [value for value in facts.batch if value is not None][-1]
    return (
        f"Of {facts.n} images. The recurrent model gets {percent(last)} right at its last time; guessing gets "
        f"{facts.chance * 100:g} %."
    )


def _or_never(facts: Facts) -> list[int]:
    return [*facts.readable, NEVER]


def _percentages(facts: Facts) -> list[int]:
    return [percent for percent in range(0, 101, 5) if percent >= 100 * facts.chance - 5]


def after_the_last(facts: Facts) -> int:
    """Return the time that represents "never"."""
    return facts.until + 1


AT_A_TIME: dict[str, Any] = {"unit": "steps", "form": "t = {:g}", "label": "t (steps)", "never": after_the_last}

QUESTIONS: dict[str, Question] = {
    "arrival": Question(
        title="when a signal arrives",
        text=lambda facts: f"At which time does a signal first reach {facts.last}?",
        choices=lambda facts: [*range(facts.until + 1), NEVER],
        truth=first_reached,
        because=_anatomy,
        cover="time",
        **AT_A_TIME,
    ),
    "settled": Question(
        title="when this image is recognised",
        text="From which time on does the model classify this image correctly, and keep doing so?",
        choices=_or_never,
        truth=settled_at,
        because=_this_image,
        mark="probability",
        **AT_A_TIME,
    ),
    "batch": Question(
        title="when such images are recognised",
        text=lambda facts: (
            f"From which time on does the model get at least {facts.level * 100:g} % of {facts.n} such images right? "
            f"(Guessing gets {facts.chance * 100:g} %.)"
        ),
        choices=_or_never,
        truth=reaches_level,
        because=_growth,
        measured="batch",
        mark="accuracy",
        **AT_A_TIME,
    ),
    "control": Question(
        title="what a feedforward model reaches",
        text=lambda facts: (
            "A feedforward model has forward connections only. What percentage does it get right, the last time it can "
            f"be read? (Guessing gets {facts.chance * 100:g} %.)"
        ),
        choices=_percentages,
        truth=control_last,
        because=_compared_with_model,
        unit="percentage points",
        form="{:g} %",
        label="percent",
        measured="control",
    ),
}


PARTS: dict[str, tuple[str, ...]] = {
    "probability": ("settled",),
    "accuracy": ("batch", "control"),
    "control": ("control",),
}
"""The parts of the picture that show an answer, each with the questions any of which uncovers it."""


def _at(values: Sequence[float | None], time: int) -> float | None:
    return values[time] if time < len(values) else None


def _best(values: Sequence[float | None]) -> tuple[float, int] | None:
    """Return the highest accuracy and the first time of it."""
    known = [(value, -time) for time, value in enumerate(values) if value is not None]
    return (max(known)[0], -max(known)[1]) if known else None


def _after_flash(facts: Facts) -> float | None:
    at = _at(facts.batch, 8)
    return None if at is None else round(100 * at, 1)


def _why_after_flash(facts: Facts) -> str:
    known = [f"t = {time}: {percent(value, 1)}" for time, value in enumerate(facts.batch) if value is not None]
    if not known:
        return "The accuracies are not measured yet: wait until they are drawn."
    return (
        f"Of {facts.n} images, {', '.join(known)}. The picture is gone, but the network keeps working on what it saw."
    )


def _ahead(facts: Facts) -> float | None:
    own, other = _best(facts.batch), _best(facts.control)
    return None if own is None or other is None else round(100 * (own[0] - other[0]), 1)


def _why_ahead(facts: Facts) -> str:
    own, other = _best(facts.batch), _best(facts.control)
    if own is None or other is None:
        return "The accuracies of both models are not measured yet: wait until they are drawn."
    return (
        f"Of {facts.n} images the recurrent model gets {percent(own[0], 1)} right at t = {own[1]}, the feedforward "
        f"control {percent(other[0], 1)} at t = {other[1]}. The benefit of recurrence depends on the task."
    )


EXERCISES: dict[str, Guess] = {
    "after-a-flash": Guess(
        "after a flash",
        "Show long curves for one step only, as a flash. What percentage of such images does the recurrent model "
        "classify correctly at t = 8, long after the image has gone?",
        tuple(range(50, 101, 5)),
        _after_flash,
        _why_after_flash,
        unit="percent",
        needs={"task": "contours", "difficulty": "long", "kind": "flash", "duration": 1},
        within=2.5,
    ),
    "another-task": Guess(
        "another task",
        "Choose digits, heavily occluded. By how many percentage points is the recurrent model more accurate than its "
        "feedforward control, each at its best time? (Negative: it is less accurate.)",
        tuple(range(-20, 45, 5)),
        _ahead,
        _why_ahead,
        unit="percentage points",
        needs={"task": "digits", "difficulty": "heavy"},
        within=2.5,
    ),
}
