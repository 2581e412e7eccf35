"""Parts of summary figures: a line with its interval and gaps, error bars, a time axis, a caption."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import shown
from cortexsim.brains.milliseconds import PAPER_STEP_MS, Milliseconds
from cortexsim.plot import theme
from cortexsim.plot.gate import draws

DASHES = ("solid", "dash", "dot", "dashdot")


def style(index: int) -> dict[str, str]:
    """Return the colour and the dash of the nth line; the first 24 lines all differ."""
    n_colours = len(theme.COLOURS)
    return {"color": theme.COLOURS[index % n_colours], "dash": DASHES[index // n_colours % len(DASHES)]}


def translucent(colour: str, opacity: float = 0.2) -> str:
    """Return a colour such as "#D55E00" with an opacity."""
    red, green, blue = (int(colour[index : index + 2], 16) for index in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def check_dims(array: xr.DataArray, needed: Sequence[str], *, more: int = 0, what: str) -> list[Hashable]:
    """Check the dimensions of an array, and return those other than `needed`.

    Raises
    ------
    TypeError
        If it is not a DataArray.
    ValueError
        If it lacks a dimension, has more than `more` further ones, or its times are not in rising order: a line
        through them would run back.
    """
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"{what} must be a DataArray with the dimensions ({', '.join(needed)}), got {shown(array)}")
    lacking = [name for name in needed if name not in array.dims]
    rest = [dim for dim in array.dims if dim not in needed]
    if lacking or len(rest) > more:
        wanted = ", ".join(needed) + (f" and at most {more} more" if more else "")
        hint = f"; select one value of each of the others, such as .isel({rest[-1]}=0)" if len(rest) > more else ""
        raise ValueError(f"the dimensions of {what} must be ({wanted}), got ({', '.join(map(str, array.dims))}){hint}")
    for dim in array.dims:
        if str(dim).endswith("time") and dim in array.coords and array[dim].dtype.kind in "iuf":
            times = array[dim].values
            if not (times[1:] > times[:-1]).all():
                raise ValueError(
                    f"the {dim} of {what} must be in rising order, got {shown(times.tolist())}: sort it, such as by "
                    f".sortby({str(dim)!r})"
                )
    return rest


def ends(array: xr.DataArray, dataset: xr.Dataset | None = None) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Return the ends of an array's interval: its coordinates `low` and `high`, or `<name>_low` of a Dataset.

    Ends without a dimension of the array, as xarray joins equal ones, are the same along it.
    """
    for prefix, holder in (("", array), (f"{array.name}_", array), (f"{array.name}_", dataset)):
        if holder is None:
            continue
        names = [f"{prefix}{end}" for end in ("low", "high")]
        known = holder.coords if isinstance(holder, xr.DataArray) else holder.variables
        if all(name in known and set(holder[name].dims) <= set(array.dims) for name in names):
            shape = array.reset_coords(drop=True)
            low, high = (
                holder[name].reset_coords(drop=True).broadcast_like(shape).transpose(*array.dims) for name in names
            )
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
    """Add a line, with the band of its interval behind it; NaN makes a gap in both.

    Parameters
    ----------
    figure : Figure
    x, y : ndarray, (point,)
    name : str
        Name of the line; the band is called `<name> interval`.
    line : mapping
        Colour, dash and width, by plotly's names.
    interval : sequence of ndarray, optional
        Low and high end.
    hover : sequence of str, optional
        A text for each point.
    legend : bool
        Show the line in the legend.
    cell : mapping, optional
        Row and column of a subplot.
    group : str, optional
        Traces of the same group are shown and hidden together.
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


def error_bars(
    values: np.ndarray | xr.DataArray,
    low: np.ndarray | xr.DataArray,
    high: np.ndarray | xr.DataArray,
    *,
    thickness: float = 1,
    width: int = 3,
) -> dict[str, Any]:
    """Return plotly's error bars of values with the ends of their intervals; the caps are `width` px long."""
    above, below = (np.asarray(end, float) for end in (high - values, values - low))
    return {
        "symmetric": False,
        "array": theme.for_json(above),
        "arrayminus": theme.for_json(below),
        "thickness": thickness,
        "width": width,
    }


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    """Return the outline of the area between two lines: a closed shape for each run without NaN."""
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    outline_x: list[float | None] = []
    outline_y: list[float | None] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        run = slice(start, stop)
        outline_x += [*x[run], *x[run][::-1], x[start], None]
        outline_y += [*low[run], *high[run][::-1], low[start], None]
    return outline_x, outline_y


