"""How many dimensions a state's patterns take up, at every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.kernel import centred, products
from cortexsim.analyse.node import (
    at_least_stimuli,
    content,
    name_of,
    patterns,
    refuse_constant,
    time_coordinate,
    times_to_read,
)


def dimensionality(node: Any, *, seed: int = 0, progress: bool = False) -> xr.DataArray:
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
        Between 1 and the smaller of the number of units and of stimuli less one; the fewer the stimuli, the further
        below what more of them would show, so compare only equal numbers. `low` and `high`: 95 % jackknife interval
        over stimuli. NaN where any stimulus is empty.

    Raises
    ------
    TypeError, ValueError
        If it is no node, has fewer than 3 stimuli, or the activity is constant.

    References
    ----------
    Gao, P. et al. (2017). A theory of multineuronal dimensionality, dynamics and measurement. bioRxiv 214262.
    """
    held = content(node)
    at_least_stimuli(held, 3, "dimensionality")
    n = held.sizes["stimulus"]
    found = np.full((3, held.sizes["time"]), np.nan)
    for place in times_to_read(held, progress, "measuring"):
        read = patterns(held, place)
        refuse_constant(read, held, place)
        kernel = products(read)

        def ratio(chosen: np.ndarray, kernel: np.ndarray = kernel) -> float:
            return _ratio(kernel[np.ix_(chosen, chosen)])

        found[:, place] = jackknife(n, ratio, seed)
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(held)},
        ("time",),
        "dimensionality",
        {"long_name": "participation ratio", "units": "1", "of": name_of(held)},
    )
    return with_interval(value, found[1], found[2], jackknife_text(n), n)


def _ratio(kernel: np.ndarray) -> float:
    # a matrix of inner products has the variances as eigenvalues; their sums need no decomposition
    kernel = centred(kernel)
    power = float((kernel**2).sum())
    return float(np.trace(kernel) ** 2 / power) if power else float("nan")
