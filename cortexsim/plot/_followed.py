"""How well a readout keeps up with a stream: accuracy by the target's place in it."""

from __future__ import annotations

from itertools import cycle

import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme

DODGE = 0.06


def followed(table: xr.Dataset, *, title: str | None = None) -> go.Figure:
    """Draw how often the target is named when its last step has just arrived, by its place in the stream.

    Parameters
    ----------
    table : Dataset
        As `protocols.rapid_sequence` gives it, with `followed` (position), or several joined along `model`.
    title : str, optional

    Returns
    -------
    Figure
        Points with their intervals, joined by a line for each model; the chance level.

    Raises
    ------
    ValueError
        If the Dataset has no `followed`, or other dimensions.
    """
    if "followed" not in table:
        raise ValueError(f"this figure needs the variable 'followed', got {sorted(map(str, table))}")
    values = table["followed"]
    others = lines.check_dims(values, ["position"], more=1, what="accuracy by place")
    names = ["model"] if not others else [str(name) for name in table[others[0]].values]
    figure = go.Figure(layout={"template": theme.template()})
    places = table["position"].values + 1
    ends = lines.ends(values, table)
    for place, (name, side) in enumerate(zip(names, cycle((-DODGE / 2, DODGE / 2)), strict=False)):
        one = values if not others else values.isel({others[0]: place})
        y = one.values
        low, high = (y, y) if ends is None else ((e if not others else e.isel({others[0]: place})).values for e in ends)
        figure.add_scatter(
            x=places + (side if others else 0),
            y=theme.for_json(y),
            error_y={"array": theme.for_json(high - y), "arrayminus": theme.for_json(y - low), "symmetric": False},
            mode="lines+markers",
            line={**lines.style(place), "width": 2},
            marker={"size": 8},
            hovertext=[
                f"{name}, place {k}: {v:.1%} ({a:.1%} to {b:.1%})"
                for k, v, a, b in zip(places, y, low, high, strict=True)
            ],
            hoverinfo="text",
            name=name,
            showlegend=bool(others),
        )
    drawn_over = values.transpose("position", ...).values
    lines.add_level(figure, places[[0, -1]].astype(float), float(table.attrs["chance"]), "chance", values=drawn_over)
    lines.head(figure, title or "named when its last step has just arrived", lines.caption(values), height=330)
    figure.update_xaxes(title_text="place of the target in the stream", tickvals=places.tolist())
    figure.update_yaxes(title_text="accuracy for the target", range=[-0.03, 1.03], tickformat=".0%")
    return figure
