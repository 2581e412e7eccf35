"""How every figure looks: colours that colour-blind readers tell apart, readable on a light and a dark page."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import plotly.graph_objects as go
import xarray as xr

# Okabe & Ito (2008), without black and yellow, one of which is lost on a dark or a light page
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# its contrast is above 4:1 on white and on the black of JupyterLab's dark theme
INK = "#7A7A7A"
FAINT = "rgba(128, 128, 128, 0.45)"
CLEAR = "rgba(0, 0, 0, 0)"

SEQUENTIAL = "Cividis"
DIVERGING = "RdBu_r"


def template() -> go.layout.Template:
    """Give the layout that every figure starts from."""
    axis = {
        "showgrid": False,
        "zeroline": False,
        "linecolor": FAINT,
        "showline": True,
        "ticks": "outside",
        "tickcolor": FAINT,
        "automargin": True,
        "title": {"font": {"size": 12}},
    }
    return go.layout.Template(
        layout=go.Layout(
            # the page shows through, whatever its colour
            paper_bgcolor=CLEAR,
            plot_bgcolor=CLEAR,
            font={"family": "system-ui, sans-serif", "size": 12, "color": INK},
            colorway=COLOURS,
            xaxis=axis,
            # else plotly sets a title where it touches labels as wide as "100%"
            yaxis=axis | {"title": {"font": {"size": 12}, "standoff": 6}},
            title={"x": 0, "xref": "container", "pad": {"l": 8}, "font": {"size": 13}},
            margin={"l": 8, "r": 8, "t": 36, "b": 8},
            autosize=True,
            hoverlabel={"font": {"family": "system-ui, sans-serif"}},
        )
    )


def axis_title(array: xr.DataArray, dim: Hashable) -> str:
    """Name an axis by its coordinate: `long_name (units)`, without the "1" that stands for no unit."""
    attributes = array[dim].attrs
    name, units = str(attributes.get("long_name", dim)), attributes.get("units", "1")
    return name if units == "1" else f"{name} ({units})"


def for_json(values: np.ndarray) -> np.ndarray:
    """Replace what JSON does not know, and what carries figures to the browser is JSON: NaN and infinity."""
    if np.isfinite(values).all():
        return values
    known = values.astype(object)
    known[~np.isfinite(values)] = None
    return known
