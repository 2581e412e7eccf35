"""How different the patterns of each two stimuli are, at every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.node import (
    at_least_stimuli,
    content,
    name_of,
    patterns,
    stimulus_coordinate,
    stimulus_coordinates,
    time_coordinate,
    time_of,
    with_bar,
)
from cortexsim.suggest import unknown

METRICS = ("correlation", "euclidean", "crossnobis")
_TEXTS = {
    "correlation": "correlation distance, 1 - r",
    "euclidean": "squared euclidean distance per unit",
    "crossnobis": "crossnobis distance per unit",
}


def rdm(node: Any, metric: str = "correlation", *, noise: Any = None, progress: bool = False) -> xr.DataArray:
    """Return the representational dissimilarity matrix of a state at every time.

    One time is read at a time, so that a recording larger than memory will do.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    metric : "correlation", "euclidean" or "crossnobis"
        As rsatoolbox defines them: 1 - Pearson's r; the squared euclidean distance divided by the number of units; or
        the same cross-validated over independent noisy repeats, each left out once, so that it is 0 on average where
        two stimuli do not differ, and may be negative.
    noise : "diagonal" or array, shape (unit,), optional
        For crossnobis: precision (1 / variance) of the noise of each unit. "diagonal" takes it from the repeats
        at each time. By default 1 for each, as in rsatoolbox.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, stimulus, other_stimulus)
        0 on the diagonal; NaN where one of the two stimuli is empty. For crossnobis the stimuli are the originals, by
        the coordinate `target`, and a stimulus is NaN when one of its repeats is empty.

    Raises
    ------
    TypeError, ValueError
        If it is no node, has one stimulus, a pattern without variance under "correlation", or no repeats for
        "crossnobis".

    References
    ----------
    Walther, A. et al. (2016). Reliability of dissimilarity measures for multi-voxel pattern analysis. NeuroImage 137.
    """
    held = content(node)
    if metric not in METRICS:
        raise ValueError(unknown("metric", metric, METRICS))
    if noise is not None and metric != "crossnobis":
        raise ValueError(f"noise= belongs to metric='crossnobis', not to {metric!r}")
    at_least_stimuli(held, 2, "an RDM")
    filled = held["populated"].values
    coordinates = {name: variable for name, variable in stimulus_coordinates(held).items() if name != "stimulus"}
    names = held["stimulus"].values
    rows = None
    if metric == "crossnobis":
        rows = _repeats(held)
        # what all repeats of a stimulus share describes it
        first = rows[:, 0]
        coordinates = {
            name: xr.Variable("stimulus", variable.values[first], variable.attrs)
            for name, variable in coordinates.items()
            if name not in ("target", "repeat") and (variable.values[rows] == variable.values[first][:, None]).all()
        }
        names = held["target"].values[first]
        filled = filled[rows].all(1)
    n = len(names)
    distances = np.full((held.sizes["time"], n, n), np.nan)
    for place in with_bar(np.flatnonzero(filled.sum(0) >= 2).tolist(), progress, "comparing stimuli"):
        there = np.flatnonzero(filled[:, place])
        read = patterns(held, place).astype(np.float64)
        if rows is not None:
            found = _crossnobis(read[rows[there]], _precision(read[rows[there]], noise, held, place))
        elif metric == "correlation":
            found = 1 - _correlations(read[there], held, place, there)
        else:
            found = _squared(read[there]) / read.shape[1]
        np.fill_diagonal(found, 0)
        distances[place][np.ix_(there, there)] = found
    attributes = {"long_name": _TEXTS[metric], "units": "1", "metric": metric, "of": name_of(held)}
    other = xr.Variable("other_stimulus", names, {"long_name": "other stimulus"})
    stimuli = {"stimulus": ("stimulus", names, {"long_name": "stimulus"}), "other_stimulus": other}
    return xr.DataArray(
        distances,
        {"time": time_coordinate(held), **stimuli, **coordinates},
        ("time", "stimulus", "other_stimulus"),
        "rdm",
        attributes,
    )


def _squared(read: np.ndarray) -> np.ndarray:
    # distances do not depend on the origin, and near it less is lost to rounding
    read = read - read.mean(0)
    powers = np.einsum("ij,ij->i", read, read)
    return np.maximum(powers[:, None] + powers - 2 * read @ read.T, 0)


def _correlations(read: np.ndarray, held: xr.DataArray, place: int, there: np.ndarray) -> np.ndarray:
    flat = (read == read[:, :1]).all(1)
    if flat.any():
        which = held["stimulus"].values[there[flat]][:5].tolist()
        raise ValueError(
            f"{name_of(held)} has the same value in every unit at time {time_of(held, place)} for the stimuli {which}, "
            f"and a correlation with it is not defined; use metric='euclidean'"
        )
    read = read - read.mean(1, keepdims=True)
    read /= np.sqrt(np.einsum("ij,ij->i", read, read))[:, None]
    return np.clip(read @ read.T, -1, 1)


def _repeats(held: xr.DataArray) -> np.ndarray:
    """Return which rows repeat which stimulus, (stimulus, repeat)."""
    known = stimulus_coordinates(held)
    if "repeat" not in known or "target" not in known:
        raise ValueError(
            "crossnobis needs independent noisy repeats of each stimulus, and this recording has none; make them: "
            "simulate(..., noise=, repeats=), which gives the coordinates target and repeat"
        )
    target, repeat = stimulus_coordinate(held, "target"), stimulus_coordinate(held, "repeat")
    targets, repeats = np.unique(target), np.unique(repeat)
    if len(repeats) < 2:
        raise ValueError(
            "crossnobis needs at least 2 repeats of each stimulus, got 1; simulate(..., noise=, repeats=2)"
        )
    order = np.lexsort((repeat, target))
    each = [(value, other) for value in targets.tolist() for other in repeats.tolist()]
    if list(zip(target[order].tolist(), repeat[order].tolist(), strict=True)) != each:
        raise ValueError(
            f"crossnobis needs each of the {len(targets)} stimuli once in each of the {len(repeats)} repeats, "
            f"{len(each)} in all, got {len(target)} or some of them twice"
        )
    if len(targets) < 2:
        raise ValueError("an RDM needs at least 2 stimuli, got repeats of 1")
    return order.reshape(len(targets), len(repeats))


def _precision(read: np.ndarray, noise: Any, held: xr.DataArray, place: int) -> np.ndarray:
    """Return the weight of each unit."""
    n_units = read.shape[-1]
    if noise is None:
        return np.ones(n_units)
    if isinstance(noise, str):
        if noise != "diagonal":
            raise ValueError(unknown("noise", noise, ["diagonal"]))
        within = read - read.mean(1, keepdims=True)
        variance = (within**2).sum((0, 1)) / (len(read) * (read.shape[1] - 1))
        if (variance == 0).any():
            raise ValueError(
                f"{int((variance == 0).sum())} of {n_units} units of {name_of(held)} do not differ between repeats "
                f"at time {time_of(held, place)}, so that their noise is 0; pass noise=None"
            )
        return 1 / variance
    given = np.asarray(noise, float)
    if given.shape != (n_units,):
        raise ValueError(f"noise must be a precision for each of the {n_units} units, got shape {given.shape}")
    return given


def _crossnobis(read: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Cross-validate squared distances of (stimulus, repeat, unit), each repeat against the mean of the others."""
    n_repeats = read.shape[1]
    total, found = read.sum(1), np.zeros((len(read), len(read)))
    for k in range(n_repeats):
        products = ((total - read[:, k]) / (n_repeats - 1) * precision) @ read[:, k].T
        own = np.diag(products)
        found += own[:, None] + own - products - products.T
    return found / n_repeats / read.shape[-1]
