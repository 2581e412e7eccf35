"""Comparison of map readouts with the target maps of the stimuli: correct pixels over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from cortexsim._support.labelled import pixel_map, places_of
from cortexsim.analyse.node import Node, activity_of, patterns

MAPS = ("target", "line", "distance")
PLACES = ("end", "foil")


class Maps(NamedTuple):
    """A readout and its targets; arrays are (stimulus, y, x)."""

    logits: xr.DataArray  # (stimulus, time, class, y, x), read lazily from disk
    target: np.ndarray
    line: np.ndarray
    distance: np.ndarray
    data: xr.Dataset

    def named(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Read one time after another.

        Yields
        ------
        place : int
            Position of the time, counted from 0.
        populated : array, shape (stimulus,), bool
        named : array, shape (stimulus, y, x), int
            The class with the largest logit; -1 if the readout is empty.
        """
        for place in range(self.logits.sizes["time"]):
            populated = self.logits["populated"].values[:, place]
            named = np.full(self.target.shape, -1)
            if populated.any():
                logits = patterns(self.logits, place).reshape(len(named), -1, *named.shape[1:])[populated]
                named[populated] = self.logits["class"].values[logits.argmax(1)]
            yield place, populated, named

    def at(self, place: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the indices (stimulus, y, x) of the far points or of the foils.

        Raises
        ------
        ValueError
            If the stimuli have no such coordinates.
        """
        if f"{place}_y" not in self.data.coords:
            raise ValueError(
                f"the stimuli have no coordinates {place}_y and {place}_x, the points of the yes/no questions: use the "
                "measure 'exact' or 'pixels', or give the coordinates"
            )
        y, x = (self.data[f"{place}_{axis}"].values.astype(int) for axis in "yx")
        return np.arange(len(y)), y, x


def maps_of(recording: Node, data: xr.Dataset) -> Maps:
    """Return the map readout of a recording, and the targets of its stimuli.

    Parameters
    ----------
    recording : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class, y, x).
    data : Dataset
        The stimuli that were shown: `target`, `line`, `distance` (stimulus, y, x). Where it has the coordinate
        `stimulus`, it is put in the order of the recording; else it must be in the same order.

    Raises
    ------
    TypeError
        If the readout is not a node, or `data` is not a Dataset.
    ValueError
        If the readout is not a map, `data` has no targets, their stimuli or pixels differ, or they ask for a class that
        the readout does not have.
    """
    if isinstance(recording, xr.DataTree) and "readout" in recording.children:
        recording = recording["readout"]
    logits = activity_of(recording)
    if logits.dims != ("stimulus", "time", "class", "y", "x"):
        raise ValueError(
            f"this analysis reads maps, logits (stimulus, time, class, y, x), got {logits.dims}: record a model with "
            "post_net='map'"
        )
    if "class" not in logits.coords:
        logits = logits.assign_coords({"class": np.arange(logits.sizes["class"])})
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"the stimuli must be a Dataset with target maps, got {type(data).__name__}")
    missing = [name for name in MAPS if name not in data]
    if missing:
        raise ValueError(
            f"the stimuli have no {', '.join(missing)}: this analysis needs a dataset with target maps, such as "
            "cs.datasets.paths"
        )
    if "stimulus" in data.indexes and not isinstance(data.indexes["stimulus"], pd.MultiIndex):
        places = places_of(data["stimulus"].values, logits["stimulus"].values, "the stimuli", "the recording's stimuli")
        data = data.isel(stimulus=places)
    target, line, distance = (pixel_map(data, name) for name in MAPS)
    expected = target.shape
    got = tuple(logits.sizes[dim] for dim in ("stimulus", "y", "x"))
    if got != expected:
        raise ValueError(f"the readout has (stimulus, y, x) = {got}, but the targets have {expected}")
    for name in ("length", *(f"{place}_{axis}" for place in ("cue", *PLACES) for axis in "yx")):
        if name in logits.coords and name in data.coords and not np.array_equal(logits[name], data[name]):
            raise ValueError(f"the recording shows other stimuli, or in another order: {name} differs")
    classes, asked = logits["class"].values.tolist(), np.unique(target[line.astype(bool)]).tolist()
    strange = [one for one in asked if one not in classes]
    if strange:
        raise ValueError(f"the target maps ask for {strange[:5]}, but the classes of the readout are {classes[:20]}")
    return Maps(logits, target, line.astype(bool), distance, data)


def solved(maps: Maps) -> np.ndarray:
    """Return whether every pixel of the line is correct at each time, shape (stimulus, time), bool."""
    found = np.zeros((len(maps.target), maps.logits.sizes["time"]), dtype=bool)
    for place, populated, named in maps.named():
        found[:, place] = populated & ((named == maps.target) | ~maps.line).all((1, 2))
    return found
