"""Error against the number of parameters."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import add_diverged, dress, interval_note, model_name


def parameters(result: xr.Dataset) -> go.Figure:
    """Draw the error of every model against the parameters that contribute to its readout.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `error` and `n_parameters` (model, seed), and the attributes `paper_error` and
        `paper_error_of` if the paper's value is known.

    Returns
    -------
    Figure
        A point for each model, with its interval; the paper's error as a labelled dashed line.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.parameters(cs.experiments.shipped("weight-sharing"))
    >>> figure.data[0].type
    'scatter'
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["error"])
    labels = [label for label in result["model"].values if bool(errors.sel(model=label).notnull())]
    for k, label in enumerate(labels):
        error = errors.sel(model=label)
        figure.add_scatter(
            x=[float(result["n_parameters"].sel(model=label).max())],
            y=[float(error)],
            mode="markers",
            name=model_name(result, label),
            marker={"size": 11, "color": theme.COLOURS[k % len(theme.COLOURS)], "symbol": k},
            error_y=lines.error_bars(*(end.values[None] for end in (error, error["low"], error["high"])), width=4),
            hovertemplate=f"{label}: %{{x:,}} parameters, error %{{y:.1%}}<extra></extra>",
        )
    if "paper_error" in result.attrs:
        known = float(result.attrs["paper_error"])
        figure.add_hline(
            y=known,
            line={"color": theme.INK, "width": 1.5, "dash": "dash"},
            annotation_text=f"{result.attrs['paper_error_of']}: {known:.2%}",
            annotation_position="top left",
            name="paper",
        )
    figure.update_xaxes(title_text="parameters (convolutions and final layer)", type="log", tickformat=",")
    if labels:
        figure.update_xaxes(tickvals=_round_numbers(result["n_parameters"].sel(model=labels).values))
    figure.update_yaxes(title_text="error on the test part", tickformat=".0%", rangemode="tozero")
    rows = len(labels) + add_diverged(figure, result, labels)
    dress(figure, result, "parameters against error", interval_note(errors), rows=rows)
    return figure


def _round_numbers(counts: np.ndarray) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten that span the counts; for four powers or more, only the powers."""
    low, high = np.floor(np.log10(np.nanmin(counts))), np.ceil(np.log10(np.nanmax(counts)))
    powers = 10.0 ** np.arange(low, high + 1)
    steps = (1, 2, 5) if len(powers) < 4 else (1,)
    return [float(step * power) for power in powers for step in steps]
