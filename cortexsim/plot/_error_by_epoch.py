"""Training and validation error by epoch, as pairs of lines in the same colour."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages, spaced
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import add_diverged, dress, interval_note, model_name
from cortexsim.plot.gate import ABOUT, draws


@draws("validation_error", along=("model", "seed", "epoch"), about=(*ABOUT, "validated_on"))
def error_by_epoch(result: xr.Dataset) -> go.Figure:
    """Draw the training and the validation error of models by epoch.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `training_error` and `validation_error` (model, seed, epoch), fractions.

    Returns
    -------
    Figure
        For each model, the validation error as a line with intervals, and the training error as a dashed line in the
        same colour.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.error_by_epoch(cs.experiments.shipped("weight-sharing"))
    >>> figure.layout.xaxis.title.text
    'epoch'
    """
    figure = go.Figure(layout={"template": theme.template()})
    training, validation = (over_seeds(result[f"{part}_error"]) for part in ("training", "validation"))
    epochs = result["epoch"].values
    trained = [label for label in result["model"].values if bool(training.sel(model=label).notnull().any())]
    for k, label in enumerate(trained):
        colour, error = theme.COLOURS[k % len(theme.COLOURS)], validation.sel(model=label)
        name = model_name(result, label)
        figure.add_scatter(
            x=epochs,
            y=theme.for_json(error.values),
            mode="lines+markers",
            name=name,
            legendgroup=label,
            line={"color": colour, "width": 2},
            marker={"size": 6, "symbol": k},
            error_y=lines.error_bars(error, error["low"], error["high"]),
            customdata=percentages(error.values),
            hovertemplate=f"{label}, validation, epoch %{{x}}: %{{customdata}}<extra></extra>",
        )
        figure.add_scatter(
            x=epochs,
            y=theme.for_json(training.sel(model=label).values),
            mode="lines",
            name=f"{name}, training",
            legendgroup=label,
            showlegend=False,
            line={"color": colour, "width": 1.5, "dash": "dash"},
            customdata=percentages(training.sel(model=label).values),
            hovertemplate=f"{label}, training, epoch %{{x}}: %{{customdata}}<extra></extra>",
        )
    figure.update_xaxes(title_text=theme.axis_title(validation, "epoch"), tick0=0, dtick=max(len(epochs) // 12, 1))
    figure.update_yaxes(title_text="error", **theme.PERCENT, rangemode="tozero")
    said = spaced(result.attrs["validated_on"])
    dress(
        figure,
        result,
        "error by epoch",
        "Solid: validation error at the epoch's end; dashed: training error over the epoch, as augmented. "
        f"{interval_note(validation)} {said[0].upper()}{said[1:]}.",
        rows=len(trained) + add_diverged(figure, result, trained),
    )
    return figure
