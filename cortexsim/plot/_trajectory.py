"""Trajectories of a state's activity through the space of the first components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.analyse.runs import RUNS
from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import facets, lines, theme
from cortexsim.plot.gate import draws


@draws()
def trajectory(
    path: xr.DataArray,
    *,
    dimensions: int = 2,
    by: str | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw the trajectories of stimuli through the space of the first two or three components.

    Parameters
    ----------
    path : DataArray, (time, stimulus, component)
        As `analyse.trajectory` returns it: the axes are the same at all times. Averages have a dimension such as
        `label` instead of `stimulus`, with a colour for each value. With `model` or `seed`, up to eight are drawn
        side by side, each with axes of its own.
    dimensions : 2 or 3
    by : str, optional
        A coordinate of the stimuli that determines their colours; by default `label`, if it exists.
    milliseconds : Milliseconds, optional
        Adds wall-clock time to the texts of the points; the subtitle states the assumption.
    title : str, optional
        By default the array's `long_name`.

    Returns
    -------
    Figure
        A trace for each group of stimuli, with a distinct colour and dash. A trajectory has a point for each time, with
        a square at the first time and a larger point at the last. Empty times are gaps.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions or too few components, or lacks the coordinate.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.trajectory(cs.analyse.trajectory(recording["IT"]))
    >>> figure.layout.xaxis.title.text
    'component 1 (...% of variance)'
    """
    several = [dim for dim in RUNS if dim in path.dims]
    description, by, path = _as_stimuli(path, by)
    runs = facets.runs_of(path, ["time", "stimulus", "component"], what="a trajectory")
    if dimensions not in (2, 3):
        raise ValueError(f"dimensions must be 2 or 3, got {dimensions!r}")
    if path.sizes["component"] < dimensions:
        raise ValueError(f"{dimensions} dimensions need as many components, got {path.sizes['component']}")
    _, _, moments = lines.time_axis(path, milliseconds)
    groups = _groups(path, by)
    figure, cells = facets.grid(list(runs), spec="xy" if dimensions == 2 else "scene")
    for place, one in enumerate(runs.values()):
        for index, (name, members) in enumerate(groups):
            chosen = one.transpose("stimulus", "time", "component").isel(stimulus=members)
            _add_group(figure, chosen, dimensions, moments, lines.style(index), name, cells[place])
        _add_axes(figure, [_component(one, k) for k in range(dimensions)], place, cells[place])
    # a group has one entry of the legend, which shows and hides it in all plots
    figure.for_each_trace(lambda trace: trace.update(legendgroup=trace.name))
    for trace in figure.data[len(groups) :]:
        trace.showlegend = False
    subtitle = f"{description}; square: first time, large point: last"
    if several:
        subtitle += f"; the axes of each {' and '.join(several)} are its own"
    if milliseconds is not None:
        subtitle += f"; {milliseconds}"
    heading = title or str(path.attrs.get("long_name", "trajectory"))
    lines.head(figure, heading, subtitle, height=facets.height(520, cells))
    facets.make_room(figure, cells)
    figure.update_layout(showlegend=len(groups) > 1, legend_tracegroupgap=0)
    if several:
        # the plots need the whole width
        figure.update_layout(legend={"orientation": "h", "y": -0.3})
    return figure


def _add_axes(figure: go.Figure, titles: list[str], place: int, cell: Mapping[str, int]) -> None:
    """Name the axes of a plot."""
    if len(titles) == 2:
        figure.update_xaxes(title_text=titles[0], **cell)
        figure.update_yaxes(title_text=titles[1], **cell)
        return
    look_3d = {"color": theme.INK, "gridcolor": theme.FAINT, "zeroline": False, "showbackground": False}
    axes = {f"{axis}axis": {"title": {"text": text}, **look_3d} for axis, text in zip("xyz", titles, strict=True)}
    name = f"scene{facets.axis_number(place)}"
    figure.update_layout({name: {**axes, "bgcolor": theme.CLEAR, "aspectmode": "data"}})


def _as_stimuli(path: xr.DataArray, by: str | None) -> tuple[str, str | None, xr.DataArray]:
    """Return a description of the trajectories, the coordinate of their colours, and averages as stimuli."""
    rest = [str(dim) for dim in path.dims if dim not in ("time", "component", *RUNS)]
    if by is None and len(rest) == 1 and rest != ["stimulus"] and rest[0] in path.coords:
        each = rest[0]
        averaged = path.rename({each: "stimulus"})
        values = path[each].values
        named = {each: ("stimulus", values, path[each].attrs), "stimulus": ("stimulus", values, {"averaged": True})}
        return f"the mean path of each {each}", each, averaged.assign_coords(named)
    return f"{path.sizes.get('stimulus', 0)} stimuli", by, path


def _groups(path: xr.DataArray, by: str | None) -> list[tuple[str, np.ndarray]]:
    if by is None and "label" in path.coords and path["label"].dims == ("stimulus",):
        by = "label"
    if by is None:
        return [("stimuli", np.arange(path.sizes["stimulus"]))]
    if by not in path.coords or path[by].dims != ("stimulus",):
        there = sorted(str(name) for name, values in path.coords.items() if values.dims == ("stimulus",))
        raise ValueError(f"the stimuli have no coordinate {by!r} to be coloured by, only {there}")
    values = path[by].values
    word = str(path[by].attrs.get("long_name", by))
    return [(f"{word} {value}", np.flatnonzero(values == value)) for value in np.unique(values)]


def _component(path: xr.DataArray, index: int) -> str:
    """Return the name of a component, with its fraction of the variance."""
    ratio = path.coords.get("explained_variance_ratio", path.attrs.get("explained_variance_ratio"))
    share = "" if ratio is None else f" ({percent(float(np.asarray(ratio)[index]))} of variance)"
    return f"component {index + 1}{share}"


def _add_group(
    figure: go.Figure,
    paths: xr.DataArray,
    dimensions: int,
    moments: list[str],
    style: Mapping[str, str],
    name: str,
    cell: Mapping[str, int],
) -> None:
    """Add the trajectories of a group as one trace, with gaps between them."""
    points: list[list[float]] = []
    texts: list[str] = []
    sizes: list[int] = []
    symbols: list[str] = []
    averages = paths["stimulus"].attrs.get("averaged", False)
    names = paths["stimulus"].values
    for stimulus, path in zip(names, paths.values[..., :dimensions], strict=True):
        known = np.flatnonzero(np.isfinite(path).all(-1))
        for time, point in enumerate(path):
            first, last = known.size and time == known[0], known.size and time == known[-1]
            points.append(list(point))
            texts.append(f"{name}, {moments[time]}" if averages else f"{name}, stimulus {stimulus}, {moments[time]}")
            sizes.append(9 if last else 6 if first else 3)
            symbols.append("square" if first else "circle")
        points.append([np.nan] * dimensions)
        texts.append("")
        sizes.append(0)
        symbols.append("circle")
    across = np.array(points).T
    drawn = dict(
        mode="lines+markers",
        line={**style, "width": 1.5 if dimensions == 2 else 3},
        # an outline would hide the colour of small points
        marker={"color": style["color"], "size": sizes, "symbol": symbols, "line": {"width": 0}},
        connectgaps=False,
        opacity=0.85,
        hovertext=texts,
        hoverinfo="text",
        name=name,
    )
    if dimensions == 2:
        figure.add_scatter(x=across[0], y=across[1], **drawn, **cell)
    else:
        figure.add_scatter3d(x=across[0], y=across[1], z=across[2], **drawn, **cell)
