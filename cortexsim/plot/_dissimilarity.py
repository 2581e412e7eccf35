"""One representational dissimilarity matrix."""

from __future__ import annotations

from itertools import groupby

import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws


@draws()
def dissimilarity(rdm: xr.DataArray, *, title: str = "", highest: float = 2.0) -> go.Figure:
    """Draw a representational dissimilarity matrix (RDM), with the stimuli in the given order.

    Parameters
    ----------
    rdm : DataArray, (stimulus, other_stimulus)
        Distances; NaN if undefined. The optional coordinate `class_name` (stimulus) names the stimuli. Stimuli with the
        same name must be adjacent: the name is written once for each group, with a line between groups.
    title : str
    highest : float
        End of the colour scale, the same for every matrix, so that matrices can be compared; a correlation distance
        is at most 2.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.dissimilarity(cs.analyse.rdm(recording["IT"]).sel(time=8))
    >>> figure.data[0].type
    'heatmap'
    """
    lines.check_dims(rdm, ["stimulus", "other_stimulus"], what="a dissimilarity matrix")
    n = rdm.sizes["stimulus"]
    named = rdm["class_name"].values.tolist() if "class_name" in rdm.coords else [""] * n
    figure = go.Figure(layout={"template": theme.template()})
    figure.add_heatmap(
        z=theme.for_json(rdm.values),
        zmin=0,
        zmax=highest,
        colorscale=theme.SEQUENTIAL,
        hoverongaps=False,
        name="distance",
        customdata=[[f"{a} {i} and {b} {j}" for j, b in enumerate(named)] for i, a in enumerate(named)],
        hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
        colorbar={
            "thickness": 8,
            "outlinewidth": 0,
            "tickvals": [0, highest / 2, highest],
            "title": {"text": str(rdm.attrs.get("long_name", "distance")), "side": "right"},
        },
    )
    middles, edges, start = [], [], 0
    for _, run in groupby(named):
        length = len(list(run))
        middles.append(start + (length - 1) / 2)
        start += length
        edges.append(start - 0.5)
    for edge in edges[:-1]:
        for line in ({"x0": edge, "x1": edge, "y0": -0.5, "y1": n - 0.5}, {"y0": edge, "y1": edge, "x0": -0.5}):
            figure.add_shape(type="line", **{"x1": n - 0.5, **line}, line={"color": "white", "width": 1})
    ticks = {"tickvals": middles, "ticktext": [name for name, _ in groupby(named)], "ticks": "", "showline": False}
    figure.update_xaxes(constrain="domain", side="bottom", **ticks)
    figure.update_yaxes(scaleanchor="x", constraintoward="top", autorange="reversed", **ticks)
    figure.update_layout(title_text=title, height=225, margin={"t": 30, "b": 8})
    return figure
