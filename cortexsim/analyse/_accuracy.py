"""How often the readout names the right class, over time and by a factor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import wilson, with_interval
from cortexsim.analyse.node import content, labels_of, patterns, stimulus_coordinate, time_coordinate

_MOST_VALUES = 50


def accuracy(
    readout: Any, labels: Any = None, by: str | None = None, *, edges: Sequence[float] | None = None
) -> xr.DataArray:
    """Return the fraction of stimuli whose class is read out right, at every time.

    Parameters
    ----------
    readout : DataTree or Dataset
        recording["readout"], with `logits` (stimulus, time, class).
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.
    by : str, optional
        A stimulus coordinate; each of its values is counted apart.
    edges : sequence of float, optional
        Edges of bins of `by`, in rising order: half open, the last bin holds its upper edge.

    Returns
    -------
    DataArray, (time,) or (time, by)
        Fraction, with Wilson's 95 % interval over stimuli as `low` and `high`. NaN where a stimulus that counts is
        empty: the readouts of the others would be of another set of stimuli. With `by`, the coordinate `n` counts the
        stimuli of each value; bins are named by their middle, and `bin_low` and `bin_high` are their edges.
        `attrs["chance"]` is 1 / number of classes.

    Raises
    ------
    TypeError, ValueError
        If it is no readout, the labels are missing or none of its classes, or a stimulus lies in no bin.
    """
    right = correct(readout, labels)
    held = content(readout)
    return share_right(right.values, held, by, edges).assign_attrs(chance=1 / held.sizes["class"])


def share_right(
    right: np.ndarray, held: xr.DataArray, by: str | None = None, edges: Sequence[float] | None = None
) -> xr.DataArray:
    """Return the mean over stimuli of what is correct, at every time.

    Parameters
    ----------
    right : array, shape (stimulus, time)
        1 for correct, 0 for wrong; NaN where the readout is empty.
    held : DataArray, (stimulus, time, ...)
        The readout, by `content`.
    by, edges
        As for `accuracy`.

    Returns
    -------
    DataArray, (time,) or (time, by)
        As `accuracy` returns it, without `chance`.
    """
    if by is None and edges is not None:
        raise ValueError("edges are bins of a factor; name it: by='...'")
    chosen, coordinates = (np.ones((1, len(right)), bool), {}) if by is None else _groups(held, by, edges)
    # a group counts at the times at which all of its stimuli are populated
    counts = np.array([right[group].sum(0) for group in chosen]).T
    sizes = chosen.sum(1)
    counts[:, sizes == 0] = np.nan
    low, high = wilson(counts, np.broadcast_to(sizes, counts.shape))
    with np.errstate(invalid="ignore"):
        share = counts / sizes
    dims = ("time",) if by is None else ("time", by)
    found = xr.DataArray(
        share.reshape(share.shape[: len(dims)]) if by is not None else share[:, 0],
        {"time": time_coordinate(held), **coordinates},
        dims,
        "accuracy",
        {"long_name": "accuracy", "units": "1"},
    )
    n = len(right)
    text = f"95 % Wilson interval over {n} stimuli" + ("" if by is None else f", apart by {by}")
    return with_interval(found, low.reshape(found.shape), high.reshape(found.shape), text, n)


def correct(readout: Any, labels: Any = None) -> xr.DataArray:
    """Say for each stimulus and time whether the class is read out right.

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
        If it is no readout, or the labels are missing or none of its classes.
    """
    held = readout_of(readout)
    truth, classes = class_labels(held, labels), held["class"].values
    right = np.full((held.sizes["stimulus"], held.sizes["time"]), np.nan)
    for place in range(held.sizes["time"]):
        filled = held["populated"].values[:, place]
        if filled.any():
            logits = patterns(held, place)[filled]
            right[filled, place] = classes[logits.argmax(1)] == truth[filled]
    coordinates = {name: c for name, c in held.coords.items() if "class" not in c.dims}
    return xr.DataArray(right, coordinates, ("stimulus", "time"), "correct", {"long_name": "named right", "units": "1"})


def readout_of(readout: Any) -> xr.DataArray:
    """Return the logits of a readout node, (stimulus, time, class).

    Raises
    ------
    ValueError
        If the node has no dimension `class`.
    """
    held = content(readout)
    if held.dims != ("stimulus", "time", "class"):
        raise ValueError(f"this analysis reads logits (stimulus, time, class): recording['readout'], got {held.dims}")
    return held if "class" in held.coords else held.assign_coords({"class": np.arange(held.sizes["class"])})


def class_labels(held: xr.DataArray, labels: Any = None) -> np.ndarray:
    """Return the labels, each of which is a class of the readout.

    Raises
    ------
    ValueError
        If one is not.
    """
    truth, classes = labels_of(held, labels, at_least=1), held["class"].values
    strangers = sorted({*truth.tolist()} - {*classes.tolist()})
    if strangers:
        raise ValueError(f"the labels {strangers[:5]} are none of the classes read out: {classes.tolist()[:20]}")
    return truth


def _groups(
    held: xr.DataArray, by: str, edges: Sequence[float] | None
) -> tuple[np.ndarray, dict[str, tuple[str, Any] | tuple[str, Any, dict[str, str]]]]:
    """Return which stimuli belong to which group, (group, stimulus), and the groups' coordinates."""
    values = stimulus_coordinate(held, by)
    attributes = {"long_name": str(held[by].attrs.get("long_name", by)), "units": str(held[by].attrs.get("units", "1"))}
    if edges is None:
        different = np.unique(values)
        if len(different) > _MOST_VALUES:
            raise ValueError(
                f"{by} has {len(different)} values, more than {_MOST_VALUES}; pass edges= to count it in bins"
            )
        chosen = np.array([values == value for value in different])
        return chosen, {by: (by, different, attributes), "n": (by, chosen.sum(1))}
    ends = np.asarray(edges, float)
    if ends.ndim != 1 or len(ends) < 2 or (np.diff(ends) <= 0).any():
        raise ValueError(f"edges must be at least two numbers in rising order, got {list(edges)}")
    outside = int((~((values >= ends[0]) & (values <= ends[-1]))).sum())
    if outside:
        raise ValueError(
            f"{outside} of {len(values)} stimuli have a {by} outside of the edges {ends[0]:g} to {ends[-1]:g}: "
            f"it runs from {values.min():g} to {values.max():g}"
        )
    chosen = np.array([(values >= low) & (values < high) for low, high in pairwise(ends)])
    chosen[-1] |= values == ends[-1]
    middles = (ends[:-1] + ends[1:]) / 2
    bins = {"bin_low": (by, ends[:-1]), "bin_high": (by, ends[1:]), "n": (by, chosen.sum(1))}
    return chosen, {by: (by, middles, attributes), **bins}
