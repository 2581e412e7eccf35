"""Questions and exercises of the panel on change, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.explore.changes.summaries import CENTRED, OWN_SCALE, RAW, SCALINGS
from cortexsim.explore.panel.asking import Guess

PERCENT = tuple(range(0, 101, 10))
POINTS = tuple(range(-5, 45, 5))


def percent_correct(result: xr.Dataset, train: int, test: int) -> float | None:
    """Return the accuracy at one time of a decoder trained at another, in percent; None where one is empty."""
    scores = result["temporal_generalization"]
    if not {train, test} <= set(scores["train_time"].values.tolist()):
        return None
    value = float(scores.sel(train_time=train, test_time=test))
    return None if np.isnan(value) else round(100 * value, 1)


def mean_loss(result: xr.Dataset, scaling: str | None = None) -> float | None:
    """Return the percentage points that a decoder loses at another time, relative to one trained there.

    The mean over all pairs of different times, with the panel's scaling or another; None if there are none.
    """
    scores = (
        result["temporal_generalization"] if scaling is None else result["by_scaling"].sel(scaling=scaling)
    ).values
    loss = np.diag(scores) - scores
    pairs = np.isfinite(loss) & ~np.eye(len(scores), dtype=bool)
    return round(100 * float(loss[pairs].mean()), 1) if pairs.any() else None


def losses(result: xr.Dataset) -> str:
    """Write the mean loss with each scaling."""
    found = [f"{name} {mean_loss(result, name)}" for name in SCALINGS]
    return f"{', '.join(found)} percentage points"


def _about(train: int, test: int) -> Callable[[xr.Dataset], str]:
    def text(result: xr.Dataset) -> str:
        across, within = percent_correct(result, train, test), percent_correct(result, test, test)
        if across is None or within is None:
            return f"{result.attrs['state']} is empty at t = {train} or t = {test}."
        return (
            f"In {result.attrs['state']} ({result.attrs['quantity_text']}), a decoder trained at t = {train} is right "
            f"on {across:.0f} % of the images at t = {test}; one trained at t = {test} is right on {within:.0f} % "
            f"({result.attrs['n']} images, chance {percent(result.attrs['chance'])})."
        )

    return text


def _digits(**choices: str) -> dict[str, str]:
    return {"task": "digits", **choices}


def _decoded(title: str, question: str, train: int, test: int, **choices: str) -> Guess:
    """Ask how often a decoder that is trained at one time is right at another, in percent."""
    return Guess(
        title,
        question,
        PERCENT,
        lambda result: percent_correct(result, train, test),
        _about(train, test),
        unit="percent",
        needs=_digits(**choices),
        within=5,
    )


QUESTIONS: Mapping[str, Guess] = {
    "generalizes": _decoded(
        "is the code of t = 3 that of t = 8?",
        "Digits, sustained, and IT read as a rate. A decoder is trained at t = 3 and tested on other images at t = 8. "
        "What percentage of them does it classify correctly? (Chance is about 10.)",
        train=3,
        test=8,
        quantity="rate",
        scaling=RAW,
        presentation="sustained",
        state="IT",
    ),
    "backwards": _decoded(
        "and in the state, backwards?",
        "Now V4, read as the state itself. A decoder is trained at t = 8 and tested at t = 3. What percentage of the "
        "images does it classify correctly?",
        train=8,
        test=3,
        quantity="state",
        scaling=RAW,
        presentation="sustained",
        state="V4",
    ),
    "only-scale": Guess(
        "only a shift?",
        "V4's state again. Now the mean over all images is removed from each unit, at each time; nothing else changes. "
        "How many percentage points does a decoder lose at another time, on average? (As it is, the loss is written "
        "over the left matrix.)",
        POINTS,
        lambda result: mean_loss(result, CENTRED),
        lambda result: f"Mean loss in {result.attrs['state']}: {losses(result)}.",
        unit="percentage points",
        needs=_digits(quantity="state", presentation="sustained", state="V4"),
        within=2.5,
    ),
}

EXERCISES: Mapping[str, Guess] = {
    "after-a-flash": _decoded(
        "a code that changes",
        "Flash the digits, and standardize the state of V4 at each time, so that its scale cannot change. A decoder is "
        "trained at t = 3 and tested at t = 12. What percentage of the images does it classify correctly?",
        train=3,
        test=12,
        quantity="state",
        scaling=OWN_SCALE,
        presentation="flash",
        state="V4",
    ),
}
