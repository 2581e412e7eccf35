"""The masking curve of one observer, next to a model's."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme

STEP_MS = 33.0
_NO_MASK = "no mask"


def masking_of_observer(
    observed: xr.Dataset, model: xr.Dataset | None = None, *, step_ms: float = STEP_MS
) -> go.Figure:
    """Draw the accuracy of an observer by SOA with its intervals, and a model's curve.

    Parameters
    ----------
    observed : Dataset
        `accuracy`, `low`, `high`, `n`, `mean_soa_ms` (condition,), of which one condition is "no mask".
    model : Dataset, optional
        As `protocols.masking` returns it, for one duration, with the masks "noise" and "blank".
    step_ms : float
        Assumed duration of a step of the model, in ms; the figure states it.

    Returns
    -------
    Figure
        Trials without a mask are at the right end of the axis. Labels are at the ends of the lines.
    """
    figure = go.Figure(layout={"template": theme.template()})
    masked = observed.sel(condition=observed["condition"] != _NO_MASK)
    longest = [float(masked["mean_soa_ms"].max()), 0.0 if model is None else step_ms * float(model["soa"].max())]
    far = 1.35 * np.nanmax(longest)
    curves = []
    if model is not None:
        accuracy = model["accuracy"]
        parts = (accuracy, accuracy["low"], accuracy["high"])
        shown = [one.sel(mask="noise").values for one in parts]
        blank = [float(one.sel(mask="blank").isel(soa=0)) for one in parts]
        curves.append(
            ("the model", model["soa"].values * step_ms, shown, blank, {"color": theme.COLOURS[1], "dash": "dash"})
        )
    own = [masked[name].values for name in ("accuracy", "low", "high")]
    alone = [float(observed[name].sel(condition=_NO_MASK)) for name in ("accuracy", "low", "high")]
    curves.append(("you", masked["mean_soa_ms"].values, own, alone, {"color": theme.COLOURS[0], "dash": "solid"}))
    for name, x, (y, low, high), (last, last_low, last_high), line in curves:
        every = [np.append(part, end) for part, end in ((y, last), (low, last_low), (high, last_high))]
        figure.add_scatter(
            x=np.append(x, far),
            y=theme.for_json(every[0]),
            mode="lines+markers",
            name=name,
            line={**line, "width": 3},
            marker={"size": 10, "symbol": "circle" if name == "you" else "square"},
            error_y=lines.error_bars(*every, thickness=2, width=6),
            hovertemplate=f"{name}, %{{x:.0f}} ms: %{{y:.0%}}<extra></extra>",
        )
    ends = {name: last for name, _, _, (last, *_), _ in curves if np.isfinite(last)}
    close = len(ends) == 2 and abs(ends["you"] - ends["the model"]) < 0.08
    for name, _, _, (last, *_), line in curves:
        upper = name == max(ends, key=lambda one: ends[one], default=name)
        if np.isfinite(last):
            figure.add_annotation(
                x=far,
                y=last,
                text=f"<b>{name}</b>",
                xanchor="left",
                xshift=14,
                yshift=(10 if upper else -10) if close else 0,
                showarrow=False,
                font={"size": theme.PANEL_PX, "color": line["color"]},
                name=name,
            )
    lines.add_level(figure, np.array([0.0, far]), float(observed["accuracy"].attrs["chance"]), "guessing")
    figure.data[-1].textfont.size = theme.PANEL_PX
    ticks = sorted({round(float(value)) for value in masked["mean_soa_ms"].values if np.isfinite(value)})
    axis = {"title": {"font": {"size": theme.PANEL_PX}}, "tickfont": {"size": theme.PANEL_PX}}
    figure.update_xaxes(
        **axis,
        title_text="SOA: from digit to mask (ms)",
        tickvals=[*ticks, far],
        ticktext=[*map(str, ticks), _NO_MASK],
        range=[0, far * 1.03],
    )
    figure.update_yaxes(**axis, title_text="digits right", tickformat=".0%", range=[0, 1.06])
    n = observed["n"].values
    count = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
    said = [f"You: {count} trials a point, {observed['accuracy'].attrs['interval']}: few, so the bars are long."]
    if model is not None:
        said.append(
            f"Model: {model['accuracy'].attrs['n']} digits, read at t = {model.attrs['readout_time']}, "
            f"{step_ms:g} ms a step, which is an assumption."
        )
    figure.update_layout(
        title={
            "text": "<br>".join(line for part in said for line in theme.wrapped(part, 62).split("<br>")),
            "font": {"size": theme.PANEL_PX},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 18, "l": 8},
        },
        showlegend=False,
        height=284,
        margin={"t": 92, "b": 44, "r": 100},
    )
    return figure
