"""The theme of all figures: colours for colour-blind readers, text sizes, for light and dark pages."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim._support.percentages import percent
from cortexsim.plot.gate import draws

# Okabe & Ito (2008) without black and yellow, which are hard to see on dark or on light pages
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# its contrast is above 4:1 on white and on the black of JupyterLab's dark theme
INK = "#7A7A7A"
FAINT = "rgba(128, 128, 128, 0.45)"
# of an area that may lie behind all lines
BEHIND = "rgba(128, 128, 128, 0.18)"
CLEAR = "rgba(0, 0, 0, 0)"

# names of plotly's colour scales, which the canvases of the panels also use
SEQUENTIAL = "Cividis"
DIVERGING = "RdBu_r"

# smallest text size in a figure
TEXT_PX = 12
TITLE_PX = 13
# smallest text size in a panel
PANEL_PX = 14
# of an axis or a scale of fractions; plotly's own format has no space before the sign
PERCENT = {"tickformat": ".0%", "labelalias": {f"{k}%": percent(k / 100) for k in range(101)}}
# height of a line of text, and the number of characters in a line of page width
LINE_PX = 16
LINE_CHARACTERS = 120


def template() -> go.layout.Template:
    """Return the basic layout of all figures."""
    axis = {
        "showgrid": False,
        "zeroline": False,
        "linecolor": FAINT,
        "showline": True,
        "ticks": "outside",
        "tickcolor": FAINT,
        "automargin": True,
        "title": {"font": {"size": TEXT_PX}},
    }
    return go.layout.Template(
        layout=go.Layout(
            # transparent, for pages of any colour
            paper_bgcolor=CLEAR,
            plot_bgcolor=CLEAR,
            font={"family": "system-ui, sans-serif", "size": TEXT_PX, "color": INK},
            colorway=COLOURS,
            xaxis=axis,
            # otherwise plotly sets a title so close that it touches labels as wide as "100%"
            yaxis=axis | {"title": {"font": {"size": TEXT_PX}, "standoff": 6}},
            title={"x": 0, "xref": "container", "pad": {"l": 8}, "font": {"size": TITLE_PX}},
            margin={"l": 8, "r": 8, "t": 36, "b": 8},
            autosize=True,
            hoverlabel={"font": {"family": "system-ui, sans-serif"}},
            annotationdefaults={"font": {"size": TEXT_PX}},
        )
    )


def sequential_stops(n: int = 10) -> list[str]:
    """Return n evenly spaced colours of the sequential scale, as hexadecimal codes."""
    from plotly.colors import sample_colorscale

    stops = sample_colorscale(SEQUENTIAL, n, colortype="tuple")
    return ["#" + "".join(f"{round(255 * channel):02x}" for channel in stop) for stop in stops]


def axis_title(array: xr.DataArray, dim: Hashable) -> str:
    """Return the axis title of a coordinate: `long_name (units)`, without units if they are "1"."""
    attributes = array[dim].attrs
    name, units = str(attributes.get("long_name", dim)), attributes.get("units", "1")
    return name if units == "1" else f"{name} ({units})"


def for_json(values: np.ndarray) -> np.ndarray:
    """Replace NaN and infinity by None, because figures are sent to the browser as JSON, which has no such numbers."""
    if np.isfinite(values).all():
        return values
    known = values.astype(object)
    known[~np.isfinite(values)] = None
    return known


def wrapped(text: str, width: int = LINE_CHARACTERS) -> str:
    """Break text into lines, which plotly does not do."""
    return "<br>".join(textwrap.wrap(text, width))


@draws()
def narrowed(figure: go.Figure, *, height: int = 330, width: int = 60) -> go.Figure:
    """Reduce the height of a figure and the length of its text lines, so that several figures fit side by side.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    height : int
        Height of the whole figure, in px.
    width : int
        Number of characters in a line of the subtitle.

    Returns
    -------
    Figure
        The same one.

    Raises
    ------
    ValueError
        If the height is below 10 px, or a line is shorter than 2 characters.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.narrowed(cs.plot.time_course(cs.analyse.accuracy(recording["readout"])), height=300)
    >>> figure.layout.height
    300
    """
    height, width = whole(height, "height", 10, unit="px"), whole(width, "width", 2, unit="characters")
    title = figure.layout.title
    subtitle = wrapped(str(title.subtitle.text or "").replace("<br>", " "), width)
    heading = wrapped(str(title.text or "").replace("<br>", " "), int(0.85 * width))
    title.update(text=heading, subtitle={"text": subtitle})
    top = 38 + 18 * (heading.count("<br>") + bool(heading)) + (LINE_PX + 2) * subtitle.count("<br>")
    figure.update_layout(height=height, margin={"t": top})
    return figure


def in_one_line(figure: go.Figure, width: int = 125) -> go.Figure:
    """Join title and subtitle, and reduce margin and height by the line that is saved; the plot keeps its size.

    Parameters
    ----------
    figure : Figure
        With a title and a subtitle, as figures have them; changed in place.
    width : int
        Number of characters in a line.

    Returns
    -------
    Figure
        The same one.
    """
    title = figure.layout.title
    before = str(title.subtitle.text or "")
    text = wrapped("; ".join(part for part in (title.text, before.replace("<br>", " ")) if part), width)
    saved = 27 + LINE_PX * before.count("<br>") - (LINE_PX + 2) * text.count("<br>")
    title.update(text=text, subtitle={"text": ""})
    return figure.update_layout(height=figure.layout.height - saved, margin_t=figure.layout.margin.t - saved)


def enlarged(figure: go.Figure) -> go.Figure:
    """Set all text of a figure to the size of a panel's text, at least.

    Parameters
    ----------
    figure : Figure
        Changed in place.

    Returns
    -------
    Figure
        The same one.
    """

    def at_least(size: float | None) -> float:
        return max(size or 0, PANEL_PX)

    layout = figure.layout
    layout.font.size = at_least(layout.font.size)
    layout.legend.font.size = at_least(layout.legend.font.size)
    layout.legend.title.font.size = at_least(layout.legend.title.font.size)
    layout.title.font.size = at_least(layout.title.font.size)
    if layout.title.subtitle.text:
        layout.title.subtitle.font.size = at_least(layout.title.subtitle.font.size)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.title.font.size = at_least(axis.title.font.size)
        axis.tickfont.size = at_least(axis.tickfont.size)
    for annotation in layout.annotations:
        annotation.font.size = at_least(annotation.font.size)
    for trace in figure.select_traces({"type": "scatter"}):
        trace.textfont.size = at_least(trace.textfont.size)
    for trace in figure.select_traces({"type": "heatmap"}):
        trace.colorbar.tickfont.size = at_least(trace.colorbar.tickfont.size)
        trace.colorbar.title.font.size = at_least(trace.colorbar.title.font.size)
    return figure
