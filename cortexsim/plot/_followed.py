"""Accuracy of a readout during a stream, by the position of the target."""

from __future__ import annotations

from itertools import cycle

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

DODGE = 0.06


@draws()
def followed(table: xr.Dataset, *, title: str | None = None) -> go.Figure:
    """Draw the accuracy for the target at the arrival of its last step, by its position in the stream.

    Parameters
    ----------
    table : Dataset
        As `protocols.rapid_sequence` returns it, with `followed` (position), or several joined along `model`.
    title : str, optional

    Returns
    -------
    Figure
        Points with their intervals, joined by a line for each model; the chance level.

    Raises
    ------
    ValueError
        If the Dataset has no `followed`, or other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(10, part="test")
    >>> model = cs.zoo.load("ventral-stream-digits")
    >>> train = cs.datasets.digits(40)
    >>> table = cs.protocols.rapid_sequence(model, digits, n_frames=3, steps_per_frame=2, calibrate_on=train)
    >>> figure = cs.plot.followed(table)
    >>> figure.layout.xaxis.title.text
    'position of the target in the stream'
    """
    if "followed" not in table:
        raise ValueError(f"this figure needs the variable 'followed', got {sorted(map(str, table))}")
    values = table["followed"]
    more = lines.check_dims(values, ["position"], more=1, what="accuracy by position")
    names = [str(name) for name in table[more[0]].values] if more else ["model"]
    figure = go.Figure(layout={"template": theme.template()})
    positions = table["position"].values + 1
    ends = lines.ends(values, table)
    for index, (name, side) in enumerate(zip(names, cycle((-DODGE / 2, DODGE / 2)), strict=False)):
        at = {more[0]: index} if more else {}
        y = values.isel(at).values
        low, high = (y, y) if ends is None else (end.isel(at).values for end in ends)
        figure.add_scatter(
            x=positions + (side if more else 0),
            y=theme.for_json(y),
            error_y=lines.error_bars(y, low, high, thickness=2, width=4),
            mode="lines+markers",
            line={**lines.style(index), "width": 2},
            marker={"size": 8},
            hovertext=[
                f"{name}, position {k}: {percent(v, 1)} ({percent(a, 1)} to {percent(b, 1)})"
                for k, v, a, b in zip(positions, y, low, high, strict=True)
            ],
            hoverinfo="text",
            name=name,
            showlegend=bool(more),
        )
    other_values = values.transpose("position", ...).values
    span = positions[[0, -1]].astype(float)
    lines.add_level(figure, span, float(table.attrs["chance"]), "chance", values=other_values)
    lines.head(figure, title or "accuracy for the target when its last step arrives", lines.caption(values), height=330)
    figure.update_xaxes(title_text="position of the target in the stream", tickvals=positions.tolist())
    figure.update_yaxes(title_text="accuracy for the target", range=[-0.03, 1.03], **theme.PERCENT)
    return figure
