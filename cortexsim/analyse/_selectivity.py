"""Selectivity of channels for classes, at every time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of
from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
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
    node: Node,
    labels: Labels = None,
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
        A stimulus coordinate, by default `label`; or a value for each stimulus.
    measure : "eta_squared", "d_prime" or "sparseness"
        "eta_squared": the share of the variance over stimuli that lies between classes; with c classes and n stimuli,
        noise alone gives (c - 1) / (n - 1) on average (`attrs["chance"]`). "d_prime": the difference between the mean
        for a class and the mean for all others, in units of their root mean variance, for the class for which it is
        largest; the coordinate `preferred` is that class. "sparseness":
        (1 - (Σ r / c)² / (Σ r² / c)) / (1 - 1 / c) over the classes' mean rates r, which is 0 where all rates are the
        same and 1 where one class alone drives the channel.
    units : "channel" or "unit"
        Means of channels over space, or every single unit.
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
        If it is not a node, labels are missing or of one class, a class has fewer than 2 stimuli, the activity is
        constant, or negative where a rate is needed.

    References
    ----------
    Cohen, J. (1988). Statistical power analysis (eta squared). Green, D. & Swets, J. (1966). Signal detection theory
    and psychophysics (d'). Vinje, W. & Gallant, J. (2000). Sparse coding and decorrelation in primary visual cortex
    during natural vision. Science 287 (sparseness).
    """
    activity = activity_of(node)
    one_of(measure, "measure", MEASURES)
    one_of(units, "units", ("channel", "unit"))
    truth = labels_of(activity, labels)
    classes, members = np.unique(truth, return_inverse=True)
    alone = classes[np.bincount(members) < 2]
    if alone.size:
        raise ValueError(f"selectivity needs at least 2 stimuli of each class, but class {alone[0]} has 1")
    shape = activity.shape[2:]
    dims = activity.dims[2:] if units == "unit" else activity.dims[2:3]
    found = np.full((3, activity.sizes["time"], *(shape if units == "unit" else shape[:1])), np.nan)
    preferred = np.full(found.shape[1:], -1)
    n = activity.sizes["stimulus"]
    for index in times_to_read(activity, progress, "measuring"):
        responses = patterns(activity, index).astype(np.float64)
        refuse_constant(responses, activity, index)
        if measure == "sparseness" and (responses < 0).any():
            raise ValueError(
                f"sparseness is defined for rates, but {name_of(activity)} is negative at time "
                f"{time_of(activity, index)}; record with quantity='rate'"
            )
        if units == "channel":
            responses = responses.reshape(n, shape[0], -1).mean(2)

        def measured(chosen: np.ndarray, responses: np.ndarray = responses) -> np.ndarray:
            return _measured(responses[chosen], members[chosen], len(classes), measure)[0]

        found[:, index] = np.reshape(jackknife(n, measured, seed), (3, *found.shape[2:]))
        preferred[index] = _measured(responses, members, len(classes), measure)[1].reshape(found.shape[2:])
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(activity), **{dim: activity[dim] for dim in dims if dim in activity.coords}},
        ("time", *dims),
        "selectivity",
        {"long_name": MEASURES[measure], "units": "1", "of": name_of(activity), "measure": measure},
    )
    if measure == "eta_squared":
        value.attrs["chance"] = (len(classes) - 1) / (n - 1)
    if measure == "d_prime":
        names = classes.astype(object)[preferred]
        names[~np.isfinite(found[0])] = None
        value = value.assign_coords(preferred=(value.dims, names))
    return with_interval(value, found[1], found[2], jackknife_text(n), n)


def _measured(
    responses: np.ndarray, members: np.ndarray, n_classes: int, measure: str
) -> tuple[np.ndarray, np.ndarray]:
    """Measure each column of (stimulus, unit); return the values and the preferred class of each unit."""
    n = np.bincount(members, minlength=n_classes)[:, None]
    sums = np.zeros((n_classes, responses.shape[1]))
    np.add.at(sums, members, responses)
    with np.errstate(invalid="ignore", divide="ignore"):
        means, overall = sums / n, responses.mean(0)
        # a constant has no variance, whatever rounding leaves of it
        away = responses - overall
        away[:, (responses == responses[:1]).all(0)] = 0
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
        np.add.at(within, members, (responses - means[members]) ** 2)
        # the others vary within their classes and between them
        spread = (within.sum(0) - within) + (between.sum(0) - between) - others * (rest - overall) ** 2
        variance = (within / (n - 1) + np.maximum(spread, 0) / (others - 1)) / 2
        value = np.where(whole > 0, (means - rest) / np.sqrt(variance), np.nan)
    best = np.nan_to_num(value, nan=-np.inf).argmax(0)
    return value[best, np.arange(len(best))], best
