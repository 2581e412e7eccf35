"""The values of one feature at one time, next to a threshold that stays where it is."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.plot import lines, theme

PASSES, BLOCKED = theme.COLOURS[0], "rgba(128, 128, 128, 0.55)"
OWN = theme.COLOURS[1]
PLOT_PX, TOP_PX, BOTTOM_PX = 220, 34, 56


def drift(table: xr.Dataset, time: int, *, covered: bool = False) -> go.Figure:
    """Draw how often each value of a feature occurs at a time, and the share above the threshold at every time.

    Parameters
    ----------
    table : Dataset
        Of one feature: `count` (time, value), `fixed` (), `own` (time), `above_fixed` (time), `above_own` (time).
    time : int
        The time of the histogram.
    covered : bool
        Leave out later times of the shares: only what is at or before `time` is drawn.

    Returns
    -------
    Figure
        On the left the histogram, in colour what lies above the fixed threshold and so passes on; on the right the
        share that passes, with the fixed threshold and with the mean of each time.
    """
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    figure.set_subplots(1, 2, column_widths=[0.56, 0.44], horizontal_spacing=0.12)
    show_drift(figure, table, time, covered=covered)
    return figure


def show_drift(figure: go.Figure, table: xr.Dataset, time: int, *, covered: bool = False) -> None:
    """Change the figure of `drift` to another time or feature, in place."""
    values, fixed = table["value"].values, float(table["fixed"])
    counts = table["count"].transpose("time", "value")
    share = counts.sel(time=time).values / max(1, int(counts.sel(time=time).sum()))
    width = float(values[1] - values[0])
    figure.data = []
    figure.layout.shapes = ()
    figure.layout.annotations = ()
    figure.add_bar(
        x=values,
        y=share,
        width=width,
        marker={"color": [PASSES if value > fixed else BLOCKED for value in values], "line": {"width": 0}},
        hoverinfo="skip",
        showlegend=False,
        name="values",
        row=1,
        col=1,
    )
    tallest = float((counts / counts.sum("value")).max())
    figure.update_xaxes(title_text="value of the feature, before normalization", row=1, col=1)
    figure.update_xaxes(range=[values[0] - width, values[-1] + width], row=1, col=1)
    figure.update_yaxes(title_text="share of all places", **theme.PERCENT, range=[0, 1.08 * tallest], row=1, col=1)
    figure.add_vline(x=fixed, line={"color": theme.INK, "width": 3}, row=1, col=1)
    own = float(table["own"].sel(time=time))
    figure.add_vline(x=own, line={"color": OWN, "width": 2, "dash": "dash"}, row=1, col=1)
    note = {"yref": "paper", "y": 1.0, "yanchor": "bottom", "showarrow": False, "xref": "x"}
    left = own < fixed
    for x, text, colour, side in (
        (fixed, "fixed: mean of all times", theme.INK, "left" if left else "right"),
        (own, f"mean of t = {time}", OWN, "right" if left else "left"),
    ):
        figure.add_annotation(text=text, x=x, xanchor=side, font={"size": theme.PANEL_PX, "color": colour}, **note)
    _add_shares(figure, table, time, covered)
    big = {"size": theme.PANEL_PX}
    figure.update_xaxes(title_font=big)
    figure.update_yaxes(title_font=big)
    figure.update_layout(
        height=PLOT_PX + TOP_PX + BOTTOM_PX,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "r": 130},
        showlegend=False,
        bargap=0,
    )


def _add_shares(figure: go.Figure, table: xr.Dataset, time: int, covered: bool) -> None:
    times = table["time"].values
    ends = []
    for name, text, colour, dash in (
        ("above_fixed", "fixed", PASSES, "solid"),
        ("above_own", "mean of<br>each time", OWN, "dash"),
    ):
        shares = table[name].values
        seen = np.where(times <= time, shares, np.nan) if covered else shares
        figure.add_scatter(
            x=times,
            y=theme.for_json(seen),
            mode="lines+markers",
            line={"color": colour, "width": 3, "dash": dash},
            marker={"size": 7},
            name=text,
            hovertext=[f"t = {t}: {percent(share)} above" for t, share in zip(times, shares, strict=True)],
            hoverinfo="text",
            showlegend=False,
            row=1,
            col=2,
        )
        known = seen[np.isfinite(seen)]
        if known.size:
            ends.append((float(known[-1]), text, colour))
    figure.add_vline(x=time, line={"color": theme.INK, "width": 1, "dash": "dot"}, row=1, col=2)
    figure.update_xaxes(
        title_text="time (steps)", dtick=1, range=[int(times[0]) - 0.4, int(times[-1]) + 0.4], row=1, col=2
    )
    figure.update_yaxes(title_text="share that passes on", **theme.PERCENT, range=[-0.02, 1.02], row=1, col=2)
    low, high = -0.02, 1.02
    wanted = [(y - low) / (high - low) * PLOT_PX for y, _, _ in ends]
    heights = [18.0 * (1 + text.count("<br>")) for _, text, _ in ends]
    for place, middle in lines.spread_apart(wanted, heights, PLOT_PX).items():
        y, text, colour = ends[place]
        figure.add_annotation(
            text=text,
            xref="paper",
            x=1,
            xanchor="left",
            xshift=6,
            yref="y2",
            y=y,
            yshift=middle - wanted[place],
            align="left",
            showarrow=False,
            font={"size": theme.PANEL_PX, "color": colour},
            name="line end",
        )
