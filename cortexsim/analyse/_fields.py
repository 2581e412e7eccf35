"""Receptive and projective fields of a unit by construction: what can reach it, and what it can reach, by time."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.fields import Fields, Sustained, unit_of
from cortexsim.graph.reach import MOST_STEPS


def receptive_field(
    model: Any, state: str, *, time: int, y: int | None = None, x: int | None = None, presentation: Any = None
) -> xr.DataArray:
    """Return the pixels that can reach a unit by a time, given the graph, its kernels and their strides.

    It is exact for random weights: these pixels, and no others, can have a gradient. The pixels that do matter in a
    trained model are fewer; see `protocols.sensitivity`.

    Parameters
    ----------
    model : Cortex or CortexGraph
        A graph is taken to have the pre-net "conv".
    state : str
    time : int
        The time at which the unit is looked at, in steps.
    y, x : int, optional
        Position of the unit in the state's map; by default the middle.
    presentation : Presentation or Mixture, optional
        By default sustained: a picture enters at every time.

    Returns
    -------
    DataArray, (time, y, x)
        True where the pixel, shown at that time, can reach the unit; times from 0 to `time`. All False if the state is
        empty then.

    Raises
    ------
    ValueError
        If there is no such state, unit or time, or the graph or pre-net contains callables, whose reach is unknown.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32)
    >>> field = cs.analyse.receptive_field(graph, "IT", time=4)
    >>> field.dims
    ('time', 'y', 'x')
    """
    fields = _fields(model, presentation)
    state, y, x, time = unit_of(fields.graph, state, y, x, time)
    found = fields.receptive(state, y, x, time)
    about = {"long_name": "can reach the unit", "units": "1", "state": state, "y": y, "x": x, "at": time}
    return xr.DataArray(found, _coordinates(found), ("time", "y", "x"), "receptive_field", about)


def projective_field(
    model: Any,
    state: str,
    *,
    time: int,
    until: int,
    y: int | None = None,
    x: int | None = None,
    presentation: Any = None,
) -> xr.DataTree:
    """Return the units of every state that a unit can reach, at each later time.

    Parameters
    ----------
    model, state, y, x, presentation
        As for `receptive_field`.
    time : int
        The time from which the unit's activity is followed, in steps.
    until : int
        Last time.

    Returns
    -------
    DataTree
        A node for each state, with `field` (time, y, x): True where the unit can have an effect; times from 0.

    Raises
    ------
    ValueError
        As for `receptive_field`, or if `until` is before `time`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32)
    >>> found = cs.analyse.projective_field(graph, "V1", time=0, until=4)
    >>> found["IT"]["field"].dims
    ('time', 'y', 'x')
    """
    fields = _fields(model, presentation)
    state, y, x, time = unit_of(fields.graph, state, y, x, time)
    until = whole(until, "until", time, unit="steps", limit=MOST_STEPS)
    about = {"long_name": "can be reached by the unit", "units": "1", "state": state, "y": y, "x": x, "at": time}
    nodes = {
        name: xr.Dataset({"field": (("time", "y", "x"), found, about)}, _coordinates(found))
        for name, found in fields.projective(state, y, x, time, until).items()
    }
    return xr.DataTree.from_dict(nodes)


def _fields(model: Any, presentation: Any) -> Fields:
    graph = model if isinstance(model, CortexGraph) else getattr(model, "graph", None)
    if not isinstance(graph, CortexGraph):
        raise TypeError(f"model must be a Cortex or a CortexGraph, got {type(model).__name__}")
    pre_net = "conv" if graph is model else model.pre_net_name
    return Fields(graph, Sustained() if presentation is None else presentation, pre_net)


def _coordinates(found: np.ndarray) -> dict[str, Any]:
    n_times, height, width = found.shape
    return {
        "time": ("time", np.arange(n_times), {"long_name": "time", "units": "steps"}),
        "y": ("y", np.arange(height), {"units": "px"}),
        "x": ("x", np.arange(width), {"units": "px"}),
    }
