"""Questions and exercises of the panel on readout times, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.studies.phrases import percentage

CALIBRATED, HELD, POOLED = "of each time", "held", "shared over time"
AS_TRAINED = "as trained"
PERCENT = tuple(range(0, 101, 10))
POINTS = tuple(range(0, 101, 10))


def percent_correct(result: xr.Dataset, kind: str, time: int) -> float | None:
    """Return the recurrent model's accuracy with a kind of statistics, in percent; None where there is none."""
    curve = _curve(result, kind)
    if curve is None or time not in curve["time"].values or bool(curve.sel(time=time).isnull()):
        return None
    return round(100 * float(curve.sel(time=time)), 1)


def accuracy_at(result: xr.Dataset, kind: str, time: int) -> str:
    """Write that accuracy with its interval."""
    curve = _curve(result, kind)
    if curve is None or percent_correct(result, kind, time) is None:
        return f"nothing was measured at t = {time} with statistics {kind}"
    at = curve.sel(time=time)
    return percentage(float(at), float(at["low"]), float(at["high"]))


def interval_at(result: xr.Dataset, kind: str, time: int) -> str:
    """Write the interval of an accuracy that was given before."""
    return f"95 % interval: {accuracy_at(result, kind, time).partition('(')[2].rstrip(')')}"


def largest_loss(result: xr.Dataset) -> tuple[float, int] | None:
    """Return the largest loss by held statistics, in percentage points, and its time."""
    calibrated, held = _curve(result, CALIBRATED), _curve(result, HELD)
    if calibrated is None or held is None:
        return None
    lost = 100 * (calibrated.values - held.values)
    place = int(np.nanargmax(lost))
    return round(float(lost[place]), 1), int(calibrated["time"][place])


def _curve(result: xr.Dataset, kind: str) -> xr.DataArray | None:
    """Return the recurrent model's accuracy over time with a kind of statistics."""
    kinds = result["kind"].values.tolist()
    return result["accuracy"].sel(model="recurrent").isel(statistics=kinds.index(kind)) if kind in kinds else None


def _loss_alone(result: xr.Dataset) -> float | None:
    found = largest_loss(result)
    return None if found is None else found[0]


def _about_loss(result: xr.Dataset) -> str:
    found = largest_loss(result)
    if found is None:
        return "This needs both curves: statistics of each time, and held."
    time = found[1]
    return (
        f"The largest loss is at t = {time}: {accuracy_at(result, CALIBRATED, time)} with statistics of that time, "
        f"{accuracy_at(result, HELD, time)} with those of t = {result.attrs['held_from']}. Weights and images are the "
        "same."
    )


def _about_pooled(result: xr.Dataset) -> str:
    time = result.attrs["readout_time"]
    return (
        f"{interval_at(result, POOLED, time)}. With statistics of each time: {accuracy_at(result, CALIBRATED, time)}, "
        f"over {result.attrs['n']} images; chance is {percent(result['accuracy'].attrs['chance'])}."
    )


def _about_twice(result: xr.Dataset) -> str:
    time = result.attrs["readout_time"]
    return (
        f"{interval_at(result, CALIBRATED, 2 * time)}. At the trained t = {time}: "
        f"{accuracy_at(result, CALIBRATED, time)}."
    )


QUESTIONS: Mapping[str, Guess] = {
    "pooled": Guess(
        "one set of statistics for all times",
        "The model is read out at the time it was trained for, but each feature is normalized by its mean and standard "
        "deviation over all times together. What percentage of the images does it classify correctly?",
        PERCENT,
        lambda result: percent_correct(result, POOLED, result.attrs["readout_time"]),
        _about_pooled,
        unit="percent",
        within=5,
    ),
    "twice": Guess(
        "twice the trained time",
        "The model is read out at twice the time it was trained for, with statistics of that time. What percentage of "
        "the images does it classify correctly?",
        PERCENT,
        lambda result: percent_correct(result, CALIBRATED, 2 * result.attrs["readout_time"]),
        _about_twice,
        unit="percent",
        within=5,
    ),
}

STATED: Mapping[str, Sequence[tuple[str, int]]] = {
    "pooled": ((CALIBRATED, 1), (POOLED, 1)),
    "twice": ((CALIBRATED, 1), (CALIBRATED, 2)),
}
"""The accuracies that a verdict states, by kind of statistics and multiple of the trained time."""

EXERCISES: Mapping[str, Guess] = {
    "from-arrival": Guess(
        "held from the arrival on",
        "Contours, sustained: hold the statistics constant from t = 3 on, when the signal has just reached IT. How "
        "many percentage points does that cost at the time at which it costs most?",
        POINTS,
        _loss_alone,
        _about_loss,
        unit="percentage points",
        needs={"task": "contours", "presentation": "sustained", "held_from": 3, "calibration": AS_TRAINED},
        within=6,
    ),
    "few-images": Guess(
        "statistics of ten images",
        "Contours, sustained: take the statistics of each time from only 10 training images. What percentage of the "
        "images does the model classify correctly at t = 8?",
        PERCENT,
        lambda result: percent_correct(result, CALIBRATED, 8),
        lambda result: (
            f"{interval_at(result, CALIBRATED, 8)}. At t = 4: {accuracy_at(result, CALIBRATED, 4)}, over "
            f"{result.attrs['n']} images. The pretrained model has statistics of 2,000 images."
        ),
        unit="percent",
        needs={"task": "contours", "presentation": "sustained", "calibration": "10 images"},
        within=6,
    ),
}
