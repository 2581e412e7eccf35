"""Agreement of two forms of the same network: a scatter plot of their values."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot.gate import draws
from cortexsim.plot.lines import add_diagonal, check_dims, head


@draws()
def agreement(values: xr.DataArray) -> go.Figure:
    """Draw a point for each value of two forms of a network; equal values lie on the diagonal.

    Parameters
    ----------
    values : DataArray, (form, ...)
        The values of two forms.

    Returns
    -------
    Figure
        The points and the diagonal; the subtitle gives the largest difference.

    Raises
    ------
    ValueError
        If there is no dimension `form`, or it does not have two values.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> values = xr.DataArray([[0.1, 0.2], [0.1, 0.2]], {"form": ["recurrent", "unrolled"]}, ["form", "unit"])
    >>> figure = cs.plot.agreement(values)
    >>> len(figure.data)
    2
    """
    check_dims(values, ["form"], more=values.ndim, what="an agreement")
    if values.sizes["form"] != 2:
        raise ValueError(f"an agreement needs two forms, got {values['form'].values.tolist()}")
    one, other = (values.isel(form=k).values.ravel().astype(float) for k in range(2))
    names = values["form"].values.tolist()
    ends = [float(np.nanmin([one, other])), float(np.nanmax([one, other]))]
    figure = go.Figure(layout={"template": theme.template()})
    add_diagonal(figure, ends, "the same")
    figure.add_scatter(
        x=one,
        y=other,
        mode="markers",
        marker={"color": theme.COLOURS[1], "size": 6, "opacity": 0.6},
        hovertemplate=f"{names[0]} %{{x:.4f}}, {names[1]} %{{y:.4f}}<extra></extra>",
        showlegend=False,
        name="values",
    )
    what = values.attrs.get("long_name", "value")
    figure.update_xaxes(title_text=f"{what} of the {names[0]}")
    figure.update_yaxes(title_text=f"{what} of the {names[1]}")
    apart = float(np.nanmax(np.abs(one - other)))
    head(
        figure,
        f"{names[0]} against {names[1]}",
        f"{one.size} values; equal values lie on the line; largest difference {apart:.2g}",
        height=340,
    )
    return figure
