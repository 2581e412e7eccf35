"""Similarity of two states, between all their times: centred kernel alignment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth
from cortexsim.analyse.interval import student, with_interval
from cortexsim.analyse.kernel import centred, covariance_without_each, products, unbiased, variance_over_pairs
from cortexsim.analyse.node import (
    Node,
    activity_of,
    all_equal,
    at_least_stimuli,
    name_of,
    patterns,
    refuse_constant,
    time_coordinate,
    times_to_read,
)
from cortexsim.analyse.repeats import are_repeated, originals, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import refuse_other_stimuli


@of_each_run
def cka(node: Node, other: Node | None = None, *, debiased: bool = True, progress: bool = False) -> xr.DataArray:
    """Return the linear centred kernel alignment of two states, between all their times.

    Patterns are read one time at a time; their inner products take 16 stimulus² bytes of memory for each time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    other : DataTree, Dataset or DataArray, optional
        A node with the same stimuli, such as recording["IT"]; by default the same node, to compare its times.
    debiased : bool
        Remove the bias that makes any two states look similar if they have more units than there are stimuli. The
        result may then be below 0. The plain alignment describes the sample; it has no interval, because no interval
        around it covers the population's alignment.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, other_time)
        1 for equal patterns up to rotation, shift and scale. `low` and `high`: 95 % interval over stimuli, by Student's
        t with the variance of a mean over pairs of stimuli; NaN if stimuli are repeated. NaN where any stimulus is
        empty, and at a time at which all stimuli have the same pattern.

    Raises
    ------
    TypeError, ValueError
        If they are not nodes of the same stimuli, there are fewer than 6 stimuli, or these have the same pattern at
        all times.

    References
    ----------
    Kornblith, S. et al. (2019). Similarity of neural network representations revisited. ICML. Nguyen, T. et al. (2021).
    Do wide and deep networks learn the same things? ICLR (debiased).

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> alignment = cs.analyse.cka(recording["V4"], recording["IT"])
    >>> alignment.dims
    ('time', 'other_time')
    """
    one = activity_of(node)
    two = one if other is None else activity_of(other)
    debiased = truth(debiased, "debiased")
    refuse_other_stimuli(one, two, "the two nodes")
    at_least_stimuli(one, 6, "centred kernel alignment")
    n = one.sizes["stimulus"]
    kernels = _kernels(one, debiased, progress)
    other_kernels = kernels if other is None else _kernels(two, debiased, progress)
    found = np.full((3, one.sizes["time"], two.sizes["time"]), np.nan)
    for index, kernel in kernels.items():
        for other_index, other_kernel in other_kernels.items():
            if other is None and other_index < index:
                found[:, index, other_index] = found[:, other_index, index]
            else:
                found[:, index, other_index] = _alignment(kernel, other_kernel, debiased)
    times = time_coordinate(two)
    array = xr.DataArray(
        found[0],
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
    of = originals(one)
    text = f"95 % interval over {n} stimuli, by the variance over pairs of them"
    if not debiased:
        text = f"none: plain CKA depends on the numbers of stimuli, here {n}, and units"
    elif are_repeated(of):
        text = f"none: the trials of one stimulus are not independent, here {stimuli_text(of)}"
        found[1:] = np.nan
    return with_interval(array, found[1], found[2], text, len(np.unique(of)))


class _Kernel(NamedTuple):
    """Inner products of the patterns of a time."""

    plain: np.ndarray  # (stimulus, stimulus)
    centred: np.ndarray  # (stimulus, stimulus), of mean square 1
    without_each: np.ndarray  # (stimulus,), the squared covariance with itself; empty if not needed


def _kernels(activity: xr.DataArray, debiased: bool, progress: bool) -> dict[int, _Kernel]:
    """Return the inner products of the patterns, by the position of their time; none where all patterns are equal."""
    kernels = {}
    differs = []
    for index in times_to_read(activity, progress, "reading"):
        responses = patterns(activity, index)
        differs.append(not all_equal(responses))
        if not differs[-1]:
            continue
        plain = products(responses)
        moved = (unbiased if debiased else centred)(plain)
        without_each = covariance_without_each(plain, plain) if debiased else np.empty(0)
        kernels[index] = _Kernel(plain, moved * len(moved) / np.linalg.norm(moved), without_each)
    refuse_constant(activity, differs)
    return kernels


def _alignment(one: _Kernel, other: _Kernel, debiased: bool) -> tuple[float, float, float]:
    """Return the alignment of two times, and the ends of its interval."""
    n, products_of_pairs = len(one.centred), one.centred * other.centred
    aligned = float(products_of_pairs.mean())
    if not debiased:
        return aligned, np.nan, np.nan
    # the contribution of each pair to a change of the ratio: to its numerator and to the two norms in its denominator
    pairs = (products_of_pairs - aligned * (one.centred**2 + other.centred**2) / 2) * (n - 1) / n
    without_each = covariance_without_each(one.plain, other.plain) / np.sqrt(one.without_each * other.without_each)
    half = float(student(n - 1)) * np.sqrt(variance_over_pairs(pairs, without_each))
    return aligned, aligned - half, aligned + half
