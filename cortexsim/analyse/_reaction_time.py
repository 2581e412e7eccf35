"""When a model is sure: the first time at which its confidence passes a threshold, and what waiting buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim.analyse._accuracy import class_labels, readout_of
from cortexsim.analyse.interval import mean_interval, wilson
from cortexsim.analyse.node import patterns, stimulus_coordinates, time_coordinate

KINDS = ("entropy", "margin")
OUTCOMES = ("right", "wrong")


def reaction_time(readout: Any, threshold: float, by: str = "entropy", *, labels: Any = None) -> xr.Dataset:
    """Return the first time at which each stimulus is read out with enough confidence, and whether it is right then.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"], with `logits` (stimulus, time, class).
    threshold : float
        Confidence to reach, above 0 and at most 1.
    by : "entropy" or "margin"
        Confidence is 1 - H / log(number of classes), H the entropy of the softmax of the logits; or the difference
        between its two largest values. Both are 0 for no idea and 1 for certainty. A softmax is not calibrated: compare
        thresholds within a model.
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.

    Returns
    -------
    Dataset
        `reaction_time` (stimulus), NaN for stimuli that never pass; `decided` (stimulus), bool; `choice` and
        `correct` (stimulus), NaN where undecided; `confidence` (stimulus, time), NaN where empty. `mean_time`
        (outcome) of the right and the wrong decisions apart, with 95 % `mean_time_low`, `mean_time_high` over
        stimuli, and `count` (outcome). `fraction_decided`, and `accuracy` of the decided, with Wilson's 95 %
        intervals, `..._low` and `..._high`.

    Raises
    ------
    TypeError, ValueError
        If it is no readout, the labels are missing, or the threshold or `by` is not allowed.

    References
    ----------
    Spoerer, C. et al. (2020). Recurrent neural networks can explain flexible trading of speed and accuracy in
    biological vision. PLOS Computational Biology 16.
    """
    held = readout_of(readout)
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be a confidence above 0 and at most 1, got {threshold}")
    truth = class_labels(held, labels)
    sure, named = confidence(held, by)
    first, decided = passes(sure, threshold)
    rows = np.arange(len(truth))
    right = np.where(decided, held["class"].values[named[rows, first]] == truth, np.nan)
    time = np.where(decided, held["time"].values[first].astype(float), np.nan)
    of_outcome = [time[right == 1], time[right == 0]]
    means = np.array([mean_interval(times) for times in of_outcome]).T
    n, n_decided = len(truth), int(decided.sum())
    text = "95 % interval of the mean over the stimuli of this outcome"
    variables = {
        "reaction_time": ("stimulus", time, {"long_name": "reaction time", "units": "steps"}),
        "decided": ("stimulus", decided, {"long_name": "decided"}),
        "choice": ("stimulus", np.where(decided, held["class"].values[named[rows, first]], np.nan)),
        "correct": ("stimulus", right, {"long_name": "decided right", "units": "1"}),
        "confidence": (("stimulus", "time"), sure, {"long_name": f"confidence by {by}", "units": "1"}),
        **{
            name: ("outcome", values, {"long_name": "mean reaction time", "units": "steps", "interval": text})
            for name, values in zip(("mean_time", "mean_time_low", "mean_time_high"), means, strict=True)
        },
        "count": ("outcome", [len(times) for times in of_outcome], {"long_name": "stimuli"}),
        **_fraction("fraction_decided", n_decided, n, "fraction decided", (), f"{n} stimuli"),
        **_fraction("accuracy", np.nansum(right), n_decided, "accuracy", (), "the decided stimuli"),
    }
    coordinates = {"time": time_coordinate(held), "outcome": list(OUTCOMES), **stimulus_coordinates(held)}
    return xr.Dataset(variables, coordinates, {"threshold": threshold, "by": by, "n": n, "n_decided": n_decided})


def speed_accuracy(
    readout: Any, thresholds: Sequence[float] | None = None, by: str = "entropy", *, labels: Any = None
) -> xr.Dataset:
    """Return how reaction time and accuracy trade as the threshold of confidence moves.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"].
    thresholds : sequence of float, optional
        Confidences, above 0 and at most 1; by default 0.05 to 0.95 in steps of 0.05.
    by, labels
        As for `reaction_time`.

    Returns
    -------
    Dataset, (threshold,)
        `mean_time` and `accuracy` of the stimuli that are decided, and `fraction_decided`: the higher the threshold,
        the easier the stimuli that still pass. So also `forced_time` and `forced_accuracy` of all stimuli, where
        those that never pass answer at their last populated time. Each with `..._low` and `..._high`: 95 % intervals
        over stimuli, Wilson's for fractions.

    Raises
    ------
    TypeError, ValueError
        As for `reaction_time`; also if a stimulus is never populated.
    """
    held = readout_of(readout)
    levels = np.asarray(np.linspace(0.05, 0.95, 19).round(2) if thresholds is None else thresholds, float)
    if levels.ndim != 1 or not levels.size or not ((levels > 0) & (levels <= 1)).all():
        raise ValueError(f"thresholds must be confidences above 0 and at most 1, got {thresholds}")
    truth, filled = class_labels(held, labels), held["populated"].values
    if not filled.any(1).all():
        raise ValueError(f"the readout of {int((~filled.any(1)).sum())} of {len(filled)} stimuli is empty at all times")
    sure, named = confidence(held, by)
    times, n = held["time"].values.astype(float), len(truth)
    last = filled.shape[1] - 1 - filled[:, ::-1].argmax(1)
    right = held["class"].values[named] == truth[:, None]
    rows = np.arange(n)
    means, forced, counts = [], [], []
    for level in levels:
        first, decided = passes(sure, level)
        answer = np.where(decided, first, last)
        means.append(mean_interval(np.where(decided, times[first], np.nan)))
        forced.append(mean_interval(times[answer]))
        counts.append((decided.sum(), right[rows, first][decided].sum(), right[rows, answer].sum()))
    n_decided, n_right, n_forced = np.array(counts).T
    variables: dict[str, Any] = {}
    for name, values, who in (("mean_time", means, "the decided stimuli"), ("forced_time", forced, f"{n} stimuli")):
        attributes = {"long_name": "mean reaction time", "units": "steps"}
        attributes["interval"] = f"95 % interval of the mean over {who}"
        for end, series in zip(("", "_low", "_high"), np.array(values).T, strict=True):
            variables[name + end] = ("threshold", series, attributes)
    dims = ("threshold",)
    variables |= _fraction("accuracy", n_right, n_decided, "accuracy", dims, "the decided stimuli")
    variables |= _fraction("forced_accuracy", n_forced, n, "accuracy of all", dims, f"{n} stimuli")
    variables |= _fraction("fraction_decided", n_decided, n, "fraction decided", dims, f"{n} stimuli")
    for name in ("accuracy", "forced_accuracy"):
        variables[name][2]["chance"] = 1 / held.sizes["class"]
    level = ("threshold", levels, {"long_name": f"threshold of confidence by {by}", "units": "1"})
    return xr.Dataset(variables, {"threshold": level}, {"by": by, "n": n})


def confidence(held: xr.DataArray, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence, NaN where empty, and the place of the class named; both (stimulus, time).

    Parameters
    ----------
    held : DataArray, (stimulus, time, class)
        By `readout_of`.
    by : "entropy" or "margin"

    Raises
    ------
    ValueError
        If `by` is neither, or there is one class.
    """
    if by not in KINDS:
        raise ValueError(unknown("confidence", by, KINDS))
    n_classes = held.sizes["class"]
    if n_classes < 2:
        raise ValueError("confidence needs at least 2 classes, got 1")
    sure = np.full(held["populated"].shape, np.nan)
    named = np.zeros(sure.shape, int)
    for place in range(held.sizes["time"]):
        filled = held["populated"].values[:, place]
        if not filled.any():
            continue
        logits = patterns(held, place)[filled].astype(np.float64)
        # an unlikely class must not turn into the logarithm of 0
        logs = logits - logits.max(1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(1, keepdims=True))
        chance = np.exp(logs)
        if by == "entropy":
            sure[filled, place] = 1 + (chance * logs).sum(1) / np.log(n_classes)
        else:
            two = np.partition(chance, n_classes - 2, axis=1)[:, -2:]
            sure[filled, place] = two[:, 1] - two[:, 0]
        named[filled, place] = logits.argmax(1)
    return sure, named


def passes(sure: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of the first time at which confidence (stimulus, time) passes, and whether there is one."""
    enough = np.nan_to_num(sure, nan=-1) >= threshold
    return enough.argmax(1), enough.any(1)


def _fraction(name: str, right: Any, n: Any, long_name: str, dims: tuple[str, ...], who: str) -> dict[str, Any]:
    """Return a fraction and its ends; in a dataset coordinates would belong to all of its arrays."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(right, float) / np.asarray(n, float)
    attributes = {"long_name": long_name, "units": "1", "interval": f"95 % Wilson interval over {who}"}
    ends = zip((name, f"{name}_low", f"{name}_high"), (share, *wilson(right, n)), strict=True)
    return {which: (dims, values, attributes) for which, values in ends}
