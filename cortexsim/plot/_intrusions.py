"""Which item of a stream is reported as each item arrives: a matrix for each model, side by side."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme

ROW_PX, TOP_PX, BOTTOM_PX = 44, 40, 58


def intrusions(table: xr.Dataset, *, covered: Collection[str] = ()) -> go.Figure:
    """Draw which item's class is reported when the last step of each item of a stream arrives.

    Parameters
    ----------
    table : Dataset
        As `protocols.rapid_sequence` returns it, with `reported` (arriving, item), or several joined along `model`.
    covered : collection of str
        Models whose place stays empty.

    Returns
    -------
    Figure
        A row for each arriving item, a column for each item that is reported, and one for other classes. A model that
        follows the stream has everything on the diagonal, which is outlined; what lies left of it are intrusions of
        earlier items.

    Raises
    ------
    ValueError
        If the Dataset has no `reported`, or other dimensions.
    """
    if "reported" not in table:
        raise ValueError(f"this figure needs the variable 'reported', got {sorted(map(str, table))}")
    values = table["reported"]
    more = lines.check_dims(values, ["arriving", "item"], more=1, what="reported items")
    names = [str(name) for name in table[more[0]].values] if more else [""]
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.set_subplots(1, len(names), horizontal_spacing=0.1, shared_yaxes=True)
    big = {"size": theme.PANEL_PX}
    items = [str(item) for item in values["item"].values]
    arriving = [str(item) for item in values["arriving"].values]
    for place, name in enumerate(names, start=1):
        one = values.isel({more[0]: place - 1} if more else {}).transpose("arriving", "item").values
        if name in covered:
            one = np.full(one.shape, np.nan)
        figure.add_heatmap(
            x=items,
            y=arriving,
            z=theme.for_json(one),
            zmin=0,
            zmax=1,
            colorscale=theme.SEQUENTIAL,
            showscale=False,
            text=[[percent(value) if np.isfinite(value) else "" for value in row] for row in one],
            texttemplate="%{text}",
            textfont=big,
            hoverinfo="skip",
            xgap=2,
            ygap=2,
            name=name,
            row=1,
            col=place,
        )
        for k in range(len(arriving)):
            box = {"x0": k - 0.5, "x1": k + 0.5, "y0": k - 0.5, "y1": k + 0.5}
            figure.add_shape(type="rect", **box, line={"color": theme.INK, "width": 2}, row=1, col=place)
        axis = "" if place == 1 else str(place)
        figure.add_annotation(
            text=f"<b>{name}</b>" + (": answer the question about it first" if name in covered else ""),
            xref=f"x{axis} domain",
            yref="paper",
            x=0,
            y=1,
            xanchor="left",
            yanchor="bottom",
            yshift=6,
            showarrow=False,
            font=big,
            name="heading",
        )
        # all columns also where nothing is drawn
        span = [-0.5, len(items) - 0.5]
        title = {"text": "item that is reported", "font": big}
        figure.update_xaxes(title=title, type="category", range=span, ticks="", row=1, col=place)
    figure.update_yaxes(autorange="reversed", type="category", ticks="")
    figure.update_yaxes(title={"text": "item whose last step arrives", "font": big}, row=1, col=1)
    figure.update_layout(
        height=TOP_PX + BOTTOM_PX + ROW_PX * len(arriving), margin={"t": TOP_PX, "b": BOTTOM_PX}, showlegend=False
    )
    return figure
