"""Questions of the panel on what returns to V1, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.protocols import feedback
from cortexsim.protocols.feedback import BEFORE, CUT, READ_AT

NAMED = "digits"
VERSION = "recalibrated"
PERCENT = tuple(range(0, 101, 10))
ABOVE = ("V4->V2", "V4->V4", "IT->V4", "IT->IT")


def of_network(result: xr.Dataset, network: str) -> xr.Dataset:
    """Return the part of a network, with the seeds that it was trained with."""
    one = result.sel(network=network)
    known = one["decode_intact"].notnull().any("time")
    return one.isel(seed=known.values)


def at_reading(result: xr.Dataset, cut: str = "", version: str = VERSION, network: str = NAMED) -> float:
    """Return what is decoded from V1 at the time of reading, in percent: the mean over seeds."""
    one = of_network(result, network).sel(time=READ_AT)
    values = one["decode"].sel(cut=cut, version=version) if cut else one["decode_intact"]
    return round(100 * float(values.mean()), 1)


def points(one: xr.Dataset, cut: str, version: str = VERSION) -> float:
    """Return the change by a cut at the time of reading, in percentage points: the mean over seeds of a network."""
    return 100 * float(one["difference"].sel(cut=cut, version=version, time=READ_AT).mean())


def signed(change: float) -> str:
    """Write a change in whole percentage points; 0 has no sign."""
    whole = round(change)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


def _interval(result: xr.Dataset, cut: str = "") -> str:
    one = of_network(result, NAMED).sel(time=READ_AT).isel(seed=0)
    if cut:
        one, name = one.sel(cut=cut, version=VERSION), "decode"
    else:
        name = "decode_intact"
    low, high = (100 * float(one[f"{name}_{end}"]) for end in ("low", "high"))
    return f"{at_reading(result, cut):.0f} % ({low:.0f} to {high:.0f})"


def _dearest(result: xr.Dataset) -> str:
    one = of_network(result, NAMED)
    return min(ABOVE, key=lambda cut: points(one, cut))


def _about_source(result: xr.Dataset) -> str:
    one = of_network(result, NAMED)
    costs = ", ".join(f"{cut} {signed(points(one, cut))}" for cut in (CUT, *ABOVE))
    return f"Change at t = {READ_AT}, in percentage points: {costs}."


QUESTIONS: Mapping[str, Guess] = {
    "returns": Guess(
        "an empty screen",
        f"A digit is flashed for one step. At t = {BEFORE}, with the digit on the screen, V1 alone says little about "
        f"which digit it is: see the point. At t = {READ_AT} the screen has been empty for {READ_AT} steps. What "
        "percentage of the digits can be decoded from V1 then?",
        PERCENT,
        at_reading,
        lambda result: f"{_interval(result)} at t = {READ_AT}. Where does that come from? Choose the next question.",
        unit="percent",
        within=5,
    ),
    "cut": Guess(
        "V2->V1 is cut",
        f"V2->V1 is the only connection into V1 from another area. It is cut throughout, and the statistics are taken "
        f"again. What percentage of the digits can be decoded from V1 at t = {READ_AT}?",
        PERCENT,
        lambda result: at_reading(result, CUT),
        lambda result: (
            f"{_interval(result, CUT)} with V2->V1 cut, {_interval(result)} intact: it comes from V2. Click the arrow "
            "to cut it."
        ),
        unit="percent",
        within=5,
    ),
    "source": Guess(
        "how far up does it come from?",
        f"V2 gets it from below and from above. Which of these cuts costs V1 most at t = {READ_AT}?",
        ABOVE,
        _dearest,
        _about_source,
    ),
}


def verdict(result: xr.Dataset) -> str:
    """Write in how many of the trained networks each criterion is met."""
    found = feedback.verdicts(result).sel(network=list(feedback.TRAINED))
    n = int(found["becomes"].notnull().sum())
    return ", ".join(
        f"{name}: {int(found[name].sum())} of {n}" for name in ("becomes", "needs_feedback", "not_any_cut")
    )
