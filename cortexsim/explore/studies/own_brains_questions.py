"""Questions and exercises of the panel on your own brain data, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from cortexsim.analyse._compare_rdms import TITLES
from cortexsim.explore.panel.asking import Guess

EXAMPLE = {"images": "", "brain": "", "presentation": "sustained", "metric": "correlation"}
NONE = "none of them"
BEST = ("trained IT", "untrained IT", "the pixels", NONE)


def best_agreement(result: xr.Dataset) -> str | None:
    """Return what agrees best at the last time: `NONE` if no interval lies above 0, None if it is not in `BEST`."""
    if "brain_time" in result.dims:
        return None
    values, last = _at_last_time(result), result["similarity"].isel(state=-1, time=-1)
    lowest = dict(zip(values, [*last["low"].values, result["pixels_low"].item()], strict=True))
    above = {name: value for name, value in values.items() if lowest[name] > 0}
    best = max(above, key=lambda name: above[name]) if above else NONE
    return best if best in BEST else None


def agreements(result: xr.Dataset) -> str:
    """Write the agreement of the last state, of the untrained one and of the pixels at the last time."""
    if "brain_time" in result.dims:
        return "Brain data with a time axis have no single answer."
    last = result["similarity"].isel(state=-1, time=-1)
    ends = [*zip(last["low"].values, last["high"].values, strict=True), (result["pixels_low"], result["pixels_high"])]
    values = ", ".join(
        f"{name} {value:z.2f} ({low:z.2f} to {high:z.2f})"
        for (name, value), (low, high) in zip(_at_last_time(result).items(), np.array(ends, float), strict=True)
    )
    gained = float(last["training"]), float(last["training_low"]), float(last["training_high"])
    return (
        f"{TITLES[result.attrs['method']]} at t = {int(last['time'])}: {values}; trained minus untrained "
        "{:+z.2f} ({:z.2f} to {:z.2f}).".format(*gained)
    )


def _at_last_time(result: xr.Dataset) -> dict[str, float]:
    """Return the agreement of the last state, of the untrained one and of the pixels at the last time."""
    last = result["similarity"].isel(state=-1, time=-1)
    state = str(last["state"].item())
    values = {f"{model} {state}": float(last.sel(model=model)) for model in ("trained", "untrained")}
    return {**values, "the pixels": float(result["pixels"])}


QUESTIONS: Mapping[str, Guess] = {
    "best": Guess(
        "which agrees best",
        "The example's matrix has 1 for different digits, 0 for the same. Which agrees best at the last time? "
        "(None: all intervals include 0.)",
        BEST,
        best_agreement,
        agreements,
        needs={**EXAMPLE, "model": "digits"},
    )
}

EXERCISES: Mapping[str, Guess] = {
    "another-task": Guess(
        "a model of another task",
        "Choose the model that learned to trace contours, with everything else as at the start: digits are new to it. "
        "Which dissimilarities agree best with the labels now? (None of them: every interval includes 0.)",
        BEST,
        best_agreement,
        lambda result: f"{agreements(result)} Without the baselines, this number could not be interpreted.",
        needs={**EXAMPLE, "model": "contours"},
    ),
    "pearson": Guess(
        "the same question with another correlation",
        "Choose the digits model again, and compare by «Pearson correlation» (under «more settings»). Does trained IT "
        "still agree best?",
        ("yes", "no"),
        lambda result: "yes" if best_agreement(result) == BEST[0] else "no",
        agreements,
        needs={**EXAMPLE, "model": "digits", "method": "pearson"},
    ),
}
