"""What an analysis reads of a node: the patterns at one time, which stimuli are populated then, and their labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import xarray as xr

CONTENT = ("activation", "logits")


def content(node: Any) -> xr.DataArray:
    """Return what a node holds, unread where it lies on disk.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        A node of a recording, such as recording["V4"] or recording["readout"]; or an array with the dimensions
        stimulus and time, in which a pattern of nothing but NaN is an empty one.

    Returns
    -------
    DataArray, (stimulus, time, ...)
        With the coordinate `populated` (stimulus, time): the authority about what is empty.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If it holds no activity, no stimulus or no time.
    """
    if isinstance(node, xr.DataTree):
        if node.children:
            raise ValueError(
                f"an analysis takes one node of a recording, such as recording[{next(iter(node.children))!r}]"
            )
        node = node.to_dataset()
    if isinstance(node, xr.Dataset):
        held = [name for name in CONTENT if name in node]
        if not held:
            raise ValueError(f"a node holds {' or '.join(CONTENT)}, but this one has only {sorted(map(str, node))}")
        populated = node["populated"].variable if "populated" in node else None
        node = node[held[0]]
    elif isinstance(node, xr.DataArray):
        populated = node["populated"].variable if "populated" in node.coords else None
    else:
        raise TypeError(f"an analysis takes a node such as recording['V4'], or a DataArray, got {type(node).__name__}")
    missing = [dim for dim in ("stimulus", "time") if dim not in node.dims]
    if missing or not all(node.sizes.values()):
        raise ValueError(f"a node has the dimensions stimulus and time and is not empty, got {dict(node.sizes)}")
    node = node.transpose("stimulus", "time", ...)
    for dim in ("stimulus", "time"):
        if dim not in node.coords:
            node = node.assign_coords({dim: np.arange(node.sizes[dim])})
    if populated is None:
        # one time after the other, so that an array larger than memory passes through
        units = [dim for dim in node.dims if dim not in ("stimulus", "time")]
        each = [node.isel(time=place).notnull().any(units).values for place in range(node.sizes["time"])]
        populated = xr.Variable(("stimulus", "time"), np.stack(each, axis=1))
    where = xr.Variable(("stimulus", "time"), np.ones((node.sizes["stimulus"], node.sizes["time"]), bool)) & populated
    return node.assign_coords(populated=where.transpose("stimulus", "time").astype(bool))


def patterns(held: xr.DataArray, place: int) -> np.ndarray:
    """Read the patterns at one time, and nothing of the other times.

    Parameters
    ----------
    held : DataArray
        By `content`.
    place : int
        Which time, counted from 0.

    Returns
    -------
    array, shape (stimulus, unit)
        In the recording's own precision, but float32 at least; NaN for stimuli that are empty then.

    Raises
    ------
    ValueError
        If what is populated is not finite, or cannot be read from disk.
    """
    try:
        values = np.asarray(held.isel(time=place).values)
    except (ValueError, RuntimeError, OSError) as error:
        raise ValueError(
            f"{name_of(held)} cannot be read at time {time_of(held, place)}: {error}; cortexsim.verify(path) says "
            "which part of the recording is damaged"
        ) from error
    values = values.reshape(len(values), -1)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float32)
    filled = held["populated"].values[:, place]
    if not filled.all():
        values = np.where(filled[:, None], values, np.nan)
    if not np.isfinite(values[filled]).all():
        raise ValueError(f"{name_of(held)} is populated at time {time_of(held, place)}, but is not finite there")
    return values


def times_to_read(held: xr.DataArray, progress: bool, text: str) -> Iterator[int]:
    """Go through the times at which all stimuli are populated, with a progress bar where one is wanted."""
    places = np.flatnonzero(held["populated"].values.all(0)).tolist()
    yield from with_bar(places, progress, text)


def with_bar(places: Iterable[int], progress: bool, text: str) -> Iterable[int]:
    """Show a progress bar where one is wanted."""
    if not progress:
        return places
    from tqdm.auto import tqdm

    return tqdm(places, desc=text)


def name_of(held: xr.DataArray) -> str:
    """Name what is analysed, for an error: "activation of V4"."""
    return str(held.attrs.get("long_name", held.name or "the activity"))


def time_of(held: xr.DataArray, place: int) -> Any:
    """Return the time at a place."""
    return held["time"].values[place].item()


def stimulus_coordinates(held: xr.DataArray) -> dict[str, xr.Variable]:
    """Return the coordinates that tell the stimuli apart: index, label, factors."""
    return {str(name): c.variable for name, c in held.coords.items() if c.dims == ("stimulus",)}


def time_coordinate(held: xr.DataArray) -> xr.Variable:
    """Return the times, with their name and units."""
    variable = held["time"].variable.to_base_variable()
    variable.attrs = {"long_name": "time", "units": "steps", **variable.attrs}
    return variable


def labels_of(held: xr.DataArray, labels: Any = None, *, at_least: int = 2) -> np.ndarray:
    """Return the label of each stimulus.

    Parameters
    ----------
    held : DataArray
        By `content`.
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or a value for each stimulus.
    at_least : int
        How many different ones there must be.

    Raises
    ------
    ValueError
        If there are none, not one for each stimulus, or too few different ones.
    """
    n = held.sizes["stimulus"]
    if labels is None or isinstance(labels, str):
        name = "label" if labels is None else labels
        found = np.asarray(stimulus_coordinate(held, name, "pass labels=, one for each stimulus"))
    else:
        name, found = "labels", np.asarray(labels)
        if found.shape != (n,):
            raise ValueError(f"labels must be one for each of the {n} stimuli, got shape {found.shape}")
    if found.dtype.kind == "O" and all(isinstance(value, str) for value in found):
        found = found.astype(str)
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError(f"{name} is not finite for {int((~np.isfinite(found)).sum())} of {n} stimuli; leave them out")
    different = np.unique(found)
    if len(different) < at_least:
        raise ValueError(
            f"{name} is {different[0]} for all {n} stimuli, but this analysis compares at least {at_least} classes"
        )
    return found


def stimulus_coordinate(held: xr.DataArray, name: str, hint: str = "") -> np.ndarray:
    """Return a coordinate of the stimuli.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    known = stimulus_coordinates(held)
    if name not in known:
        allowed = sorted({*known} - {"stimulus"})
        raise ValueError(f"the stimuli have no coordinate {name!r}, only {allowed}" + (f"; {hint}" if hint else ""))
    return known[name].values


