"""Several matrices of training and testing times side by side, on one colour scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme
from cortexsim.plot._temporal_generalization import colours

PLOT_PX, TOP_PX, BOTTOM_PX, LEFT_PX, RIGHT_PX = 156, 44, 46, 62, 86
GAP_PX = 54


def generalizations(
    scores: xr.DataArray, notes: Mapping[str, str], *, covered: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw one matrix for each scaling of the activity, side by side and square.

    Parameters
    ----------
    scores : DataArray, (scaling, train_time, test_time)
        As `analyse.temporal_generalization` returns them; the attribute `chance` is the middle of the colour scale.
    notes : mapping of str to str
        A line under the name of each.
    covered : mapping of str to str, optional
        Scalings whose place stays empty, with the line that replaces their note.

    Returns
    -------
    Figure
        The colours reach from 0 to 1, or as far below chance as above, so that those of several runs can be compared.

    Raises
    ------
    ValueError
        If the array has other dimensions.
    """
    covered = covered or {}
    lines.check_dims(scores, ["scaling", "train_time", "test_time"], what="generalizations")
    names = [str(name) for name in scores["scaling"].values]
    width = len(names) * PLOT_PX + (len(names) - 1) * GAP_PX
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.set_subplots(1, len(names), horizontal_spacing=GAP_PX / width)
    span = _decoded(scores)
    big = {"size": theme.PANEL_PX}
    for place, name in enumerate(names, start=1):
        hidden = name in covered
        # plotly writes errors into the browser's console for a heatmap that is empty
        one = go.Scatter(x=[None], y=[None]) if hidden else _matrix(scores.sel(scaling=name), name)
        figure.add_trace(one, row=1, col=place)
        _add_heading(figure, place, f"<b>{name}</b><br>{covered[name] if hidden else notes[name]}")
        figure.update_xaxes(title={"text": "tested at (steps)", "font": big}, range=span, dtick=2, row=1, col=place)
        figure.update_yaxes(range=span, dtick=2, row=1, col=place)
    figure.update_yaxes(title={"text": "trained at (steps)", "font": big}, row=1, col=1)
    figure.update_layout(
        coloraxis=_colour_axis(scores.attrs.get("chance")),
        height=PLOT_PX + TOP_PX + BOTTOM_PX,
        width=width + LEFT_PX + RIGHT_PX,
        autosize=False,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "l": LEFT_PX, "r": RIGHT_PX},
        showlegend=False,
    )
    return figure


def _matrix(scores: xr.DataArray, name: str) -> go.Heatmap:
    """Return the heatmap of one scaling."""
    one = scores.transpose("train_time", "test_time")
    values = one.values
    x, y = one["test_time"].values, one["train_time"].values
    return go.Heatmap(
        x=x,
        y=y,
        z=theme.for_json(values),
        coloraxis="coloraxis",
        hoverongaps=False,
        hovertext=[
            [f"trained at t = {a}<br>tested at t = {b}<br>{percent(v, 1)}" for b, v in zip(x, row, strict=True)]
            for a, row in zip(y, values, strict=True)
        ],
        hoverinfo="text",
        name=name,
    )


def _add_heading(figure: go.Figure, place: int, text: str) -> None:
    """Write above a matrix, from its left edge."""
    axis = "" if place == 1 else str(place)
    figure.add_annotation(
        text=text,
        xref=f"x{axis} domain",
        yref=f"y{axis} domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        align="left",
        showarrow=False,
        font={"size": theme.PANEL_PX},
        name="heading",
    )


def _decoded(scores: xr.DataArray) -> list[float]:
    """Return the range of an axis from the first to the last time at which anything was decoded."""
    times = scores["train_time"].values
    known = times[scores.notnull().any(["scaling", "test_time"]).values]
    first, last = (known if known.size else times)[[0, -1]]
    return [float(first) - 0.5, float(last) + 0.5]


def _colour_axis(chance: float | None) -> dict[str, Any]:
    """Return the scale of colours up to 1, with chance in its middle where it is known."""
    scale, _ = colours(np.array([0.0, 1.0]), chance)
    bar: dict[str, Any] = {"title": {"text": "right", "side": "top"}, "outlinewidth": 0, "thickness": 14, "len": 1}
    if chance is None:
        return {"colorscale": scale["colorscale"], "colorbar": bar, "cmin": 0.0, "cmax": 1.0}
    bar |= {"tickvals": [float(chance), 0.5, 1], **theme.PERCENT}
    limits = {"cmin": scale["zmin"], "cmax": scale["zmax"], "cmid": scale["zmid"]}
    return {"colorscale": scale["colorscale"], "colorbar": bar, **limits}
