"""Access to a node of a recording for analyses: patterns at one time, populated stimuli, labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim._support.checks import shown, truth
from cortexsim._support.labelled import array_of, one_for_each, refuse_missing
from cortexsim.analyse.runs import dimension_of_runs
from cortexsim.analyse.same_stimuli import stimulus_coordinates

# a mapping is of several models by name; `of_each_run` takes it apart
Node: TypeAlias = xr.DataTree | xr.Dataset | xr.DataArray | Mapping[str, xr.DataTree | xr.Dataset | xr.DataArray]
Labels: TypeAlias = str | ArrayLike | None

VARIABLES = ("activation", "logits")
ROUNDING = 32  # steps of the precision, at the largest activity
WITHIN = ("class", "channel", "unit", "y", "x")  # the order of the other dimensions


def activity_of(node: Node) -> xr.DataArray:
    """Return the activity of a node, without reading data from disk.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        A node of a recording, such as recording["V4"] or recording["readout"]; or an array with the dimensions
        stimulus and time, in which a pattern with only NaN is empty.

    Returns
    -------
    DataArray, (stimulus, time, ...)
        With the coordinate `populated` (stimulus, time), which determines empty patterns. Times are in rising order.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If it contains no activity, no stimulus or no time, or a time twice.
    """
    if isinstance(node, xr.DataTree):
        if node.children:
            raise ValueError(
                f"an analysis takes one node of a recording, such as recording[{next(iter(node.children))!r}]"
            )
        node = node.to_dataset()
    if isinstance(node, xr.Dataset):
        variables = [name for name in VARIABLES if name in node]
        if not variables:
            raise ValueError(
                f"a node needs the variable {' or '.join(VARIABLES)}, but this one has only {sorted(map(str, node))}"
            )
        populated = node["populated"].variable if "populated" in node else None
        node = node[variables[0]]
    elif isinstance(node, xr.DataArray):
        populated = node["populated"].variable if "populated" in node.coords else None
    else:
        raise TypeError(f"an analysis takes a node such as recording['V4'], or a DataArray, got {type(node).__name__}")
    missing = [dim for dim in ("stimulus", "time") if dim not in node.dims]
    if missing or not all(node.sizes.values()):
        raise ValueError(f"a node needs the dimensions stimulus and time, both longer than 0, got {dict(node.sizes)}")
    if node.dtype.kind not in "biuf":
        raise TypeError(f"{name_of(node)} must be real numbers, got the dtype {node.dtype}")
    several = dimension_of_runs(node)
    if several is not None:
        raise ValueError(f"this takes one {several}, got {node.sizes[several]}; choose one, such as .isel({several}=0)")
    node = node.transpose("stimulus", "time", *[dim for dim in WITHIN if dim in node.dims], ...)
    for dim in ("stimulus", "time"):
        if dim not in node.coords:
            node = node.assign_coords({dim: np.arange(node.sizes[dim])})
    if populated is None:
        # one time after another, so that the array may be larger than memory
        units = [dim for dim in node.dims if dim not in ("stimulus", "time")]
        each = [node.variable.isel(time=index).notnull().any(units).values for index in range(node.sizes["time"])]
        populated = xr.Variable(("stimulus", "time"), np.stack(each, axis=1))
    if not set(populated.dims) <= {"stimulus", "time"} or populated.dtype.kind not in "biu":
        raise ValueError(
            f"'populated' must be True or False for each stimulus and time, got the dtype {populated.dtype} and the "
            f"dimensions ({', '.join(map(str, populated.dims))})"
        )
    where = xr.Variable(("stimulus", "time"), np.ones((node.sizes["stimulus"], node.sizes["time"]), bool)) & populated
    node = node.assign_coords(populated=where.transpose("stimulus", "time").astype(bool))
    return in_order_of_time(node, "time", "a node")


def in_order_of_time(array: xr.DataArray, clock: str, what: str) -> xr.DataArray:
    """Return an array with the times along a dimension in rising order.

    Parameters
    ----------
    array : DataArray
    clock : str
        The dimension; without a coordinate, the order is taken as given.
    what : str
        What the array is, for the message.

    Raises
    ------
    ValueError
        If a time is missing or occurs twice.
    """
    if clock not in array.coords:
        return array
    times = array_of(array[clock].values, clock)
    if times.dtype.kind not in "iufmM":
        raise ValueError(f"{what} needs a {clock} in numbers, got {shown(times.tolist())}")
    refuse_missing(times, clock)
    if (times[1:] > times[:-1]).all():
        return array
    if len(set(times.tolist())) < len(times):
        raise ValueError(
            f"{what} needs each {clock} once, got {shown(times.tolist())}; select one of each, such as "
            f"isel({clock}=...)"
        )
    return array.sortby(clock)


def patterns(activity: xr.DataArray, index: int) -> np.ndarray:
    """Read the patterns at one time, without reading other times.

    Parameters
    ----------
    activity : DataArray
        As `activity_of` returns it.
    index : int
        Position on the time axis, counted from 0.

    Returns
    -------
    ndarray, (stimulus, unit)
        In the precision of the recording, but at least float32; NaN for stimuli that are empty at this time.

    Raises
    ------
    ValueError
        If populated activity is not finite, or cannot be read from disk.
    """
    try:
        values = np.asarray(activity.isel(time=index).values)
    except (ValueError, RuntimeError, OSError) as error:
        raise ValueError(
            f"{name_of(activity)} cannot be read at time {time_of(activity, index)}: {error}; cortexsim.verify(path) "
            "finds the damaged part of the recording"
        ) from error
    values = values.reshape(len(values), -1)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float32)
    populated = activity["populated"].values[:, index]
    if not populated.all():
        values = np.where(populated[:, None], values, np.nan)
    if not np.isfinite(values[populated]).all():
        raise ValueError(
            f"{name_of(activity)} is populated at time {time_of(activity, index)}, but is not finite there"
        )
    return values


def times_to_read(activity: xr.DataArray, progress: bool, text: str) -> Iterator[int]:
    """Iterate over the times at which all stimuli are populated, with an optional progress bar."""
    indices = np.flatnonzero(activity["populated"].values.all(0)).tolist()
    yield from with_bar(indices, progress, text)


def with_bar(indices: Iterable[int], progress: bool, text: str) -> Iterable[int]:
    """Show a progress bar if `progress` is true."""
    if not truth(progress, "progress"):
        return indices
    from tqdm.auto import tqdm

    bar: Iterable[int] = tqdm(indices, desc=text)
    return bar


def name_of(activity: xr.DataArray) -> str:
    """Return the name of the analysed activity, such as "activation of V4"."""
    return str(activity.attrs.get("long_name", activity.name or "the activity"))


def time_of(activity: xr.DataArray, index: int) -> int | float:
    """Return the time at a position on the time axis."""
    time: int | float = activity["time"].values[index].item()
    return time


def time_coordinate(activity: xr.DataArray) -> xr.Variable:
    """Return the times, with their name and units."""
    variable = activity["time"].variable.to_base_variable()
    variable.attrs = {"long_name": "time", "units": "steps", **variable.attrs}
    return variable


def labels_of(activity: xr.DataArray, labels: Labels = None, *, at_least: int = 2) -> np.ndarray:
    """Return the label of each stimulus.

    Parameters
    ----------
    activity : DataArray
        As `activity_of` returns it.
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or a value for each stimulus. Values with an index (a Series, or a
        DataArray with the coordinate `stimulus`) are aligned to the stimuli.
    at_least : int
        The least number of different labels.

    Raises
    ------
    ValueError
        If labels are missing, do not match the stimuli, or have fewer than `at_least` different values.
    """
    n = activity.sizes["stimulus"]
    if labels is None or isinstance(labels, str):
        name = "label" if labels is None else labels
        values = np.asarray(stimulus_coordinate(activity, name, "pass labels=, one for each stimulus"))
    else:
        name, values = "labels", values_for(activity, labels, "labels")
    refuse_missing(values, name)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"{name} is not finite for {int((~np.isfinite(values)).sum())} of {n} stimuli; leave them out")
    if values.dtype.kind == "c":
        raise ValueError(f"{name} must be numbers or strings, got complex numbers")
    if values.dtype.kind == "O":
        kinds = sorted({type(value).__name__ for value in values})
        raise ValueError(f"{name} must be numbers or strings, all of one type, got values of the types {kinds}")
    different = np.unique(values)
    if len(different) < at_least:
        raise ValueError(
            f"{name} is {different[0]} for all {n} stimuli, but this analysis compares at least {at_least} classes"
        )
    return values


def values_for(activity: xr.DataArray, values: ArrayLike, what: str) -> np.ndarray:
    """Return a value for each stimulus, shape (stimulus,), in the order of the stimuli; see `one_for_each`."""
    known = {name: variable.values for name, variable in stimulus_coordinates(activity).items()}
    n = activity.sizes["stimulus"]
    array = one_for_each(values, what, known, n)
    if array.shape != (n,):
        raise ValueError(f"{what} must be one for each of the {n:,} stimuli, got shape {array.shape}")
    return array


def stimulus_coordinate(activity: xr.DataArray, name: str, hint: str = "") -> np.ndarray:
    """Return the values of a stimulus coordinate, and refuse missing values.

    Raises
    ------
    ValueError
        If the coordinate does not exist (`hint` ends the message), or is missing for a stimulus.
    """
    known = stimulus_coordinates(activity)
    if not isinstance(name, str) or name not in known:
        allowed = sorted({*known} - {"stimulus"})
        raise ValueError(f"the stimuli have no coordinate {name!r}, only {allowed}" + (f"; {hint}" if hint else ""))
    values = array_of(known[name].values, name)
    refuse_missing(values, name)
    return values


def at_least_stimuli(activity: xr.DataArray, least: int, analysis: str) -> None:
    """Raise a ValueError if there are fewer than `least` stimuli."""
    n = activity.sizes["stimulus"]
    if n < least:
        raise ValueError(f"{analysis} needs at least {least} stimuli, got {n}")


def all_equal(responses: np.ndarray) -> bool:
    """Return True if the patterns (stimulus, unit) are the same for all stimuli, up to rounding in their precision.

    A state that no image has reached yet differs in its last digits between batches of different sizes.
    """
    lowest, highest = responses.min(0), responses.max(0)
    rounding = ROUNDING * np.finfo(responses.dtype).eps * max(np.abs(lowest).max(), np.abs(highest).max())
    return bool((highest - lowest <= rounding).all())


def refuse_constant(activity: xr.DataArray, differs: Iterable[bool]) -> None:
    """Raise a ValueError if the stimuli are populated at some time, but their patterns differ at none.

    Parameters
    ----------
    activity : DataArray
        As `activity_of` returns it.
    differs : iterable of bool
        For each time that was read.
    """
    each = list(differs)
    if each and not any(each):
        raise ValueError(
            f"{name_of(activity)} is the same for all {activity.sizes['stimulus']} stimuli at all times at which it is "
            "populated, so they cannot be discriminated"
        )
