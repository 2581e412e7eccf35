"""How alike two states are, at each time of the one and of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.kernel import centred, products, unbiased
from cortexsim.analyse.node import (
    at_least_stimuli,
    content,
    name_of,
    patterns,
    refuse_constant,
    refuse_other_stimuli,
    time_coordinate,
    times_to_read,
)


def cka(node: Any, other: Any = None, *, debiased: bool = False, seed: int = 0, progress: bool = False) -> xr.DataArray:
    """Return the linear centred kernel alignment of two states, between all their times.

    Patterns are read one time at a time; what is kept are their inner products, 8 stimulus² bytes for each time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    other : DataTree, Dataset or DataArray, optional
        Of the same stimuli, such as recording["IT"]; by default the same node, so that its times are compared.
    debiased : bool
        Without the bias that makes any two states alike when they have more units than there are stimuli. Then it may
        be below 0.
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
        If they are no nodes of the same stimuli, there are fewer than 5, or the activity is constant.

    References
    ----------
    Kornblith, S. et al. (2019). Similarity of neural network representations revisited. ICML. Nguyen, T. et al. (2021).
    Do wide and deep networks learn the same things? ICLR (debiased).
    """
    one = content(node)
    two = one if other is None else content(other)
    refuse_other_stimuli(one, two, "the two nodes")
    at_least_stimuli(one, 5, "centred kernel alignment")
    n, centre = one.sizes["stimulus"], unbiased if debiased else centred
    kernels = _kernels(one, progress)
    others = kernels if other is None else _kernels(two, progress)

    def alignment(chosen: np.ndarray) -> np.ndarray:
        mine = _flat(kernels, chosen, centre)
        its = mine if other is None else _flat(others, chosen, centre)
        return mine @ its.T

    found = jackknife(n, alignment, seed) if kernels and others else [np.empty((len(kernels), len(others)))] * 3
    arrays = [np.full((one.sizes["time"], two.sizes["time"]), np.nan) for _ in found]
    for array, values in zip(arrays, found, strict=True):
        array[np.ix_(list(kernels), list(others))] = values
    times = time_coordinate(two)
    value = xr.DataArray(
        arrays[0],
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
    return with_interval(value, arrays[1], arrays[2], jackknife_text(n), n)


def _kernels(held: xr.DataArray, progress: bool) -> dict[int, np.ndarray]:
    found = {}
    for place in times_to_read(held, progress, "reading"):
        read = patterns(held, place)
        refuse_constant(read, held, place)
        found[place] = products(read)
    return found


def _flat(kernels: dict[int, np.ndarray], chosen: np.ndarray, centre: Any) -> np.ndarray:
    """Return each time's centred inner products as one vector of length 1."""
    square = np.ix_(chosen, chosen)
    vectors = np.array([centre(kernel[square]).ravel() for kernel in kernels.values()])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
