"""Measures of a state's patterns at every time, with their intervals over stimuli."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.node import name_of, patterns, time_coordinate, times_to_read
from cortexsim.analyse.repeats import originals, stimuli_text


def measured_over_time(
    activity: xr.DataArray,
    name: str,
    measure: Callable[[np.ndarray, int], Callable[[np.ndarray], float]],
    *,
    long_name: str,
    units: str,
    seed: int,
    progress: bool,
) -> xr.DataArray:
    """Measure a state's patterns at every time, with a jackknife interval over stimuli; one time is read at a time.

    Parameters
    ----------
    activity : DataArray, (stimulus, time, ...)
    name : str
        Name of the result.
    measure : callable
        Takes the patterns (stimulus, unit) and the position of their time; returns a function that measures a subset of
        the stimuli, given their indices.
    long_name, units : str
    seed : int
        Seed of the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        With `low` and `high`: all repeats of a stimulus are left out together. NaN if any stimulus is empty.
    """
    of = originals(activity)
    n = len(np.unique(of))
    found = np.full((3, activity.sizes["time"]), np.nan)
    for index in times_to_read(activity, progress, "measuring"):
        found[:, index] = jackknife(n, measure(patterns(activity, index), index), seed, of=of)
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(activity)},
        ("time",),
        name,
        {"long_name": long_name, "units": units, "of": name_of(activity)},
    )
    return with_interval(value, found[1], found[2], jackknife_text(n, stimuli_text(of)), n)
