"""The `record=` selection: a whole state, its spatial mean, or some units; and the memory that it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import is_several, is_whole, listed, one_of, shown, unknown, whole
from cortexsim._support.memory import available
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.graph.states import State

if TYPE_CHECKING:
    from torch import Tensor

    from cortexsim.model.cortex import Cortex
from cortexsim.recording.dtypes import DTYPES

Unit = int | tuple[int, int, int]
Record = Sequence[str] | Mapping[str, str | Sequence[Unit]]
PARTS = ("all", "spatial_mean")


@dataclass(frozen=True)
class Selection:
    """The part of a state that is recorded.

    Parameters
    ----------
    state : State
    part : "all", "spatial_mean" or tuple of int
        Units are numbered over (channel, y, x), with x varying fastest.
    """

    state: State
    part: str | tuple[int, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimensions of the recorded activity, after stimulus and time."""
        return {"all": ("channel", "y", "x"), "spatial_mean": ("channel",)}.get(str(self.part), ("unit",))

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of these dimensions."""
        if isinstance(self.part, tuple):
            return (len(self.part),)
        return self._whole if self.part == "all" else self._whole[:1]

    @property
    def _whole(self) -> tuple[int, int, int]:
        return self.state.features, self.state.height, self.state.width

    @property
    def coordinates(self) -> dict[str, xr.Variable]:
        """The positions of selected units; empty if all units are recorded."""
        if not isinstance(self.part, tuple):
            return {}
        places = dict(zip(("channel", "y", "x"), np.unravel_index(self.part, self._whole), strict=True))
        long_name = {"long_name": f"unit of {self.state.name}, counted over channel, y and x"}
        return {
            "unit": xr.Variable("unit", np.array(self.part), long_name),
            **{name: xr.Variable("unit", values, {"long_name": name}) for name, values in places.items()},
        }

    def of(self, values: Tensor) -> Tensor:
        """Select from the activity of the state, shape (stimulus, channel, y, x)."""
        if isinstance(self.part, tuple):
            return values.flatten(1)[:, list(self.part)]
        return values if self.part == "all" else values.mean((-2, -1))

    def __str__(self) -> str:
        name = self.state.name
        if isinstance(self.part, tuple):
            return f"{len(self.part)} {'unit' if len(self.part) == 1 else 'units'} of {name}"
        return name if self.part == "all" else f"the spatial mean of {name}"


def selections(graph: CortexGraph, record: Record | None = None) -> dict[str, Selection]:
    """Return the recorded part of each state, in the graph's order.

    Parameters
    ----------
    graph : CortexGraph
    record : sequence of str, or mapping of str to a part, optional
        As for `simulate`.

    Raises
    ------
    TypeError
        If it is a single string, or a part is neither a name nor a sequence of units.
    ValueError
        If a state, a name or a unit does not exist, or a unit is named twice.
    """
    if record is None:
        record = graph.state_names
    if isinstance(record, str):
        raise TypeError(f"record must be a sequence of states, such as [{record!r}], got {record!r}")
    try:
        names = list(record) if isinstance(record, Mapping) else listed(record, "record")
    except TypeError as error:
        raise TypeError(
            f"record must be a sequence of states, or a mapping of states to parts, got {shown(record)}"
        ) from error
    strangers = [name for name in names if not isinstance(name, str) or name not in graph.state_names]
    if strangers:
        raise ValueError(f"cannot record {strangers}: the states are {graph.state_names}")
    asked: dict[str, Any] = dict(record) if isinstance(record, Mapping) else dict.fromkeys(names, "all")
    return {
        state.name: Selection(state, _part(state, asked[state.name])) for state in graph.states if state.name in asked
    }


def as_record(selected: Mapping[str, Selection]) -> list[str] | dict[str, Any]:
    """Return selections as plain values that `selections` accepts: a list of names if all states are recorded whole."""
    if all(selection.part == "all" for selection in selected.values()):
        return list(selected)
    return {name: one.part if isinstance(one.part, str) else list(one.part) for name, one in selected.items()}


def _part(state: State, asked: Any) -> str | tuple[int, ...]:
    if isinstance(asked, str):
        if asked not in PARTS:
            raise ValueError(f"{unknown(f'part of {state.name}', asked, PARTS)}; or give units")
        return asked
    # a set has no order, and its units would be recorded in any
    units = list(asked) if is_several(asked) and not isinstance(asked, Mapping | Set) else []
    if not units:
        raise TypeError(
            f"what is recorded of {state.name} must be {' or '.join(map(repr, PARTS))}, or at least one unit, such as "
            f"[0, 7] or [(channel, y, x)], got {shown(asked)}"
        )
    numbers = tuple(_unit(state, unit) for unit in units)
    twice = sorted(number for number, count in Counter(numbers).items() if count > 1)
    if twice:
        raise ValueError(f"units {twice} of {state.name} are named twice; name each once")
    return numbers


def _unit(state: State, unit: Any) -> int:
    shape = state.features, state.height, state.width
    place = list(unit) if is_several(unit) and not isinstance(unit, Mapping | Set) else [unit]
    if not all(map(is_whole, place)) or len(place) not in (1, 3):
        raise TypeError(f"a unit of {state.name} is its number, or (channel, y, x), got {shown(unit)}")
    place = [whole(index, f"a unit of {state.name}") for index in place]
    lengths = shape if len(place) == 3 else (prod(shape),)
    if not all(0 <= index < length for index, length in zip(place, lengths, strict=True)):
        raise ValueError(
            f"{state.name} has no unit {shown(unit)}: its units are 0 to {prod(shape) - 1}, or (channel, y, x) within "
            f"{shape}, counted from 0"
        )
    return int(np.ravel_multi_index(place, shape)) if len(place) == 3 else int(place[0])


def estimate(model: Cortex, n_stimuli: int, *, until: int, record: Record | None = None, dtype: str = "float32") -> int:
    """Return the bytes that a recording takes in memory; `record` as for `simulate`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.estimate(cs.zoo.load("ventral-stream"), 1000, until=8, record=["IT"])
    18504000
    """
    from cortexsim.model.cortex import the_cortex

    model = the_cortex(model, "estimate")
    n_stimuli = whole(n_stimuli, "n_stimuli", 0)
    until = whole(until, "until", 0, unit="steps", limit=MOST_STEPS)
    one_of(dtype, "dtype", DTYPES)
    units = sum(prod(selection.shape) for selection in selections(model.graph, record).values())
    each = np.dtype(DTYPES[dtype].stored).itemsize
    return n_stimuli * (until + 1) * (units + prod(model.readout_shape)) * each


def fitting_batch(model: Cortex, until: int, record: Record, dtype: str) -> int:
    """Choose the batch size: 128 stimuli, or fewer if half of the free memory is too small for them.

    Counts the run itself and three recorded batches, because one is converted and another is written meanwhile.
    """
    from cortexsim.model.costs import bytes_running  # it loads torch, which the command line avoids

    each = 3 * estimate(model, 1, until=until, record=record, dtype=dtype) + bytes_running(model)
    return int(max(1, min(128, available() / 2 / each)))


def refuse_too_large(model: Cortex, n: int, until: int, record: Record, dtype: str) -> None:
    """Refuse a recording that does not fit in memory.

    Raises
    ------
    MemoryError
        If it does not fit; the message says what would.
    """
    needed = estimate(model, n, until=until, record=record, dtype=dtype)
    free = available()
    if needed > 0.9 * free:
        half = "" if dtype == "float16" else ", dtype='float16'"
        fits = int(n * 0.9 * free / needed)
        what = ", ".join(map(str, selections(model.graph, record).values())) or "the readout"
        raise MemoryError(
            f"recording {n} stimuli at {until + 1} times of {what} takes {needed / 1e9:,.1f} GB, but "
            f"{free / 1e9:,.1f} GB of memory is free; record fewer states (record=[...]) or less of each "
            f"(record={{...: 'spatial_mean'}}){half}, fewer times (until=...), or fewer stimuli (at most {fits}); or "
            "stream it to disk (to='... .zarr')"
        )
