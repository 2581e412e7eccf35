"""What a person predicts before looking, and how close it was; every answer is read off what was run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cortexsim.explore.panel.asking import NEVER, Guess


@dataclass(frozen=True)
class Facts:
    """What was run, as far as a question needs it.

    Parameters
    ----------
    last : str
        The state that is read out.
    n_transitions : int
        On the shortest way from the first state to it.
    holds : sequence of bool
        Whether it holds something, at each time from 0.
    right : sequence of (bool or None)
        Whether this image was named right at each time; None where there is nothing to read or no label.
    n : int
        Images in the batch.
    batch, sibling : sequence of (float or None)
        Accuracy at each time, of the model and of its feedforward sibling; empty while not measured.
    chance : float
        Accuracy of guessing.
    """

    last: str
    n_transitions: int
    holds: Sequence[bool]
    right: Sequence[bool | None]
    n: int = 0
    chance: float = 0.0
    batch: Sequence[float | None] = field(default_factory=list)
    sibling: Sequence[float | None] = field(default_factory=list)

    @property
    def level(self) -> float:
        """Halfway between guessing and always right."""
        return (1 + self.chance) / 2

    @property
    def until(self) -> int:
        """Last time."""
        return len(self.holds) - 1

    @property
    def readable(self) -> list[int]:
        """The times at which something can be read."""
        return [time for time, holds in enumerate(self.holds) if holds]


@dataclass(frozen=True)
class Question(Guess):
    """A prediction to make while what would give it away is covered.

    Parameters
    ----------
    cover : "readout" or "time"
        What stays hidden until it is made.
    measured : "batch", "sibling" or ""
        What has to be measured first.
    mark : "probability", "accuracy" or ""
        The chart in which times of this question are marked.
    """

    cover: str = "readout"
    measured: str = ""
    mark: str = ""


def first_held(facts: Facts) -> int:
    """Return the time at which the last state first holds something."""
    return facts.readable[0] if facts.readable else NEVER


def right_for_good(facts: Facts) -> int:
    """Return the first time from which on the image is named right at every later time, too."""
    settled = NEVER
    for time in reversed(facts.readable):
        if not facts.right[time]:
            break
        settled = time
    return settled


def reaches_level(facts: Facts) -> int:
    """Return the first time at which the batch's accuracy is halfway between guessing and always right."""
    return next((time for time, value in enumerate(facts.batch) if value is not None and value >= facts.level), NEVER)


def sibling_last(facts: Facts) -> int:
    """Return the feedforward sibling's accuracy at its last readable time, in percent."""
    return round(100 * [value for value in facts.sibling if value is not None][-1])


def _anatomy(facts: Facts) -> str:
    if not facts.readable:
        return f"Nothing reaches {facts.last} by t = {facts.until}."
    return (
        f"{facts.n_transitions} transitions lead to {facts.last}, each takes one step, and no training changes that: "
        "true by construction."
    )


def _this_image(facts: Facts) -> str:
    wrong = [time for time in facts.readable if not facts.right[time]]
    if not wrong:
        return "It was never wrong, from the first time at which it could be read."
    return f"It was wrong at t = {', '.join(map(str, wrong))}."


def _growth(facts: Facts) -> str:
    known = [(time, value) for time, value in enumerate(facts.batch) if value is not None]
    (first, at_first), (last, at_last) = known[0], known[-1]
    return f"{at_first:.0%} of {facts.n} were named right at t = {first}, {at_last:.0%} at t = {last}."


def _beside(facts: Facts) -> str:
    last = [value for value in facts.batch if value is not None][-1]
    return (
        f"Of {facts.n} images; the recurrent model names {last:.0%} right at its last time, guessing "
        f"{facts.chance:.0%}."
    )


def _or_never(facts: Facts) -> list[int]:
    return [*facts.readable, NEVER]


def _percentages(facts: Facts) -> list[int]:
    return [percent for percent in range(0, 101, 5) if percent >= 100 * facts.chance - 5]


