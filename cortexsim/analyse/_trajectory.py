"""Trajectories of a state's patterns through a few principal components, the same at all times."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import is_whole, seed_of, shown
from cortexsim.analyse.interval import mean_interval, with_interval
from cortexsim.analyse.node import (
    Node,
    activity_of,
    at_least_stimuli,
    labels_of,
    name_of,
    patterns,
    time_coordinate,
    with_bar,
)
from cortexsim.analyse.repeats import originals, per_stimulus, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import stimulus_coordinates

_SPARE = 10
_PASSES = 60
_TOLERANCE = 1e-8


@of_each_run
def trajectory(
    node: Node, n_components: int = 3, *, average: str | None = None, seed: int = 0, progress: bool = False
) -> xr.DataArray:
    """Return the trajectory of each stimulus through the first principal components, with the same axes at all times.

    The axes are those of all populated patterns (one for each stimulus and time) about their common mean. They are
    found by subspace iteration, which reads the recording about ten times, with one time in memory.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    n_components : int
        Number of components to return.
    average : str, optional
        A stimulus coordinate, such as "label": average the trajectories of all stimuli with the same value. The axes
        remain those of the single stimuli.
    seed : int
        Seed of the start of the iteration; the result does not depend on it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, stimulus, component) or (time, average, component)
        NaN if empty. The coordinate `explained_variance_ratio` (component,) is the fraction of the variance over
        stimuli and times. Averages have a 95 % interval over stimuli as `low` and `high`, and are NaN if one of
        their stimuli is empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, there are fewer patterns or units than components, or the activity is constant.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> path = cs.analyse.trajectory(recording["IT"], n_components=2)
    >>> dict(path.sizes)
    {'time': 9, 'stimulus': 20, 'component': 2}
    """
    activity = activity_of(node)
    at_least_stimuli(activity, 2, "a trajectory")
    populated = activity["populated"].values
    n_patterns, n_units = int(populated.sum()), int(np.prod(activity.shape[2:]))
    most = min(n_patterns - 1, n_units)
    if not is_whole(n_components) or not 1 <= n_components <= most:
        raise ValueError(
            f"n_components must be 1 to {most}, with {n_patterns} populated patterns of {n_units} units, "
            f"got {shown(n_components)}"
        )
    n_components, seed = int(n_components), seed_of(seed)
    indices = np.flatnonzero(populated.any(0)).tolist()
    mean, total = _moments(activity, indices)
    if total == 0:
        raise ValueError(f"{name_of(activity)} is the same for all stimuli at all times, so it has no trajectory")
    axes, powers = _axes(activity, indices, mean, n_components, seed, progress)
    path = np.full((activity.sizes["time"], activity.sizes["stimulus"], n_components), np.nan)
    for index in indices:
        path[index] = (patterns(activity, index) - mean) @ axes
    shared = {
        "time": time_coordinate(activity),
        "component": ("component", np.arange(1, n_components + 1), {"long_name": "principal component"}),
        "explained_variance_ratio": ("component", powers / total, {"long_name": "explained variance", "units": "1"}),
    }
    attributes = {"long_name": "projection", "units": "a.u.", "of": name_of(activity)}
    if average is None:
        stimuli = stimulus_coordinates(activity)
        return xr.DataArray(path, {**shared, **stimuli}, ("time", "stimulus", "component"), "trajectory", attributes)
    groups = labels_of(activity, average, at_least=1)
    values, of = np.unique(groups), originals(activity)
    mean, low, high = averages = np.full((3, len(path), len(values), n_components), np.nan)
    for k, value in enumerate(values):
        complete = populated[groups == value].all(0)
        paths = np.moveaxis(path[complete][:, groups == value], 1, 0)
        averages[:, complete, k] = mean_interval(per_stimulus(paths, of[groups == value]))
    array = xr.DataArray(
        mean, {**shared, average: (average, values)}, ("time", average, "component"), "trajectory", attributes
    )
    text = f"95 % interval of the mean over {stimuli_text(of)}, by {average}"
    return with_interval(array, low, high, text, len(np.unique(of)))


def _moments(activity: xr.DataArray, indices: list[int]) -> tuple[np.ndarray, float]:
    """Return the mean pattern, and the summed squared distance of all patterns from it."""
    n, mean, total = 0, np.zeros(int(np.prod(activity.shape[2:]))), 0.0
    for index in indices:
        responses = patterns(activity, index)[activity["populated"].values[:, index]].astype(np.float64)
        own = responses.mean(0)
        # Chan, Golub & LeVeque (1979): avoids the difference of two large sums
        total += float(
            ((responses - own) ** 2).sum() + ((own - mean) ** 2).sum() * n * len(responses) / (n + len(responses))
        )
        mean = mean + (own - mean) * len(responses) / (n + len(responses))
        n += len(responses)
    return mean, total


def _axes(
    activity: xr.DataArray, indices: list[int], mean: np.ndarray, n_components: int, seed: int, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal axes, (unit, component), and the summed squares along them."""
    size = min(n_components + _SPARE, len(mean))
    subspace = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(mean), size)))[0]
    before = np.zeros(n_components)
    for _ in with_bar(range(_PASSES), progress, "finding the axes"):
        image = np.zeros_like(subspace)
        for index in indices:
            responses = patterns(activity, index)[activity["populated"].values[:, index]] - mean
            image += responses.T @ (responses @ subspace)
        # Rayleigh and Ritz: the best axes within the subspace
        powers, rotation = np.linalg.eigh(subspace.T @ image)
        axes, powers = (subspace @ rotation)[:, ::-1][:, :n_components], powers[::-1][:n_components]
        if np.abs(powers - before).max() <= _TOLERANCE * powers[0]:
            break
        subspace, before = np.linalg.qr(image)[0], powers
    # the sign of an axis is arbitrary: make its largest weight positive
    largest = np.abs(axes).argmax(0)
    return axes * np.sign(axes[largest, np.arange(n_components)]), np.maximum(powers, 0)
