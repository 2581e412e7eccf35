"""The predictions that the tracer panel asks for, each made by dragging a ring on one of its charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cortexsim.explore.panel.asking import Guess

MOST_STEPS = 70
CONTROL_LENGTH = 40  # px


def _from_the_browser(_: object) -> None:
    """Return None: the truth is computed in the browser, where the model runs."""


STEPS_GROW = "One step reaches one pixel further along the curve: the wave crosses a longer curve in more steps."
BEYOND_TRAINING = (
    "It was trained for 12 steps on curves of up to 10 px. More steps of the same computation carry it further; both "
    "charts now show test curves of several lengths."
)
DEPTH_IS_FIXED = (
    "50 % is guessing. It is right on nearly all curves of up to 10 px, which it was trained on, but it answers after "
    "a fixed number of layers and cannot take more time. (A net that is trained on longer curves can solve them.)"
)

QUESTIONS: Mapping[str, Guess] = {
    "nine-pixels": Guess(
        "a curve of 9 px",
        "The dot's curve is 9 px long. After how many steps is every line pixel right? Drag the ring on the lower "
        "chart.",
        choices=range(MOST_STEPS + 1),
        truth=_from_the_browser,
        because=lambda _: STEPS_GROW,
        unit="steps",
        within=2,
    ),
    "forty-pixels": Guess(
        "a curve of 40 px",
        "Now 40 px, four times longer than any curve it was trained on. How many steps? (0: it never gets there.)",
        choices=range(MOST_STEPS + 1),
        truth=_from_the_browser,
        because=lambda _: BEYOND_TRAINING,
        unit="steps",
        within=4,
    ),
    "deep-control": Guess(
        "24 layers, 40 px",
        "A feedforward net of 24 layers learned the same short curves. Does a far point lie on the dot's curve? "
        "Predict its percentage right at 40 px: drag on the upper chart.",
        choices=range(101),
        truth=_from_the_browser,
        because=lambda _: DEPTH_IS_FIXED,
        unit="percent",
        within=5,
    ),
}


@dataclass(frozen=True)
class Place:
    """Place of a question, and the curves that it is about.

    Attributes
    ----------
    chart : "steps" or "accuracy"
    length : int
        Of the curves, px.
    size : int
        Of the canvas, px.
    seed : int or None
        Of the curves that are drawn; None for a question about the drawing that is there.
    """

    chart: str
    length: int
    size: int = 48
    seed: int | None = None


PLACES: Mapping[str, Place] = {
    "nine-pixels": Place("steps", 9, size=32, seed=393),
    "forty-pixels": Place("steps", 40, seed=58),
    "deep-control": Place("accuracy", CONTROL_LENGTH),
}


def asked(control_percent: float) -> list[dict[str, Any]]:
    """Return the questions as `Questions` of the page reads them.

    Parameters
    ----------
    control_percent : float
        Accuracy of the 24-layer control on test curves of `CONTROL_LENGTH`.
    """
    return [
        {
            "name": name,
            "text": guess.asked(None),
            "because": guess.because(None),
            "unit": guess.written_unit,
            "within": guess.within,
            "most": max(guess.offered(None)),
            "chart": PLACES[name].chart,
            "at": PLACES[name].length if PLACES[name].chart == "steps" else None,
            "length": PLACES[name].length,
            "size": PLACES[name].size,
            "seed": PLACES[name].seed,
            "truth": control_percent if name == "deep-control" else None,
        }
        for name, guess in QUESTIONS.items()
    ]
