"""Error of models that are trained for one readout time and tested at many."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import add_diverged, dress, interval_note, model_name
from cortexsim.plot.gate import ABOUT, draws

# statistics: dash of the line, suffix of the symbol, description; without lines if every other time is empty
STATISTICS = {
    "calibrated": ("solid", "", "own moments at each time"),
    "held": ("dash", "-open", "moments of its trained time reused"),
    "pooled": ("dot", "-open-dot", "moments shared over time"),
    "none": ("solid", "", ""),
}
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "pentagon", "star")


@draws("test_error", along=("model", "seed", "statistics", "time"), about=ABOUT)
def error_by_time(result: xr.Dataset, models: Sequence[str] | None = None) -> go.Figure:
    """Draw the error at every tested time.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `test_error` (model, seed, statistics, time), fractions, and `readout_time`
        (model, seed).
    models : sequence of str, optional
        By default all.

    Returns
    -------
    Figure
        A line for each model and kind of statistics, with intervals; a large open circle marks the trained readout
        time. Times without a readout or a measurement have no point. The error of guessing is a line if the result has
        the attribute `chance_error`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.error_by_time(cs.experiments.shipped("weight-sharing"))
    >>> figure.layout.xaxis.title.text
    'tested at (steps)'
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["test_error"])
    labels = result["model"].values.tolist() if models is None else list(models)
    labels = [label for label in labels if bool(errors.sel(model=label).notnull().any())]
    rows, names = 0, [model_name(result, label) for label in labels]
    sizes = {name.rpartition(": ")[2] for name in names}
    alike = f" Each network has {sizes.pop()}." if len(names) > len(sizes) == 1 else ""
    if alike:
        names = [name.rpartition(": ")[0] for name in names]
    for k, label in enumerate(labels):
        for kind, (dash, filling, meaning) in STATISTICS.items():
            if kind not in errors["statistics"].values:
                continue
            line = errors.sel(model=label, statistics=kind)
            if bool(line.isnull().all()):
                continue
            several = meaning and errors.sizes["statistics"] > 1
            figure.add_scatter(
                x=line["time"].values,
                y=theme.for_json(line.values),
                mode="lines+markers",
                connectgaps=False,
                name=names[k] + (f"; {meaning}" if several else ""),
                line={"color": theme.COLOURS[k % len(theme.COLOURS)], "width": 2, "dash": dash},
                marker={"size": 8 if filling else 6, "symbol": SYMBOLS[k % len(SYMBOLS)] + filling},
                # a marker at an error of 0 lies on the axis
                cliponaxis=False,
                error_y=lines.error_bars(line, line["low"], line["high"]),
                customdata=percentages(line.values),
                hovertemplate=f"{label}, tested at t = %{{x}}: %{{customdata}}<extra>{kind}</extra>",
            )
            rows += 1
        _mark_trained(figure, result, errors, label, theme.COLOURS[k % len(theme.COLOURS)])
    if "chance_error" in result.attrs:
        drawn = errors.sel(model=labels).transpose("time", ...).values.reshape(errors.sizes["time"], -1)
        lines.add_level(figure, errors["time"].values, float(result.attrs["chance_error"]), "chance", values=drawn)
    figure.update_xaxes(title_text=theme.axis_title(errors, "time"), tick0=0, dtick=1)
    figure.update_yaxes(title_text="error on the test part", **theme.PERCENT, rangemode="tozero")
    dress(
        figure,
        result,
        "error by tested time",
        f"Large circle: the readout time.{alike} {result.attrs.get('not_drawn', '')} {interval_note(errors)}",
        rows=rows + add_diverged(figure, result, labels if models is None else result["model"].values),
    )
    return figure


def _mark_trained(figure: go.Figure, result: xr.Dataset, errors: xr.DataArray, label: str, colour: str) -> None:
    at = float(result["readout_time"].sel(model=label).max())
    first = errors.sel(model=label, time=at).dropna("statistics")
    if first.size:
        figure.add_scatter(
            x=[at],
            y=[float(first[0])],
            mode="markers",
            name=f"{label}: trained at",
            marker={"symbol": "circle-open", "size": 14, "color": colour, "line": {"width": 2}},
            showlegend=False,
            hoverinfo="skip",
            cliponaxis=False,
        )
