"""What can be decoded from a state over time, intact and with a connection cut, with the empty screen marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme

PLOT_PX, TOP_PX, BOTTOM_PX, RIGHT_PX = 270, 30, 56, 150


@dataclass(frozen=True)
class Curve:
    """A line of the figure.

    Parameters
    ----------
    name : str
        Written at its right end.
    values, low, high : ndarray, (time,)
        Fractions; NaN leaves a gap.
    colour : str
    dash : str
    """

    name: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colour: str
    dash: str = "solid"


def returning(
    times: np.ndarray, curves: Sequence[Curve], *, chance: float, empty_from: int, title: str = ""
) -> go.Figure:
    """Draw what is decoded over time, a line for each condition, with its interval as a band.

    Parameters
    ----------
    times : ndarray, (time,)
    curves : sequence of Curve
    chance : float
    empty_from : int
        The first time at which the screen is empty; from there on the plot is shaded.
    title : str
        Of the axis of values.

    Returns
    -------
    Figure
        The axis of values is that of a fraction, from 0 to 1, whatever is drawn.
    """
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    last = int(times[-1])
    figure.add_vrect(
        x0=empty_from - 0.5, x1=last + 0.5, fillcolor="rgba(128, 128, 128, 0.13)", line_width=0, name="empty screen"
    )
    for x, text, side in ((empty_from - 0.45, "the screen is empty", "left"), (empty_from - 0.55, "picture", "right")):
        figure.add_annotation(
            text=text,
            x=x,
            xanchor=side,
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": theme.PANEL_PX},
            name="screen",
        )
    ends = []
    for curve in curves:
        known = np.isfinite(curve.values)
        x = times[known]
        values, low, high = (one[known] for one in (curve.values, curve.low, curve.high))
        lines.add_line(
            figure,
            x,
            values,
            name=curve.name,
            line={"color": curve.colour, "width": 3, "dash": curve.dash},
            interval=(low, high),
            hover=[
                f"{curve.name}, t = {t}: {percent(value)} ({percent(a)} to {percent(b)})"
                for t, value, a, b in zip(x, values, low, high, strict=True)
            ],
        )
        figure.data[-1].update(marker={"size": 8})
        if values.size:
            ends.append((float(values[-1]), curve.name, curve.colour))
    figure.add_hline(y=chance, line={"color": theme.INK, "width": 1, "dash": "dot"}, name="chance")
    ends.append((chance, "chance", theme.INK))
    big = {"size": theme.PANEL_PX}
    figure.update_xaxes(
        title={"text": "time (steps)", "font": big}, tickvals=list(range(last + 1)), range=[-1.1, last + 0.5]
    )
    figure.update_yaxes(title={"text": title, "font": big}, **theme.PERCENT)
    lines.label_ends(figure, ends, span=(0, 1), plot_px=PLOT_PX)
    figure.update_layout(
        showlegend=False,
        height=PLOT_PX + TOP_PX + BOTTOM_PX,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "r": RIGHT_PX},
    )
    return figure
