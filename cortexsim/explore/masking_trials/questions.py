"""The prediction that an observer makes before the first trial."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cortexsim.explore.masking_trials.stimuli import EACH
from cortexsim.explore.panel.asking import Guess


def _percentage(result: xr.Dataset) -> int | None:
    """Return the percentage right at the shortest SOA; None before there are enough trials."""
    if int(result["n"][0]) < EACH:
        return None
    return round(100 * float(result["accuracy"][0]))


def _because(result: xr.Dataset) -> str:
    n, right = int(result["n"][0]), round(float(result["n"][0] * result["accuracy"][0]))
    low, high = (round(100 * float(result[end][0])) for end in ("low", "high"))
    return (
        f"{right} of {n} digits with the earliest mask. So few trials leave much open: the 95 % interval is {low} to "
        f"{high} %."
    )


QUESTIONS: Mapping[str, Guess] = {
    "yourself": Guess(
        "what you will see",
        "A digit is flashed for one picture of your screen, and noise replaces it after 17, 50 or 100 ms, or never. "
        "What percentage of the digits will you get right with the earliest mask? (Guessing: 10 %.)",
        (0, 20, 40, 60, 80, 100),
        _percentage,
        _because,
        unit="percent",
        within=20,
    ),
}
