"""Several matrices of training and testing times side by side, on one colour scale."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme
from cortexsim.plot._temporal_generalization import colours

PLOT_PX, TOP_PX, BOTTOM_PX, LEFT_PX, RIGHT_PX = 210, 50, 52, 62, 96
GAP_PX = 62


def generalizations(scores: xr.DataArray, notes: dict[str, str], *, covered: Collection[str] = ()) -> go.Figure:
    """Draw one matrix for each scaling of the activity, side by side and square.

    Parameters
    ----------
    scores : DataArray, (scaling, train_time, test_time)
        As `analyse.temporal_generalization` returns them; the attribute `chance` is the middle of the colour scale.
    notes : dict of str to str
        A line under the name of each.
    covered : collection of str
        Scalings whose place stays empty.

    Returns
    -------
    Figure
        The colours reach from 0 to 1, or as far below chance as above, so that those of several runs can be compared.

    Raises
    ------
    ValueError
        If the array has other dimensions.
    """
    lines.check_dims(scores, ["scaling", "train_time", "test_time"], what="generalizations")
    names = [str(name) for name in scores["scaling"].values]
    scale, ticks = colours(np.array([0.0, 1.0]), scores.attrs.get("chance"))
    ticks = {key: [value for value in one if value <= 1] if key == "tickvals" else one for key, one in ticks.items()}
    if ticks:
        ticks = {"tickvals": [float(scores.attrs["chance"]), 0.5, 1], "tickformat": ".0%"}
    width = len(names) * PLOT_PX + (len(names) - 1) * GAP_PX
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.set_subplots(1, len(names), horizontal_spacing=GAP_PX / width)
    big = {"size": theme.PANEL_PX}
    for place, name in enumerate(names, start=1):
        one = scores.sel(scaling=name).transpose("train_time", "test_time")
        hidden = name in covered
        values = np.full(one.shape, np.nan) if hidden else one.values
        x, y = one["test_time"].values, one["train_time"].values
        figure.add_heatmap(
            x=x,
            y=y,
            z=theme.for_json(values),
            coloraxis="coloraxis",
            hoverongaps=False,
            hovertext=[
                [f"trained at t = {a}<br>tested at t = {b}<br>{v:.1%}" for b, v in zip(x, row, strict=True)]
                for a, row in zip(y, values, strict=True)
            ],
            hoverinfo="text",
            name=name,
            row=1,
            col=place,
        )
        axis = "" if place == 1 else str(place)
        figure.add_annotation(
            text=f"<b>{name}</b><br>" + ("answer the question first" if hidden else notes[name]),
            xref=f"x{axis} domain",
            yref=f"y{axis} domain",
            x=0,
            y=1,
            xanchor="left",
            yanchor="bottom",
            align="left",
            showarrow=False,
            font=big,
            name="heading",
        )
        known = np.flatnonzero(scores.notnull().any(["scaling", "test_time"]).values)
        low, high = (int(y[known[0]]), int(y[known[-1]])) if known.size else (int(y[0]), int(y[-1]))
        span = [low - 0.5, high + 0.5]
        figure.update_xaxes(title={"text": "tested at (steps)", "font": big}, range=span, dtick=2, row=1, col=place)
        figure.update_yaxes(range=span, dtick=2, row=1, col=place)
    figure.update_yaxes(title={"text": "trained at (steps)", "font": big}, row=1, col=1)
    bar = {"title": {"text": "right", "side": "top"}, "outlinewidth": 0, "thickness": 14, "len": 1, **ticks}
    axis_of_colour = {"colorscale": scale["colorscale"], "colorbar": bar}
    if "zmin" in scale:
        axis_of_colour |= {"cmin": scale["zmin"], "cmax": scale["zmax"], "cmid": scale["zmid"]}
    else:
        axis_of_colour |= {"cmin": 0.0, "cmax": 1.0}
    figure.update_layout(
        coloraxis=axis_of_colour,
        height=PLOT_PX + TOP_PX + BOTTOM_PX,
        width=width + LEFT_PX + RIGHT_PX,
        autosize=False,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "l": LEFT_PX, "r": RIGHT_PX},
        showlegend=False,
    )
    return figure
