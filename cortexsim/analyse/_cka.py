"""Similarity of two states, between all their times: centred kernel alignment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.kernel import centred, products, unbiased
from cortexsim.analyse.node import (
    Node,
    activity_of,
    at_least_stimuli,
    name_of,
    patterns,
    refuse_constant,
    refuse_other_stimuli,
    time_coordinate,
    times_to_read,
)


def cka(
    node: Node, other: Node | None = None, *, debiased: bool = False, seed: int = 0, progress: bool = False
) -> xr.DataArray:
    """Return the linear centred kernel alignment of two states, between all their times.

    Patterns are read one time at a time; their inner products take 8 stimulus² bytes of memory for each time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    other : DataTree, Dataset or DataArray, optional
        Of the same stimuli, such as recording["IT"]; by default the same node, so that its times are compared.
    debiased : bool
        Remove the bias by which any two states look similar when they have more units than there are stimuli. The
        result may then be below 0.
    seed : int
        Draws the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, other_time)
        1 for equal patterns up to rotation, shift and scale. `low` and `high`: 95 % jackknife interval over stimuli.
        NaN where any stimulus is empty.

    Raises
    ------
    TypeError, ValueError
        If they are not nodes of the same stimuli, there are fewer than 5 stimuli, or the activity is constant.

    References
    ----------
    Kornblith, S. et al. (2019). Similarity of neural network representations revisited. ICML. Nguyen, T. et al. (2021).
    Do wide and deep networks learn the same things? ICLR (debiased).
    """
    one = activity_of(node)
    two = one if other is None else activity_of(other)
    refuse_other_stimuli(one, two, "the two nodes")
    at_least_stimuli(one, 5, "centred kernel alignment")
    n, centre = one.sizes["stimulus"], unbiased if debiased else centred
    kernels = _kernels(one, progress)
    other_kernels = kernels if other is None else _kernels(two, progress)

    def alignment(chosen: np.ndarray) -> np.ndarray:
        vectors = _unit_vectors(kernels, chosen, centre)
        other_vectors = vectors if other is None else _unit_vectors(other_kernels, chosen, centre)
        return vectors @ other_vectors.T

    mean, low, high = (np.full((one.sizes["time"], two.sizes["time"]), np.nan) for _ in range(3))
    if kernels and other_kernels:
        known = np.ix_(list(kernels), list(other_kernels))
        mean[known], low[known], high[known] = jackknife(n, alignment, seed)
    times = time_coordinate(two)
    array = xr.DataArray(
        mean,
        {"time": time_coordinate(one), "other_time": ("other_time", times.values, times.attrs)},
        ("time", "other_time"),
        "cka",
        {
            "long_name": f"{'debiased ' if debiased else ''}linear CKA",
            "units": "1",
            "of": name_of(one),
            "with": name_of(two),
        },
    )
    return with_interval(array, low, high, jackknife_text(n), n)


def _kernels(activity: xr.DataArray, progress: bool) -> dict[int, np.ndarray]:
    """Return the inner products of the patterns, by the position of their time."""
    kernels = {}
    for index in times_to_read(activity, progress, "reading"):
        responses = patterns(activity, index)
        refuse_constant(responses, activity, index)
        kernels[index] = products(responses)
    return kernels


def _unit_vectors(
    kernels: dict[int, np.ndarray], chosen: np.ndarray, centre: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the centred inner products of each time as one vector of length 1, (time, entry)."""
    square = np.ix_(chosen, chosen)
    vectors = np.array([centre(kernel[square]).ravel() for kernel in kernels.values()])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
