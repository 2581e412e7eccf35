"""Readouts with a memory: decisions that are kept once taken, and evidence accumulated over time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite
from cortexsim.analyse.node import Node, activity_of
from cortexsim.analyse.runs import of_each_run


@of_each_run
def latched(readout: Node, threshold: float = 0.0) -> xr.Dataset:
    """Return a readout whose decisions are kept once they are taken, whatever the state does later.

    A pixel of a map of two classes is "no" until the log odds of class 1, the difference of the two logits, exceed the
    threshold. From then on it keeps the logits with the largest log odds so far: a bounded accumulator at each
    position. A pixel that is still "no" when the state becomes empty stays "no". The threshold is subtracted from the
    logit of class 1, so that the larger logit gives the decision. In a readout of classes (stimulus, time, class), a
    stimulus keeps the logits of the first time at which the largest exceeds the second largest by more than the
    threshold. Logits at times at which the readout is not populated are ignored.

    Parameters
    ----------
    readout : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class[, y, x]).
    threshold : float
        The threshold in nats.

    Returns
    -------
    Dataset
        `logits` with the same dimensions and coordinates, and `populated`: a decision remains after the state becomes
        empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a readout, has one class, a map does not have two classes, or the threshold is not finite.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> kept = cs.analyse.latched(recording["readout"], threshold=2.0)
    >>> cs.analyse.map_accuracy(kept, paths).sel(time=20).item()
    1.0
    """
    logits = _readout(readout)
    threshold = finite(threshold, "threshold", unit="nats")
    values = logits.values.astype(np.float64)
    if "y" not in logits.dims:
        if values.shape[2] < 2:
            raise ValueError("a decision needs at least 2 classes, got 1")
        return _with_logits(logits, _first_sure(values, threshold))
    if values.shape[2] != 2:
        raise ValueError(f"a map is latched at class 1 of two classes, got {values.shape[2]} classes")
    values[:, :, 1] -= threshold
    for place in range(1, values.shape[1]):
        before, now = values[:, place - 1], values[:, place]
        odds_before, odds = before[:, 1] - before[:, 0], now[:, 1] - now[:, 0]
        with np.errstate(invalid="ignore"):
            keeps = ((odds_before > 0) & ~(odds > odds_before)) | np.isnan(odds)
        values[:, place] = np.where(keeps[:, None], before, now)
    return _with_logits(logits, values)


@of_each_run
def cumulative(readout: Node) -> xr.Dataset:
    """Return a readout that averages class probabilities over all times so far (Spoerer et al. 2020).

    Parameters
    ----------
    readout : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class[, y, x]).

    Returns
    -------
    Dataset
        `logits`, the logarithms of the mean of the softmax over the populated times up to each time; NaN before the
        first.

    Raises
    ------
    TypeError, ValueError
        If it is not a readout.

    References
    ----------
    Spoerer, C. et al. (2020). Recurrent neural networks can explain flexible trading of speed and accuracy in
    biological vision. PLOS Computational Biology 16.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> averaged = cs.analyse.cumulative(recording["readout"])
    >>> dict(cs.analyse.accuracy(averaged).sizes)
    {'time': 9}
    """
    logits = _readout(readout)
    values = logits.values.astype(np.float64)
    shifted = values - values.max(2, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(2, keepdims=True))
    there = np.isfinite(logs)
    # in logarithms, because an unlikely class may have a probability that is too small for a number
    total, count = np.logaddexp.accumulate(np.where(there, logs, -np.inf), axis=1), there.cumsum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _with_logits(logits, np.where(count > 0, total - np.log(count), np.nan))


def _readout(readout: Node) -> xr.DataArray:
    """Return the logits, NaN where the readout is not populated."""
    if isinstance(readout, xr.DataTree) and "readout" in readout.children:
        readout = readout["readout"]
    logits = activity_of(readout)
    if logits.dims not in (("stimulus", "time", "class"), ("stimulus", "time", "class", "y", "x")):
        raise ValueError(f"a readout has logits (stimulus, time, class[, y, x]), got {logits.dims}")
    return logits.where(logits["populated"])


def _first_sure(values: np.ndarray, threshold: float) -> np.ndarray:
    """Keep the logits of the first time at which the largest exceeds the second largest by more than the threshold."""
    ordered = np.sort(np.nan_to_num(values, nan=-np.inf), axis=2)
    with np.errstate(invalid="ignore"):
        sure = ordered[:, :, -1] - ordered[:, :, -2] > threshold
    decided = np.logical_or.accumulate(sure, axis=1)
    first = values[np.arange(len(values)), sure.argmax(1)]
    return np.where(decided[:, :, None], first[:, None], values)


def _with_logits(logits: xr.DataArray, values: np.ndarray) -> xr.Dataset:
    """Return the node with new logits; it is populated where these are not NaN."""
    others = tuple(range(2, values.ndim))
    bare = logits.drop_vars("populated")
    populated = xr.Variable(("stimulus", "time"), np.isfinite(values).all(others))
    return xr.Dataset({"logits": bare.copy(data=values), "populated": populated})
