"""Number of parameters of a network, by the number of its steps."""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot.gate import draws
from cortexsim.plot.lines import check_dims, head, value_title


@draws()
def parameters_by_steps(counts: xr.DataArray, *, at: int | None = None, title: str = "") -> go.Figure:
    """Draw the number of parameters against steps.

    Parameters
    ----------
    counts : DataArray, (steps,)
    at : int, optional
        A number of steps to mark.
    title : str
        Name of the network.

    Returns
    -------
    Figure
        A line, and a larger point at the marked steps.

    Raises
    ------
    ValueError
        If there are other dimensions, or `at` is not one of the steps.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> counts = xr.DataArray([1000, 1900, 2800], {"steps": [1, 2, 3]}, ["steps"], attrs={"long_name": "parameters"})
    >>> figure = cs.plot.parameters_by_steps(counts, at=2)
    >>> figure.data[0].x
    (1, 2, 3)
    """
    check_dims(counts, ["steps"], what="a count of parameters")
    steps = counts["steps"].values.tolist()
    if at is not None and at not in steps:
        raise ValueError(f"at must be one of the steps {steps}, got {at}")
    figure = go.Figure(layout={"template": theme.template()})
    figure.add_scatter(
        x=steps,
        y=counts.values,
        mode="lines+markers",
        line={"color": theme.COLOURS[1]},
        marker={"size": [12 if one == at else 5 for one in steps]},
        hovertemplate="%{x} steps: %{y:,} parameters<extra></extra>",
        showlegend=False,
        name="parameters",
    )
    figure.update_xaxes(title_text=theme.axis_title(counts, "steps"), dtick=1)
    figure.update_yaxes(title_text=value_title(counts), rangemode="tozero", tickformat=",")
    head(figure, f"parameters by steps{': ' if title else ''}{title}", "convolutions and the final layer", height=340)
    return figure
