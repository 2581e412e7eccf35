"""Accuracy of the readout over time, also by a factor of the stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import rising, shown
from cortexsim._support.class_numbers import class_numbers
from cortexsim.analyse.interval import with_interval
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
    labels_of,
    patterns,
    stimulus_coordinate,
    time_coordinate,
)
from cortexsim.analyse.repeats import fraction_of_rows, n_stimuli, originals, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.recording.description import ATTRIBUTE, settings

_MOST_VALUES = 50


@of_each_run
def accuracy(
    readout: Node, labels: Labels = None, by: str | None = None, *, edges: Sequence[float] | None = None
) -> xr.DataArray:
    """Return the fraction of stimuli that the readout classifies correctly, at every time.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"], with `logits` (stimulus, time, class).
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.
    by : str, optional
        A stimulus coordinate; accuracy is computed separately for each of its values.
    edges : sequence of float, optional
        Edges of bins of `by`, in rising order: half open, but the last bin includes its upper edge.

    Returns
    -------
    DataArray, (time,) or (time, by)
        Fraction, with Wilson's 95 % interval over stimuli as `low` and `high`; the repeats of a stimulus, and the
        conditions that it was shown in, are not independent and count as one. NaN if any stimulus is empty, because
        accuracies of different sets of stimuli cannot be compared. With `by`, the coordinate `n` is the number of
        stimuli of each value; bins are named by their centre, and `bin_low` and `bin_high` are their edges.
        `attrs["chance"]` is 1 / number of classes.

    Raises
    ------
    TypeError, ValueError
        If it is not a readout, labels are missing or not among its classes, or a stimulus lies outside all bins.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> accuracy = cs.analyse.accuracy(recording["readout"])
    >>> accuracy.sel(time=8).item(), accuracy.attrs["chance"]
    (1.0, 0.5)
    """
    right = correct(readout, labels)
    logits = activity_of(readout)
    return share_correct(right.values, logits, by, edges).assign_attrs(chance=1 / logits.sizes["class"])


def share_correct(
    right: np.ndarray, logits: xr.DataArray, by: str | None = None, edges: Sequence[float] | None = None
) -> xr.DataArray:
    """Return the fraction of correct stimuli at every time.

    Parameters
    ----------
    right : array, shape (stimulus, time)
        1 for correct, 0 for wrong; NaN where the readout is empty.
    logits : DataArray, (stimulus, time, ...)
        The readout, by `activity_of`.
    by, edges
        As for `accuracy`.

    Returns
    -------
    DataArray, (time,) or (time, by)
        As `accuracy` returns it, without `chance`.
    """
    if by is None and edges is not None:
        raise ValueError("edges are bins of a factor; name it: by='...'")
    of = originals(logits)
    members, coordinates = (np.ones((1, len(right)), bool), {}) if by is None else _groups(logits, by, edges, of)
    # a sum with NaN is NaN: a group has an accuracy only if all its stimuli are populated
    counts = np.array([right[group].sum(0) for group in members]).T
    share, low, high = fraction_of_rows(counts, members.sum(1), n_stimuli(members, of))
    n, dims = len(np.unique(of)), ("time", by) if by else ("time",)
    shape = counts.shape if by else counts.shape[:1]
    array = xr.DataArray(
        share.reshape(shape),
        {"time": time_coordinate(logits), **coordinates},
        dims,
        "accuracy",
        {"long_name": "accuracy", "units": "1"},
    )
    text = f"95 % Wilson interval over {stimuli_text(of)}" + (f", separately by {by}" if by else "")
    return with_interval(array, low.reshape(shape), high.reshape(shape), text, n)


def correct(readout: Node, labels: Labels = None) -> xr.DataArray:
    """Return whether the readout classifies each stimulus correctly at each time.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"].
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.

    Returns
    -------
    DataArray, (stimulus, time)
        1 or 0; NaN where the readout is empty.

    Raises
    ------
    TypeError, ValueError
        If it is not a readout, or labels are missing or not among its classes.
    """
    logits = logits_of(readout)
    truth, classes = class_labels(logits, labels), logits["class"].values
    right = np.full((logits.sizes["stimulus"], logits.sizes["time"]), np.nan)
    for index in range(logits.sizes["time"]):
        populated = logits["populated"].values[:, index]
        if populated.any():
            choice = classes[patterns(logits, index)[populated].argmax(1)]
            right[populated, index] = choice == truth[populated]
    coordinates = {name: c for name, c in logits.coords.variables.items() if "class" not in c.dims}
    attributes = {"long_name": "classified correctly", "units": "1"}
    return xr.DataArray(right, coordinates, ("stimulus", "time"), "correct", attributes)


def logits_of(readout: Node) -> xr.DataArray:
    """Return the logits of a readout node, (stimulus, time, class); the attribute `classes` names the classes.

    Raises
    ------
    ValueError
        If the node has other dimensions.
    """
    logits = activity_of(readout)
    if logits.dims != ("stimulus", "time", "class"):
        raise ValueError(f"this analysis reads logits (stimulus, time, class): recording['readout'], got {logits.dims}")
    if "class" not in logits.coords:
        logits = logits.assign_coords({"class": np.arange(logits.sizes["class"])})
    if not logits.indexes["class"].is_unique:
        raise ValueError(f"the readout has each class once, got {shown(logits['class'].values.tolist())}")
    if not isinstance(readout, xr.DataTree) or ATTRIBUTE not in readout.root.attrs:
        return logits
    return logits.assign_attrs(classes=settings(readout.root).get("classes"))


def class_labels(logits: xr.DataArray, labels: Labels = None) -> np.ndarray:
    """Return the class of each stimulus, names as the numbers of the recording's classes.

    Raises
    ------
    ValueError
        If a label is not among the classes of the readout.
    """
    truth, classes = labels_of(logits, labels, at_least=1), logits["class"].values
    if truth.dtype.kind == "b":
        raise ValueError(
            "labels must be classes of the readout, got booleans: pass numbers, such as labels.astype(int)"
        )
    names = logits.attrs.get("classes")
    if truth.dtype.kind == "U" and classes.dtype.kind in "iu" and names is not None and len(names) == len(classes):
        truth = classes[class_numbers(truth, len(names), names)]
    others = sorted({*truth.tolist()} - {*classes.tolist()})
    if others:
        raise ValueError(f"the labels {others[:5]} are not among the classes of the readout: {classes.tolist()[:20]}")
    return truth


def _groups(
    logits: xr.DataArray, by: str, edges: Sequence[float] | None, of: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the members of each group, (group, row), and the groups' coordinates."""
    values = stimulus_coordinate(logits, by)
    given = logits[by].attrs
    attributes = {"long_name": str(given.get("long_name", by)), "units": str(given.get("units", "1"))}
    if edges is None:
        different = np.unique(values)
        if len(different) > _MOST_VALUES:
            raise ValueError(f"{by} has {len(different)} values, more than {_MOST_VALUES}; pass edges= to bin it")
        members = np.array([values == value for value in different])
        return members, {by: (by, different, attributes), "n": (by, n_stimuli(members, of))}
    ends = np.array(rising(edges))
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{by} has values such as {values[0]!r}, which cannot be binned; leave out edges=")
    outside = int((~((values >= ends[0]) & (values <= ends[-1]))).sum())
    if outside:
        raise ValueError(
            f"{outside} of {len(values)} stimuli have a {by} outside the edges {ends[0]:g} to {ends[-1]:g}: "
            f"it runs from {values.min():g} to {values.max():g}"
        )
    members = np.array([(values >= low) & (values < high) for low, high in pairwise(ends)])
    members[-1] |= values == ends[-1]
    middles = (ends[:-1] + ends[1:]) / 2
    bins = {"bin_low": (by, ends[:-1]), "bin_high": (by, ends[1:]), "n": (by, n_stimuli(members, of))}
    return members, {by: (by, middles, attributes), **bins}
