"""The grid of a sweep: the accuracy of each point, and which points are waiting, running or failed."""

from __future__ import annotations

import html
from collections.abc import Hashable
from itertools import product

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

ROW_PX, TOP_PX, BOTTOM_PX, GAP_PX = 46, 34, 58, 3
# of the page that a panel has
WIDTH_PX = 1030
WORDS = {"missing": "waiting", "running": "running …", "failed": "failed", "done": "done"}
# where a column is too narrow for words
SIGNS = {"missing": "·", "running": "…", "failed": "✕", "done": "✓"}
MOST_WORDS = 8
COLOURS = {"running": theme.COLOURS[1], "failed": theme.COLOURS[0]}
NOTHING = "–"


@draws("accuracy", "status", along=["time"])
def sweep_grid(result: xr.Dataset, time: int | None = None, *, covered: bool = False) -> go.Figure:
    """Draw the points of a sweep as cells, with the accuracy at one readout time.

    Parameters
    ----------
    result : Dataset
        As `sweep` returns it, also of a sweep that was stopped: `accuracy` (model, seed, presentation, noise, silence,
        time) and `status`. `failure`, with the dimensions of `status`, is the reason that a failed cell shows when it
        is pointed at.
    time : int, optional
        The readout time; by default the last.
    covered : bool
        Draw which points are done, without their accuracy.

    Returns
    -------
    Figure
        The dimension with most values has the columns, models only if nothing else varies; all others that vary have
        the rows. A cell contains a percentage, or in a word what became of its point.

    Raises
    ------
    ValueError
        If there is no such time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> study = {"models": ["digits-tiny"], "data": "digits", "n": 20, "until": 6, "noise": [0.0, 0.5]}
    >>> result = cs.sweep(study, to=tempfile.mkdtemp() + "/study", workers=0)
    >>> cs.plot.sweep_grid(result).layout.xaxis.ticktext
    ('0', '0.5')
    """
    times = result["time"].values.tolist()
    time = times[-1] if time is None else time
    if time not in times:
        raise ValueError(f"time must be one of {times}, got {time}")
    along, down = _axes(result)
    at = result.sel(time=time).transpose(*down, along, ...)
    shape = len(_names(result, down)), result.sizes[along]
    states = _states(at["status"]).reshape(shape)
    values = np.where((states == "done") & (not covered), at["accuracy"].values.reshape(shape), np.nan)
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.add_heatmap(
        z=theme.for_json(values),
        zmin=0,
        zmax=1,
        colorscale=theme.SEQUENTIAL,
        showscale=False,
        text=np.vectorize(lambda value: percent(value) if np.isfinite(value) else "", otypes=[object])(values),
        texttemplate="%{text}",
        textfont={"size": theme.PANEL_PX},
        hovertext=_reasons(at, shape),
        hoverinfo="text",
        xgap=GAP_PX,
        ygap=GAP_PX,
    )
    words = dict(WORDS if shape[1] <= MOST_WORDS else SIGNS, **({} if covered else {"done": NOTHING}))
    unread = np.argwhere(~np.isfinite(values)).tolist()
    figure.add_scatter(
        x=[column for _, column in unread],
        y=[row for row, _ in unread],
        mode="text",
        text=[words[states[row, column]] for row, column in unread],
        textfont={
            "size": theme.PANEL_PX,
            "color": [COLOURS.get(states[row, column], theme.INK) for row, column in unread],
        },
        hoverinfo="skip",
        showlegend=False,
    )
    # cells without a value have gaps like the others
    half = 0.5 - 0.5 * GAP_PX * shape[1] / WIDTH_PX, 0.5 - 0.5 * GAP_PX / ROW_PX
    for row, column in unread:
        sides = {"x0": column - half[0], "x1": column + half[0], "y0": row - half[1], "y1": row + half[1]}
        colour = COLOURS.get(states[row, column], "#808080")
        tint = lines.translucent(colour, 0.18)
        figure.add_shape(type="rect", **sides, fillcolor=tint, line={"width": 0}, layer="below")
    return _named(figure, result, along, down, time)


def _axes(result: xr.Dataset) -> tuple[Hashable, list[Hashable]]:
    """Return the dimension of the columns, and the others that have more than one value."""
    dims = list(result["status"].dims)
    along = max(dims, key=lambda dim: (result.sizes[dim] > 1, dim != "model", result.sizes[dim]))
    return along, [dim for dim in dims if dim != along]


def _names(result: xr.Dataset, dims: list[Hashable]) -> list[str]:
    """Return a name for each combination of values; dimensions with one value are left out."""
    varied = [dim for dim in dims if result.sizes[dim] > 1]
    return [", ".join(each) for each in product(*(map(value_name, result[dim].values.tolist()) for dim in varied))]


def value_name(value: str | float) -> str:
    """Return a value as it is read on an axis; a usual presentation in words."""
    if isinstance(value, float):
        return f"{value:g}"
    match str(value).split(":"):
        case ["flash"] | ["flash", "1"]:
            return "flash, 1 step"
        case ["flash", steps]:
            return f"flash, {steps} steps"
        case ["masked", "1", soa]:
            return f"mask at SOA {soa}"
    return str(value)


def _states(status: xr.DataArray) -> np.ndarray:
    """Return the status of each point as a word."""
    meanings = dict(zip(status.attrs["flag_values"], status.attrs["flag_meanings"].split(), strict=True))
    return np.array([meanings[value] for value in status.values.ravel().tolist()])


def _reasons(at: xr.Dataset, shape: tuple[int, int]) -> np.ndarray:
    """Return why each point failed, in lines as wide as a hover label should be; "" for the others."""
    if "failure" not in at:
        return np.full(shape, "")
    reasons = [theme.wrapped(html.escape(str(reason)), 70) for reason in at["failure"].values.ravel()]
    return np.array(reasons, object).reshape(shape)


def _named(figure: go.Figure, result: xr.Dataset, along: Hashable, down: list[Hashable], time: int) -> go.Figure:
    """Write the values along both axes, and what the numbers are."""
    columns, rows = _names(result, [along]), _names(result, down)
    varied = [dim for dim in down if result.sizes[dim] > 1]
    big = {"size": theme.PANEL_PX}
    figure.update_xaxes(
        title={"text": theme.axis_title(result["status"], along), "font": big, "standoff": 8},
        tickvals=list(range(len(columns))),
        ticktext=columns,
        range=[-0.5, len(columns) - 0.5],
        ticks="",
        showline=False,
    )
    figure.update_yaxes(
        title={"text": ", ".join(theme.axis_title(result["status"], dim) for dim in varied), "font": big},
        tickvals=list(range(len(rows))),
        ticktext=rows,
        range=[len(rows) - 0.5, -0.5],
        ticks="",
        showline=False,
    )
    return figure.update_layout(
        title={"text": f"accuracy at t = {time}", "font": big},
        hoverlabel={"align": "left"},
        height=TOP_PX + BOTTOM_PX + ROW_PX * len(rows),
        margin={"t": TOP_PX, "b": BOTTOM_PX},
    )
