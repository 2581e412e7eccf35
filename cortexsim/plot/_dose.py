"""The cost of a lesion by the strength that is left to the connections: a dose-response curve."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme

HEIGHT_PX, TOP_PX, BOTTOM_PX, RIGHT_PX = 300, 36, 52, 120


def dose(table: xr.Dataset, *, title: str) -> go.Figure:
    """Draw the change of accuracy in each version by the strength of the connections, from intact to cut.

    Parameters
    ----------
    table : Dataset
        `accuracy_difference` (strength, version) with `accuracy_difference_low` and `accuracy_difference_high`, as
        `protocols.lesion` returns them for each strength, at one time.
    title : str

    Returns
    -------
    Figure
        A line for each version, which begins at the intact model: strength 1, no change. NaN, where nothing can be read
        out, has no point.
    """
    at = table.sortby("strength", ascending=False).transpose("strength", "version", ...)
    x = np.concatenate([[1.0], at["strength"].values])
    change, low, high = (at[f"accuracy_difference{end}"].values for end in ("", "_low", "_high"))
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    ends = []
    for k, name in enumerate(at["version"].values.astype(str)):
        y, above, below = (np.concatenate([[0.0], 100 * part[:, k]]) for part in (change, high - change, change - low))
        style = lines.style(k)
        figure.add_scatter(
            x=x,
            y=theme.for_json(y),
            error_y={"array": theme.for_json(above), "arrayminus": theme.for_json(below), "thickness": 1.5},
            mode="lines+markers",
            line={"color": style["color"], "width": 3},
            marker={"size": 8},
            name=name,
            hoverinfo="text",
            hovertext=[f"{name}, {percent(float(one))}: {value:+.1f}" for one, value in zip(x, y, strict=True)],
        )
        if np.isfinite(y[-1]):
            ends.append((float(y[-1]), name, style["color"]))
    lines.add_level(figure, np.array([1.0, x.min()]), 0.0, "")
    reach = [100 * float(part) for part in (np.nanmin(low, initial=0), np.nanmax(high, initial=0))]
    span = reach[0] - 4, reach[1] + 4
    lines.label_ends(figure, ends, span=span, plot_px=HEIGHT_PX - TOP_PX - BOTTOM_PX)
    figure.update_xaxes(title_text="strength of the connections", range=[1.02, x.min() - 0.02], **theme.PERCENT)
    figure.update_yaxes(title_text="change (percentage points)")
    margin = {"t": TOP_PX, "b": BOTTOM_PX, "r": RIGHT_PX}
    return figure.update_layout(title=title, height=HEIGHT_PX, margin=margin, showlegend=False)
