"""Whether a state comes to rest: how fast it changes, when it has settled, and whether it goes in circles."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import mean_interval, wilson
from cortexsim.analyse.node import content, name_of, patterns, stimulus_coordinates, time_coordinate, with_bar


def settling(node: Any, *, threshold: float = 0.1, cycle_ratio: float = 0.1, progress: bool = False) -> xr.Dataset:
    """Measure how a state changes from step to step, and when it has settled.

    The speed is |h(t) - h(t-1)| relative to the mean of |h(t)| and |h(t-1)|: 0 at rest, 2 for a reversal. Three
    times are in memory at once.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    threshold : float
        A state has settled at the first time from which on its speed is at or below this, to the end of the recording.
    cycle_ratio : float
        A state that has not settled cycles with period 2 if, in each of its last two steps, it is nearer to where it
        was two steps ago than this times its way from one step ago.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Dataset
        `speed` (stimulus, time) and `two_step` (stimulus, time), the same over two steps; NaN where there is nothing to
        compare with, 0 where both are silent. `mean_speed` (time) with `mean_speed_low`, `mean_speed_high`, 95 % over
        stimuli; NaN where the speed of one is not known. `settled_time` (stimulus), NaN if it never settles;
        `settled` and `cycles` (stimulus), bool. `settled_by` (time), the fraction of stimuli that have settled by then,
        with Wilson's 95 % interval `settled_by_low`, `settled_by_high`. `attrs` count `n_settled`, `n_cycling` and
        `n`.

    Raises
    ------
    TypeError, ValueError
        If it is no node, has fewer than 3 times, or the thresholds are not positive.
    """
    held = content(node)
    n, n_times = held.sizes["stimulus"], held.sizes["time"]
    if n_times < 3:
        raise ValueError(f"settling needs at least 3 times, got {n_times}")
    steps = np.diff(held["time"].values)
    if (steps != 1).any():
        raise ValueError(f"settling compares each time with the one a step before, got times {held['time'].values}")
    if not (threshold > 0 and 0 < cycle_ratio < 1):
        raise ValueError(f"threshold must be above 0 and cycle_ratio within 0 and 1, got {threshold} and {cycle_ratio}")
    speed, two_step = np.full((n, n_times), np.nan), np.full((n, n_times), np.nan)
    before: list[np.ndarray] = []
    for place in with_bar(range(n_times), progress, "settling"):
        now = patterns(held, place).astype(np.float64)
        for back, array in enumerate((speed, two_step), start=1):
            if len(before) >= back:
                array[:, place] = _change(now, before[-back])
        before = [*before[-1:], now]
    settled_place = _settled(speed, threshold)
    settled = settled_place < n_times
    recent = slice(n_times - 2, n_times)
    with np.errstate(invalid="ignore"):
        cycles = ~settled & (two_step[:, recent] < cycle_ratio * speed[:, recent]).all(1)
    times = held["time"].values
    settled_time = np.where(settled, times[np.minimum(settled_place, n_times - 1)].astype(float), np.nan)
    by_then = (settled_place[:, None] <= np.arange(n_times)).sum(0)
    mean = np.where(np.isfinite(speed).all(0), mean_interval(speed), np.nan)
    one = {"units": "1"}
    variables = {
        "speed": (("stimulus", "time"), speed, {"long_name": "speed of change", **one}),
        "two_step": (("stimulus", "time"), two_step, {"long_name": "change over two steps", **one}),
        "settled_time": ("stimulus", settled_time, {"long_name": "settled from", "units": "steps"}),
        "settled": ("stimulus", settled, {"long_name": "settled"}),
        "cycles": ("stimulus", cycles, {"long_name": "cycles with period 2"}),
        **_with_ends("mean_speed", mean, "mean speed of change", f"95 % interval of the mean over {n} stimuli"),
        **_with_ends(
            "settled_by",
            np.array([by_then / n, *wilson(by_then, n)]),
            "fraction settled",
            f"95 % Wilson interval over {n} stimuli",
        ),
    }
    attributes = {
        "of": name_of(held),
        "threshold": threshold,
        "n": n,
        "n_settled": int(settled.sum()),
        "n_cycling": int(cycles.sum()),
    }
    return xr.Dataset(variables, {"time": time_coordinate(held), **stimulus_coordinates(held)}, attributes)


def _with_ends(name: str, values: np.ndarray, long_name: str, text: str) -> dict[str, Any]:
    """Return a series and its interval; in a dataset coordinates would belong to all series."""
    attributes = {"long_name": long_name, "units": "1", "interval": text}
    ends = zip((name, f"{name}_low", f"{name}_high"), values, strict=True)
    return {which: ("time", series, attributes) for which, series in ends}


def _change(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    way = np.linalg.norm(now - then, axis=1)
    size = (np.linalg.norm(now, axis=1) + np.linalg.norm(then, axis=1)) / 2
    # silence that stays is at rest; NaN stays NaN
    return np.divide(way, size, out=np.where(size == 0, 0.0, np.nan), where=size > 0)


def _settled(speed: np.ndarray, threshold: float) -> np.ndarray:
    """Return the first place from which on the speed stays low, or the number of times where there is none."""
    # a speed that is not known is not low
    low = np.nan_to_num(speed, nan=np.inf) <= threshold
    lasting = np.logical_and.accumulate(low[:, ::-1], axis=1)[:, ::-1]
    return np.where(lasting.any(1), lasting.argmax(1), speed.shape[1])
