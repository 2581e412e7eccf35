"""Deciding sooner or later: mean decision time and accuracy as the threshold moves, beside people under deadlines."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import human
from cortexsim.milliseconds import Milliseconds
from cortexsim.plot import lines, look


def speed_accuracy(
    curve: xr.Dataset,
    *,
    beside: bool = False,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw accuracy against the mean time of the decision, a point for each threshold.

    Parameters
    ----------
    curve : Dataset, (threshold,)
        As `analyse.speed_accuracy` gives it: `mean_time` of the stimuli that passed the threshold, in steps; their
        `accuracy`, with an interval where it has one; `fraction_decided`, how many passed.
    beside : bool
        Draws people's accuracy under a deadline (Kumbhar et al. 2020) in a panel and on a time axis of its own: a key
        press takes the hand's time too, so it is never laid on model time.
    milliseconds : Milliseconds, optional
        Draws the model's times in ms; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Thresholds that nothing passed have no point. Below, the fraction that decided.

    Raises
    ------
    TypeError
        If `milliseconds` is something else.
    ValueError
        If the Dataset lacks a variable or has other dimensions.
    """
    lacking = sorted({"mean_time", "accuracy", "fraction_decided"} - set(map(str, curve.variables)))
    if lacking:
        raise ValueError(f"a speed-accuracy curve needs {lacking}, got {sorted(map(str, curve.variables))}")
    lines.check_milliseconds(milliseconds)
    lines.check_dims(curve["accuracy"], ["threshold"], what="a speed-accuracy curve")
    time, accuracy, decided = (
        curve[name].values.astype(float) for name in ("mean_time", "accuracy", "fraction_decided")
    )
    x = time if milliseconds is None else milliseconds.of(time)
    # a line through the points in the order of time, whichever way the threshold runs; NaN comes last
    order = np.argsort(x, kind="stable")
    figure = go.Figure(layout={"template": look.template()}).set_subplots(
        2,
        2 if beside else 1,
        specs=[[{}, {"rowspan": 2}], [{}, None]] if beside else [[{}], [{}]],
        shared_xaxes="columns" if not beside else False,
        row_heights=[0.72, 0.28],
        vertical_spacing=0.08,
        horizontal_spacing=0.14,
    )
    thresholds = curve["threshold"].values
    word = str(curve["threshold"].attrs.get("long_name", "threshold"))
    hover = [
        f"{word} {thresholds[k]:.3g}: {accuracy[k]:.3g} right at a mean of {x[k]:.3g}<br>{decided[k]:.0%} decided"
        for k in order
    ]
    interval = lines.ends(curve["accuracy"], curve)
    lines.add_line(
        figure,
        x[order],
        accuracy[order],
        name="model",
        line={**lines.style(0), "width": 2},
        interval=None if interval is None else (interval[0].values[order], interval[1].values[order]),
        hover=hover,
        legend=beside,
        cell={"row": 1, "col": 1},
    )
    if "chance" in curve["accuracy"].attrs and np.isfinite(x).any():
        ends = np.array([np.nanmin(x), np.nanmax(x)])
        lines.add_level(figure, ends, float(curve["accuracy"].attrs["chance"]), "chance", {"row": 1, "col": 1})
    figure.add_scatter(
        x=x[order],
        y=decided[order],
        mode="lines+markers",
        line={"color": look.INK, "width": 1.5},
        marker={"size": 5},
        hovertext=hover,
        hoverinfo="text",
        showlegend=False,
        name="decided",
        row=2,
        col=1,
    )
    axis = "mean time of the decision (steps)" if milliseconds is None else f"mean {milliseconds}"
    figure.update_xaxes(showticklabels=False, row=1, col=1)
    figure.update_xaxes(title_text=axis, row=2, col=1)
    figure.update_xaxes(matches="x", row=2, col=1)
    figure.update_yaxes(title_text=lines.value_title(curve["accuracy"]), row=1, col=1)
    figure.update_yaxes(title_text="decided", range=[-0.05, 1.05], tickformat=".0%", row=2, col=1)
    subtitle = lines.caption(curve["accuracy"])
    if beside:
        subtitle += "; " + _add_people(figure)
    lines.head(figure, title or "speed and accuracy as the threshold moves", subtitle, height=440)
    return figure


def _add_people(figure: go.Figure) -> str:
    """Draw accuracy under deadlines on its own axis, and return what to say of it."""
    people = human.numbers("kumbhar-2020")
    x = people["response_ms"].values
    for place, noise in enumerate(people["noise_sd"].values):
        one = people.sel(noise_sd=noise)
        name = f"people, noise sd {noise:g}"
        hover = [f"{name}, {time:g} ms: {y:.2f}" for time, y in zip(x, one.values, strict=True)]
        line = {**lines.style(place + 1), "width": 2}
        lines.add_line(figure, x, one.values, name=name, line=line, hover=hover, cell={"row": 1, "col": 2})
    lines.add_level(figure, x, people.attrs["chance"], "chance", {"row": 1, "col": 2})
    figure.update_xaxes(title_text="people: deadline of the key press (ms)", row=1, col=2)
    figure.update_yaxes(title_text="accuracy on CIFAR-10, 10 classes", row=1, col=2)
    return (
        f"right: {people.attrs['short']}, {people.attrs['exactness']}, observers unscreened; "
        "a key press is not a readout, so its axis is its own"
    )
