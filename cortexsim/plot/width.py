"""Figures that stand side by side: narrower than a page, with their words broken to fit."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go


def narrowed(figure: go.Figure, *, height: int = 330, width: int = 66) -> go.Figure:
    """Break a figure's title and subtitle into shorter lines, and make it lower.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    height : int
        Of the whole figure, in px.
    width : int
        Characters in a line of the subtitle.

    Returns
    -------
    Figure
        The same one.
    """
    title = figure.layout.title
    subtitle = str(title.subtitle.text or "").replace("<br>", " ")
    lines = textwrap.wrap(subtitle, width)
    headed = textwrap.wrap(str(title.text or "").replace("<br>", " "), int(0.85 * width))
    title.update(text="<br>".join(headed), subtitle={"text": "<br>".join(lines)})
    top = 34 + 17 * len(headed) + 14 * max(len(lines) - 1, 0)
    figure.update_layout(height=height, margin={"t": top}, legend={"font": {"size": 11}})
    return figure
