"""Temporal generalization: decoders trained at one time and tested at another."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim.analyse._decode import Estimator, plan_decoding
from cortexsim.analyse.folds import Groups, Splits
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
    patterns,
    time_coordinate,
    times_to_read,
)
from cortexsim.analyse.runs import of_each_run


@of_each_run
def temporal_generalization(
    node: Node,
    labels: Labels = None,
    estimator: Estimator | None = None,
    cv: Splits = None,
    groups: Groups = None,
    *,
    seed: int = 0,
    score: str | None = None,
    progress: bool = False,
) -> xr.DataArray:
    """Train a decoder at each time and test it at all times, with cross-validation.

    Use a recording with quantity="rate". With "state", the scale of the activity drifts over time, although the next
    areas read a normalized state; such a drift looks like a change of code.

    The patterns are read twice, one time at a time, so the recording may be larger than memory. The decoders of all
    times are kept in memory.

    Parameters
    ----------
    node, labels, estimator, cv, groups, seed, score, progress
        As for `decode`.

    Returns
    -------
    DataArray, (train_time, test_time)
        Mean score over folds, with the lowest and the highest fold as `low` and `high`. Its diagonal is the result of
        `decode`. NaN if any stimulus is empty at either time.

    Raises
    ------
    TypeError, ValueError
        As for `decode`.

    References
    ----------
    King, J.-R. & Dehaene, S. (2014). Characterizing the dynamics of mental representations: the temporal
    generalization method. Trends in Cognitive Sciences 18. The numbers are those of MNE's `GeneralizingEstimator`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> scores = cs.analyse.temporal_generalization(recording["IT"], "label")
    >>> dict(scores.sizes)
    {'train_time': 9, 'test_time': 9}
    """
    activity = activity_of(node)
    plan = plan_decoding(activity, labels, estimator, cv, groups, score=score, seed=seed)
    n_times, n_folds = activity.sizes["time"], len(plan.folds)
    decoders = {}
    for index in times_to_read(activity, progress, "training"):
        responses = patterns(activity, index)
        decoders[index] = plan.fit(responses)
    scores = np.full((n_times, n_times, n_folds), np.nan)
    for index in times_to_read(activity, progress, "testing"):
        responses = patterns(activity, index)
        for trained, of_folds in decoders.items():
            for fold, decoder in enumerate(of_folds):
                scores[trained, index, fold] = plan.test(decoder, responses, fold)
    coordinates = {}
    for dim, text in (("train_time", "training time"), ("test_time", "testing time")):
        variable = time_coordinate(activity)
        coordinates[dim] = xr.Variable(dim, variable.values, {**variable.attrs, "long_name": text})
    return plan.summarize(scores, activity, coordinates).rename("temporal_generalization")
