"""Delay by occlusion: the model's time to a criterion, compared with the time of decoding from human MEG."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.brains import human
from cortexsim.brains.milliseconds import PAPER_STEP_MS, Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws


@draws()
def occlusion_delay(
    time: xr.DataArray, *, milliseconds: Milliseconds | None = None, title: str | None = None
) -> go.Figure:
    """Draw the time to a criterion against occlusion, next to the times of decoding from human MEG.

    Parameters
    ----------
    time : DataArray, (occluded,)
        The model's time to a criterion, in steps, such as a mean reaction time, for each occluded fraction in [0, 1];
        NaN if the criterion is never met. With `low` and `high` if there is an interval.
    milliseconds : Milliseconds, optional
        Draws the model's time in ms; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Two panels with separate axes: a time to a criterion and an onset of decoding are different measures, so only
        their slopes may be compared.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions, or an occluded fraction is not in [0, 1].

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> time = xr.DataArray([3.1, 3.4, 4.2], {"occluded": [0.0, 0.2, 0.4]}, ["occluded"])
    >>> figure = cs.plot.occlusion_delay(time)
    >>> figure.layout.xaxis.title.text
    'occluded'
    """
    lines.check_milliseconds(milliseconds)
    lines.check_dims(time, ["occluded"], what="a delay by occlusion")
    x = time["occluded"].values.astype(float)
    if (x < 0).any() or (x > 1).any():
        raise ValueError(f"occluded fractions must be in [0, 1], got {x.min():g} to {x.max():g}")
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(1, 2, horizontal_spacing=0.12)
    _add_model(figure, x, time, milliseconds)
    source = _add_humans(figure)
    figure.update_xaxes(title_text="occluded", **theme.PERCENT, range=[-0.05, max(1.05 * x.max(), 0.65)])
    name = time.attrs.get("long_name", "time to the criterion")
    axis = f"{name} (steps)" if milliseconds is None else str(milliseconds)
    figure.update_yaxes(title_text=f"model: {axis}", row=1, col=1)
    figure.update_yaxes(title_text="humans: MEG decoding (ms)", row=1, col=2)
    subtitle = f"model: {lines.caption(time)}. Humans: {source}; ± as published"
    lines.head(figure, title or "the delay by occlusion", subtitle, height=400)
    return figure


def _add_model(figure: go.Figure, x: np.ndarray, time: xr.DataArray, milliseconds: Milliseconds | None) -> None:
    steps, interval, cell = time.values.astype(float), lines.ends(time), {"row": 1, "col": 1}

    def in_units(values: np.ndarray) -> np.ndarray:
        return values if milliseconds is None else milliseconds.of(values)

    if milliseconds is not None:
        outline = lines.band(x, *(milliseconds.onset_ms + step_ms * steps for step_ms in PAPER_STEP_MS))
        figure.add_scatter(
            x=outline[0],
            y=outline[1],
            mode="lines",
            fill="toself",
            fillcolor=theme.FAINT,
            line={"width": 0},
            hoverinfo="skip",
            name="model at 20 to 50 ms per step",
            **cell,
        )
    lines.add_line(
        figure,
        x,
        in_units(steps),
        name="model",
        line={**lines.style(0), "width": 2},
        interval=None if interval is None else [in_units(end.values) for end in interval],
        hover=[f"{percent(occluded)} occluded: {value:.3g} steps" for occluded, value in zip(x, steps, strict=True)],
        cell=cell,
    )


def _add_humans(figure: go.Figure) -> str:
    """Draw onset and peak of decoding from MEG, and return their source."""
    decoding = human.numbers("rajaei-2019")
    for index, event in enumerate(decoding["event"].values, start=1):
        one = decoding.sel(event=event)
        spread = one["high"].values - one.values
        figure.add_scatter(
            x=one["occluded"].values,
            y=one.values,
            error_y={"array": spread, "thickness": 1.5, "width": 4},
            mode="markers",
            marker={"size": 9, "symbol": "diamond", "color": theme.COLOURS[index]},
            hovertext=[
                f"humans, {event}, {percent(occluded)} occluded: {value:g} ± {plus:g} ms"
                for occluded, value, plus in zip(one["occluded"].values, one.values, spread, strict=True)
            ],
            hoverinfo="text",
            name=f"humans: decoding {event}",
            row=1,
            col=2,
        )
    return f"{decoding.attrs['short']}, {decoding.attrs['exactness']}"
