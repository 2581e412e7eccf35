"""Cursors of figures over time: lines and points that a slider moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import one_of, whole
from cortexsim.plot import theme
from cortexsim.plot.gate import draws

ACROSS, UP, HERE = "now across", "now up", "now"
MOST_PLOTS = 100  # in one figure


@draws()
def add_cursor(figure: go.Figure, time: float, *, along: str = "x", plots: int = 1) -> go.Figure:
    """Mark a time by a line through the figure.

    Parameters
    ----------
    figure : Figure
        With time on its x axis; changed in place.
    time : float
        In the units of the axis.
    along : "x" or "xy"
        "xy" for a matrix of times: a line for each axis.
    plots : int
        Number of matrices next to each other.

    Returns
    -------
    Figure
        The same figure; its lines are the shapes named `ACROSS` and `UP`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.time_course(cs.analyse.accuracy(recording["readout"]))
    >>> figure = cs.plot.add_cursor(figure, 4)
    >>> figure.layout.shapes[-1].x0
    4
    """
    along, plots = one_of(along, "along", ("x", "xy")), whole(plots, "plots", 1, limit=MOST_PLOTS)
    line = {"color": theme.INK, "width": 2, "dash": "dot"}
    for axis in ["", *(str(place) for place in range(2, plots + 1))]:
        at = {"name": ACROSS, "type": "line", "x0": time, "x1": time, "y0": 0, "y1": 1, "line": line}
        figure.add_shape(**at, xref=f"x{axis}", yref=f"y{axis} domain" if along == "xy" else "paper")
        if along == "xy":
            up = {"name": UP, "type": "line", "y0": time, "y1": time, "x0": 0, "x1": 1, "line": line}
            figure.add_shape(**up, xref=f"x{axis} domain", yref=f"y{axis}")
    return figure


@draws()
def add_points(figure: go.Figure, path: xr.DataArray, time: int) -> go.Figure:
    """Mark the points of trajectories at a time by rings.

    Parameters
    ----------
    figure : Figure
        By `trajectory`, in two dimensions; changed in place.
    path : DataArray, (time, ..., component)
        The trajectories that the figure shows.
    time : int
        One of its times.

    Returns
    -------
    Figure
        The same figure; its last trace is named `HERE`, and its `meta` contains the points of all times, so that a
        page without a kernel can move it.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> path = cs.analyse.trajectory(recording["IT"])
    >>> figure = cs.plot.add_points(cs.plot.trajectory(path), path, 5)
    >>> figure.data[-1].name
    'now'
    """
    others = [dim for dim in path.dims if dim not in ("time", "component")]
    if not {"time", "component"} <= {*path.dims} or len(others) != 1 or path.sizes["component"] < 2:
        raise ValueError(
            "'path' of add_points must have the dimensions time, component (at least two) and one more, as trajectory "
            f"returns it, got {dict(path.sizes)}"
        )
    if time not in path["time"].values:
        raise ValueError(f"the path has no time {time}: it has {path['time'].values.tolist()}")
    values = path.transpose("time", *others, "component").values[..., :2].astype(float)
    points = {
        str(moment): {
            axis: [None if np.isnan(value) else float(value) for value in values[index, :, k]]
            for k, axis in enumerate("xy")
        }
        for index, moment in enumerate(path["time"].values.tolist())
    }
    figure.add_scatter(
        **points[str(time)],
        mode="markers",
        marker={"symbol": "circle-open", "size": 15, "color": theme.INK, "line": {"width": 2}},
        meta=points,
        hoverinfo="skip",
        showlegend=False,
        name=HERE,
    )
    return figure


@draws()
def move_cursor(figure: go.Figure, time: int) -> None:
    """Move the marks of `add_cursor` and `add_points` to another time.

    Parameters
    ----------
    figure : Figure
        Changed in place; a figure without a cursor does not change.
    time : int
        In steps.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.add_cursor(cs.plot.time_course(cs.analyse.accuracy(recording["readout"])), 4)
    >>> cs.plot.move_cursor(figure, 6)
    >>> figure.layout.shapes[-1].x0
    6
    """
    for shape in figure.layout.shapes:
        ends: dict[str | None, Any] = {ACROSS: {"x0": time, "x1": time}, UP: {"y0": time, "y1": time}}
        shape.update(ends.get(shape.name, {}))
    for trace in figure.data:
        if trace.name == HERE and str(time) in trace.meta:
            trace.update(trace.meta[str(time)])


@draws()
def hide_cursor(figure: go.Figure) -> go.Figure:
    """Return a copy with an invisible cursor, for a page that draws the cursor over the figure.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    Figure
        It contains the marks of `add_cursor` and `add_points` under their names, but invisible.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.time_course(cs.analyse.accuracy(recording["readout"]))
    >>> hidden = cs.plot.hide_cursor(cs.plot.add_cursor(figure, 4))
    >>> len(hidden.layout.shapes) == len(figure.layout.shapes)
    True
    """
    copy = go.Figure(figure)
    copy.for_each_shape(lambda shape: shape.update(visible=False) if shape.name in (ACROSS, UP) else None)
    copy.for_each_trace(lambda trace: trace.update(visible=False), selector={"name": HERE})
    return copy
