"""Speed-accuracy curves: mean decision time and accuracy by threshold, compared with humans under deadlines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.brains import human
from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import label
from cortexsim.plot.gate import draws

_MARK = "at the threshold"
_MARK_PX = 7


@draws("accuracy")
def speed_accuracy(
    curve: xr.Dataset,
    *,
    humans: bool = False,
    mark: float | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw accuracy against the mean time of the decision, a point for each threshold.

    Parameters
    ----------
    curve : Dataset, (threshold,) or (threshold, one more)
        As `analyse.speed_accuracy` returns it: `mean_time` of the stimuli that passed the threshold, in steps; their
        `accuracy`, optionally with an interval; and `fraction_decided`. A line for each value of the other
        dimension, such as `version`.
    humans : bool
        Draws human accuracy under a deadline (Kumbhar et al. 2020) in a panel with a separate time axis: a key press
        includes the time of the movement, so it cannot be compared with model time.
    mark : float, optional
        A threshold of the curve whose points are circled.
    milliseconds : Milliseconds, optional
        Draws the model's times in ms; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Thresholds that no stimulus passed are not drawn. Below, the fraction of decided stimuli.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the Dataset lacks a variable or the threshold to mark, or has other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.speed_accuracy(cs.analyse.speed_accuracy(recording["readout"]))
    >>> figure.layout.yaxis.title.text
    'accuracy'
    """
    lacking = sorted({"mean_time", "accuracy", "fraction_decided"} - set(map(str, curve.variables)))
    if lacking:
        raise ValueError(f"a speed-accuracy curve needs {lacking}, got {sorted(map(str, curve.variables))}")
    lines.check_milliseconds(milliseconds)
    (more,) = lines.check_dims(curve["accuracy"], ["threshold"], more=1, what="a speed-accuracy curve") or [None]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        2,
        2 if humans else 1,
        specs=[[{}, {"rowspan": 2}], [{}, None]] if humans else [[{}], [{}]],
        shared_xaxes="columns" if not humans else False,
        row_heights=[0.72, 0.28],
        vertical_spacing=0.08,
        horizontal_spacing=0.14,
    )
    parts = [None] if more is None else list(range(curve.sizes[more]))
    drawn = [
        _add_model(
            figure,
            curve if k is None else curve.isel({more: k}),
            "model" if k is None else label(curve["accuracy"], str(more), k),
            lines.style(index),
            milliseconds,
            several=len(parts) > 1,
            legend=humans or len(parts) > 1,
        )
        for index, k in enumerate(parts)
    ]
    known = np.concatenate([x[np.isfinite(x)] for x in drawn])
    if "chance" in curve["accuracy"].attrs and known.size:
        ends = np.array([known.min(), known.max()])
        lines.add_level(figure, ends, float(curve["accuracy"].attrs["chance"]), "chance", {"row": 1, "col": 1})
    if mark is not None:
        _mark(figure, curve.transpose("threshold", ...), mark, milliseconds)
    axis = "mean time of the decision (steps)" if milliseconds is None else f"mean {milliseconds}"
    figure.update_xaxes(showticklabels=False, row=1, col=1)
    figure.update_xaxes(title_text=axis, row=2, col=1)
    figure.update_xaxes(matches="x", row=2, col=1)
    figure.update_yaxes(title_text=lines.value_title(curve["accuracy"]), row=1, col=1)
    figure.update_yaxes(title_text="decided", range=[-0.05, 1.05], **theme.PERCENT, row=2, col=1)
    subtitle = ("in the hover text: " if len(parts) > 1 else "") + lines.caption(curve["accuracy"])
    if humans:
        subtitle += "; " + _add_humans(figure)
    lines.head(figure, title or "speed and accuracy by threshold", subtitle, height=440)
    return figure


def show_mark(figure: go.Figure, curve: xr.Dataset, mark: float, *, milliseconds: Milliseconds | None = None) -> None:
    """Circle the points of another threshold in a figure of `speed_accuracy`, with the same curve and milliseconds.

    Raises
    ------
    ValueError
        If the curve has no such threshold.
    """
    _mark(figure, curve, mark, milliseconds)


