"""The question of the panel on a sweep."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cortexsim.explore.panel.asking import Guess

AXES = {"noise": "noise", "mask": "presentation"}


def spread(result: xr.Dataset, axis: str) -> int:
    """Return how far the averages along an axis lie apart at the last time, in percentage points."""
    last = result["accuracy"].isel(time=-1)
    averages = last.mean([dim for dim in last.dims if dim != axis])
    return round(100 * float(averages.max() - averages.min()))


def _larger(result: xr.Dataset) -> str | None:
    """Return the axis that matters more; None if a point is missing, which would change its averages."""
    if bool(result["accuracy"].isel(time=-1).isnull().any()):
        return None
    return max(AXES, key=lambda name: spread(result, AXES[name]))


def _spreads(result: xr.Dataset) -> str:
    if _larger(result) is None:
        return "A point has no accuracy; repeat what failed."
    noise, mask = (spread(result, axis) for axis in AXES.values())
    return (
        f"From the worst to the best value, averaged over the other axis, at t = {int(result['time'][-1])}: "
        f"noise {noise} percentage points, mask {mask}."
    )


QUESTIONS: Mapping[str, Guess] = {
    "axis": Guess(
        "which axis matters more?",
        "Each cell is a recording of its own, with one strength of the noise in all areas and one onset of the mask. "
        "Which of the two changes accuracy at the last time more, averaged over the other?",
        tuple(AXES),
        _larger,
        _spreads,
        needs={"grid": "mask"},
    )
}
