"""Convergence of a state: its speed of change, the time at which it settles, and cycles."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite
from cortexsim.analyse.interval import interval_variables, mean_interval
from cortexsim.analyse.lasting import lasting_from, times_from
from cortexsim.analyse.node import Node, activity_of, name_of, patterns, time_coordinate, with_bar
from cortexsim.analyse.repeats import fraction_of_rows, originals, per_stimulus, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import stimulus_coordinates


@of_each_run
def settling(node: Node, *, threshold: float = 0.1, cycle_ratio: float = 0.1, progress: bool = False) -> xr.Dataset:
    """Measure how fast a state changes from step to step, and when it settles.

    The speed is ``|h(t) - h(t-1)|`` relative to the mean of ``|h(t)|`` and ``|h(t-1)|``: 0 at rest, 2 for a reversal.
    Three times are in memory at once.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    threshold : float
        A state settles at the first time from which its speed stays at or below this, to the end of the recording.
    cycle_ratio : float
        A state that does not settle has a cycle of period 2 if, in each of its last two steps, its change over two
        steps is smaller than `cycle_ratio` times its change over one step.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Dataset
        `speed` (stimulus, time) and `two_step` (stimulus, time), the same over two steps; NaN without an earlier
        pattern, 0 if both patterns are silent. `mean_speed` (time) with its 95 % interval over stimuli,
        `mean_speed_low` and `mean_speed_high`; NaN if the speed of any stimulus is unknown. `settled_time` (stimulus),
        NaN if it never settles; `settled` and `cycles` (stimulus), bool. `settled_by` (time), the fraction of stimuli
        that have settled by then, with Wilson's 95 % interval `settled_by_low`, `settled_by_high`. `attrs` contain the
        counts `n_settled`, `n_cycling` and `n`.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, has fewer than 3 times, or the thresholds are not positive.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> settled = cs.analyse.settling(recording["V1"])
    >>> settled["speed"].dims, settled["settled_time"].dims
    (('stimulus', 'time'), ('stimulus',))
    """
    activity = activity_of(node)
    n, n_times = activity.sizes["stimulus"], activity.sizes["time"]
    if n_times < 3:
        raise ValueError(f"settling needs at least 3 times, got {n_times}")
    steps = np.diff(activity["time"].values)
    if (steps != 1).any():
        raise ValueError(f"settling needs times that are one step apart, got {activity['time'].values}")
    threshold, cycle_ratio = finite(threshold, "threshold", 0), finite(cycle_ratio, "cycle_ratio", 0, 1)
    if not (threshold > 0 and 0 < cycle_ratio < 1):
        raise ValueError(
            f"threshold must be above 0, and cycle_ratio between 0 and 1, got {threshold:g} and {cycle_ratio:g}"
        )
    speed, two_step = _speeds(activity, progress)
    settled_index = _settled_index(speed, threshold)
    settled = settled_index < n_times
    last_two = slice(n_times - 2, n_times)
    with np.errstate(invalid="ignore"):
        cycles = ~settled & (two_step[:, last_two] < cycle_ratio * speed[:, last_two]).all(1)
    settled_time = times_from(settled_index, activity["time"].values)
    n_settled_by = (settled_index[:, None] <= np.arange(n_times)).sum(0)
    of = originals(activity)
    mean = np.where(np.isfinite(speed).all(0), mean_interval(per_stimulus(speed, of)), np.nan)
    settled_by = fraction_of_rows(n_settled_by, n, len(np.unique(of)))
    of_mean = {"long_name": "mean speed of change", "interval": f"95 % interval of the mean over {stimuli_text(of)}"}
    of_fraction = {"long_name": "fraction settled", "interval": f"95 % Wilson interval over {stimuli_text(of)}"}
    variables = {
        "speed": (("stimulus", "time"), speed, {"long_name": "speed of change", "units": "1"}),
        "two_step": (("stimulus", "time"), two_step, {"long_name": "change over two steps", "units": "1"}),
        "settled_time": ("stimulus", settled_time, {"long_name": "settled from", "units": "steps"}),
        "settled": ("stimulus", settled, {"long_name": "settled"}),
        "cycles": ("stimulus", cycles, {"long_name": "cycles with period 2"}),
        **interval_variables("mean_speed", "time", mean, of_mean | {"units": "1"}),
        **interval_variables("settled_by", "time", settled_by, of_fraction | {"units": "1"}),
    }
    attributes = {
        "of": name_of(activity),
        "threshold": threshold,
        "n": n,
        "n_settled": int(settled.sum()),
        "n_cycling": int(cycles.sum()),
    }
    return xr.Dataset(variables, {"time": time_coordinate(activity), **stimulus_coordinates(activity)}, attributes)


def _speeds(activity: xr.DataArray, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the relative change over one step and over two steps, (stimulus, time)."""
    shape = activity.sizes["stimulus"], activity.sizes["time"]
    one_step, two_step = np.full(shape, np.nan), np.full(shape, np.nan)
    before: list[np.ndarray] = []
    for index in with_bar(range(shape[1]), progress, "settling"):
        now = patterns(activity, index).astype(np.float64)
        for steps_back, speed in enumerate((one_step, two_step), start=1):
            if len(before) >= steps_back:
                speed[:, index] = _relative_change(now, before[-steps_back])
        before = [*before[-1:], now]
    return one_step, two_step


def _relative_change(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(now - then, axis=1)
    size = (np.linalg.norm(now, axis=1) + np.linalg.norm(then, axis=1)) / 2
    # a state that stays silent is at rest; NaN stays NaN
    return np.divide(distance, size, out=np.where(size == 0, 0.0, np.nan), where=size > 0)


def _settled_index(speed: np.ndarray, threshold: float) -> np.ndarray:
    """Return the first position from which the speed stays low, or the number of times if there is none."""
    # an unknown speed does not count as low
    low = np.nan_to_num(speed, nan=np.inf) <= threshold
    return lasting_from(low)
