"""Centred kernel alignment of two states: between all their times, and over time with its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import facets, lines, theme
from cortexsim.plot.gate import draws

DIMS = ("time", "other_time")
WHAT = "centred kernel alignment"
CURVE_PX = 300


@draws()
def cka(
    alignment: xr.DataArray,
    *,
    at: int | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw the alignment of two states between all their times, and below it over time.

    Parameters
    ----------
    alignment : DataArray, (time, other_time)
        As `analyse.cka` returns it, of two areas or of one area in two models. With `model` or `seed`, up to eight
        matrices are drawn side by side, and a line for each below.
    at : int, optional
        Time of the second state with which the curve compares all times of the first; by default the same time, for
        which two nodes are needed: a state equals itself.
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axes state the assumption.
    title : str, optional
        By default the array's `long_name`, with the two states.

    Returns
    -------
    Figure
        Heat maps from 0 (no alignment) to 1 with their diagonal, on which both times are equal, and curves with their
        intervals, of which the subtitle says what they are over. Debiased alignment may be below 0, which is drawn as 0
        in the maps. Empty times are blank.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions, nothing but NaN, or no time in common with `at`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.cka(cs.analyse.cka(recording["V4"], recording["IT"]))
    >>> figure.layout.title.text
    'debiased linear CKA of V4 and IT'
    """
    runs = facets.runs_of(alignment, DIMS, what=WHAT)
    if not np.isfinite(alignment.values).any():
        raise ValueError("there is nothing to draw: the alignment is NaN at all times")
    figure, cells = _layout(list(runs))
    for cell, (name, one) in zip(cells, runs.items(), strict=True):
        _add_map(figure, cell, name, one, milliseconds)
    of, other = _states(alignment)
    row = {"row": max(cell["row"] for cell in cells) + 1, "col": 1}
    for index, (name, one) in enumerate(runs.items()):
        _add_curve(figure, row, name, index, curve_of(one, at), milliseconds)
    heading = title or f"{alignment.attrs.get('long_name', 'CKA')} of {of} and {other}"
    height = facets.height(420, cells) + CURVE_PX
    lines.head(figure, heading, lines.caption(alignment), height=height)
    facets.make_room(figure, cells)
    # next to the curves, below the colour bar
    figure.update_layout(legend={"y": 0.4, "yanchor": "top"})
    _name_axes(figure, alignment, cells, row, (of, other), at, milliseconds)
    return figure


def _states(alignment: xr.DataArray) -> tuple[str, str]:
    """Return the names of the two states, without "activation of"."""
    of, other = (str(alignment.attrs.get(key, default)) for key, default in (("of", "one"), ("with", "another")))
    return of.removeprefix("activation of "), other.removeprefix("activation of ")


def curve_of(one: xr.DataArray, at: int | None) -> xr.DataArray:
    """Return the alignment over time: with the same time of the second state, or with its time `at`.

    Raises
    ------
    ValueError
        If there is no such time.
    """
    others = one["other_time"].values.tolist()
    if at is not None:
        if at not in others:
            raise ValueError(f"at must be one of the times of the second state, {others}, got {at!r}")
        return one.sel(other_time=at, drop=True)
    both = [time for time in one["time"].values.tolist() if time in others]
    if not both:
        raise ValueError("the two states have no time in common: choose a time of the second one, at=...")
    same = xr.DataArray(both, {"time": ("time", both, one["time"].attrs)}, ["time"])
    return one.sel(time=same, other_time=same).drop_vars("other_time")


def _layout(names: list[str]) -> tuple[go.Figure, list[dict[str, int]]]:
    """Return a figure with a matrix for each name, at most four in a row, and a curve over the whole width below."""
    n_columns = min(len(names), facets.COLUMNS)
    n_rows = -(-len(names) // n_columns)
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        n_rows + 1,
        n_columns,
        specs=[[{}] * n_columns] * n_rows + [[{"colspan": n_columns}] + [None] * (n_columns - 1)],
        subplot_titles=list(names) if len(names) > 1 else None,
        row_heights=[0.58 / n_rows] * n_rows + [0.42],
        horizontal_spacing=0.3 / n_columns,
        vertical_spacing=0.32 / (n_rows + 1),
    )
    figure.update_annotations(font_size=theme.TITLE_PX)
    return figure, [{"row": k // n_columns + 1, "col": k % n_columns + 1} for k in range(len(names))]


def _add_map(
    figure: go.Figure, cell: Mapping[str, int], name: str, one: xr.DataArray, milliseconds: Milliseconds | None
) -> None:
    x, _, x_texts = lines.time_axis(one, milliseconds, "other_time")
    y, _, y_texts = lines.time_axis(one, milliseconds)
    values = one.transpose(*DIMS).values
    first = cell == {"row": 1, "col": 1}
    bar = {"title": {"text": "CKA", "side": "right"}, "outlinewidth": 0, "thickness": 12, "len": 0.5, "y": 0.76}
    if not name:
        # a single map is square and in the middle
        bar["x"] = 0.72
    figure.add_heatmap(
        x=x,
        y=y,
        z=theme.for_json(values),
        colorscale=theme.SEQUENTIAL,
        zmin=0,
        zmax=1,
        hoverongaps=False,
        hovertext=[
            [f"{here} and {there}: {value:.3g}" for there, value in zip(x_texts, row, strict=True)]
            for here, row in zip(y_texts, values, strict=True)
        ],
        hoverinfo="text",
        showscale=first,
        colorbar=bar,
        name=name or "alignment",
        **cell,
    )
    lines.add_diagonal(figure, [max(x[0], y[0]), min(x[-1], y[-1])], "same time", cell)
    xaxis = figure.data[-1].xaxis or "x"
    figure.update_yaxes(scaleanchor=xaxis, constrain="domain", constraintoward="top", **cell)
    figure.update_xaxes(constrain="domain", **cell)


def _add_curve(
    figure: go.Figure,
    cell: Mapping[str, int],
    name: str,
    index: int,
    curve: xr.DataArray,
    milliseconds: Milliseconds | None,
) -> None:
    x, _, texts = lines.time_axis(curve, milliseconds)
    found = lines.ends(curve)
    low, high = found if found is not None else (curve * np.nan, curve * np.nan)
    lines.add_line(
        figure,
        x,
        curve.values,
        name=name or "alignment",
        line={**lines.style(index), "width": 2},
        interval=None if found is None else (low.values, high.values),
        hover=[
            f"{name + ', ' if name else ''}{text}: {value:.3g}" + (f" ({a:.3g} to {b:.3g})" if a == a else "")
            for text, value, a, b in zip(texts, curve.values, low.values, high.values, strict=True)
        ],
        legend=bool(name),
        cell=cell,
    )


def _name_axes(
    figure: go.Figure,
    alignment: xr.DataArray,
    cells: list[dict[str, int]],
    row: Mapping[str, int],
    states: tuple[str, str],
    at: int | None,
    milliseconds: Milliseconds | None,
) -> None:
    """Title the axes of the first matrix, which those of the others repeat, and of the curve."""
    of, other = states
    _, axis, _ = lines.time_axis(alignment, milliseconds)
    figure.update_xaxes(title_text=f"{other}<br>{axis}", **cells[0])
    figure.update_yaxes(title_text=f"{of}<br>{axis}", **cells[0])
    figure.update_xaxes(title_text=axis, **row)
    moment = "at the same time" if at is None else f"with {other} at t = {at}"
    figure.update_yaxes(title_text=f"CKA {moment}", **row)
