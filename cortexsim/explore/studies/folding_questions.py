"""Questions and exercises of the panel on folding, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.studies.folding_forms import FEATURES, N_IMAGES

SHARED, OWN = "shared by all steps", "of its own at each step"
EACH, ONE = "of each step", "one set for all steps"
SAME, ROUNDING, PART, WHOLE = "none, to the last bit", "rounding", "a small part of it", "of the same size"
ROUNDED = 1e-6  # of the largest value: differences of rounding in float64 are far smaller
SIZES = (SAME, ROUNDING, PART, WHOLE)


def largest_difference(result: xr.Dataset) -> tuple[float, float]:
    """Return the largest difference between the logits of the two forms, and the largest size of a logit of either."""
    logits = result["logits"].values
    loop, stack = logits
    return float(np.abs(loop - stack).max()), float(np.abs(logits).max())


def as_text(difference: float) -> str:
    """Write a difference with one or two digits."""
    return "0" if difference == 0 else f"{difference:.1e}" if difference < 0.01 else f"{difference:.2f}"


def verdict(result: xr.Dataset, time: int) -> str:
    """Say whether the loop at a step and the layer of the stack hold the same numbers, for the digit that is shown."""
    loop, stack = result["activity"].sel(time=time).values
    difference, largest = float(np.abs(loop - stack).max()), float(np.abs([loop, stack]).max())
    here = f"Layer {time} and step {time}" if time else "The input of both"
    if difference <= ROUNDED * largest:
        same = "the same" if difference == 0 else "the same up to rounding"
        return f"{here}: {loop.size:,} numbers up to {largest:.2f}, {same}; largest difference {as_text(difference)}."
    why = (
        f"Cannot be folded: layer {time} has weights of its own"
        if result.attrs["weights"] == OWN
        else f"{here} differ: the loop has one set of moments"
    )
    return f"{why}; largest difference {as_text(difference)}, of numbers up to {largest:.2f}."


def size_of_difference(result: xr.Dataset) -> str:
    """Return which of `SIZES` the largest difference is, relative to the largest logit."""
    difference, largest = largest_difference(result)
    if difference == 0:
        return SAME
    share = difference / largest
    return ROUNDING if share < ROUNDED else PART if share < 0.3 else WHOLE


def n_parameters(result: xr.Dataset, steps: int) -> int:
    """Return the number of parameters of a network with this number of steps."""
    return int(result["n_parameters"].sel(steps=steps))


def _about_difference(result: xr.Dataset) -> str:
    difference, largest = largest_difference(result)
    loop, stack = result["logits"].argmax("class").values
    return (
        f"The largest difference is {as_text(difference)}, the largest logit {largest:.2f}, in float64; the two forms "
        f"disagree on the class of {int((loop != stack).sum())} of {len(loop)} digits."
    )


QUESTIONS: Mapping[str, Guess] = {
    "difference": Guess(
        "how far apart the two forms are",
        f"Loop and stack have the same weights and see the same {N_IMAGES} digits. How large is the largest difference "
        "between their readouts, relative to the largest readout?",
        SIZES,
        size_of_difference,
        _about_difference,
        needs={"moments": EACH, "weights": SHARED},
    ),
    "parameters": Guess(
        "what weights for each step cost",
        "Set 8 steps, and weights of its own at each step. How many times as many parameters does the network have as "
        "with one set for all steps?",
        (1, 2, 4, 6, 8, 10, 16),
        # with one step, both have the same weights
        lambda result: round(n_parameters(result, 8) / n_parameters(result, 1), 1),
        lambda result: (
            f"{n_parameters(result, 8):,} instead of {n_parameters(result, 1):,}. Only the two convolutions of a step "
            "are there eight times; there is still one first convolution and one final layer."
        ),
        unit="times",
        needs={"steps": 8, "weights": OWN},
        within=1,
    ),
}

EXERCISES: Mapping[str, Guess] = {
    "one-block": Guess(
        "what one more block costs",
        "Set 5 steps and weights of its own at each step. How many parameters does a sixth block add? A block is two "
        f"3x3 convolutions from {FEATURES} channels to {FEATURES}, without bias.",
        (72, 144, 576, 1152, 5760),
        lambda result: n_parameters(result, 6) - n_parameters(result, 5),
        lambda result: (
            f"Two kernels of {FEATURES} x {FEATURES} x 3 x 3: {n_parameters(result, 5):,} at 5 steps, "
            f"{n_parameters(result, 6):,} at 6."
        ),
        unit="parameters",
        needs={"steps": 5, "weights": OWN},
    ),
    "one-set": Guess(
        "one set of moments",
        "A residual network normalizes in each block by the mean and variance of that block. Give the loop one set for "
        "all steps instead (the stack is unchanged). How large is the largest difference now, relative to the largest "
        "readout?",
        SIZES,
        size_of_difference,
        lambda result: (
            f"{_about_difference(result)} The weights are the same. To be equivalent, loop and stack need the same "
            "moments, so the loop needs moments for each step."
        ),
        needs={"moments": ONE, "weights": SHARED},
    ),
}