def at_least_stimuli(held: xr.DataArray, least: int, why: str) -> None:
    """Refuse too few stimuli.

    Raises
    ------
    ValueError
        If there are fewer than `least`.
    """
    n = held.sizes["stimulus"]
    if n < least:
        raise ValueError(f"{why} needs at least {least} stimuli, got {n}")


def refuse_constant(values: np.ndarray, held: xr.DataArray, place: int) -> None:
    """Refuse patterns that do not differ between stimuli.

    Raises
    ------
    ValueError
        If all are the same.
    """
    if (values == values[:1]).all():
        raise ValueError(
            f"{name_of(held)} is the same for all {len(values)} stimuli at time {time_of(held, place)}, "
            f"so there is nothing to tell them apart by"
        )


def refuse_other_stimuli(one: xr.DataArray, other: xr.DataArray, what: str) -> None:
    """Refuse two arrays that are not about the same stimuli in the same order.

    Raises
    ------
    ValueError
        If their numbers differ, or the names of their stimuli.
    """
    here, there = one.sizes["stimulus"], other.sizes["stimulus"]
    if here != there:
        raise ValueError(f"{what} must be about the same stimuli, got {here} and {there} of them")
    if "stimulus" not in one.coords or "stimulus" not in other.coords:
        return
    mine, its = one["stimulus"].values, other["stimulus"].values
    different = np.flatnonzero(np.asarray([str(a) != str(b) for a, b in zip(mine, its, strict=True)]))
    if len(different):
        k = different[0]
        raise ValueError(
            f"{what} must be about the same stimuli in the same order, but {len(different)} of {here} differ, "
            f"the first at place {k}: {mine[k]} and {its[k]}"
        )
