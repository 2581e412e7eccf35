"""Error of the networks of an experiment, with the parameters of each."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent, percentages
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import HEAD_PX, diverged, dress, interval_note, model_name
from cortexsim.plot.gate import ABOUT, draws

ROW_PX = 52
PAPER_PX = 26
"""Space for the paper's error above the bars."""
BAR = 0.36
"""Height of a bar, in rows."""


@draws("error", along=("model", "seed"), about=ABOUT)
def parameters(result: xr.Dataset) -> go.Figure:
    """Draw the error of every model as a bar, labelled with the parameters that contribute to its readout.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `error` and `n_parameters` (model, seed), and the attributes `paper_error` and
        `paper_error_of` if the paper's value is known.

    Returns
    -------
    Figure
        A bar for each model, in the order of the result, with its interval and its error in percent; the paper's error
        as a labelled mark above the bars. A model without an error, because its training diverged, has a label and no
        bar.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.parameters(cs.experiments.shipped("weight-sharing"))
    >>> figure.data[0].type
    'bar'
    """
    figure = go.Figure(layout={"template": theme.template()})
    errors = over_seeds(result["error"])
    lost = diverged(result)
    labels = [label for label in result["model"].values if bool(errors.sel(model=label).notnull()) or label in lost]
    for k, label in enumerate(labels):
        error, row = errors.sel(model=label), len(labels) - 1 - k
        figure.add_bar(
            x=theme.for_json(error.values[None]),
            y=[row],
            orientation="h",
            width=BAR,
            name=model_name(result, label),
            marker_color=theme.COLOURS[k % len(theme.COLOURS)],
            error_x=lines.error_bars(*(end.values[None] for end in (error, error["low"], error["high"])), width=4),
            customdata=percentages(error.values[None]),
            hovertemplate=f"{label}: error %{{customdata}}<extra></extra>",
        )
        figure.add_annotation(
            **_beside(0.0, row + BAR / 2) | {"yanchor": "bottom"},
            text=model_name(result, label),
            name="label",
            font={"size": theme.PANEL_PX},
        )
        if bool(error.notnull()):
            end = float(error["high"].fillna(error))
            figure.add_annotation(
                **_beside(end, row), text=f"<b>{percent(float(error), 1)}</b>", name="value", xshift=8
            )
    if "paper_error" in result.attrs:
        known = float(result.attrs["paper_error"])
        # above the bars only: a line down to the axis would cross the names of the networks
        figure.add_shape(
            type="line",
            x0=known,
            x1=known,
            y0=0.98,
            y1=1.06,
            yref="paper",
            line={"color": theme.INK, "width": 2},
            name="paper",
        )
        figure.add_annotation(
            x=known,
            y=1.06,
            yref="paper",
            yanchor="middle",
            xanchor="left",
            xshift=4,
            showarrow=False,
            name="paper",
            text=f"{result.attrs['paper_error_of']}: {percent(known, 2)}",
        )
    figure.update_xaxes(title_text="error on the test part", **theme.PERCENT, range=[0, 1])
    figure.update_yaxes(visible=False, range=[-0.4, len(labels) - 0.35])
    top_px = HEAD_PX + (PAPER_PX if "paper_error" in result.attrs else 0)
    plot_px = ROW_PX * len(labels)
    dress(figure, result, "error of each network", interval_note(errors), plot_px=plot_px, top_px=top_px)
    figure.update_layout(showlegend=False)
    return figure


def _beside(x: float, y: float) -> dict[str, object]:
    """Place a text to the right of a point."""
    return {"x": x, "y": y, "xanchor": "left", "yanchor": "middle", "showarrow": False, "align": "left"}
