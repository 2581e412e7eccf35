"""Plots that stand side by side, laid out under each other for a narrow page."""

from __future__ import annotations

from typing import Any, NamedTuple

import plotly.graph_objects as go

from cortexsim.plot import theme

STRIP = 0.5
"""A plot below this part of the widest one's width is a strip, which stays next to the first plot of its row."""
PLOT_PX, GAP_PX, TICKS_PX = 90, 8, 34
"""Height of a plot, and of what is below it: nothing, or labels of its horizontal axis."""
LINE_EM, CHARACTER_EM = 1.3, 0.6
"""Height of a line and width of a character, in units of the text's size."""


class Cell(NamedTuple):
    """A plot: its axes, its place in the grid, and the annotation that is its title."""

    x: Any
    y: Any
    row: int
    column: int
    title: Any


def stack(figure: go.Figure, characters: int) -> int:
    """Lay out the plots of a figure under each other, row by row, each as wide as the figure.

    Parameters
    ----------
    figure : Figure
        With a grid of plots; changed in place.
    characters : int
        In a line of a plot's title.

    Returns
    -------
    int
        Height of the area of all plots, in px; 0 if there is no grid with several columns, and nothing was changed.
    """
    cells = _grid(figure)
    widths = {one.column: one.x.domain[1] - one.x.domain[0] for one in cells}
    wide = [column for column in sorted(widths) if widths[column] > STRIP * max(widths.values())]
    if len(wide) < 2:
        return 0
    left = min(one.x.domain[0] for one in cells if one.column == wide[0])
    right = max(one.x.domain[1] for one in cells)
    order = sorted((one for one in cells if one.column in wide), key=lambda one: (one.row, one.column))
    strips = [one for one in cells if one.column not in wide]
    for one in order:
        if one.title is not None:
            one.title.text = theme.wrapped(one.title.text.replace("<br>", " "), characters)
    for one in strips:
        if one.title is not None:
            one.title.textangle = -90
    neighbours = [[other for other in strips if (other.row, wide[0]) == (one.row, one.column)] for one in order]
    tops = [max(_height(each.title) for each in (one, *others)) for one, others in zip(order, neighbours, strict=True)]
    below = [
        GAP_PX if one.x.title.text == order[-1].x.title.text or not one.x.title.text else TICKS_PX for one in order
    ]
    whole = sum(tops) + sum(below[:-1]) + len(order) * PLOT_PX
    at = whole
    for one, others, top, gap in zip(order, neighbours, tops, below, strict=True):
        at -= top
        span = ((at - PLOT_PX) / whole, at / whole)
        for each in (one, *others):
            each.y.domain = span
            if each.title is not None:
                each.title.y = span[1]
        _widen(
            one, left, right, alone=not others, first=min(cells, key=lambda other: (other.row != one.row, other.column))
        )
        if one is not order[-1]:
            one.x.update(title={"text": ""}, showticklabels=gap == TICKS_PX)
        at -= PLOT_PX + gap
    return round(whole)


def _widen(cell: Cell, left: float, right: float, *, alone: bool, first: Cell) -> None:
    """Give a plot the whole width, and its vertical axis the texts of the first plot of its row."""
    cell.x.domain = (left, right)
    if cell.title is not None:
        cell.title.x = (left + right) / 2
    if alone:
        cell.y.update(showticklabels=None, title=first.y.title)


def _height(title: Any) -> int:
    """Return the height of the title of a plot, in px."""
    if title is None:
        return 0
    size, lines = title.font.size or theme.TEXT_PX, title.text.split("<br>")
    along = CHARACTER_EM * max(map(len, lines)) if title.textangle else LINE_EM * len(lines)
    return round(size * along) + 6


def _grid(figure: go.Figure) -> list[Cell]:
    """Return the plots of a complete grid; none if there is no such grid."""
    pairs = []
    for x in figure.select_xaxes():
        y = figure.layout[f"yaxis{(x.anchor or '')[1:]}"] if (x.anchor or "").startswith("y") else None
        if y is None or not x.domain or not y.domain:
            return []
        pairs.append((x, y))
    columns = sorted({x.domain for x, _ in pairs})
    rows = sorted({y.domain for _, y in pairs}, reverse=True)
    if len({(x.domain, y.domain) for x, y in pairs}) != len(columns) * len(rows) or len(pairs) != len(columns) * len(
        rows
    ):
        return []
    return [
        Cell(x, y, rows.index(y.domain), columns.index(x.domain), _title_of(figure, x.domain, y.domain))
        for x, y in pairs
    ]


def _title_of(figure: go.Figure, across: tuple[float, float], up: tuple[float, float]) -> Any:
    for one in figure.layout.annotations:
        above = one.xref == one.yref == "paper" and one.yanchor == "bottom" and one.text
        if above and abs(one.x - sum(across) / 2) < 1e-6 and abs(one.y - up[1]) < 1e-6:
            return one
    return None
