"""Learning curves: loss by step, and accuracy by step at every readout time, with earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme

_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot")


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
    for index, time in enumerate(run["time"].values.tolist()):
        accuracy = _listed(run["accuracy"].sel(time=time))
        figure.add_scatter(
            x=steps,
            y=accuracy,
            mode="lines",
            connectgaps=False,
            name=f"t = {time}",
            line=_style(index),
            hovertemplate=f"t = {time}, step %{{x}}: %{{y:.1%}}<extra>training images</extra>",
            **right,
        )
    _add_validation(figure, run, right)
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
    figure.add_scatter(
        x=steps,
        y=_listed(run["accuracy"].sel(time=time)),
        mode="lines",
        connectgaps=False,
        name=f"{name}, t = {time}",
        line=line,
        hovertemplate=f"{name}, t = {time}, step %{{x}}: %{{y:.1%}}<extra></extra>",
        **right,
    )


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
        hovertemplate="%{text}: %{y:.1%}<extra>held-out images</extra>",
        showlegend=any(value is not None for value in known),
        cliponaxis=False,
        **right,
    )


def _finish(figure: go.Figure, run: xr.Dataset, chance: float | None, left: Any, right: Any) -> None:
    step = theme.axis_title(run["loss"], "step")
    for cell in (left, right):
        figure.update_xaxes(title_text=step, rangemode="tozero", **cell)
    figure.update_yaxes(title_text="loss (nats)", title_standoff=8, rangemode="tozero", **left)
    figure.update_yaxes(
        title_text="training accuracy", title_standoff=8, range=[-0.02, 1.04], tickformat=".0%", **right
    )
    if chance is not None:
        figure.add_hline(y=chance, line={"color": theme.INK, "width": 1, "dash": "dot"}, name="guessing", **right)
    figure.update_layout(height=215, margin={"t": 12, "r": 150}, legend={"x": 1.01, "y": 1})
