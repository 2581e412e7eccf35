"""Latencies of the states, compared with those of macaque neurons."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains import human
from cortexsim.brains.milliseconds import PAPER_STEP_MS, Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws
from cortexsim.recording import trial

AREAS = ("LGN M", "LGN P", "V1", "V2", "V4", "IT")


@draws()
def arrivals(recording: xr.DataTree) -> xr.DataArray:
    """Return the first time at which each state is populated.

    In a graph that connects only neighbours, these times follow from the graph: state k is reached at time k for any
    weights.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.

    Returns
    -------
    DataArray, (state,)
        In steps; NaN if the state is always empty.

    Raises
    ------
    ValueError
        If no state was recorded.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> cs.plot.arrivals(recording).values
    array([0., 1., 2., 3.])
    """
    names = trial.states(recording)
    if not names:
        raise ValueError("there are no latencies: the recording contains no state, only the readout")
    first = []
    for name in names:
        populated = recording.children[name].to_dataset()["populated"]
        populated = populated.any("stimulus") if "stimulus" in populated.dims else populated
        times = populated["time"].values[populated.values]
        first.append(float(times[0]) if times.size else np.nan)
    attrs = {"long_name": "arrival", "units": "steps", "interval": "arrival, which follows from the graph alone"}
    return xr.DataArray(first, {"state": ("state", names, {"long_name": "state"})}, ["state"], "arrival", attrs)


@draws()
def latencies(
    latency: xr.DataArray | xr.DataTree, *, milliseconds: Milliseconds | None = None, title: str | None = None
) -> go.Figure:
    """Draw a latency for each state, compared with macaque areas of the same name.

    Parameters
    ----------
    latency : DataArray, (state,), or DataTree
        In steps, with `low` and `high` if there is an interval; or a recording, whose `arrivals` are drawn.
    milliseconds : Milliseconds, optional
        Draws both on one axis in ms, which states the assumption; the bar of a state spans 20 to 50 ms per step.
        Without it there is a panel in steps and one in ms.
    title : str, optional

    Returns
    -------
    Figure
        NaN is labelled "never reached".

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.latencies(recording)
    >>> len(figure.data) > 0
    True
    """
    lines.check_milliseconds(milliseconds)
    if isinstance(latency, xr.DataTree):
        latency = arrivals(latency)
    lines.check_dims(latency, ["state"], what="latencies")
    states = [str(name) for name in latency["state"].values]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, 1 if milliseconds else 2, shared_yaxes=True, horizontal_spacing=0.06
    )
    _add_model(figure, latency, states, milliseconds)
    macaque = human.numbers("schmolesky-1998")
    column = 1 if milliseconds else 2
    figure.add_scatter(
        x=macaque.values,
        y=macaque["area"].values,
        error_x={"array": macaque["high"].values - macaque.values, "color": theme.INK, "thickness": 1.5, "width": 4},
        mode="markers",
        marker={"color": theme.INK, "size": 9, "symbol": "diamond"},
        hovertext=[
            f"macaque {area}: {value:g} ± {high - value:g} ms"
            for area, value, high in zip(macaque["area"].values, macaque.values, macaque["high"].values, strict=True)
        ],
        hoverinfo="text",
        name=f"macaque ({macaque.attrs['short']})",
        row=1,
        col=column,
    )
    assumption = f"; {milliseconds}; bars: 20 to 50 ms per step" if milliseconds else ""
    subtitle = (
        f"model: {lines.caption(latency)}{assumption}. Macaque: {macaque.attrs['exactness']}, "
        f"{macaque.attrs['note']}; ± as published"
    )
    lines.head(figure, title or "latency of each area", subtitle, height=400)
    order = [name for name in AREAS if name in states or name in macaque["area"].values]
    order += [name for name in states if name not in order]
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=order[::-1], range=[-0.5, len(order) - 0.5]
    )
    if milliseconds:
        figure.update_xaxes(title_text=f"ms after image onset; model: {milliseconds}", rangemode="tozero")
    else:
        figure.update_xaxes(title_text=f"model: {lines.value_title(latency)}", row=1, col=1)
        figure.update_xaxes(title_text="macaque: onset latency (ms)", rangemode="tozero", row=1, col=2)
    return figure


def _add_model(figure: go.Figure, latency: xr.DataArray, states: list[str], milliseconds: Milliseconds | None) -> None:
    steps = latency.values.astype(float)
    x = steps if milliseconds is None else milliseconds.of(steps)
    interval = lines.ends(latency)
    if milliseconds is not None:
        for index, state in enumerate(states):
            span = [milliseconds.onset_ms + step_ms * steps[index] for step_ms in PAPER_STEP_MS]
            figure.add_scatter(
                x=span,
                y=[state, state],
                mode="lines",
                line={"color": lines.translucent(theme.COLOURS[0], 0.35), "width": 12},
                hoverinfo="skip",
                showlegend=False,
                name=f"{state} at 20 to 50 ms per step",
                row=1,
                col=1,
            )
    error = None
    if interval is not None:
        scale = 1.0 if milliseconds is None else milliseconds.step_ms
        low, high = (end.values.astype(float) for end in interval)
        error = {"array": scale * (high - steps), "arrayminus": scale * (steps - low), "thickness": 1.5, "width": 4}
    unit = "steps" if milliseconds is None else "ms"
    figure.add_scatter(
        x=x,
        y=states,
        mode="markers",
        marker={"color": theme.COLOURS[0], "size": 10},
        error_x=error,
        hovertext=[
            f"model {state}: t = {t:g}, {value:g} {unit}" for state, t, value in zip(states, steps, x, strict=True)
        ],
        hoverinfo="text",
        name="model",
        row=1,
        col=1,
    )
    for state, value in zip(states, steps, strict=True):
        if np.isnan(value):
            figure.add_annotation(
                text="never reached", x=0, xref="x domain", xanchor="left", y=state, yref="y", showarrow=False
            )
