"""Accuracy of a readout that is a map: yes or no at a far point, or every pixel of the line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim.analyse._accuracy import share_correct
from cortexsim.analyse.node import Node
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.target_maps import Maps, maps_of, solved

MEASURES = {
    "yes/no": "accuracy at the far point and the foil",
    "exact": "fraction of maps with every line pixel correct",
    "pixels": "fraction of line pixels that are correct",
}


@of_each_run
def map_accuracy(
    recording: Node,
    data: xr.Dataset,
    measure: str = "yes/no",
    *,
    by: str | None = None,
    edges: Sequence[float] | None = None,
) -> xr.DataArray:
    """Return the accuracy of a map at every time.

    Parameters
    ----------
    recording : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class, y, x).
    data : Dataset
        The stimuli that were shown, with target maps, such as `cs.datasets.paths` draws.
    measure : "yes/no", "exact" or "pixels"
        "yes/no": the mean of the correct answers at the far point (yes) and at the foil, which is as far from the cue
        (no); chance is 0.5. "exact": the fraction of stimuli with every pixel of the line correct. "pixels": the
        fraction of line pixels that are correct, the mean of those on and off the target; chance is 0.5.
    by, edges
        As for `accuracy`: a stimulus coordinate, such as "length", whose values (or bins) are counted separately.

    Returns
    -------
    DataArray, (time,) or (time, by)
        Fraction, with an interval over stimuli as `low` and `high`, as for `accuracy`; NaN if a readout is empty.

    Raises
    ------
    TypeError, ValueError
        If the readout is not a map, the stimuli have no targets or differ, or `measure` or `by` is unknown.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> accuracy = cs.analyse.map_accuracy(recording, paths)
    >>> accuracy.sel(time=20).item()
    1.0
    """
    if measure not in MEASURES:
        raise ValueError(unknown("measure", measure, MEASURES))
    maps = maps_of(recording, data)
    right = {"yes/no": yes_no, "exact": _exact, "pixels": _pixels}[measure](maps)
    populated = maps.logits["populated"].values
    found = share_correct(np.where(populated, right, np.nan), maps.logits, by, edges)
    found.attrs |= {"long_name": MEASURES[measure], "units": "1"}
    return found if measure == "exact" else found.assign_attrs(chance=0.5)


def _exact(maps: Maps) -> np.ndarray:
    return solved(maps).astype(float)


def yes_no(maps: Maps) -> np.ndarray:
    """Return 1, 0.5 or 0 for both, one or none of the two answers correct, shape (stimulus, time)."""
    right = np.zeros((len(maps.target), maps.logits.sizes["time"]))
    for place, _, named in maps.named():
        for where in ("end", "foil"):
            right[:, place] += (named == maps.target)[maps.at(where)] / 2
    return right


def _pixels(maps: Maps) -> np.ndarray:
    right = np.zeros((len(maps.target), maps.logits.sizes["time"]))
    sides = [maps.line & (maps.target == 1), maps.line & (maps.target == 0)]
    for side, where in zip(sides, ("on", "off"), strict=True):
        lacking = ~side.any((1, 2))
        if lacking.any():
            raise ValueError(
                f"{int(lacking.sum())} of {len(lacking)} stimuli have no line pixel {where} the target, but the "
                "measure 'pixels' is the mean of those on and off it; use 'exact', or leave these stimuli out"
            )
    for place, _, named in maps.named():
        correct = named == maps.target
        right[:, place] = np.mean([(correct & side).sum((1, 2)) / side.sum((1, 2)) for side in sides], axis=0)
    return right
