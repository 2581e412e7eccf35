"""Which way a state's patterns go: their path through a few principal components that all times share."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import mean_interval, with_interval
from cortexsim.analyse.node import (
    at_least_stimuli,
    content,
    labels_of,
    name_of,
    patterns,
    stimulus_coordinates,
    time_coordinate,
    with_bar,
)

_SPARE = 10
_PASSES = 60
_TOLERANCE = 1e-8


def trajectory(
    node: Any, n_components: int = 3, *, average: str | None = None, seed: int = 0, progress: bool = False
) -> xr.DataArray:
    """Follow each stimulus through the first principal components, with the same axes at all times.

    The axes are those of all populated patterns, every stimulus at every time being one, about their common mean. They
    are found by subspace iteration, which goes through the recording some ten times, one time of it in memory.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    n_components : int
        Components to return.
    average : str, optional
        A stimulus coordinate, such as "label": average the paths of all stimuli of a value. The axes stay those of
        the single stimuli.
    seed : int
        Draws where the iteration starts; what it finds does not depend on it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, stimulus, component) or (time, average, component)
        NaN where empty. The coordinate `explained_variance_ratio` (component,) is the share of the variance over
        stimuli and times. Averages have their 95 % interval over stimuli as `low` and `high`, and are NaN where one
        of their stimuli is empty.

    Raises
    ------
    TypeError, ValueError
        If it is no node, there are fewer patterns or units than components, or the activity is constant.
    """
    held = content(node)
    at_least_stimuli(held, 2, "a trajectory")
    filled = held["populated"].values
    n_patterns, n_units = int(filled.sum()), int(np.prod(held.shape[2:]))
    most = min(n_patterns - 1, n_units)
    if not 1 <= n_components <= most:
        raise ValueError(
            f"n_components must be 1 to {most}, with {n_patterns} populated patterns of {n_units} units, "
            f"got {n_components}"
        )
    places = np.flatnonzero(filled.any(0)).tolist()
    mean, total = _moments(held, places)
    if total == 0:
        raise ValueError(f"{name_of(held)} is the same for all stimuli at all times, so it has no trajectory")
    axes, powers = _axes(held, places, mean, n_components, seed, progress)
    path = np.full((held.sizes["time"], held.sizes["stimulus"], n_components), np.nan)
    for place in places:
        path[place] = (patterns(held, place) - mean) @ axes
    shared = {
        "time": time_coordinate(held),
        "component": ("component", np.arange(1, n_components + 1), {"long_name": "principal component"}),
        "explained_variance_ratio": ("component", powers / total, {"long_name": "explained variance", "units": "1"}),
    }
    attributes = {"long_name": "projection", "units": "a.u.", "of": name_of(held)}
    if average is None:
        stimuli = stimulus_coordinates(held)
        return xr.DataArray(path, {**shared, **stimuli}, ("time", "stimulus", "component"), "trajectory", attributes)
    groups = labels_of(held, average, at_least=1)
    values = np.unique(groups)
    found = np.full((3, len(path), len(values), n_components), np.nan)
    for k, value in enumerate(values):
        whole = filled[groups == value].all(0)
        found[:, whole, k] = mean_interval(path[whole][:, groups == value], axis=1)
    value = xr.DataArray(
        found[0], {**shared, average: (average, values)}, ("time", average, "component"), "trajectory", attributes
    )
    n = held.sizes["stimulus"]
    return with_interval(value, found[1], found[2], f"95 % interval of the mean over {n} stimuli, by {average}", n)


def _moments(held: xr.DataArray, places: list[int]) -> tuple[np.ndarray, float]:
    """Return the mean pattern, and the summed squared distance of all patterns from it."""
    n, mean, total = 0, np.zeros(int(np.prod(held.shape[2:]))), 0.0
    for place in places:
        read = patterns(held, place)[held["populated"].values[:, place]].astype(np.float64)
        own = read.mean(0)
        # Chan, Golub & LeVeque (1979): no difference of two large sums
        total += float(((read - own) ** 2).sum() + ((own - mean) ** 2).sum() * n * len(read) / (n + len(read)))
        mean = mean + (own - mean) * len(read) / (n + len(read))
        n += len(read)
    return mean, total


def _axes(
    held: xr.DataArray, places: list[int], mean: np.ndarray, n_components: int, seed: int, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal axes, (unit, component), and the summed squares along them."""
    kept = min(n_components + _SPARE, len(mean))
    subspace = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(mean), kept)))[0]
    before = np.zeros(n_components)
    for _ in with_bar(range(_PASSES), progress, "finding the axes"):
        image = np.zeros_like(subspace)
        for place in places:
            read = patterns(held, place)[held["populated"].values[:, place]] - mean
            image += read.T @ (read @ subspace)
        # Rayleigh and Ritz: the best axes within the subspace
        powers, turn = np.linalg.eigh(subspace.T @ image)
        axes, powers = (subspace @ turn)[:, ::-1][:, :n_components], powers[::-1][:n_components]
        if np.abs(powers - before).max() <= _TOLERANCE * powers[0]:
            break
        subspace, before = np.linalg.qr(image)[0], powers
    # an axis has no sign of its own: its largest weight is positive
    largest = np.abs(axes).argmax(0)
    return axes * np.sign(axes[largest, np.arange(n_components)]), np.maximum(powers, 0)
