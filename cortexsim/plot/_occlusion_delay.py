"""How much longer an occluded object takes: the model's time to a criterion, beside when people's brains tell it."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains import human
from cortexsim.brains.milliseconds import PAPER_STEP_MS, Milliseconds
from cortexsim.plot import lines, theme


def occlusion_delay(
    time: xr.DataArray, *, milliseconds: Milliseconds | None = None, title: str | None = None
) -> go.Figure:
    """Draw the time to a criterion against occlusion, beside the times at which people's MEG tells the object.

    Parameters
    ----------
    time : DataArray, (occluded,)
        The model's time to a criterion, in steps, such as a mean reaction time, for each occluded fraction in [0, 1];
        NaN where it is never met. With `low` and `high` where there is an interval.
    milliseconds : Milliseconds, optional
        Draws the model's time in ms; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Two panels, each with an axis of its own: a time to a criterion and an onset of decoding are not the same
        measure, and it is the slopes that may be compared.

    Raises
    ------
    TypeError
        If `milliseconds` is something else.
    ValueError
        If the array has other dimensions, or an occluded fraction is not in [0, 1].
    """
    lines.check_milliseconds(milliseconds)
    lines.check_dims(time, ["occluded"], what="a delay by occlusion")
    x = time["occluded"].values.astype(float)
    if (x < 0).any() or (x > 1).any():
        raise ValueError(f"an occluded fraction lies in [0, 1], got {x.min():g} to {x.max():g}")
    steps = time.values.astype(float)
    interval = lines.ends(time)
    show = (lambda values: values) if milliseconds is None else milliseconds.of
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(1, 2, horizontal_spacing=0.12)
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
            name="model at 20 to 50 ms a step",
            row=1,
            col=1,
        )
    lines.add_line(
        figure,
        x,
        show(steps),
        name="model",
        line={**lines.style(0), "width": 2},
        interval=None if interval is None else tuple(show(end.values) for end in interval),
        hover=[f"{occluded:.0%} occluded: {value:.3g} steps" for occluded, value in zip(x, steps, strict=True)],
        cell={"row": 1, "col": 1},
    )
    people = human.numbers("rajaei-2019")
    for place, event in enumerate(people["event"].values, start=1):
        one = people.sel(event=event)
        spread = one["high"].values - one.values
        figure.add_scatter(
            x=one["occluded"].values,
            y=one.values,
            error_y={"array": spread, "thickness": 1.5, "width": 4},
            mode="markers",
            marker={"size": 9, "symbol": "diamond", "color": theme.COLOURS[place]},
            hovertext=[
                f"people, {event}, {occluded:.0%} occluded: {value:g} ± {plus:g} ms"
                for occluded, value, plus in zip(one["occluded"].values, one.values, spread, strict=True)
            ],
            hoverinfo="text",
            name=f"people: decoding {event}",
            row=1,
            col=2,
        )
    figure.update_xaxes(title_text="occluded", tickformat=".0%", range=[-0.05, max(1.05 * x.max(), 0.65)])
    axis = (
        f"{time.attrs.get('long_name', 'time to the criterion')} (steps)" if milliseconds is None else str(milliseconds)
    )
    figure.update_yaxes(title_text=f"model: {axis}", row=1, col=1)
    figure.update_yaxes(title_text="people: MEG decoding (ms)", row=1, col=2)
    source = f"{people.attrs['short']}, {people.attrs['exactness']}"
    told = f"model: {lines.caption(time)}. People: {source}; ± as it stands with the number"
    lines.head(figure, title or "what occlusion costs in time", told, height=400)
    return figure
