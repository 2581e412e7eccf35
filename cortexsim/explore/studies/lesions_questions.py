"""Questions and exercises of the lesion panel, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.studies.phrases import percentage_points

PERCENT = tuple(range(40, 105, 5))
POINTS = tuple(range(-10, 60, 5))


def cost(result: xr.Dataset, version: str) -> float | None:
    """Return the percentage points of accuracy that a version costs at the last time; None where it has none."""
    return _last(result, version, "accuracy_difference", -100)


def remaining_accuracy(result: xr.Dataset, version: str) -> float | None:
    """Return the accuracy of a version at the last time, in percent; None where it has none."""
    return _last(result, version, "accuracy", 100)


def _last(result: xr.Dataset, version: str, name: str, scale: int) -> float | None:
    if version not in result["version"].values:
        return None
    value = result[name].sel(version=version).isel(time=-1)
    return None if bool(value.isnull()) else round(scale * float(value), 1) + 0.0  # avoids -0


def accuracies(result: xr.Dataset) -> str:
    """Write the accuracy of the intact model, and the cost of each version with its interval."""
    last = result.isel(time=-1)
    parts = []
    for version in result["version"].values.tolist():
        value, low, high = (
            float(last[f"accuracy_difference{end}"].sel(version=version)) for end in ("", "_low", "_high")
        )
        parts.append(f"{version} {'nothing to read out' if value != value else percentage_points(value, low, high)}")
    # if no version can be read out, there is nothing to compare the intact model with
    intact = float(last["accuracy_intact"].max())
    said = "" if intact != intact else f"intact {percent(intact, 1)} right; "
    which = f"{result.attrs['what']}, read at t = {int(last['time'])}, {result.attrs['n']} images"
    return f"{which[:1].upper()}{which[1:]}: {said}change in percentage points: {', '.join(parts)}."


def _throughout(value: Callable[[xr.Dataset], float | None]) -> Callable[[xr.Dataset], float | None]:
    """Accept only a lesion at all times as an answer."""
    return lambda result: value(result) if result.attrs["throughout"] else None


def _explained(text: Callable[[xr.Dataset], str]) -> Callable[[xr.Dataset], str]:
    """Say why a lesion at some of the times is not an answer."""
    return lambda result: (
        text(result) if result.attrs["throughout"] else "The window must be the whole time, from t = 1 to the last."
    )


QUESTIONS: Mapping[str, Guess] = {
    "lateral": Guess(
        "without lateral connections",
        "The connections of every area with itself are cut throughout, and the statistics stay as they were (acute). "
        "What percentage of images is classified correctly at the end? (Chance for two classes is 50.)",
        PERCENT,
        _throughout(lambda result: remaining_accuracy(result, "acute")),
        _explained(lambda result: "The other two versions are reported below."),
        unit="percent",
        needs={"connections": "lateral", "strength": 0.0},
        within=2.5,
    ),
    "feedback": Guess(
        "without feedback",
        "All connections from later areas to earlier ones are cut throughout (acute). How many percentage points of "
        "accuracy does that cost at the end? (Negative: it helps.)",
        POINTS,
        _throughout(lambda result: cost(result, "acute")),
        _explained(lambda result: "This shows what this model depends on, not what feedback is for."),
        unit="percentage points",
        needs={"connections": "feedback", "strength": 0.0},
        within=2.5,
    ),
}

EXERCISES: Mapping[str, Guess] = {
    "one-area": Guess(
        "one area",
        "Cut only V1->V1, throughout, with everything else as at the start. How many percentage points does the acute "
        "version cost at the end?",
        POINTS,
        _throughout(lambda result: cost(result, "acute")),
        _explained(accuracies),
        unit="percentage points",
        needs={"connections": "V1->V1", "strength": 0.0, "presentation": "sustained"},
        within=2.5,
    ),
    "late": Guess(
        "late and recalibrated",
        "Cut all lateral connections at t = 7 and 8 only, when nearly all decisions have long been correct. What "
        "percentage of images does the recalibrated version classify correctly at t = 8?",
        PERCENT,
        lambda result: remaining_accuracy(result, "recalibrated"),
        lambda result: (
            f"{accuracies(result)} The answer had been there since t = 5, so the effect of so late a cut does not show "
            "that a step of the computation is missing."
        ),
        unit="percent",
        needs={"connections": "lateral", "strength": 0.0, "window": (7, 8), "presentation": "sustained"},
        within=2.5,
    ),
}
