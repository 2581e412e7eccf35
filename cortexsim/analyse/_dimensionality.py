"""Dimensionality of a state's patterns, at every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth
from cortexsim.analyse.interval import with_interval
from cortexsim.analyse.kernel import centred, products, unbiased
from cortexsim.analyse.node import Node, activity_of, all_equal, at_least_stimuli, refuse_constant
from cortexsim.analyse.over_time import measured_over_time
from cortexsim.analyse.runs import of_each_run


@of_each_run
def dimensionality(node: Node, *, debiased: bool = True, seed: int = 0, progress: bool = False) -> xr.DataArray:
    """Return the participation ratio of a state's patterns at every time: (Σ λ)² / Σ λ².

    λ are the variances of the principal components over stimuli. One time is read at a time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    debiased : bool
        Estimate numerator and denominator without bias, so that the result does not grow with the number of stimuli.
        The plain ratio describes the sample: it is at most the number of stimuli minus one, and too low for states
        of high dimensionality. It has no interval, because no interval around it covers the population's ratio.
    seed : int
        Seed of the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        An estimate of the ratio for the population of stimuli, which is between 1 and the number of units; by chance
        the estimate can lie slightly outside. `low` and `high`: 95 % jackknife interval over stimuli; with fewer than
        50 stimuli it is somewhat too narrow if one component dominates. NaN if any stimulus is empty,
        or all have the same pattern.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, has fewer than 5 stimuli, or these have the same pattern at all times.

    Notes
    -----
    (Σ λ)² is estimated from quadruples of different stimuli: half the squared distance of two stimuli has the
    expectation Σ λ, and that of the other two is independent of it. Σ λ² is estimated from inner products that are
    centred as by Székely & Rizzo, as in debiased CKA.

    References
    ----------
    Gao, P. et al. (2017). A theory of multineuronal dimensionality, dynamics and measurement. bioRxiv 214262. Song, L.
    et al. (2012). Feature selection via dependence maximization. JMLR 13.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> cs.analyse.dimensionality(recording["V4"]).sel(time=slice(0, 3)).isnull().values  # empty at first
    array([ True,  True, False, False])
    """
    activity, debiased = activity_of(node), truth(debiased, "debiased")
    at_least_stimuli(activity, 5, "dimensionality")

    differs: list[bool] = []

    def ratio(responses: np.ndarray, index: int) -> Callable[[np.ndarray], float]:
        differs.append(not all_equal(responses))
        if not differs[-1]:
            return lambda chosen: float("nan")
        kernel = products(responses)
        of = _debiased_ratio if debiased else _ratio
        return lambda chosen: of(kernel[np.ix_(chosen, chosen)])

    found = measured_over_time(
        activity,
        "dimensionality",
        ratio,
        long_name=f"participation ratio{'' if debiased else ' of the sample'}",
        units="1",
        seed=seed,
        progress=progress,
    )
    refuse_constant(activity, differs)
    if debiased:
        return found
    n, none = activity.sizes["stimulus"], np.full(found.shape, np.nan)
    return with_interval(found, none, none, f"none: the plain ratio depends on the number of stimuli, here {n}", n)


def _ratio(kernel: np.ndarray) -> float:
    # a matrix of inner products has the variances as eigenvalues; their sums need no decomposition
    kernel = centred(kernel)
    power = float((kernel**2).sum())
    return float(np.trace(kernel) ** 2 / power) if power else float("nan")


def _debiased_ratio(kernel: np.ndarray) -> float:
    n, own = len(kernel), np.diag(kernel)
    if n < 4:  # without the rows of one of few stimuli
        return float("nan")
    distances = (own + own[:, None]) / 2 - kernel
    # products of the distances of two pairs, over all quadruples of different stimuli
    quadruples = distances.sum() ** 2 - 4 * (distances.sum(0) ** 2).sum() + 2 * (distances**2).sum()
    squared_sum = quadruples / (n * (n - 1) * (n - 2) * (n - 3))
    sum_of_squares = (unbiased(kernel) ** 2).sum() / (n * (n - 3))
    return float(squared_sum / sum_of_squares) if sum_of_squares else float("nan")
