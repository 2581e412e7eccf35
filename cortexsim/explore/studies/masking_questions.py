"""Questions and exercises of the masking panel, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.studies.phrases import percentage

OWN, TRIALS, FLASHES = "as trained", "these trials", "flashes without a mask"
POINTS = tuple(range(-10, 55, 5))


def recurrent_accuracy(result: xr.Dataset, soa: int) -> xr.DataArray:
    """Return the recurrent model's accuracy at an SOA, by mask."""
    return result["accuracy"].sel(model="recurrent", soa=soa).isel(duration=0, missing_dims="ignore")


def cost_of_mask(result: xr.Dataset, soa: int = 1) -> float | None:
    """Return the percentage points that the mask costs at an SOA, relative to the same flash without a mask.

    None if the mask cannot have reached the readout.
    """
    accuracy = recurrent_accuracy(result, soa)
    mask = next(str(name) for name in accuracy["mask"].values if str(name) not in ("target", "blank"))
    return _points(accuracy.sel(mask="blank") - accuracy.sel(mask=mask))


def _points(difference: xr.DataArray) -> float | None:
    return None if bool(difference.isnull()) else round(100 * float(difference), 1) + 0.0


def cost_of_target(result: xr.Dataset) -> float | None:
    """Return the percentage points that the target costs as its own mask at SOA 1."""
    accuracy = recurrent_accuracy(result, 1)
    return _points(accuracy.sel(mask="blank") - accuracy.sel(mask="target"))


def _of_noise(result: xr.Dataset) -> str:
    """Write the accuracies whose difference is the cost of the mask, without that of the target as its own mask."""
    return accuracies(result, without="target")


def accuracies(result: xr.Dataset, *, without: str = "") -> str:
    """Write the accuracies at SOA 1 whose differences are costs, each with its interval, without one of the masks."""
    accuracy = recurrent_accuracy(result, 1)
    parts = []
    for mask in accuracy["mask"].values.tolist():
        if mask == without:
            continue
        at = accuracy.sel(mask=mask)
        after = {"blank": "without a mask", "target": "after the target itself"}.get(mask, f"after {mask}")
        parts.append(f"{percentage(float(at), float(at['low']), float(at['high']))} {after}")
    return f"{', '.join(parts)}: {accuracy.attrs['interval']}, read at t = {result.attrs['readout_time']}."


QUESTIONS: Mapping[str, Guess] = {
    "earliest": Guess(
        "what the earliest mask costs",
        "With λ as trained: how many percentage points does a noise mask at SOA 1 cost, relative to the same flash "
        "without a mask? (Negative: the mask helps.)",
        POINTS,
        cost_of_mask,
        _of_noise,
        unit="percentage points",
        needs={"shortcut": OWN},
        within=2.5,
    ),
    "itself": Guess(
        "the target as its own mask",
        "The target is shown again as its own mask, one step later, so nothing new comes in. How many percentage "
        "points does that cost?",
        POINTS,
        cost_of_target,
        lambda result: (
            f"{accuracies(result)} The cost of the target as its own mask is no interruption: it only shows that more "
            f"input came. Noise costs {cost_of_mask(result):.1f} percentage points there."
        ),
        unit="percentage points",
        within=2.5,
    ),
    "leakier": Guess(
        "a leakier cortex",
        "With a shortcut weight λ of 0.25, half of its value in training, each area retains less of its past activity. "
        "How many percentage points does a noise mask at SOA 1 cost, relative to the same flash without a mask?",
        POINTS,
        cost_of_mask,
        lambda result: f"{_of_noise(result)} The convolutions are those that were trained with another λ.",
        unit="percentage points",
        needs={"shortcut": "0.25"},
        within=2.5,
    ),
}

EXERCISES: Mapping[str, Guess] = {
    "late-readout": Guess(
        "read out later",
        "Read out at t = 12 instead of 8, with everything else as at the start. How many percentage points does a "
        "noise mask at SOA 1 cost now?",
        POINTS,
        cost_of_mask,
        accuracies,
        unit="percentage points",
        needs={"readout_time": 12, "statistics": OWN, "mask": "noise", "targets": "1", "shortcut": OWN},
        within=2.5,
    ),
    "other-statistics": Guess(
        "other statistics",
        "Take the statistics from flashes without a mask, with everything else as at the start. How many percentage "
        "points does a noise mask at SOA 1 cost now?",
        POINTS,
        cost_of_mask,
        lambda result: (
            f"{accuracies(result)} Weights and images are the same as before; only the statistics that normalize each "
            "feature changed. A cost that depends on the statistics is no evidence for interruption."
        ),
        unit="percentage points",
        needs={"readout_time": 8, "statistics": FLASHES, "mask": "noise", "targets": "1", "shortcut": OWN},
        within=2.5,
    ),
}
