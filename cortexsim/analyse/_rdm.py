"""How different the patterns of each two stimuli are, at every time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
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
from cortexsim.analyse.noise import KINDS, Residuals, Whiten

METRICS = ("correlation", "euclidean", "crossnobis")
_TEXTS = {
    "correlation": "correlation distance, 1 - r",
    "euclidean": "squared euclidean distance per unit",
    "crossnobis": "crossnobis distance per unit",
}


def rdm(
    node: Any, metric: str = "correlation", *, noise: Any = None, pooled: bool = False, progress: bool = False
) -> xr.DataArray:
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
    noise : "diagonal", "full", "shrunk", or array of shape (unit,) or (unit, unit), optional
        For crossnobis: what units are normalized by. From how the repeats of a stimulus differ from their mean, the
        variance of each unit; or the whole covariance, which needs more stimuli x (repeats - 1) than units; or the
        covariance shrunk towards its diagonal, which does not. Or a precision of your own, the inverse of these. By
        default 1 for each unit and no covariance, as in rsatoolbox.
    pooled : bool
        Estimate the noise of all times together, so that distances at different times have the same units, and not of
        each time by itself. The recording is read twice. What is kept of a covariance is 8 units² bytes, or the
        residuals at all times where there are fewer of them than units.
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
        If it is no node, has one stimulus, a pattern without variance under "correlation", no repeats for "crossnobis",
        or too few for the noise.

    Notes
    -----
    The precisions are those of rsatoolbox's `prec_from_unbalanced` ("diag", "full", "shrinkage_diag"), and pooled those
    of `prec_from_residuals` with the degrees of freedom that the stimuli's means leave.

    References
    ----------
    Walther, A. et al. (2016). Reliability of dissimilarity measures for multi-voxel pattern analysis. NeuroImage 137.
    """
    held = content(node)
    if metric not in METRICS:
        raise ValueError(unknown("metric", metric, METRICS))
    if noise is not None and metric != "crossnobis":
        raise ValueError(f"noise= belongs to metric='crossnobis', not to {metric!r}")
    if isinstance(noise, str) and noise not in KINDS:
        raise ValueError(unknown("noise", noise, KINDS))
    if pooled and not isinstance(noise, str):
        raise ValueError(f"pooled= says of which times noise is estimated; give noise=, one of {list(KINDS)}")
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
    places = np.flatnonzero(filled.sum(0) >= 2).tolist()

    def repeats_at(place: int, rows: np.ndarray) -> np.ndarray:
        return patterns(held, place).astype(np.float64)[rows[filled[:, place]]]

    whiten = _given(noise, int(np.prod(held.shape[2:])))
    if pooled and rows is not None and places:
        every = (repeats_at(place, rows) for place in with_bar(places, progress, "estimating noise"))
        whiten = _estimated(every, int(filled[:, places].sum()), noise, held, "any time")
    for place in with_bar(places, progress, "comparing stimuli"):
        there = np.flatnonzero(filled[:, place])
        if rows is not None:
            read = repeats_at(place, rows)
            at = f"time {time_of(held, place)}"
            found = _crossnobis(read, whiten or _estimated([read], len(read), noise, held, at))
        elif metric == "correlation":
            found = 1 - _correlations(patterns(held, place).astype(np.float64)[there], held, place, there)
        else:
            read = patterns(held, place).astype(np.float64)[there]
            found = _squared(read) / read.shape[1]
        np.fill_diagonal(found, 0)
        distances[place][np.ix_(there, there)] = found
    attributes = {"long_name": _TEXTS[metric], "units": "1", "metric": metric, "of": name_of(held)}
    if metric == "crossnobis":
        kind = noise if isinstance(noise, str) else "none" if noise is None else "given"
        attributes["noise"] = f"{kind}, pooled over times" if pooled else kind
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


def _given(noise: Any, n_units: int) -> Whiten | None:
    """Return how patterns are normalized by a precision that is given; None where it is to be estimated."""
    if noise is None:
        return lambda read: read
    if isinstance(noise, str):
        return None
    given = np.asarray(noise, float)
    if given.shape == (n_units,):
        return lambda read: read * given
    if given.shape != (n_units, n_units) or not np.allclose(given, given.T):
        kind = "one that is not symmetric" if given.shape == (n_units, n_units) else f"shape {given.shape}"
        raise ValueError(
            f"noise must be a precision for each of the {n_units} units, or a symmetric matrix of them, got {kind}"
        )
    return lambda read: read @ given


def _estimated(reads: Iterable[np.ndarray], n_stimuli: int, kind: str, held: xr.DataArray, when: str) -> Whiten:
    """Return how patterns are normalized by the noise of repeats, each of `reads` (stimulus, repeat, unit)."""
    residuals = None
    for read in reads:
        if residuals is None:
            residuals = Residuals(read.shape[2], n_stimuli * read.shape[1], kind)
        residuals.add(read)
    assert residuals is not None
    if residuals.silent():
        raise ValueError(
            f"{residuals.silent()} of {residuals.n_units} units of {name_of(held)} do not differ between repeats "
            f"at {when}, so that their noise is 0; pass noise=None"
        )
    return residuals.precision()


def _crossnobis(read: np.ndarray, whiten: Whiten) -> np.ndarray:
    """Cross-validate squared distances of (stimulus, repeat, unit), each repeat against the mean of the others."""
    n_repeats = read.shape[1]
    total, found = read.sum(1), np.zeros((len(read), len(read)))
    for k in range(n_repeats):
        products = whiten((total - read[:, k]) / (n_repeats - 1)) @ read[:, k].T
        own = np.diag(products)
        found += own[:, None] + own - products - products.T
    return found / n_repeats / read.shape[-1]
