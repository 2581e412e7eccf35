"""Learning curves: loss by step, and accuracy by step at every readout time, with earlier runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.plot import theme
from cortexsim.plot.gate import draws

LOOKED_AT = "looked at"
_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot")


@draws("loss", "accuracy")
def learning(run: xr.Dataset, earlier: Sequence[xr.Dataset] = (), *, chance: float | None = None) -> go.Figure:
    """Draw the curves of a training run, with faint curves of earlier runs.

    Parameters
    ----------
    run : Dataset
        `loss` (step), cross-entropy in nats; `accuracy` (step, time), the fraction of training images classified
        correctly at each readout time, NaN if a time was not trained; optionally `validation` (time), on held-out
        images afterwards. attrs["name"] is the name of the run.
    earlier : sequence of Dataset
        Other runs of the same form, for which only the accuracy at the last trained readout time is drawn.
    chance : float, optional
        Chance level of accuracy.

    Notes
    -----
    attrs["changes"], a JSON list of (step, words), marks changes of the recipe. A run with `tested` (tested_step,
    images), accuracies of tests while it learned, has a line for each kind of images, and of the readout times only the
    last one.

    Returns
    -------
    Figure
        Loss on the left; accuracy on the right, with a line for each readout time, and a diamond at its end if it was
        validated.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> accuracy = (("step", "time"), [[0.5, 0.5], [0.6, 0.7]])
    >>> steps = {"step": [0, 100], "time": [3, 5]}
    >>> run = xr.Dataset({"loss": ("step", [0.7, 0.5]), "accuracy": accuracy}, steps, {"name": "run 1"})
    >>> figure = cs.plot.learning(run, chance=0.5)
    >>> figure.layout.xaxis.title.text
    'step'
    """
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(1, 2, horizontal_spacing=0.12)
    left, right = {"row": 1, "col": 1}, {"row": 1, "col": 2}
    for index, one in enumerate(earlier):
        _add_earlier(figure, one, index, left, right)
    steps = run["step"].values.tolist()
    figure.add_scatter(
        x=steps,
        y=_listed(run["loss"]),
        mode="lines",
        name="loss",
        line={"color": theme.INK, "width": 2},
        hovertemplate=f"{run.attrs['name']}, step %{{x}}: loss %{{y:.3f}}<extra></extra>",
        showlegend=False,
        **left,
    )
    tested = "tested" in run
    for index, time in enumerate(run["time"].values.tolist()):
        if tested and time != run["time"].values[-1]:
            continue
        accuracy = _listed(run["accuracy"].sel(time=time))
        figure.add_scatter(
            x=steps,
            y=accuracy,
            mode="lines",
            connectgaps=False,
            name="trained curves" if tested else f"t = {time}",
            line=_style(0 if tested else index),
            customdata=percentages(accuracy),
            hovertemplate=f"t = {time}, step %{{x}}: %{{customdata}}<extra>training images</extra>",
            **right,
        )
    if tested:
        _add_tests(figure, run, right)
    else:
        _add_validation(figure, run, right)
    _add_changes(figure, run)
    _finish(figure, run, chance, left, right)
    return figure


def _listed(values: xr.DataArray) -> list[float | None]:
    return theme.for_json(values.values).tolist()


def _style(index: int) -> dict[str, Any]:
    """Return the next colour; after the last colour, start again with dashed lines."""
    again, which = divmod(index, len(theme.COLOURS))
    return {"color": theme.COLOURS[which], "width": 2, "dash": ("solid", *_DASHES)[min(again, len(_DASHES))]}


def _add_earlier(figure: go.Figure, run: xr.Dataset, index: int, left: Any, right: Any) -> None:
    name, dash = str(run.attrs["name"]), _DASHES[index % len(_DASHES)]
    line, steps = {"color": theme.FAINT, "width": 2, "dash": dash}, run["step"].values.tolist()
    figure.add_scatter(
        x=steps,
        y=_listed(run["loss"]),
        mode="lines",
        name=name,
        line=line,
        hovertemplate=f"{name}, step %{{x}}: loss %{{y:.3f}}<extra></extra>",
        showlegend=False,
        **left,
    )
    time = int(run["time"].values[-1])
    what, y = f"t = {time}", run["accuracy"].sel(time=time)
    if "tested" in run:
        what, y = str(run["images"].values[-1]), run["tested"].isel(images=-1)
        steps = run["tested_step"].values.tolist()
    figure.add_scatter(
        x=steps,
        y=_listed(y),
        mode="lines",
        connectgaps=False,
        name=f"{name}, {what}",
        line=line,
        customdata=percentages(_listed(y)),
        hovertemplate=f"{name}, {what}, step %{{x}}: %{{customdata}}<extra></extra>",
        **right,
    )


def _add_tests(figure: go.Figure, run: xr.Dataset, right: Any) -> None:
    """Add a line for each kind of test images."""
    for index, name in enumerate(run["images"].values.tolist(), 1):
        figure.add_scatter(
            x=run["tested_step"].values.tolist(),
            y=_listed(run["tested"].sel(images=name)),
            mode="lines+markers",
            name=name,
            line={**_style(index), "width": 3},
            marker={"size": 7},
            customdata=percentages(_listed(run["tested"].sel(images=name)), 0),
            hovertemplate=f"{name}, step %{{x}}: %{{customdata}}<extra></extra>",
            **right,
        )


def _add_changes(figure: go.Figure, run: xr.Dataset) -> None:
    """Mark the steps at which the recipe changes, in both plots."""
    for step, words in json.loads(run.attrs.get("changes", "[]")):
        line = {"color": theme.INK, "width": 1, "dash": "dash"}
        figure.add_vline(x=step, line=line, name=f"recipe changes at {step}", row=1, col="all")
        figure.add_annotation(
            x=step,
            y=1.0,
            yref="y domain",
            xref="x",
            text=f"from here: {words}",
            xanchor="left",
            yanchor="top",
            xshift=4,
            showarrow=False,
            font={"size": theme.PANEL_PX},
            name="recipe changes",
        )


def mark_step(figure: go.Figure, step: int | None) -> None:
    """Mark a step in both plots of a figure of `learning`, in place of an earlier mark; None: mark nothing.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    step : int or None
    """
    kept = [shape for shape in figure.layout.shapes if shape.name != LOOKED_AT]
    line = {"color": theme.COLOURS[3], "width": 2}
    marks = [
        {
            "name": LOOKED_AT,
            "type": "line",
            "x0": step,
            "x1": step,
            "y0": 0,
            "y1": 1,
            "line": line,
            "xref": x,
            "yref": y,
        }
        for x, y in (("x", "y domain"), ("x2", "y2 domain"))
        if step is not None
    ]
    figure.layout.shapes = (*kept, *marks)


def _add_validation(figure: go.Figure, run: xr.Dataset, right: Any) -> None:
    """Add one trace of diamonds, empty before validation, so that the number of traces does not change."""
    times = run["time"].values.tolist()
    known = _listed(run["validation"]) if "validation" in run else [None] * len(times)
    last = int(run["step"].values[-1]) if run.sizes["step"] else 0
    figure.add_scatter(
        x=[last] * len(times),
        y=known,
        mode="markers",
        name="held-out images",
        marker={
            "symbol": "diamond",
            "size": 9,
            "color": [_style(index)["color"] for index in range(len(times))],
            "line": {"color": theme.INK, "width": 1},
        },
        text=[f"t = {time}" for time in times],
        customdata=percentages(known),
        hovertemplate="%{text}: %{customdata}<extra>held-out images</extra>",
        showlegend=any(value is not None for value in known),
        cliponaxis=False,
        **right,
    )


def _finish(figure: go.Figure, run: xr.Dataset, chance: float | None, left: Any, right: Any) -> None:
    step = theme.axis_title(run["loss"], "step")
    for cell in (left, right):
        figure.update_xaxes(title_text=step, rangemode="tozero", **cell)
    figure.update_yaxes(title_text="loss (nats)", title_standoff=8, rangemode="tozero", **left)
    what = str(run["tested"].attrs["long_name"]) if "tested" in run else "training accuracy"
    figure.update_yaxes(title_text=what, title_standoff=8, range=[-0.02, 1.04], **theme.PERCENT, **right)
    if chance is not None:
        figure.add_hline(y=chance, line={"color": theme.INK, "width": 1, "dash": "dot"}, name="guessing", **right)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(title_font_size=theme.PANEL_PX, tickfont_size=theme.PANEL_PX)
    legend = {"x": 1.01, "y": 1, "font": {"size": theme.PANEL_PX}}
    figure.update_layout(height=215, margin={"t": 12, "r": 190}, legend=legend)
