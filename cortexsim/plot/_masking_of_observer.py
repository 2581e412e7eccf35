"""The masking curve of one observer, next to a model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.plot import lines, theme

STEP_MS = 33.0
HEIGHT_PX, TOP_PX, BOTTOM_PX = 340, 92, 44
_NO_MASK = "no mask"
_OWN, _MODELS = "you", "the model"


@dataclass(frozen=True)
class _Curve:
    """Accuracy by SOA with its interval, and without a mask.

    Parameters
    ----------
    name : str
    soa_ms : ndarray, (point,)
    masked : list of ndarray, each (point,)
        Accuracy, and the low and high end of its interval.
    without : list of float
        The same without a mask.
    colour, dash, symbol : str
    """

    name: str
    soa_ms: np.ndarray
    masked: list[np.ndarray]
    without: list[float]
    colour: str
    dash: str
    symbol: str


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
    curves = [_of_observer(observed)] if model is None else [_of_model(model, step_ms), _of_observer(observed)]
    far = 1.35 * float(np.nanmax([np.nanmax(curve.soa_ms) for curve in curves]))
    for curve in curves:
        every = [np.append(*pair) for pair in zip(curve.masked, curve.without, strict=True)]
        figure.add_scatter(
            x=np.append(curve.soa_ms, far),
            y=theme.for_json(every[0]),
            mode="lines+markers",
            name=curve.name,
            line={"color": curve.colour, "dash": curve.dash, "width": 3},
            marker={"size": 10, "symbol": curve.symbol},
            error_y=lines.error_bars(*every, thickness=2, width=6),
            customdata=percentages(every[0], 0),
            hovertemplate=f"{curve.name}, %{{x:.0f}} ms: %{{customdata}}<extra></extra>",
        )
    ends = [(curve.without[0], curve.name, curve.colour) for curve in curves if np.isfinite(curve.without[0])]
    lines.label_ends(figure, ends, span=(0, 1.06), plot_px=HEIGHT_PX - TOP_PX - BOTTOM_PX)
    lines.add_level(figure, np.array([0.0, far]), float(observed["accuracy"].attrs["chance"]), "guessing")
    figure.data[-1].textfont.size = theme.PANEL_PX
    soas = curves[-1].soa_ms
    ticks = sorted({round(float(value)) for value in soas if np.isfinite(value)})
    axis = {"title": {"font": {"size": theme.PANEL_PX}}, "tickfont": {"size": theme.PANEL_PX}}
    figure.update_xaxes(
        **axis,
        title_text="SOA: from digit to mask (ms)",
        tickvals=[*ticks, far],
        ticktext=[*map(str, ticks), _NO_MASK],
        range=[0, far * 1.03],
    )
    figure.update_yaxes(**axis, title_text="digits right", **theme.PERCENT, range=[0, 1.06])
    figure.update_layout(
        title={
            "text": _caption(observed, model, step_ms),
            "font": {"size": theme.PANEL_PX},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 18, "l": 8},
        },
        showlegend=False,
        height=HEIGHT_PX,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "r": 100},
    )
    return figure


def _of_observer(observed: xr.Dataset) -> _Curve:
    masked = observed.sel(condition=observed["condition"] != _NO_MASK)
    without = observed.sel(condition=_NO_MASK)
    parts = ("accuracy", "low", "high")
    return _Curve(
        _OWN,
        masked["mean_soa_ms"].values,
        [masked[part].values for part in parts],
        [float(without[part]) for part in parts],
        theme.COLOURS[0],
        "solid",
        "circle",
    )


def _of_model(model: xr.Dataset, step_ms: float) -> _Curve:
    parts = (model["accuracy"], model["accuracy"]["low"], model["accuracy"]["high"])
    return _Curve(
        _MODELS,
        model["soa"].values * step_ms,
        [part.sel(mask="noise").values for part in parts],
        [float(part.sel(mask="blank").isel(soa=0)) for part in parts],
        theme.COLOURS[1],
        "dash",
        "square",
    )


def _caption(observed: xr.Dataset, model: xr.Dataset | None, step_ms: float) -> str:
    """Return how many trials and digits there are, in lines that fit."""
    n = observed["n"].values
    count = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
    said = [f"You: {count} trials a point, {observed['accuracy'].attrs['interval']}: few, so the bars are long."]
    if model is not None:
        said.append(
            f"Model: {model['accuracy'].attrs['n']} digits, read at t = {model.attrs['readout_time']}, "
            f"{step_ms:g} ms a step, which is an assumption."
        )
    return "<br>".join(theme.wrapped(part, 62) for part in said)
