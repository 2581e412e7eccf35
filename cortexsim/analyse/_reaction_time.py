"""Reaction times of a model: the first time at which its confidence passes a threshold; speed and accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, share
from cortexsim._support.labelled import array_of
from cortexsim.analyse._accuracy import class_labels, logits_of
from cortexsim.analyse.interval import interval_variables, mean_interval
from cortexsim.analyse.node import Labels, Node, patterns, time_coordinate
from cortexsim.analyse.probabilities import log_softmax
from cortexsim.analyse.repeats import fraction_of_rows, n_stimuli, originals, per_stimulus, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import stimulus_coordinates

KINDS = ("entropy", "margin")
OUTCOMES = ("right", "wrong")


@of_each_run
def reaction_time(readout: Node, threshold: float, by: str = "entropy", *, labels: Labels = None) -> xr.Dataset:
    """Return the first time at which the readout of each stimulus is confident enough, and whether it is then correct.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"], with `logits` (stimulus, time, class).
    threshold : float
        Confidence to reach, above 0 and at most 1.
    by : "entropy" or "margin"
        "entropy": confidence is 1 - H / log(number of classes), with H the entropy of the softmax of the logits.
        "margin": the difference between the two largest probabilities. Both are 0 if all classes are equally
        probable and 1 if one class is certain. A softmax is not calibrated: compare thresholds within a model.
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.

    Returns
    -------
    Dataset
        `reaction_time` (stimulus), NaN for stimuli that never pass; `decided` (stimulus), bool; `choice` and `correct`
        (stimulus), NaN if undecided (a choice among names is then an empty text); `confidence` (stimulus, time), NaN if
        empty. `mean_time` (outcome) of the right and of the wrong decisions, with 95 % `mean_time_low`,
        `mean_time_high` over stimuli (repeats of a stimulus are averaged first), and `count` (outcome), of trials if
        stimuli are repeated. `fraction_decided`, and `accuracy` of the decided, with Wilson's 95 % intervals, `..._low`
        and `..._high`.

    Raises
    ------
    TypeError, ValueError
        If it is not a readout, labels are missing, or the threshold or `by` is not allowed.

    References
    ----------
    Spoerer, C. et al. (2020). Recurrent neural networks can explain flexible trading of speed and accuracy in
    biological vision. PLOS Computational Biology 16.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> decided = cs.analyse.reaction_time(recording["readout"], threshold=0.9)
    >>> decided["reaction_time"].dims, decided["mean_time"].dims
    (('stimulus',), ('outcome',))
    """
    logits = logits_of(readout)
    threshold = check_threshold(threshold)
    truth = class_labels(logits, labels)
    certainty, best = confidence(logits, by)
    first, decided = passes(certainty, threshold)
    chosen = logits["class"].values[best[np.arange(len(truth)), first]]
    right = np.where(decided, chosen == truth, np.nan)
    time = np.where(decided, logits["time"].values[first].astype(float), np.nan)
    of, by_outcome = originals(logits), [right == 1, right == 0]
    means = np.array([mean_interval(per_stimulus(time[rows], of[rows])) for rows in by_outcome]).T
    n, n_decided, everything = len(np.unique(of)), int(decided.sum()), np.ones(len(truth), bool)
    of_mean = {
        "long_name": "mean reaction time",
        "units": "steps",
        "interval": "95 % interval of the mean over the stimuli of this outcome",
    }
    variables = {
        "reaction_time": ("stimulus", time, {"long_name": "reaction time", "units": "steps"}),
        "decided": ("stimulus", decided, {"long_name": "decided"}),
        "choice": ("stimulus", np.where(decided, chosen, "" if chosen.dtype.kind == "U" else np.nan)),
        "correct": ("stimulus", right, {"long_name": "decided right", "units": "1"}),
        "confidence": (("stimulus", "time"), certainty, {"long_name": f"confidence by {by}", "units": "1"}),
        **interval_variables("mean_time", "outcome", means, of_mean),
        "count": ("outcome", [int(rows.sum()) for rows in by_outcome], {"long_name": "stimuli"}),
        **_fraction("fraction_decided", decided, everything, of, "fraction decided", (), stimuli_text(of)),
        **_fraction("accuracy", right == 1, decided, of, "accuracy", (), "the decided stimuli"),
    }
    coordinates = {"time": time_coordinate(logits), "outcome": list(OUTCOMES), **stimulus_coordinates(logits)}
    return xr.Dataset(variables, coordinates, {"threshold": threshold, "by": by, "n": n, "n_decided": n_decided})


@of_each_run
def speed_accuracy(
    readout: Node, thresholds: Sequence[float] | None = None, by: str = "entropy", *, labels: Labels = None
) -> xr.Dataset:
    """Return the trade-off of reaction time and accuracy over thresholds of confidence.

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
        `mean_time` and `accuracy` of the decided stimuli, and `fraction_decided`. Higher thresholds select easier
        stimuli; `forced_time` and `forced_accuracy` therefore include all stimuli, and read out a stimulus that never
        passes at its last populated time. All have `..._low` and `..._high`: 95 % intervals over stimuli, Wilson's for
        fractions.

    Raises
    ------
    TypeError, ValueError
        As for `reaction_time`; also if the readout of a stimulus is never populated.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> curve = cs.analyse.speed_accuracy(recording["readout"], thresholds=[0.1, 0.5, 0.9])
    >>> curve["accuracy"].dims, curve["mean_time"].dims
    (('threshold',), ('threshold',))
    """
    logits = logits_of(readout)
    levels = np.linspace(0.05, 0.95, 19).round(2) if thresholds is None else array_of(thresholds, "thresholds")
    numbers = levels.dtype.kind in "iuf" and levels.ndim == 1 and levels.size
    if not numbers or not ((levels > 0) & (levels <= 1)).all():
        raise ValueError(f"thresholds must be confidences above 0 and at most 1, got {thresholds}")
    levels = levels.astype(float)
    truth, populated = class_labels(logits, labels), logits["populated"].values
    never = int((~populated.any(1)).sum())
    if never:
        raise ValueError(f"the readout of {never} of {len(populated)} stimuli is empty at all times")
    certainty, best = confidence(logits, by)
    times, rows = logits["time"].values.astype(float), np.arange(len(truth))
    last = populated.shape[1] - 1 - populated[:, ::-1].argmax(1)
    right = logits["class"].values[best] == truth[:, None]
    of, everything = originals(logits), np.ones(len(truth), bool)
    mean_times, forced_times, decided_at, right_at, forced_right = [], [], [], [], []
    for level in levels:
        first, decided = passes(certainty, level)
        answer = np.where(decided, first, last)
        mean_times.append(mean_interval(per_stimulus(np.where(decided, times[first], np.nan), of)))
        forced_times.append(mean_interval(per_stimulus(times[answer], of)))
        decided_at.append(decided)
        right_at.append(right[rows, first] & decided)
        forced_right.append(right[rows, answer])
    among = np.array(decided_at)
    n, dims, decided_text, all_text = len(np.unique(of)), ("threshold",), "the decided stimuli", stimuli_text(of)
    variables: dict[str, Any] = {}
    for name, values, over in (("mean_time", mean_times, decided_text), ("forced_time", forced_times, all_text)):
        attributes = {"long_name": "mean reaction time", "units": "steps"}
        attributes["interval"] = f"95 % interval of the mean over {over}"
        variables |= interval_variables(name, dims, np.array(values).T, attributes)
    variables |= _fraction("accuracy", np.array(right_at), among, of, "accuracy", dims, decided_text)
    variables |= _fraction("forced_accuracy", np.array(forced_right), everything, of, "accuracy of all", dims, all_text)
    variables |= _fraction("fraction_decided", among, everything, of, "fraction decided", dims, all_text)
    for name in ("accuracy", "forced_accuracy"):
        variables[name][2]["chance"] = 1 / logits.sizes["class"]
    level_coordinate = ("threshold", levels, {"long_name": f"threshold of confidence by {by}", "units": "1"})
    return xr.Dataset(variables, {"threshold": level_coordinate}, {"by": by, "n": n})


def confidence(logits: xr.DataArray, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each stimulus at each time, and the position of its most probable class.

    Parameters
    ----------
    logits : DataArray, (stimulus, time, class)
        As `logits_of` returns them.
    by : "entropy" or "margin"

    Returns
    -------
    certainty, best : ndarray, (stimulus, time)
        `certainty` is NaN where the readout is empty, and `best` is 0 there.

    Raises
    ------
    ValueError
        If `by` is neither, or there is only one class.
    """
    one_of(by, "confidence", KINDS)
    n_classes = logits.sizes["class"]
    if n_classes < 2:
        raise ValueError("confidence needs at least 2 classes, got 1")
    certainty = np.full(logits["populated"].shape, np.nan)
    best = np.zeros(certainty.shape, int)
    for index in range(logits.sizes["time"]):
        populated = logits["populated"].values[:, index]
        if not populated.any():
            continue
        at_time = patterns(logits, index)[populated].astype(np.float64)
        log_probability = log_softmax(at_time)
        probability = np.exp(log_probability)
        if by == "entropy":
            certainty[populated, index] = 1 + (probability * log_probability).sum(1) / np.log(n_classes)
        else:
            second, largest = np.partition(probability, n_classes - 2, axis=1)[:, -2:].T
            certainty[populated, index] = largest - second
        best[populated, index] = at_time.argmax(1)
    return certainty, best


def check_threshold(threshold: float) -> float:
    """Return a threshold of confidence, above 0 and at most 1, or raise a ValueError."""
    return share(threshold, "threshold", unit="confidence")


def passes(certainty: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of the first time at which confidence (stimulus, time) passes, and whether there is one."""
    enough = np.nan_to_num(certainty, nan=-1) >= threshold
    return enough.argmax(1), enough.any(1)


def _fraction(
    name: str,
    successes: np.ndarray,
    among: np.ndarray,
    of: np.ndarray,
    long_name: str,
    dims: tuple[str, ...],
    over: str,
) -> dict[str, Any]:
    """Return the fraction of the rows `among`, bool (..., row), that are successes, with its interval over stimuli."""
    attributes = {"long_name": long_name, "units": "1", "interval": f"95 % Wilson interval over {over}"}
    successes, among = np.broadcast_arrays(successes, among)
    found = fraction_of_rows(successes.sum(-1), among.sum(-1), n_stimuli(among, of))
    return interval_variables(name, dims, found, attributes)
