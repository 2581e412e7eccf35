"""How much of what a channel does depends on the class that is shown, at every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.node import (
    content,
    labels_of,
    name_of,
    patterns,
    refuse_constant,
    time_coordinate,
    time_of,
    times_to_read,
)

MEASURES = {
    "eta_squared": "eta squared",
    "d_prime": "d' of the preferred class",
    "sparseness": "lifetime sparseness over classes",
}


def selectivity(
    node: Any,
    labels: Any = None,
    *,
    measure: str = "eta_squared",
    units: str = "channel",
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Measure how selective each channel is for a class, at every time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, channel, y, x).
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or one for each stimulus.
    measure : "eta_squared", "d_prime" or "sparseness"
        The share of the variance over stimuli that lies between classes; with c classes and n stimuli, noise alone
        gives (c - 1) / (n - 1) on average (`attrs["chance"]`). Or the largest, over classes, of the difference
        between the mean for the class and the mean for all others in units of their root mean variance; the
        coordinate `preferred` is that class. Or (1 - (Σ r / c)² / (Σ r² / c)) / (1 - 1 / c) over the classes' mean
        rates r: 0 where all are the same, 1 where one class alone drives the channel.
    units : "channel" or "unit"
        Means of channels over space, or every unit by itself.
    seed : int
        Draws the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, channel) or (time, channel, y, x)
        `low` and `high`: 95 % jackknife interval over stimuli. NaN where any stimulus is empty, and for a channel
        that is the same for all stimuli.

    Raises
    ------
    TypeError, ValueError
        If it is no node, labels are missing or of one class, a class has fewer than 2 stimuli, the activity is
        constant, or negative where a rate is needed.

    References ---------- Cohen, J. (1988). Statistical power analysis (eta squared). Green, D. & Swets, J. (1966).
    Signal detection theory and psychophysics (d'). Vinje, W. & Gallant, J. (2000). Sparse coding and decorrelation in
    primary visual cortex during natural vision. Science 287 (sparseness).
    """
    held = content(node)
    if measure not in MEASURES:
        raise ValueError(unknown("measure", measure, MEASURES))
    if units not in ("channel", "unit"):
        raise ValueError(unknown("units", units, ["channel", "unit"]))
    truth = labels_of(held, labels)
    classes, members = np.unique(truth, return_inverse=True)
    alone = classes[np.bincount(members) < 2]
    if alone.size:
        raise ValueError(f"selectivity needs at least 2 stimuli of each class, but class {alone[0]} has 1")
    shape = held.shape[2:]
    dims = held.dims[2:] if units == "unit" else held.dims[2:3]
    found = np.full((3, held.sizes["time"], *(shape if units == "unit" else shape[:1])), np.nan)
    preferred = np.full(found.shape[1:], -1)
    n = held.sizes["stimulus"]
    for place in times_to_read(held, progress, "measuring"):
        read = patterns(held, place).astype(np.float64)
        refuse_constant(read, held, place)
        if measure == "sparseness" and (read < 0).any():
            raise ValueError(
                f"sparseness is defined for rates, but {name_of(held)} is negative at time {time_of(held, place)}; "
                f"record with quantity='rate'"
            )
        if units == "channel":
            read = read.reshape(n, shape[0], -1).mean(2)

        def measured(chosen: np.ndarray, read: np.ndarray = read) -> np.ndarray:
            return _measured(read[chosen], members[chosen], len(classes), measure)[0]

        found[:, place] = np.reshape(jackknife(n, measured, seed), (3, *found.shape[2:]))
        preferred[place] = _measured(read, members, len(classes), measure)[1].reshape(found.shape[2:])
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(held), **{dim: held[dim] for dim in dims if dim in held.coords}},
        ("time", *dims),
        "selectivity",
        {"long_name": MEASURES[measure], "units": "1", "of": name_of(held), "measure": measure},
    )
    if measure == "eta_squared":
        value.attrs["chance"] = (len(classes) - 1) / (n - 1)
    if measure == "d_prime":
        names = classes.astype(object)[preferred]
        names[~np.isfinite(found[0])] = None
        value = value.assign_coords(preferred=(value.dims, names))
    return with_interval(value, found[1], found[2], jackknife_text(n), n)


def _measured(read: np.ndarray, members: np.ndarray, n_classes: int, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Measure each column of (stimulus, unit); return the values and the class each unit prefers."""
    n = np.bincount(members, minlength=n_classes)[:, None]
    sums = np.zeros((n_classes, read.shape[1]))
    np.add.at(sums, members, read)
    with np.errstate(invalid="ignore", divide="ignore"):
        means, overall = sums / n, read.mean(0)
        # what rounding leaves of a constant is no variance
        away = read - overall
        away[:, (read == read[:1]).all(0)] = 0
        whole = (away**2).sum(0)
        between = np.where(n > 0, n * (means - overall) ** 2, 0)
        if measure == "eta_squared":
            value = np.where(whole > 0, between.sum(0) / whole, np.nan)
            return value, np.nan_to_num(means, nan=-np.inf).argmax(0)
        if measure == "sparseness":
            power = np.nanmean(means**2, axis=0)
            value = (1 - np.nanmean(means, axis=0) ** 2 / power) / (1 - 1 / n_classes)
            return np.where(power > 0, value, np.nan), np.nan_to_num(means, nan=-np.inf).argmax(0)
        rest, others = (sums.sum(0) - sums) / (n.sum() - n), n.sum() - n
        within = np.zeros_like(sums)
        np.add.at(within, members, (read - means[members]) ** 2)
        # the others vary within their classes and between them
        spread = (within.sum(0) - within) + (between.sum(0) - between) - others * (rest - overall) ** 2
        variance = (within / (n - 1) + np.maximum(spread, 0) / (others - 1)) / 2
        value = np.where(whole > 0, (means - rest) / np.sqrt(variance), np.nan)
    best = np.nan_to_num(value, nan=-np.inf).argmax(0)
    return value[best, np.arange(len(best))], best