def add_diagonal(figure: go.Figure, ends: Sequence[float], name: str, cell: Mapping[str, int] | None = None) -> None:
    """Add a dotted line through the points (x, x) from one end to the other, in a cell of subplots."""
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": theme.INK, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
        name=name,
        **dict(cell or {}),
    )


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
    """Add a horizontal line over the width of `x` with its name at one end; the axis' range includes it.

    Parameters
    ----------
    figure : Figure
    x : ndarray, (point,)
    level : float
    name : str
    cell : mapping, optional
        Row and column of a subplot.
    values : ndarray, (point, ...), optional
        All other values drawn over `x`: the name is placed at the end farthest from them. By default above the right
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
        textfont={"size": theme.TEXT_PX, "color": theme.INK},
        line={"color": theme.INK, "width": 1, "dash": "dot", **line},
        hoverinfo="skip",
        showlegend=False,
        name=name,
        **dict(cell or {}),
    )


def label_ends(
    figure: go.Figure,
    ends: Sequence[tuple[float, str, str]],
    *,
    span: tuple[float, float],
    plot_px: float,
    size_px: int = theme.PANEL_PX,
) -> None:
    """Write a name at the right end of each line, in its colour, and move names apart that would overlap.

    Parameters
    ----------
    figure : Figure
        Its right margin must have room for the names; its range of y is set to `span`.
    ends : sequence of (float, str, str)
        Height of the line's end, its name (lines separated by <br>), and its colour.
    span : (float, float)
        Range of the axis.
    plot_px : float
        Height of the plot, without margins.
    size_px : int
    """
    low, high = span
    figure.update_yaxes(range=[low, high])
    line_px = round(1.3 * size_px)
    heights = [line_px * (1 + name.count("<br>")) for _, name, _ in ends]
    wanted = [(y - low) / (high - low) * plot_px for y, _, _ in ends]
    for place, middle in spread_apart(wanted, heights, plot_px).items():
        y, name, colour = ends[place]
        figure.add_annotation(
            text=name,
            xref="paper",
            x=1,
            xanchor="left",
            xshift=6,
            y=y,
            yshift=middle - wanted[place],
            showarrow=False,
            align="left",
            font={"size": size_px, "color": colour},
            name="line end",
        )


def spread_apart(wanted: Sequence[float], heights: Sequence[float], room: float) -> dict[int, float]:
    """Move the middles of labels as little as is simple, so that none overlaps another, from the lowest up.

    Returns
    -------
    dict of int to float
        The middle of each label, by its index in `wanted`; within 0 and `room` if all fit.
    """
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    middles: dict[int, float] = {}
    free = 0.0
    for place in order:
        middles[place] = max(wanted[place], free + heights[place] / 2)
        free = middles[place] + heights[place] / 2
    ceiling = room
    for place in reversed(order):
        middles[place] = min(middles[place], ceiling - heights[place] / 2)
        ceiling = middles[place] - heights[place] / 2
    return middles


def _clearest(level: float, values: np.ndarray | None) -> tuple[bool, str]:
    """Return the end of a level (right or not) and the side with the most room for its name."""
    indices = [(True, "top"), (True, "bottom"), (False, "top"), (False, "bottom")]
    if values is None:
        return indices[0]
    n = max(2, len(values) // 4)
    known = values[np.isfinite(values)]
    # a name is about a tenth of the plot high: above the right end, unless a line is too close there
    enough = 0.15 * max(float(np.ptp([*known, level])), 1e-9)

    def room(index: tuple[bool, str]) -> float:
        at_right, side = index
        off = (values[-n:] if at_right else values[:n]) - level
        off = off[np.isfinite(off)] * (1 if side == "top" else -1)
        # a value on the level itself blocks both sides
        return float(off[off >= 0].min(initial=enough))

    return max(indices, key=room)


def time_axis(
    array: xr.DataArray, milliseconds: Milliseconds | None, dim: str = "time"
) -> tuple[np.ndarray, str, list[str]]:
    """Return the positions of times on an axis, the axis' title, and a text for each time.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array's times are already in milliseconds.
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
    """Raise a TypeError unless it is `Milliseconds` or None: a bare number does not state the assumption."""
    if milliseconds is not None and not isinstance(milliseconds, Milliseconds):
        raise TypeError(
            "milliseconds must be cortexsim.Milliseconds(onset_ms=..., step_ms=...), both of which the figure states, "
            f"got {milliseconds!r}"
        )


def _range_ms(milliseconds: Milliseconds, time: float) -> str:
    """Return a time in ms, for the assumed length of a step and for the paper's range."""
    soonest, latest = (milliseconds.onset_ms + step_ms * time for step_ms in PAPER_STEP_MS)
    paper = f"; {soonest:g} to {latest:g} ms at 20 to 50 ms per step"
    return f"{milliseconds.of(time):g} ms{paper if soonest != latest else ''}"


def value_title(array: xr.DataArray) -> str:
    """Return the axis title of an array: `long_name (units)`."""
    name, units = array.attrs.get("long_name", array.name or "value"), array.attrs.get("units", "1")
    return str(name) if units == "1" else f"{name} ({units})"


@draws()
def caption(*arrays: xr.DataArray) -> str:
    """Describe the intervals of arrays and their number of stimuli, from the attrs, without repetition."""
    texts: list[str] = []
    for array in arrays:
        interval, n = array.attrs.get("interval"), array.attrs.get("n")
        if interval:
            texts.append(str(interval))
        if n is not None and f"{n} " not in f"{interval or ''} ":
            texts.append(f"n = {n}")
    return "; ".join(dict.fromkeys(texts)) or "no interval was given"


def head(figure: go.Figure, title: str, subtitle: str, *, height: int = 380, right: int = 8) -> None:
    """Set title and subtitle, and make room for them."""
    subtitle = theme.wrapped(subtitle)
    figure.update_layout(
        title={
            "text": title,
            "subtitle": {"text": subtitle, "font": {"size": theme.TEXT_PX, "color": theme.INK}},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 10, "l": 8},
        },
        height=height,
        margin={"t": 63 + theme.LINE_PX * subtitle.count("<br>"), "r": right},
        legend={"bgcolor": theme.CLEAR},
    )
