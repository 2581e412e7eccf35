"""Scale of a state's activity at every time, and the activity standardized by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth
from cortexsim.analyse.node import (
    Node,
    activity_of,
    at_least_stimuli,
    name_of,
    patterns,
    times_to_read,
)
from cortexsim.analyse.over_time import measured_over_time
from cortexsim.analyse.runs import of_each_run

LEAST_SPREAD = 0.1


@of_each_run
def spread(node: Node, *, seed: int = 0, progress: bool = False) -> xr.DataArray:
    """Return the spread of a state's patterns at every time: the root mean variance of a unit over stimuli.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    seed : int
        Seed of the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        In the units of the activity. `low` and `high`: 95 % jackknife interval over stimuli. NaN if any stimulus is
        empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, or has fewer than 3 stimuli.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> cs.analyse.spread(recording["IT"]).sel(time=slice(1, 4)).isnull().values  # empty at first
    array([ True,  True, False, False])
    """
    activity = activity_of(node)
    at_least_stimuli(activity, 3, "a spread")

    def root_mean_variance(responses: np.ndarray, index: int) -> Callable[[np.ndarray], float]:
        responses = responses.astype(np.float64)
        # with inner products about the mean, the spread of a subset can be computed without the units
        responses -= responses.mean(0)
        products, n_units = responses @ responses.T, responses.shape[1]

        def of(chosen: np.ndarray) -> float:
            own = products[np.ix_(chosen, chosen)]
            n_chosen = len(chosen)
            if n_chosen < 2:  # without the rows of one of two stimuli
                return float("nan")
            return float(np.sqrt(max(np.trace(own) - own.mean() * n_chosen, 0) / (n_chosen - 1) / n_units))

        return of

    return measured_over_time(
        activity,
        "spread",
        root_mean_variance,
        long_name="spread over stimuli",
        units=str(activity.attrs.get("units", "a.u.")),
        seed=seed,
        progress=progress,
    )


@of_each_run
def standardized(node: Node, *, divided: bool = True) -> xr.DataArray:
    """Return a state's activity minus each unit's mean over stimuli at each time, in units of its spread at that time.

    This removes drifts of scale and offset between times, so a decoder that still fails at another time shows that the
    code differs. It uses all stimuli, including the test stimuli of a decoder: it is a control, not a score.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    divided : bool
        Divide by the spread; otherwise only the mean is removed, and drifts of scale remain.

    Returns
    -------
    DataArray
        As large as the activity, in memory, with its coordinates. A unit's spread counts as at least a tenth of the
        root mean square over units, so that a unit that is almost silent is not amplified. If any stimulus is empty,
        all are.

    Raises
    ------
    TypeError, ValueError
        If it is not a node.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> shifted = cs.analyse.standardized(recording["V1"])
    >>> float(abs(shifted.sel(time=8).mean("stimulus")).max()) < 1e-5
    True
    """
    activity, divided = activity_of(node), truth(divided, "divided")
    dtype = np.float64 if activity.dtype == np.float64 else np.float32
    values = np.full(activity.shape, np.nan, dtype)
    for index in times_to_read(activity, False, ""):
        responses = patterns(activity, index)
        away = responses - responses.mean(0)
        if divided:
            each = np.sqrt(np.einsum("ij,ij->j", away, away, dtype=np.float64) / len(away))
            least = LEAST_SPREAD * np.sqrt((each**2).mean()) or 1.0
            away = away / np.maximum(each, least)
        values[:, index] = away.reshape(values[:, index].shape)
    result = activity.copy(data=values)
    result = result.assign_coords(populated=activity["populated"] & activity["populated"].all("stimulus"))
    if not divided:
        return result.assign_attrs(long_name=f"{name_of(activity)}, the mean removed at each time")
    return result.assign_attrs(long_name=f"{name_of(activity)}, standardized at each time", units="1")
