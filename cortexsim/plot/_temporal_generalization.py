"""Temporal generalization: the matrix of training and testing times."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import facets, lines, significance, theme
from cortexsim.plot.gate import draws


@draws()
def temporal_generalization(
    scores: xr.DataArray,
    *,
    significant: xr.Dataset | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw a matrix of training and testing times.

    Parameters
    ----------
    scores : DataArray, (train_time, test_time)
        As `analyse.temporal_generalization` returns it; its attribute `chance` is the middle of the colour scale. With
        `model` or `seed`, up to eight matrices are drawn side by side, in the same colours.
    significant : Dataset, optional
        As `analyse.significance` returns it, for the same times; significant cells are outlined.
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axes state the assumption.
    title : str, optional
        By default the array's `long_name`.

    Returns
    -------
    Figure
        A heat map with its diagonal, on which both times are equal. Empty times are blank.

    Raises
    ------
    TypeError
        If `milliseconds` or `significant` is of another type.
    ValueError
        If the array has other dimensions, or `significant` other times.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.temporal_generalization(cs.analyse.temporal_generalization(recording["IT"], "label"))
    >>> figure.layout.xaxis.title.text
    'testing time (steps)'
    """
    runs = facets.runs_of(scores, ["train_time", "test_time"], what="temporal generalization")
    x, x_title, x_texts = lines.time_axis(scores, milliseconds, "test_time")
    y, y_title, y_texts = lines.time_axis(scores, milliseconds, "train_time")
    known = scores.values[np.isfinite(scores.values)]
    if not known.size:
        raise ValueError("there is nothing to draw: the scores are NaN at all times")
    scale, ticks = colours(known, scores.attrs.get("chance"))
    bar = {"title": {"text": lines.value_title(scores), "side": "right"}, "outlinewidth": 0, "thickness": 12, **ticks}
    flags = None if significant is None else significance.check(significant, scores)
    outlined = {} if flags is None else facets.runs_of(flags, ["train_time", "test_time"], what="the test")
    figure, cells = facets.grid(list(runs))
    for place, (name, one) in enumerate(runs.items()):
        values = one.transpose("train_time", "test_time").values
        figure.add_heatmap(
            x=x,
            y=y,
            z=theme.for_json(values),
            **scale,
            hoverongaps=False,
            hovertext=_texts(name, x_texts, y_texts, values),
            hoverinfo="text",
            showscale=place == 0,
            colorbar=bar,
            name=name or "scores",
            **cells[place],
        )
        lines.add_diagonal(figure, [max(x[0], y[0]), min(x[-1], y[-1])], "diagonal", cells[place])
        if name in outlined:
            flagged = outlined[name].transpose("train_time", "test_time").values
            significance.add_outline(figure, x, y, flagged, cells[place])
        figure.update_yaxes(
            scaleanchor=f"x{facets.axis_number(place)}", constrain="domain", constraintoward="top", **cells[place]
        )
    chance = f"white is chance, {scores.attrs['chance']:.3g}; " if "chance" in scores.attrs else ""
    caption = chance + lines.caption(scores)
    if significant is not None:
        caption = f"{caption}; {significance.describe(significant, 'outlined')}"
    heading = title or str(scores.attrs.get("long_name", "temporal generalization"))
    lines.head(figure, heading, caption, height=facets.height(520, cells))
    facets.make_room(figure, cells)
    figure.update_xaxes(constrain="domain")
    # the times are the same in all plots, so that one pair of titles is enough
    figure.update_xaxes(title_text=x_title, **cells[0])
    figure.update_yaxes(title_text=y_title, **cells[0])
    return figure


def _texts(name: str, x_texts: list[str], y_texts: list[str], values: np.ndarray) -> list[list[str]]:
    """Return a text for each cell, (train_time, test_time)."""
    of = f"{name}<br>" if name else ""
    return [
        [f"{of}trained at {train}<br>tested at {test}<br>{value:.3g}" for test, value in zip(x_texts, row, strict=True)]
        for train, row in zip(y_texts, values, strict=True)
    ]


def colours(known: np.ndarray, chance: float | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the colour scale, diverging around chance if it is known, and the ticks of its bar."""
    if chance is None:
        return {"colorscale": theme.SEQUENTIAL}, {}
    middle = float(chance)
    reach = float(np.abs(known - middle).max()) or 1.0
    # the colours reach as far below chance as above, even if there are no such scores
    ticks = [middle + share * reach for share in (-1, -0.5, 0, 0.5, 1)]
    ticks = [value for value in ticks if value >= min(0, known.min())]
    scale = {"colorscale": theme.DIVERGING, "zmid": middle, "zmin": middle - reach, "zmax": middle + reach}
    return scale, {"tickvals": ticks, "tickformat": ".2f"}
