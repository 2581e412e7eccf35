"""Representational dissimilarity matrices of a state, at every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim._support.checks import one_of, shown, truth
from cortexsim._support.labelled import array_of
from cortexsim.analyse.distances import correlation_distance, crossnobis_distance, squared_distance
from cortexsim.analyse.node import (
    Node,
    activity_of,
    all_equal,
    at_least_stimuli,
    name_of,
    patterns,
    stimulus_coordinate,
    time_coordinate,
    time_of,
    with_bar,
)
from cortexsim.analyse.noise import KINDS, Residuals, Whiten
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import stimulus_coordinates

METRICS = ("correlation", "euclidean", "crossnobis")
_TEXTS = {
    "correlation": "correlation distance, 1 - r",
    "euclidean": "squared euclidean distance per unit",
    "crossnobis": "crossnobis distance per unit",
}
NoiseKind = Literal["diagonal", "full", "shrunk"]


@of_each_run
def rdm(
    node: Node,
    metric: str = "correlation",
    *,
    noise: NoiseKind | ArrayLike | None = None,
    pooled: bool = False,
    progress: bool = False,
) -> xr.DataArray:
    """Return the representational dissimilarity matrix of a state at every time.

    One time is read at a time, so the recording may be larger than memory.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    metric : "correlation", "euclidean" or "crossnobis"
        As rsatoolbox defines them. "correlation": 1 - Pearson's r. "euclidean": the squared euclidean distance divided
        by the number of units. "crossnobis": the same, cross-validated over independent noisy repeats, each left out
        once. It is 0 on average if two stimuli do not differ, and may be negative.
    noise : "diagonal", "full", "shrunk", or array of shape (unit,) or (unit, unit), optional
        For crossnobis: the noise by which units are normalized. It is estimated from the differences between the
        repeats of a stimulus and their mean. "diagonal" is the variance of each unit. "full" is the covariance, which
        requires more stimuli x (repeats - 1) than units. "shrunk" is the covariance shrunk towards its diagonal,
        without this requirement. An array is your own precision, the inverse of these. By default all units have
        variance 1 and no covariance, as in rsatoolbox.
    pooled : bool
        Estimate the noise from all times together, so that distances at different times have the same units; the
        recording is then read twice. Otherwise the noise is estimated at each time. A covariance takes 8 units² bytes
        of memory, or less if there are fewer residuals than units.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, stimulus, other_stimulus)
        0 on the diagonal, and everywhere at a time at which all stimuli have the same pattern; NaN if one of the two
        stimuli is empty. For crossnobis, the stimuli are the originals (the coordinate `target`), and a stimulus is NaN
        if one of its repeats is empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, has only one stimulus, has fewer than 3 units or a pattern without variance under
        "correlation", or has no repeats for "crossnobis", or too few for the noise.

    Notes
    -----
    The precisions are those of rsatoolbox's `prec_from_unbalanced` ("diag", "full", "shrinkage_diag"). Pooled, they
    are those of `prec_from_residuals` with the degrees of freedom that remain after subtracting the stimuli's means.

    References
    ----------
    Walther, A. et al. (2016). Reliability of dissimilarity measures for multi-voxel pattern analysis. NeuroImage 137.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> rdm = cs.analyse.rdm(recording["IT"])
    >>> dict(rdm.sizes)
    {'time': 9, 'stimulus': 20, 'other_stimulus': 20}
    """
    activity = activity_of(node)
    pooled = truth(pooled, "pooled")
    _check(metric, noise, pooled)
    at_least_stimuli(activity, 2, "an RDM")
    n_units = int(np.prod(activity.shape[2:]))
    if metric == "correlation" and n_units < 3:
        raise ValueError(
            f"{name_of(activity)} has {n_units} {'unit' if n_units == 1 else 'units'}, but over fewer than 3 any two "
            "patterns correlate perfectly or not at all; use metric='euclidean'"
        )
    if metric == "crossnobis":
        stimuli, distances = _crossnobis(activity, noise, pooled, progress)
    else:
        stimuli = stimulus_coordinates(activity) | {"stimulus": activity["stimulus"].variable}
        of_patterns = correlation_distance if metric == "correlation" else squared_distance
        distances = _distances(activity, of_patterns, progress)
    names = stimuli.pop("stimulus").values
    attributes = {"long_name": _TEXTS[metric], "units": "1", "metric": metric, "of": name_of(activity)}
    if metric == "crossnobis":
        kind = noise if isinstance(noise, str) else "none" if noise is None else "given"
        attributes["noise"] = f"{kind}, pooled over times" if pooled else kind
    coordinates = {
        "time": time_coordinate(activity),
        "stimulus": xr.Variable("stimulus", names, {"long_name": "stimulus"}),
        "other_stimulus": xr.Variable("other_stimulus", names, {"long_name": "other stimulus"}),
    }
    return xr.DataArray(distances, coordinates | stimuli, ("time", "stimulus", "other_stimulus"), "rdm", attributes)


def _check(metric: str, noise: NoiseKind | ArrayLike | None, pooled: bool) -> None:
    one_of(metric, "metric", METRICS)
    if noise is not None and metric != "crossnobis":
        raise ValueError(f"noise= is an option of metric='crossnobis', not of {metric!r}")
    if isinstance(noise, str):
        one_of(noise, "noise", KINDS)
    elif noise is not None and array_of(noise, "noise").dtype.kind not in "iuf":
        raise ValueError(f"noise must be one of {list(KINDS)}, or an array of numbers, got {shown(noise)}")
    if pooled and not isinstance(noise, str):
        raise ValueError(f"pooled= needs a noise that is estimated: give noise=, one of {list(KINDS)}")


def _distances(activity: xr.DataArray, of_patterns: Callable[[np.ndarray], np.ndarray], progress: bool) -> np.ndarray:
    """Compare all populated stimuli at each time, (time, stimulus, stimulus)."""
    populated, n = activity["populated"].values, activity.sizes["stimulus"]
    distances = np.full((activity.sizes["time"], n, n), np.nan)
    for index in with_bar(np.flatnonzero(populated.sum(0) >= 2).tolist(), progress, "comparing stimuli"):
        present = np.flatnonzero(populated[:, index])
        responses = patterns(activity, index)[present]
        if all_equal(responses):
            # an area that starts as zeros, before the image has reached it: all stimuli are equal
            distances[index][np.ix_(present, present)] = 0.0
            continue
        responses = responses.astype(np.float64)
        if of_patterns is correlation_distance:
            _refuse_flat(responses, activity, index, present)
        between = of_patterns(responses)
        np.fill_diagonal(between, 0)
        distances[index][np.ix_(present, present)] = between
    return distances


def _refuse_flat(responses: np.ndarray, activity: xr.DataArray, index: int, present: np.ndarray) -> None:
    flat = (responses == responses[:, :1]).all(1)
    if flat.any():
        stimuli = activity["stimulus"].values[present[flat]][:5].tolist()
        raise ValueError(
            f"{name_of(activity)} has the same value in every unit at time {time_of(activity, index)} for the stimuli "
            f"{stimuli}, so their correlation with others is not defined; use metric='euclidean'"
        )


def _crossnobis(
    activity: xr.DataArray, noise: NoiseKind | ArrayLike | None, pooled: bool, progress: bool
) -> tuple[dict[str, xr.Variable], np.ndarray]:
    """Return the coordinates of the originals, and their distances at each time."""
    rows = _repeats(activity)
    populated = activity["populated"].values[rows].all(1)
    distances = np.full((activity.sizes["time"], len(rows), len(rows)), np.nan)
    indices = np.flatnonzero(populated.sum(0) >= 2).tolist()

    def repeats_at(index: int) -> np.ndarray:
        return patterns(activity, index).astype(np.float64)[rows[populated[:, index]]]

    whiten = _given_precision(noise, int(np.prod(activity.shape[2:])))
    if pooled and isinstance(noise, str) and indices:
        at_all_times = (repeats_at(index) for index in with_bar(indices, progress, "estimating noise"))
        whiten = _estimated_precision(at_all_times, int(populated[:, indices].sum()), noise, activity, "any time")
    for index in with_bar(indices, progress, "comparing stimuli"):
        repeats = repeats_at(index)
        at_time = whiten
        if at_time is None:
            when = f"time {time_of(activity, index)}"
            at_time = _estimated_precision([repeats], len(repeats), str(noise), activity, when)
        between = crossnobis_distance(repeats, at_time)
        np.fill_diagonal(between, 0)
        present = np.flatnonzero(populated[:, index])
        distances[index][np.ix_(present, present)] = between
    return _coordinates_of_originals(activity, rows), distances


def _coordinates_of_originals(activity: xr.DataArray, rows: np.ndarray) -> dict[str, xr.Variable]:
    """Return the coordinates that all repeats of a stimulus share; `stimulus` is the number of the original."""
    first = rows[:, 0]
    coordinates = {
        name: xr.Variable("stimulus", variable.values[first], variable.attrs)
        for name, variable in stimulus_coordinates(activity).items()
        if name not in ("stimulus", "target", "repeat")
        and (variable.values[rows] == variable.values[first][:, None]).all()
    }
    return coordinates | {"stimulus": xr.Variable("stimulus", activity["target"].values[first])}


def _repeats(activity: xr.DataArray) -> np.ndarray:
    """Return the rows of the repeats of each stimulus, (stimulus, repeat)."""
    known = stimulus_coordinates(activity)
    if "repeat" not in known or "target" not in known:
        raise ValueError(
            "crossnobis needs independent noisy repeats of each stimulus, and this recording has none; make them with "
            "simulate(..., noise=, repeats=), which adds the coordinates target and repeat"
        )
    target, repeat = stimulus_coordinate(activity, "target"), stimulus_coordinate(activity, "repeat")
    targets, repeats = np.unique(target), np.unique(repeat)
    if len(repeats) < 2:
        raise ValueError(
            "crossnobis needs at least 2 repeats of each stimulus, got 1; use simulate(..., noise=, repeats=2)"
        )
    order = np.lexsort((repeat, target))
    pairs = [(one, other) for one in targets.tolist() for other in repeats.tolist()]
    if list(zip(target[order].tolist(), repeat[order].tolist(), strict=True)) != pairs:
        raise ValueError(
            f"crossnobis needs each of the {len(targets)} stimuli once in each of the {len(repeats)} repeats, "
            f"{len(pairs)} rows in all, got {len(target)} rows, or some of them twice"
        )
    if len(targets) < 2:
        raise ValueError("an RDM needs at least 2 stimuli, got repeats of 1")
    return order.reshape(len(targets), len(repeats))


def _given_precision(noise: NoiseKind | ArrayLike | None, n_units: int) -> Whiten | None:
    """Return the function that multiplies patterns by a given precision; None if it must be estimated."""
    if noise is None:
        return lambda responses: responses
    if isinstance(noise, str):
        return None
    precision = array_of(noise, "noise").astype(float)
    if precision.shape == (n_units,):
        return lambda responses: responses * precision
    square = precision.shape == (n_units, n_units)
    if not square or not np.allclose(precision, precision.T):
        got = "one that is not symmetric" if square else f"shape {precision.shape}"
        raise ValueError(
            f"noise must be a precision for each of the {n_units} units, or a symmetric matrix of them, got {got}"
        )
    return lambda responses: responses @ precision


def _estimated_precision(
    each: Iterable[np.ndarray], n_stimuli: int, kind: str, activity: xr.DataArray, when: str
) -> Whiten:
    """Return the function that normalizes patterns by the noise of repeats, each of shape (stimulus, repeat, unit)."""
    residuals = None
    for repeats in each:
        if residuals is None:
            residuals = Residuals(repeats.shape[2], n_stimuli * repeats.shape[1], kind)
        residuals.add(repeats)
    assert residuals is not None
    if residuals.silent():
        raise ValueError(
            f"{residuals.silent()} of {residuals.n_units} units of {name_of(activity)} do not differ between repeats "
            f"at {when}, so their noise is 0; pass noise=None"
        )
    return residuals.precision()
