"""Accuracy of a model by readout time, with several kinds of statistics."""

from __future__ import annotations

import textwrap

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import time_course
from cortexsim.plot.gate import draws

_PLOT_PX, _AXIS_PX = 280, 56
# room for names at the ends of the lines
_NAMES_PX, _NAME_CHARACTERS = 250, 30


@draws()
def any_time(accuracy: xr.DataArray, *, readout_time: int | None = None, title: str | None = None) -> go.Figure:
    """Draw accuracy by readout time, a line for each model and kind of statistics.

    Parameters
    ----------
    accuracy : DataArray, (model, statistics, time)
        Fractions; NaN without a readout or a measurement. The coordinates `low` and `high` and the attribute `chance`
        are drawn if they exist.
    readout_time : int, optional
        The time at which the first model was trained to answer; it is marked.
    title : str, optional

    Returns
    -------
    Figure
        The colour of a line shows the kind of statistics, its symbol the model. A single time is drawn as a point.

    Raises
    ------
    ValueError
        If the array has other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> right = cs.analyse.accuracy(cs.simulate(model, curves, cs.sustained(), until=8, record=[])["readout"])
    >>> accuracy = right.expand_dims(model=["recurrent"], statistics=["of each time"])
    >>> figure = cs.plot.any_time(accuracy, readout_time=8)
    >>> figure.layout.xaxis.title.text
    'time (steps)'
    """
    lines.check_dims(accuracy, ["model", "statistics", "time"], what="accuracy by readout time")
    models = [str(name) for name in accuracy["model"].values]
    kinds = [str(kind) for kind in accuracy["statistics"].values]
    flat = accuracy.transpose("model", "statistics", "time").stack(line=("model", "statistics"))
    names = [f"{model}, {kind}" if len(models) > 1 else kind for model in models for kind in kinds]
    flat = flat.reset_index("line", drop=True).drop_vars(["model", "statistics"], errors="ignore")
    flat = flat.assign_coords(line=("line", names, {"long_name": "statistics"})).transpose("time", "line")
    known = flat.notnull().any("time").values
    figure = time_course(flat.isel(line=np.flatnonzero(known)), title=title)
    for name in np.array(names)[known]:
        model, kind = divmod(names.index(name), len(kinds))
        # grey for a control model: its lines lie between those of the others
        style = {**lines.style(kind), **({"color": theme.INK} if model else {})}
        for trace in figure.select_traces({"name": name}):
            trace.update(line={**style, "dash": lines.DASHES[2 * model]}, marker={"symbol": model})
        for trace in figure.select_traces({"name": f"{name} interval"}):
            shade = lines.translucent(style["color"])
            trace.update(fillcolor=shade, line={"color": shade})
    _on_top(figure, np.array(names)[known][:1])
    if readout_time is not None:
        # above the plot, so that no curve crosses it
        figure.add_vline(
            x=readout_time,
            line={"color": theme.INK, "width": 1, "dash": "dot"},
            annotation={"text": "trained to answer here", "font": {"size": theme.PANEL_PX}, "xanchor": "center"},
            annotation_position="top",
            name="readout time",
        )
        figure.update_layout(margin_t=figure.layout.margin.t + 14)
    # from 0 to 1, so that curves of several runs can be compared; slightly more, so that a line at 1 is not cut off
    figure.update_yaxes(range=[-0.02, 1.04], **theme.PERCENT)
    times = accuracy["time"].values
    # without this the axis would include times before the first
    figure.update_xaxes(dtick=1 if times.size <= 26 else None, range=[times[0] - 0.5, times[-1] + 0.5])
    # names stand at the ends of the lines: a legend below the plot would be drawn over its axis from the second run on
    top_px = figure.layout.margin.t
    figure.update_layout(showlegend=False, height=_PLOT_PX + top_px + _AXIS_PX, margin={"b": _AXIS_PX, "r": _NAMES_PX})
    ends = []
    for trace in figure.select_traces({"mode": "lines+markers"}):
        values = np.asarray(trace.y, float)
        named = "<br>".join(textwrap.wrap(trace.name, _NAME_CHARACTERS))
        ends.append((float(values[np.isfinite(values)][-1]), named, trace.line.color))
    lines.label_ends(figure, ends, span=(-0.02, 1.04), plot_px=_PLOT_PX)
    figure.update_layout(font_size=theme.PANEL_PX)
    figure.update_xaxes(title_font_size=theme.PANEL_PX)
    figure.update_yaxes(title_font_size=theme.PANEL_PX)
    return figure


def _on_top(figure: go.Figure, names: np.ndarray) -> None:
    """Draw some lines last and narrower than the others, so that overlapping lines are all visible."""
    last = [*names, *(f"{name} interval" for name in names)]
    figure.data = sorted(figure.data, key=lambda trace: trace.name in last)
    for index, trace in enumerate(figure.select_traces({"mode": "lines+markers"})):
        first = trace.name in last
        # the order of the legend does not change
        trace.update(line_width=2 if first else 4, marker_size=5 if first else 9, legendrank=1 if first else 2 + index)