def _index_of(curve: xr.Dataset, mark: float) -> int:
    near = np.isclose(curve["threshold"].values, mark)
    if not near.any():
        raise ValueError(f"there is no threshold {mark:g} to mark: they are {curve['threshold'].values.tolist()}")
    return int(near.argmax())


def _mark(figure: go.Figure, curve: xr.Dataset, mark: float, milliseconds: Milliseconds | None) -> None:
    """Circle the points of a threshold by shapes, which a browser moves without laying out the figure again."""
    at = curve.isel(threshold=_index_of(curve, mark))
    times, heights = at["mean_time"].values.ravel(), at["accuracy"].values.ravel()
    figure.layout.shapes = [
        {
            "type": "circle",
            "name": _MARK,
            "xref": "x",
            "yref": "y",
            "xsizemode": "pixel",
            "ysizemode": "pixel",
            "xanchor": time if milliseconds is None else milliseconds.of(time),
            "yanchor": height,
            "x0": -_MARK_PX,
            "x1": _MARK_PX,
            "y0": -_MARK_PX,
            "y1": _MARK_PX,
            "line": {"color": lines.style(index)["color"], "width": 2},
        }
        for index, (time, height) in enumerate(zip(times, heights, strict=True))
        if np.isfinite(time)
    ]


def _add_model(
    figure: go.Figure,
    curve: xr.Dataset,
    name: str,
    line: Mapping[str, str],
    milliseconds: Milliseconds | None,
    *,
    several: bool,
    legend: bool,
) -> np.ndarray:
    """Draw a curve of the model, and return the x of its points."""
    time, accuracy, decided = (curve[one].values.astype(float) for one in ("mean_time", "accuracy", "fraction_decided"))
    x = time if milliseconds is None else milliseconds.of(time)
    # the line is in the order of time, not of the threshold; NaN comes last
    order = np.argsort(x, kind="stable")
    thresholds = curve["threshold"].values
    word = f"{name}, " * several + str(curve["threshold"].attrs.get("long_name", "threshold"))
    interval = lines.ends(curve["accuracy"], curve)
    within = ["" if interval is None else f" ({interval[0][k]:.3g} to {interval[1][k]:.3g})" for k in range(len(x))]
    hover = [
        f"{word} {thresholds[k]:.3g}: {accuracy[k]:.3g}{within[k]} right at a mean of {x[k]:.3g}<br>"
        f"{percent(decided[k])} decided"
        for k in order
    ]
    lines.add_line(
        figure,
        x[order],
        accuracy[order],
        name=name,
        line={**line, "width": 2},
        # several overlapping bands would hide the lines
        interval=None if interval is None or several else (interval[0].values[order], interval[1].values[order]),
        hover=hover,
        legend=legend,
        cell={"row": 1, "col": 1},
    )
    figure.add_scatter(
        x=x[order],
        y=decided[order],
        mode="lines+markers",
        line={**(line if several else {"color": theme.INK}), "width": 1.5},
        marker={"size": 5},
        hovertext=hover,
        hoverinfo="text",
        showlegend=False,
        legendgroup=name,
        name=f"{name}, decided" if several else "decided",
        row=2,
        col=1,
    )
    return x


def _add_humans(figure: go.Figure) -> str:
    """Draw human accuracy under deadlines on its own axis, and return a note for the subtitle."""
    accuracy = human.numbers("kumbhar-2020")
    x = accuracy["response_ms"].values
    for index, noise in enumerate(accuracy["noise_sd"].values):
        one = accuracy.sel(noise_sd=noise)
        name = f"humans, noise sd {noise:g}"
        hover = [f"{name}, {time:g} ms: {y:.2f}" for time, y in zip(x, one.values, strict=True)]
        line = {**lines.style(index + 1), "width": 2}
        lines.add_line(figure, x, one.values, name=name, line=line, hover=hover, cell={"row": 1, "col": 2})
    lines.add_level(figure, x, accuracy.attrs["chance"], "chance", {"row": 1, "col": 2})
    figure.update_xaxes(title_text="humans: deadline of the key press (ms)", row=1, col=2)
    figure.update_yaxes(title_text="accuracy on CIFAR-10, 10 classes", row=1, col=2)
    return (
        f"right: {accuracy.attrs['short']}, {accuracy.attrs['exactness']}, observers unscreened; "
        "a key press is not a readout, so it has a separate axis"
    )
