"""A table of connections: what cutting each costs, in every version, at one time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme

ROW_PX, TOP_PX, LEFT_PX = 30, 46, 90


def lesion_table(table: xr.Dataset, time: int, *, title: str | None = None) -> go.Figure:
    """Draw the change of accuracy by each cut in each version as a table of numbers on a colour scale.

    Parameters
    ----------
    table : Dataset
        As `protocols.each_lesion` returns it.
    time : int
        The readout time.
    title : str, optional

    Returns
    -------
    Figure
        A cell contains the change in percentage points and its interval. A cell is coloured if its interval excludes
        0, from red (it costs) to blue (it helps), on the same scale from -1 to 1 for all tables; cells without a
        readout say so.

    Raises
    ------
    ValueError
        If the Dataset has other dimensions, or lacks the time.
    """
    if "accuracy_difference" not in table:
        raise ValueError(f"a table of lesions needs the variable 'accuracy_difference', got {sorted(map(str, table))}")
    values = table["accuracy_difference"]
    lines.check_dims(values, ["connection", "version", "time"], what="a table of lesions")
    if time not in table["time"].values:
        raise ValueError(f"time must be one of {table['time'].values.tolist()}, got {time}")
    at = table.sel(time=time).transpose("connection", "version", ...)
    change, low, high = (at[f"accuracy_difference{end}"].values for end in ("", "_low", "_high"))
    clear = np.isfinite(change) & ((low > 0) | (high < 0))
    text = [[_said(*cell) for cell in zip(*row, strict=True)] for row in zip(change, low, high, strict=True)]
    versions, connections = (at[name].values.astype(str).tolist() for name in ("version", "connection"))
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.add_heatmap(
        x=versions,
        y=connections,
        z=theme.for_json(np.where(clear, change, 0.0)),
        zmin=-1,
        zmax=1,
        colorscale=theme.DIVERGING,
        # red where it costs
        reversescale=True,
        showscale=False,
        text=text,
        texttemplate="%{text}",
        textfont={"size": theme.PANEL_PX},
        hoverinfo="skip",
        xgap=3,
        ygap=3,
    )
    figure.update_yaxes(autorange="reversed", ticks="", showline=False)
    figure.update_xaxes(side="top", ticks="", showline=False)
    figure.update_layout(
        height=TOP_PX + ROW_PX * len(connections) + 12,
        margin={"t": TOP_PX, "b": 8, "l": LEFT_PX, "r": 8},
        title=title,
    )
    return figure


def _said(change: float, low: float, high: float) -> str:
    if not np.isfinite(change):
        return "nothing to read out"
    return f"{_points(change)} ({_points(low)} to {_points(high)})"


def _points(value: float) -> str:
    # "-0" says nothing
    return f"{round(100 * value) + 0:+d}".replace("+0", "0").replace("-", "\u2212")
