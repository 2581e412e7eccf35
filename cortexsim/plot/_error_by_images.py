"""Error by the number of images for the statistics."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import dress, interval_note, model_name
from cortexsim.plot.gate import ABOUT, draws


@draws("error_by_images", along=("model", "seed", "images"), about=ABOUT)
def error_by_images(result: xr.Dataset) -> go.Figure:
    """Draw the error at the readout time by the number of images from which the statistics were computed.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `error_by_images` (model, seed, images), fractions.

    Returns
    -------
    Figure
        A line for each model with statistics, with intervals, on a logarithmic axis.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.error_by_images(cs.experiments.shipped("normalization"))
    >>> figure.layout.xaxis.type
    'log'
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["error_by_images"])
    labels = [label for label in result["model"].values if bool(errors.sel(model=label).notnull().any())]
    for k, label in enumerate(labels):
        line = errors.sel(model=label)
        figure.add_scatter(
            x=line["images"].values,
            y=theme.for_json(line.values),
            mode="lines+markers",
            name=model_name(result, label),
            line={"color": theme.COLOURS[k], "width": 2},
            marker={"size": 7},
            error_y=lines.error_bars(line, line["low"], line["high"]),
            customdata=percentages(line.values),
            hovertemplate="%{x} images: %{customdata}<extra></extra>",
            showlegend=True,
        )
    figure.update_xaxes(title_text=theme.axis_title(errors, "images"), type="log", tickvals=errors["images"].values)
    figure.update_yaxes(title_text="error on the test part", **theme.PERCENT, rangemode="tozero")
    dress(figure, result, "error by calibration images", interval_note(errors), rows=len(labels))
    return figure
