"""Error of models that are each trained and tested at one readout time."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import dress, interval_note, model_name
from cortexsim.plot.gate import ABOUT, draws


@draws("error", "readout_time", along=("model", "seed"), about=ABOUT)
def error_by_readout_time(result: xr.Dataset) -> go.Figure:
    """Draw the error of models that were each trained and tested at one readout time.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `error`, `readout_time` and `n_parameters` (model, seed).

    Returns
    -------
    Figure
        A point for each readout time, with its interval; the legend gives the number of contributing parameters.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.error_by_readout_time(cs.experiments.shipped("readout-time"))
    >>> figure.layout.xaxis.title.text
    'readout time, trained and tested (steps)'
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
        error_y=lines.error_bars(errors, errors["low"], errors["high"], thickness=1.5, width=4),
        customdata=percentages(errors.values),
        hovertemplate="trained and tested at t = %{x}: %{customdata}<extra></extra>",
        showlegend=False,
    )
    for label in result["model"].values:
        # the numbers of parameters matter for the comparison, because they first grow with the readout time
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=model_name(result, label), marker={"color": theme.CLEAR}
        )
    figure.update_xaxes(title_text="readout time, trained and tested (steps)", tickvals=times, tickformat="d")
    figure.update_yaxes(title_text="error on the test part", **theme.PERCENT, rangemode="tozero")
    dress(figure, result, "error by readout time", interval_note(errors), rows=result.sizes["model"])
    return figure
