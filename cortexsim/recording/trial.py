"""Access to one stimulus of a recording, for figures and panels of a single trial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from cortexsim.recording.description import settings


def states(recording: xr.DataTree) -> list[str]:
    """Return the names of the recorded states, in the order of the recording."""
    return [str(name) for name in recording.children if name != "readout"]


def node(recording: xr.DataTree, name: str, stimulus: int) -> xr.Dataset:
    """Select one stimulus of a node; empty times are NaN, regardless of the values in the file.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    name : str
        A recorded state, or "readout".
    stimulus : int
        A value of the `stimulus` coordinate.

    Returns
    -------
    Dataset
        The node without its stimulus dimension; `populated` (time,) is a coordinate.

    Raises
    ------
    ValueError
        If the recording lacks the node or the stimulus.
    """
    if name not in recording.children:
        raise ValueError(f"the recording has no {name!r}, only {list(recording.children)}")
    whole = recording[name].to_dataset()
    known = whole["stimulus"].values
    if stimulus not in known:
        raise ValueError(f"the recording has no stimulus {stimulus!r}: it has {_listed(known)}")
    one = whole.isel(stimulus=int(np.flatnonzero(known == stimulus)[0])).load()
    # `populated` is authoritative: numbers at empty times have no meaning
    one = one.set_coords("populated")
    return one.where(one["populated"])


def class_names(recording: xr.DataTree, classes: Sequence[str] | None = None) -> list[str]:
    """Return the names of the classes: the given ones, otherwise those of the recording, otherwise numbers.

    Raises
    ------
    ValueError
        If there are more or fewer names than classes.
    """
    numbers = recording.children["readout"].to_dataset()["class"].values
    known = settings(recording)["classes"] or numbers.tolist()
    names = [str(name) for name in (known if classes is None else classes)]
    if len(names) != len(numbers):
        raise ValueError(f"there are {len(numbers)} classes, but {len(names)} names: {names}")
    return names


def check_time(trial: xr.Dataset | xr.DataArray, time: int) -> None:
    """Refuse a time that was not recorded.

    Raises
    ------
    ValueError
        If `time` is not in the recording.
    """
    known = trial["time"].values
    if time not in known:
        raise ValueError(f"the recording has no time {time!r}: it has {_listed(known)}")


def _listed(known: np.ndarray) -> str:
    if known.size > 1 and known.dtype.kind in "iu" and bool((np.diff(known) == 1).all()):
        return f"{known[0]} to {known[-1]}"
    return f"{known.size} of them, {', '.join(str(value) for value in known[:10])}{', ...' * (known.size > 10)}"
