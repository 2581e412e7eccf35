"""Curves with what a model tags on them: the wave along the dot's curve, and mistakes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme

BACKGROUND, LINE, CUE, MISTAKE, TAG = (48, 48, 48), (235, 235, 235), (255, 60, 0), (86, 180, 233), (230, 159, 0)


def traced(maps: xr.Dataset, *, title: str = "") -> go.Figure:
    """Draw curves next to each other: tagged pixels of the dot's curve orange, those of other curves blue.

    Parameters
    ----------
    maps : Dataset
        `tagged`, `line`, `target`, `cue` (stimulus, y, x), bool; `length`, `reached`, in px, and `exact` (stimulus,).
    title : str

    Returns
    -------
    Figure
        Below each picture: how far the tag follows the curve without a gap, and whether every line pixel is right.
    """
    n = maps.sizes["stimulus"]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(1, n, horizontal_spacing=0.012)
    for k in range(n):
        one = maps.isel(stimulus=k)
        shown = np.empty((*one["line"].shape, 3), np.uint8)
        shown[:] = BACKGROUND
        shown[one["line"].values] = LINE
        shown[one["tagged"].values & one["target"].values] = TAG
        shown[one["tagged"].values & ~one["target"].values] = MISTAKE
        shown[one["cue"].values] = CUE
        figure.add_trace(go.Image(z=shown, hoverinfo="skip"), row=1, col=k + 1)
        far = f"{int(one['reached'])} of {int(one['length'])} px"
        figure.add_annotation(
            x=0.5,
            y=0,
            xref=f"x{k + 1 if k else ''} domain",
            yref=f"y{k + 1 if k else ''} domain",
            yanchor="top",
            yshift=-4,
            text=f"<b>✓ {far}</b>" if bool(one["exact"]) else far,
            showarrow=False,
            font={"size": theme.PANEL_PX},
            name=f"verdict {k + 1}",
        )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    figure.update_layout(
        height=228,
        title={"text": title, "font": {"size": theme.PANEL_PX}},
        margin={"t": 28, "b": 26, "l": 4, "r": 4},
        showlegend=False,
    )
    return figure
