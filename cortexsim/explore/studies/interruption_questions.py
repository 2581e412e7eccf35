"""Questions and exercises of the panel on interruption, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.plot._interruption import halfway, masked_accuracy, speed

PERCENT = (50, 60, 70, 80, 90, 100)
EARLY_SOA, LATE_SOA, SHORT, MIDDLE, LONG = 12, 29, 10, 20, 30


def _percent(accuracy: xr.DataArray, soa: int, length: int, mask: str = "noise") -> int:
    return round(100 * float(accuracy.sel(mask=mask, soa=soa, masked_length=length)))


def too_early(result: xr.Dataset) -> int:
    """Return the percentage right on curves of 20 px with noise after 12 steps."""
    return _percent(masked_accuracy(result), EARLY_SOA, MIDDLE)


def last_to_rise(result: xr.Dataset) -> float:
    """Return the SOA at which the line of 30 px is halfway between chance and 1."""
    return round(float(halfway(masked_accuracy(result).sel(mask="noise")).sel(masked_length=LONG)), 1)


def without_latch(result: xr.Dataset) -> int:
    """Return the percentage right on curves of 10 px with noise after 29 steps, read at the end."""
    return _percent(masked_accuracy(result, latched=False), LATE_SOA, SHORT)


QUESTIONS: Mapping[str, Guess] = {
    "too-early": Guess(
        "a mask after 12 steps",
        "A curve of 20 px. After 12 steps noise replaces the picture; a decision that was taken is kept. In what "
        "percentage does the tracer answer the far point correctly? (Guessing: 50 %.)",
        PERCENT,
        too_early,
        lambda result: (
            f"With curves of {SHORT} px and the same mask: {_percent(masked_accuracy(result), EARLY_SOA, SHORT)} %. "
            "What the wave has reached is kept; what it has not reached is lost."
        ),
        unit="percent",
        within=5,
    ),
    "thirty": Guess(
        "a curve of 30 px",
        "Look where the lines of 10, 15 and 20 px rise. After how many steps will that of 30 px be halfway up?",
        tuple(range(10, 36, 2)),
        last_to_rise,
        lambda result: (
            f"10, 15 and 20 px: {_rises(result)} steps. Each further pixel takes about the same time: the mask "
            "finds a wave that travels at one speed."
        ),
        unit="steps",
        within=3,
    ),
}


def _rises(result: xr.Dataset) -> str:
    rises = halfway(masked_accuracy(result).sel(mask="noise")).sel(masked_length=[10, 15, 20])
    return ", ".join(f"{float(rise):.0f}" for rise in rises)


EXERCISES: Mapping[str, Guess] = {
    "collapse": Guess(
        "one line out of four",
        "Move the slider until the lines of all four lengths coincide. How many steps a pixel is that?",
        (0.3, 0.5, 0.7, 0.9, 1.1, 1.3),
        lambda result: round(speed(result), 2),
        lambda result: (
            f"Measured without any mask, the wave needs {speed(result):.2f} steps for a pixel. What decides is not the "
            "SOA, but whether the wave arrives before the mask."
        ),
        unit="steps a pixel",
        within=0.1,
    ),
    "no-latch": Guess(
        "without the latch",
        "Noise after 29 steps, a curve of 10 px: the wave arrived long ago. Nothing is kept, and the map is read at "
        "t = 50. What percentage is right?",
        PERCENT,
        without_latch,
        lambda result: (
            "Set «decision» to «read at the end» to see it. Without a latch the mask wipes the tag whenever it comes: "
            "in this model the picture is the memory."
        ),
        unit="percent",
        within=5,
    ),
}
