"""Activation patterns of linear decoders: the units that carry the decoded signal, at every time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim.analyse._decode import Estimator, checked_estimator, default_decoder
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
    all_equal,
    labels_of,
    name_of,
    patterns,
    time_coordinate,
    times_to_read,
)
from cortexsim.analyse.runs import of_each_run


@of_each_run
def decoding_patterns(
    node: Node, labels: Labels = None, estimator: Estimator | None = None, *, progress: bool = False
) -> xr.DataArray:
    """Return the activation patterns of linear decoders that are trained on all stimuli, one at every time.

    The weights of a decoder show how it reads a state: they are also large for units that carry no signal but cancel
    noise. The pattern shows how the decoded signal affects each unit: the covariance of the unit with the decoder's
    evidence, scaled to variance 1. Correlations between the evidence for several classes are removed.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or a value for each stimulus.
    estimator : scikit-learn estimator, optional
        A linear classifier with `decision_function`, or a linear regressor; by default the discriminant analysis of
        `decode`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, channel, y, x), or (time, class, channel, y, x) with more than two classes
        In units of the activity, for one standard deviation of evidence for a class; with two classes, for the second
        one. NaN if any stimulus is empty; 0 if all stimuli are equal.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, labels are missing or all the same, or the estimator gives no evidence.

    References
    ----------
    Haufe, S. et al. (2014). On the interpretation of weight vectors of linear models in multivariate neuroimaging.
    NeuroImage 87, equation 6.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> patterns = cs.analyse.decoding_patterns(recording["IT"], "label")
    >>> dict(patterns.sizes)
    {'time': 9, 'channel': 32, 'y': 4, 'x': 4}
    """
    from sklearn.base import clone, is_regressor

    activity = activity_of(node)
    truth = labels_of(activity, labels)
    decoder = default_decoder(False, len(truth)) if estimator is None else checked_estimator(estimator)
    if not is_regressor(decoder) and not hasattr(decoder, "decision_function"):
        raise TypeError(f"patterns need the evidence of a linear decoder, but {decoder!r} has no decision_function")
    classes = np.unique(truth)
    several = len(classes) > 2 and not is_regressor(decoder)
    shape, dims = activity.shape[2:], activity.dims[2:]
    found = np.full((activity.sizes["time"], len(classes) if several else 1, *shape), np.nan)
    for index in times_to_read(activity, progress, "decoding"):
        responses = patterns(activity, index)
        if all_equal(responses):
            found[index] = 0
            continue
        responses = responses.astype(np.float64)
        fitted = clone(decoder).fit(responses, truth)
        evidence = fitted.predict(responses) if is_regressor(decoder) else fitted.decision_function(responses)
        found[index] = _pattern(responses, np.reshape(evidence, (len(truth), -1))).reshape(found.shape[1:])
    coordinates = {"time": time_coordinate(activity), **{dim: activity[dim] for dim in dims if dim in activity.coords}}
    attributes = {
        "long_name": f"pattern of the decoder of {name_of(activity)}",
        "units": str(activity.attrs.get("units", "a.u.")),
    }
    if not several:
        return xr.DataArray(found[:, 0], coordinates, ("time", *dims), "decoding_patterns", attributes)
    named = {**coordinates, "class": classes}
    return xr.DataArray(found, named, ("time", "class", *dims), "decoding_patterns", attributes)


def _pattern(responses: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Return the pattern of each column of evidence, (evidence, unit)."""
    n = len(responses) - 1
    away, evidence = responses - responses.mean(0), evidence - evidence.mean(0)
    spread = np.sqrt((evidence**2).sum(0) / n)
    # the evidence for all classes sums to a constant, so its covariance has no inverse
    pattern: np.ndarray = np.linalg.pinv(evidence.T @ evidence / n) @ (evidence.T @ away / n) * spread[:, None]
    return pattern
