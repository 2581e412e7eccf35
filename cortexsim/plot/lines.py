"""What the figures of summaries share: a line with its interval, gaps where nothing is, a time axis, a caption."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import PAPER_STEP_MS, Milliseconds
from cortexsim.plot import theme

DASHES = ("solid", "dash", "dot", "dashdot")


def style(place: int) -> dict[str, str]:
    """Give the colour and dash of the nth line; no two of 24 are alike."""
    n_colours = len(theme.COLOURS)
    return {"color": theme.COLOURS[place % n_colours], "dash": DASHES[place // n_colours % len(DASHES)]}


def translucent(colour: str, opacity: float = 0.2) -> str:
    """Make a colour such as "#D55E00" let through what lies behind it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def check_dims(array: xr.DataArray, needed: Sequence[str], *, more: int = 0, what: str) -> list[Hashable]:
    """Refuse an array that a figure cannot draw, and give its further dimensions.

    Raises
    ------
    ValueError
        If it lacks a dimension, or has more than `more` further ones.
    """
    lacking = [name for name in needed if name not in array.dims]
    rest = [dim for dim in array.dims if dim not in needed]
    if lacking or len(rest) > more:
        wanted = ", ".join(needed) + (f" and at most {more} more" if more else "")
        reduce = f"; choose one of each of the others, as by .isel({rest[-1]}=0)" if len(rest) > more else ""
        raise ValueError(f"{what} has the dimensions ({wanted}), got ({', '.join(map(str, array.dims))}){reduce}")
    return rest


def ends(array: xr.DataArray, dataset: xr.Dataset | None = None) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Find the ends of an array's interval: its coordinates `low` and `high`, or `<name>_low` of a Dataset."""
    for prefix, holder in (("", array), (f"{array.name}_", array), (f"{array.name}_", dataset)):
        if holder is None:
            continue
        names = [f"{prefix}{end}" for end in ("low", "high")]
        known = holder.coords if isinstance(holder, xr.DataArray) else holder.variables
        if all(name in known and set(holder[name].dims) == set(array.dims) for name in names):
            low, high = (holder[name].reset_coords(drop=True).transpose(*array.dims) for name in names)
            return low, high
    return None


def add_line(
    figure: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    *,
    name: str,
    line: Mapping[str, Any],
    interval: Sequence[np.ndarray] | None = None,
    hover: Sequence[str] | None = None,
    legend: bool = True,
    cell: Mapping[str, int] | None = None,
    group: str | None = None,
) -> None:
    """Add a line and behind it the band of its interval; NaN is a gap in both.

    Parameters
    ----------
    figure : Figure
    x, y : ndarray, (point,)
    name : str
        The line's; the band is called `<name> interval`.
    line : mapping
        Colour, dash, width, as plotly knows them.
    interval : sequence of ndarray, optional
        Low and high end.
    hover : sequence of str, optional
        A text a point.
    legend : bool
        Whether the line is named in the legend.
    cell : mapping, optional
        Row and column of a subplot.
    group : str, optional
        What is shown and hidden together.
    """
    where = dict(cell or {})
    group = group or name
    if interval is not None:
        colour = line["color"]
        shade = translucent(colour) if colour.startswith("#") else theme.FAINT
        edge_x, edge_y = band(x, *interval)
        figure.add_scatter(
            x=edge_x,
            y=edge_y,
            mode="lines",
            fill="toself",
            fillcolor=shade,
            # a single point has no area, and its interval would be lost without an outline
            line={"color": shade, "width": 1.5},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=group,
            name=f"{name} interval",
            **where,
        )
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        connectgaps=False,
        line=dict(line),
        marker={"size": 6},
        name=name,
        legendgroup=group,
        showlegend=legend,
        hovertext=hover,
        hoverinfo="text" if hover is not None else "x+y+name",
        **where,
    )


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    """Give the outline of the area between two lines: a closed shape for each run without NaN."""
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    outline_x: list[float | None] = []
    outline_y: list[float | None] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        run = slice(start, stop)
        outline_x += [*x[run], *x[run][::-1], x[start], None]
        outline_y += [*low[run], *high[run][::-1], low[start], None]
    return outline_x, outline_y


def add_level(
    figure: go.Figure,
    x: np.ndarray,
    level: float,
    name: str,
    cell: Mapping[str, int] | None = None,
    *,
    values: np.ndarray | None = None,
    **line: Any,
) -> None:
    """Add a horizontal line over the width of `x` with its name at one end; it counts for the axis' range.

    Parameters
    ----------
    figure : Figure
    x : ndarray, (point,)
    level : float
    name : str
    cell : mapping, optional
        Row and column of a subplot.
    values : ndarray, (point, ...), optional
        What else is drawn over `x`: the name stands where it is farthest from all of that. By default above the right
        end.
    **line
        Dash, colour, width.
    """
    at_right, side = _clearest(level, values)
    figure.add_scatter(
        x=[x[0], x[-1]],
        y=[level, level],
        mode="lines+text",
        text=["", name] if at_right else [name, ""],
        textposition=f"{side} {'left' if at_right else 'right'}",
        textfont={"size": 11, "color": theme.INK},
        line={"color": theme.INK, "width": 1, "dash": "dot", **line},
        hoverinfo="skip",
        showlegend=False,
        name=name,
        **dict(cell or {}),
    )


