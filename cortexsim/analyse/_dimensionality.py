"""Dimensionality of a state's patterns, at every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cortexsim.analyse.kernel import centred, products
from cortexsim.analyse.node import Node, activity_of, at_least_stimuli, refuse_constant
from cortexsim.analyse.over_time import measured_over_time


def dimensionality(node: Node, *, seed: int = 0, progress: bool = False) -> xr.DataArray:
    """Return the participation ratio of a state's patterns at every time: (Σ λ)² / Σ λ².

    λ are the variances of the principal components over stimuli. One time is read at a time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    seed : int
        Draws the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        Between 1 and the number of units, or of stimuli minus one, whichever is smaller. It grows with the number of
        stimuli, so compare only equal numbers of them. `low` and `high`: 95 % jackknife interval over stimuli. NaN
        where any stimulus is empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, has fewer than 3 stimuli, or the activity is constant.

    References
    ----------
    Gao, P. et al. (2017). A theory of multineuronal dimensionality, dynamics and measurement. bioRxiv 214262.
    """
    activity = activity_of(node)
    at_least_stimuli(activity, 3, "dimensionality")

    def ratio(responses: np.ndarray, index: int) -> Callable[[np.ndarray], float]:
        refuse_constant(responses, activity, index)
        kernel = products(responses)
        return lambda chosen: _ratio(kernel[np.ix_(chosen, chosen)])

    return measured_over_time(
        activity, "dimensionality", ratio, long_name="participation ratio", units="1", seed=seed, progress=progress
    )


def _ratio(kernel: np.ndarray) -> float:
    # a matrix of inner products has the variances as eigenvalues; their sums need no decomposition
    kernel = centred(kernel)
    power = float((kernel**2).sum())
    return float(np.trace(kernel) ** 2 / power) if power else float("nan")
