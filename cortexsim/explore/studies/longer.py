"""A panel on running longer than trained: the tracer on curves of several lengths, from the bundled result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import plotly.graph_objects as go
import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.bundled import BundledStudy
from cortexsim.paper import experiments
from cortexsim.paper.experiments.tracing import STEPS_A_PIXEL, STEPS_A_PIXEL_LATE
from cortexsim.plot._extrapolation import MODEL, run_longer

ASKED = 40  # px
PERCENT = tuple(range(0, 101, 10))


def accuracy_at(result: xr.Dataset, length: int, time: int) -> float:
    """Return the percentage of curves with every pixel right, the mean over seeds."""
    return round(100 * float(_of_seeds(result, length, time).mean()), 1)


def _of_seeds(result: xr.Dataset, length: int, time: int) -> xr.DataArray:
    """Return the accuracy of every seed; beyond three steps a pixel it was measured at nine only."""
    late = time > STEPS_A_PIXEL * length
    values = result["exact_late"] if late else result["exact"].sel(time=time)
    return values.sel(model=MODEL, length=length).dropna("seed")


def _about(result: xr.Dataset, length: int, time: int) -> str:
    seeds = 100 * _of_seeds(result, length, time)
    return (
        f"{length} px at t = {time}: every pixel right on {float(seeds.mean()):.1f} % ({float(seeds.min()):.1f} to "
        f"{float(seeds.max()):.1f} over {seeds.sizes['seed']} networks)"
    )


def _trained(result: xr.Dataset) -> int:
    return int(result["trained_until"].sel(model=MODEL).max())


QUESTIONS: Mapping[str, Guess] = {
    "longer": Guess(
        "a curve four times as long as trained",
        "The tracer was trained on curves of 3 to 10 px, for 12 steps. Now a curve has 40 px, and the tracer runs for "
        "120 steps. On what percentage of these curves is every pixel right?",
        PERCENT,
        lambda result: accuracy_at(result, ASKED, STEPS_A_PIXEL * ASKED),
        lambda result: (
            f"{_about(result, ASKED, STEPS_A_PIXEL * ASKED)}; stopped at the trained t = {_trained(result)}: "
            f"{accuracy_at(result, ASKED, _trained(result)):.1f} %."
        ),
        unit="percent",
        within=5,
    ),
    "stays": Guess(
        "three times as long again",
        "Nothing tells it to stop. After 360 steps, thirty times as many as in training: on what percentage of the "
        "same curves of 40 px is every pixel still right?",
        PERCENT,
        lambda result: accuracy_at(result, ASKED, STEPS_A_PIXEL_LATE * ASKED),
        lambda result: f"{_about(result, ASKED, STEPS_A_PIXEL_LATE * ASKED)}. What is solved stays solved.",
        unit="percent",
        within=5,
    ),
}


class Longer(BundledStudy):
    """The share of curves that the tracer gets right to the last pixel, over time and by length.

    Until the first question is answered, only what was trained is drawn; until the second is, up to three steps a
    pixel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Longer(question="")
    >>> panel.run()
    >>> panel.result["length"].values.tolist()
    [10, 20, 30, 40, 60]
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS

    def opened(self) -> xr.Dataset:
        """Open the bundled result of the experiment `extrapolation`."""
        return experiments.shipped("extrapolation")

    def until(self, result: xr.Dataset) -> dict[int, int]:
        """Return the last time that may be seen, by length."""
        lengths = result["length"].values.tolist()
        if self.covered("longer"):
            return {lengths[0]: _trained(result)}
        steps = STEPS_A_PIXEL if self.covered("stays") else STEPS_A_PIXEL_LATE
        return {length: steps * length for length in lengths}

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw what is not covered."""
        until = self.until(result)
        ends = {} if self.covered("longer") or self.covered("stays") else until
        return {"longer": run_longer(result, until, ends)}

    def say(self, result: xr.Dataset) -> str:
        """Report the accuracy of the longest curves that are drawn at the last time that is drawn."""
        until = self.until(result)
        length = max(until)
        return f"{_about(result, length, until[length])}. Band: lowest to highest network."
