"""Error by the time at which a model is read out: tested at many times, or trained for each."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import xarray as xr

from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import theme
from cortexsim.plot.caption import add_diverged, dress, interval_note, model_name

# statistics: how lines and markers are drawn, and what they are; where every other time is empty there are no lines
STATISTICS = {
    "calibrated": ("solid", "", "own moments at each time"),
    "held": ("dash", "-open", "moments of its trained time reused"),
    "pooled": ("dot", "-open-dot", "moments shared over time"),
    "none": ("solid", "", ""),
}
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "pentagon", "star")


def error_by_time(result: xr.Dataset, models: Sequence[str] | None = None) -> go.Figure:
    """Draw the error at every tested time.

    Parameters
    ----------
    result : Dataset
        Of an experiment, with `test_error` (model, seed, statistics, time), fractions, and `readout_time` (model,
        seed).
    models : sequence of str, optional
        Which; by default all.

    Returns
    -------
    Figure
        A line for each model and kind of statistics, with intervals; a large open circle marks the trained readout
        time. Where nothing can be read, or nothing is asked, there is no point.
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["test_error"])
    labels = result["model"].values.tolist() if models is None else list(models)
    labels = [label for label in labels if bool(errors.sel(model=label).notnull().any())]
    rows = 0
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
                name=model_name(result, label) + (f"; {meaning}" if several else ""),
                line={"color": theme.COLOURS[k % len(theme.COLOURS)], "width": 2, "dash": dash},
                marker={"size": 8 if filling else 6, "symbol": SYMBOLS[k % len(SYMBOLS)] + filling},
                # an error of 0 lies on the axis
                cliponaxis=False,
                error_y={
                    "array": theme.for_json((line["high"] - line).values),
                    "arrayminus": theme.for_json((line - line["low"]).values),
                    "thickness": 1,
                    "width": 3,
                },
                hovertemplate=f"{label}, tested at t = %{{x}}: %{{y:.1%}}<extra>{kind}</extra>",
            )
            rows += 1
        _mark_trained(figure, result, errors, label, theme.COLOURS[k % len(theme.COLOURS)])
    figure.update_xaxes(title_text=theme.axis_title(errors, "time"), tick0=0, dtick=1)
    figure.update_yaxes(title_text="error on the test part", tickformat=".0%", rangemode="tozero")
    dress(
        figure,
        result,
        "error by tested time",
        f"Large circle: the readout time. {result.attrs.get('not_drawn', '')} {interval_note(errors)}",
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


def error_by_readout_time(result: xr.Dataset) -> go.Figure:
    """Draw the error of models that were each trained and tested at one readout time.

    Parameters
    ----------
    result : Dataset
        Of an experiment, with `error`, `readout_time` and `n_parameters` (model, seed).

    Returns
    -------
    Figure
        A point for each readout time, with its interval and the parameters that contribute to it.
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["error"])
    times = result["readout_time"].max("seed").values
    figure.add_scatter(
        x=times,
        y=theme.for_json(errors.values),
        mode="lines+markers",
        name="error on the test part",
        line={"color": theme.COLOURS[1], "width": 2},
        marker={"size": 8},
        error_y={
            "array": theme.for_json((errors["high"] - errors).values),
            "arrayminus": theme.for_json((errors - errors["low"]).values),
            "thickness": 1.5,
            "width": 4,
        },
        hovertemplate="trained and tested at t = %{x}: %{y:.1%}<extra></extra>",
        showlegend=False,
    )
    for label in result["model"].values:
        # the counts are the point of the comparison: they grow with the readout time at first
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=model_name(result, label), marker={"color": theme.CLEAR}
        )
    figure.update_xaxes(title_text="readout time, trained and tested (steps)", tickvals=times, tickformat="d")
    figure.update_yaxes(title_text="error on the test part", tickformat=".0%", rangemode="tozero")
    dress(
        figure,
        result,
        "error by readout time",
        f"{interval_note(errors)}",
        rows=result.sizes["model"],
    )
    return figure