def after_the_last(facts: Facts) -> int:
    """Return as what time never counts."""
    return facts.until + 1


AT_A_TIME: dict[str, Any] = {"unit": "steps", "form": "t = {:g}", "label": "t (steps)", "never": after_the_last}

QUESTIONS: dict[str, Question] = {
    "arrival": Question(
        title="when a signal arrives",
        text=lambda facts: f"At which time does {facts.last} hold something for the first time?",
        choices=lambda facts: [*range(facts.until + 1), NEVER],
        truth=first_held,
        because=_anatomy,
        cover="time",
        **AT_A_TIME,
    ),
    "settled": Question(
        title="when this image is known",
        text="From which time on is the model right about this image, for good?",
        choices=_or_never,
        truth=right_for_good,
        because=_this_image,
        mark="probability",
        **AT_A_TIME,
    ),
    "batch": Question(
        title="when such images are known",
        text=lambda facts: (
            f"At which time are {facts.level:.0%} of {facts.n} such images first named right? "
            f"(guessing: {facts.chance:.0%})"
        ),
        choices=_or_never,
        truth=reaches_level,
        because=_growth,
        measured="batch",
        mark="accuracy",
        **AT_A_TIME,
    ),
    "sibling": Question(
        title="what the sibling reaches",
        text=lambda facts: (
            "What percentage does the feedforward sibling name right, the last time it can be read? "
            f"(guessing: {facts.chance:.0%})"
        ),
        choices=_percentages,
        truth=sibling_last,
        because=_beside,
        unit="points",
        form="{:g} %",
        label="percent",
        measured="sibling",
    ),
}


def _at(values: Sequence[float | None], time: int) -> float | None:
    return values[time] if time < len(values) else None


def _best(values: Sequence[float | None]) -> tuple[float, int] | None:
    """Return the highest accuracy and the first time of it."""
    known = [(value, -time) for time, value in enumerate(values) if value is not None]
    return (max(known)[0], -max(known)[1]) if known else None


def _kept(facts: Facts) -> float | None:
    at = _at(facts.batch, 8)
    return None if at is None else round(100 * at, 1)


def _why_kept(facts: Facts) -> str:
    known = [f"t = {time}: {value:.1%}" for time, value in enumerate(facts.batch) if value is not None]
    if not known:
        return "The accuracies are not measured yet: wait until they are drawn."
    return f"Of {facts.n} images, {', '.join(known)}. What is not shown any more is still held, and worked on."


def _ahead(facts: Facts) -> float | None:
    own, other = _best(facts.batch), _best(facts.sibling)
    return None if own is None or other is None else round(100 * (own[0] - other[0]), 1)


def _why_ahead(facts: Facts) -> str:
    own, other = _best(facts.batch), _best(facts.sibling)
    if own is None or other is None:
        return "The accuracies of both models are not measured yet: wait until they are drawn."
    return (
        f"Of {facts.n} images the recurrent model names {own[0]:.1%} right at t = {own[1]}, the sibling {other[0]:.1%} "
        f"at t = {other[1]}. Whether recurrence pays depends on the task."
    )


EXERCISES: dict[str, Guess] = {
    "after-a-flash": Guess(
        "after a flash",
        "Show long curves for one step only, as a flash. How many percent of such images does the recurrent model "
        "name right at t = 8, long after the image has gone?",
        tuple(range(50, 101, 5)),
        _kept,
        _why_kept,
        unit="percent",
        needs={"task": "contours", "difficulty": "long", "kind": "flash", "duration": 1},
        within=2.5,
    ),
    "another-task": Guess(
        "another task",
        "Choose digits, heavily occluded. By how many points is the recurrent model ahead of its feedforward sibling, "
        "each at the time at which it is best? Below 0: it is behind.",
        tuple(range(-20, 45, 5)),
        _ahead,
        _why_ahead,
        unit="points",
        needs={"task": "digits", "difficulty": "heavy"},
        within=2.5,
    ),
}
