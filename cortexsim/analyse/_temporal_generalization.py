"""Whether what is read at one time can be read in the same way at another."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse._decode import fitted, planned, summarized, tested
from cortexsim.analyse.node import content, patterns, refuse_constant, time_coordinate, times_to_read


def temporal_generalization(
    node: Any,
    labels: Any = None,
    estimator: Any = None,
    cv: Any = None,
    groups: Any = None,
    *,
    seed: int = 0,
    score: str | None = None,
    progress: bool = False,
) -> xr.DataArray:
    """Train a decoder at each time and test it at all times, with cross-validation.

    Record quantity="rate" for it: in "state" a drift of scale from time to time, which the next areas never see since
    they read a normalized state, mimics a change of code.

    The patterns are read twice, one time at a time, so that a recording larger than memory will do; what is kept are
    the decoders.

    Parameters
    ----------
    node, labels, estimator, cv, groups, seed, score, progress
        As for `decode`.

    Returns
    -------
    DataArray, (train_time, test_time)
        Mean score over folds, with the lowest and the highest fold as `low` and `high`. Its diagonal is what `decode`
        returns. NaN where any stimulus is empty at either time.

    Raises
    ------
    TypeError, ValueError
        As for `decode`.

    References
    ----------
    King, J.-R. & Dehaene, S. (2014). Characterizing the dynamics of mental representations: the temporal
    generalization method. Trends in Cognitive Sciences 18. The numbers are those of MNE's `GeneralizingEstimator`.
    """
    held = content(node)
    plan = planned(held, labels, estimator, cv, groups, score=score, seed=seed)
    n_times, n_folds = held.sizes["time"], len(plan["folds"])
    decoders = {}
    for place in times_to_read(held, progress, "training"):
        read = patterns(held, place)
        refuse_constant(read, held, place)
        decoders[place] = fitted(plan, read)
    scores = np.full((n_times, n_times, n_folds), np.nan)
    for place in times_to_read(held, progress, "testing"):
        read = patterns(held, place)
        for trained, of_folds in decoders.items():
            for k, decoder in enumerate(of_folds):
                scores[trained, place, k] = tested(plan, decoder, read, k)
    coordinates = {}
    for dim, text in (("train_time", "training time"), ("test_time", "testing time")):
        variable = time_coordinate(held)
        coordinates[dim] = xr.Variable(dim, variable.values, {**variable.attrs, "long_name": text})
    return summarized(scores, held, plan, coordinates).rename("temporal_generalization")
