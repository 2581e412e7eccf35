"""Temporal generalization: the matrix of training and testing times."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, significance, theme


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
        As `analyse.temporal_generalization` returns it; its attribute `chance` is the middle of the colour scale.
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
    lines.check_dims(scores, ["train_time", "test_time"], what="temporal generalization")
    scores = scores.transpose("train_time", "test_time")
    x, x_title, x_texts = lines.time_axis(scores, milliseconds, "test_time")
    y, y_title, y_texts = lines.time_axis(scores, milliseconds, "train_time")
    known = scores.values[np.isfinite(scores.values)]
    if not known.size:
        raise ValueError("there is nothing to draw: the scores are NaN at all times")
    scale, ticks = colours(known, scores.attrs.get("chance"))
    texts = [
        [f"trained at {train}<br>tested at {test}<br>{value:.3g}" for test, value in zip(x_texts, row, strict=True)]
        for train, row in zip(y_texts, scores.values, strict=True)
    ]
    figure = go.Figure(layout={"template": theme.template()})
    figure.add_heatmap(
        x=x,
        y=y,
        z=theme.for_json(scores.values),
        **scale,
        hoverongaps=False,
        hovertext=texts,
        hoverinfo="text",
        colorbar={
            "title": {"text": lines.value_title(scores), "side": "right"},
            "outlinewidth": 0,
            "thickness": 12,
            **ticks,
        },
        name="scores",
    )
    both = [max(x[0], y[0]), min(x[-1], y[-1])]
    lines.add_diagonal(figure, both, "diagonal")
    chance = f"white is chance, {scores.attrs['chance']:.3g}; " if "chance" in scores.attrs else ""
    name = title or str(scores.attrs.get("long_name", "temporal generalization"))
    caption = chance + lines.caption(scores)
    if significant is not None:
        significance.add_outline(figure, x, y, significance.check(significant, scores).values)
        caption = f"{caption}; {significance.describe(significant, 'outlined')}"
    lines.head(figure, name, caption, height=520)
    figure.update_xaxes(title_text=x_title, constrain="domain")
    figure.update_yaxes(title_text=y_title, scaleanchor="x", constrain="domain")
    return figure


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
