"""How large a state's activity is, at every time, and the same activity without that."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.node import at_least_stimuli, content, name_of, patterns, time_coordinate, times_to_read

LEAST_SPREAD = 0.1


def spread(node: Any, *, seed: int = 0, progress: bool = False) -> xr.DataArray:
    """Return how far a state's patterns lie apart at every time: the root mean variance of a unit over stimuli.

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
        In the units of the activity. `low` and `high`: 95 % jackknife interval over stimuli. NaN where any stimulus is
        empty.

    Raises
    ------
    TypeError, ValueError
        If it is no node, or has fewer than 3 stimuli.
    """
    held = content(node)
    at_least_stimuli(held, 3, "a spread")
    n = held.sizes["stimulus"]
    found = np.full((3, held.sizes["time"]), np.nan)
    for place in times_to_read(held, progress, "measuring"):
        read = patterns(held, place).astype(np.float64)
        # from squared distances to the mean of all: a subset needs no second look at the units
        read -= read.mean(0)
        products = read @ read.T

        def spread_of(chosen: np.ndarray, products: np.ndarray = products, units: int = read.shape[1]) -> float:
            own = products[np.ix_(chosen, chosen)]
            return float(np.sqrt(max(np.trace(own) / len(chosen) - own.mean(), 0) / units))

        found[:, place] = jackknife(n, spread_of, seed)
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(held)},
        ("time",),
        "spread",
        {"long_name": "spread over stimuli", "units": str(held.attrs.get("units", "a.u.")), "of": name_of(held)},
    )
    return with_interval(value, found[1], found[2], jackknife_text(n), n)


def standardized(node: Any) -> xr.DataArray:
    """Return a state's activity less each unit's mean over stimuli at each time, in units of its spread at that time.

    So what drifts in scale or in offset from one time to another is gone, and a decoder that still fails at another
    time met another code. All stimuli are needed for it, those that a decoder is tested on too: it is a control, not a
    way to score.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).

    Returns
    -------
    DataArray
        As large as the activity, in memory, with its coordinates. A unit's spread counts as at least a tenth of the
        root mean square over units, so that a unit that is almost silent does not become the loudest. Where any
        stimulus is empty, all are.

    Raises
    ------
    TypeError, ValueError
        If it is no node.
    """
    held = content(node)
    dtype = np.float64 if held.dtype == np.float64 else np.float32
    values = np.full(held.shape, np.nan, dtype)
    for place in times_to_read(held, False, ""):
        read = patterns(held, place)
        away = read - read.mean(0)
        each = np.sqrt(np.einsum("ij,ij->j", away, away, dtype=np.float64) / len(away))
        least = LEAST_SPREAD * np.sqrt((each**2).mean()) or 1.0
        values[:, place] = (away / np.maximum(each, least)).reshape(values[:, place].shape)
    made = held.copy(data=values)
    made = made.assign_coords(populated=held["populated"] & held["populated"].all("stimulus"))
    return made.assign_attrs(long_name=f"{name_of(held)}, standardized at each time", units="1")