def _clearest(level: float, values: np.ndarray | None) -> tuple[bool, str]:
    """Say at which end of a level (right?), and on which side of it, there is room beside what is drawn."""
    places = [(True, "top"), (True, "bottom"), (False, "top"), (False, "bottom")]
    if values is None:
        return places[0]
    n = max(2, len(values) // 4)
    known = values[np.isfinite(values)]
    # a name is about a tenth of the plot high: above the right end, unless that is closer to a line than another place
    enough = 0.15 * max(float(np.ptp([*known, level])), 1e-9)

    def room(place: tuple[bool, str]) -> float:
        at_right, side = place
        off = (values[-n:] if at_right else values[:n]) - level
        off = off[np.isfinite(off)] * (1 if side == "top" else -1)
        # what lies on the level itself is in the way on both sides
        return float(off[off >= 0].min(initial=enough))

    return max(places, key=room)


def time_axis(
    array: xr.DataArray, milliseconds: Milliseconds | None, dim: str = "time"
) -> tuple[np.ndarray, str, list[str]]:
    """Give where times lie on an axis, the axis' title, and a text for each time.

    Raises
    ------
    TypeError
        If `milliseconds` is something else.
    ValueError
        If the array's times are in milliseconds already.
    """
    times = array[dim].values
    if milliseconds is None:
        unit = array[dim].attrs.get("units", "steps")
        return times, theme.axis_title(array, dim), [f"t = {t:g}" + f" {unit}" * (unit != "steps") for t in times]
    check_milliseconds(milliseconds)
    if array[dim].attrs.get("units", "steps") != "steps":
        raise ValueError(f"the times are in {array[dim].attrs['units']!r} already: milliseconds= is for steps")
    title = str(milliseconds) if dim == "time" else f"{dim.replace('_', ' ')}: {milliseconds}"
    return milliseconds.of(times), title, [f"t = {t:g} ({_range_ms(milliseconds, t)})" for t in times]


def check_milliseconds(milliseconds: object) -> None:
    """Refuse what states no assumption about time.

    Raises
    ------
    TypeError
        If it is no `Milliseconds`.
    """
    if milliseconds is not None and not isinstance(milliseconds, Milliseconds):
        raise TypeError(
            "milliseconds must be cortexsim.Milliseconds(onset_ms=..., step_ms=...), because the figure states both, "
            f"got {milliseconds!r}"
        )


def _range_ms(milliseconds: Milliseconds, time: float) -> str:
    """Say when a time may be, by what is assumed and by the paper's length of a step."""
    soonest, latest = (milliseconds.onset_ms + step_ms * time for step_ms in PAPER_STEP_MS)
    paper = f"; {soonest:g} to {latest:g} ms at 20 to 50 ms a step"
    return f"{milliseconds.of(time):g} ms{paper if soonest != latest else ''}"


def value_title(array: xr.DataArray) -> str:
    """Name an array's own axis: `long_name (units)`."""
    name, units = array.attrs.get("long_name", array.name or "value"), array.attrs.get("units", "1")
    return str(name) if units == "1" else f"{name} ({units})"


def caption(*arrays: xr.DataArray) -> str:
    """Say what the intervals are and over how many, from the arrays' attrs; each thing once."""
    said: list[str] = []
    for array in arrays:
        interval, n = array.attrs.get("interval"), array.attrs.get("n")
        if interval:
            said.append(str(interval))
        if n is not None and f"{n} " not in f"{interval or ''} ":
            said.append(f"n = {n}")
    return "; ".join(dict.fromkeys(said)) or "no interval was given"


def head(figure: go.Figure, title: str, subtitle: str, *, height: int = 380, right: int = 8) -> None:
    """Write title and subtitle, and make room for them."""
    figure.update_layout(
        title={
            "text": title,
            "subtitle": {"text": wrapped(subtitle), "font": {"size": 11, "color": theme.INK}},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 10, "l": 8},
        },
        height=height,
        margin={"t": 62 + 14 * wrapped(subtitle).count("<br>"), "r": right},
        legend={"bgcolor": theme.CLEAR},
    )


def wrapped(text: str, width: int = 130) -> str:
    """Break a text into lines, because plotly breaks none."""
    import textwrap

    return "<br>".join(textwrap.wrap(text, width))


def edges_of(values: np.ndarray) -> np.ndarray:
    """Give the edges of cells centred on values, so that a heat map's cells touch."""
    if values.size == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    between = [(left + right) / 2 for left, right in pairwise(values)]
    return np.array([2 * values[0] - between[0], *between, 2 * values[-1] - between[-1]])
