"""Maps of a model's agreement with a brain, over model time and brain time."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme

STRIP = 0.06
"""Width of a column of one value for each brain time, as a part of the figure's width."""
LEAST_REACH = 0.1
"""Colours reach at least this far, so that noise does not look like an effect."""
FADED = 0.25


def maps(similarity: xr.DataArray, models: list[str], milliseconds: Milliseconds | None) -> go.Figure:
    """Draw a map for each model and state, next to strips of the pixels and the noise ceiling.

    Parameters
    ----------
    similarity : DataArray, (model, state, time, brain_time)
        With the coordinate `pixels`. Where it has `low` and `high`, cells whose interval includes 0 are faded. Where it
        has `ceiling_high`, the colours reach to the highest noise ceiling.
    models : list of str
        Their names, one for each row.
    milliseconds : Milliseconds, optional

    Returns
    -------
    Figure
    """
    x, axis, moments = lines.time_axis(similarity, milliseconds)
    states = [str(name) for name in similarity["state"].values]
    strips = _strips(similarity)
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        len(models),
        len(strips) + len(states),
        column_widths=[STRIP] * len(strips) + [(1 - STRIP * len(strips)) / len(states)] * len(states),
        subplot_titles=[
            name
            for row, model in enumerate(models)
            for name in (*("" if row else strip for strip in strips), *(f"{state}, {model}" for state in states))
        ],
        shared_xaxes=False,
        horizontal_spacing=0.03,
        vertical_spacing=0.16,
    )
    reach = _reach(similarity)
    bar = {"title": {"text": lines.value_title(similarity), "side": "right"}, "outlinewidth": 0, "thickness": 12}
    figure.update_layout(coloraxis={"colorscale": theme.DIVERGING, "cmin": -reach, "cmax": reach, "colorbar": bar})
    for row, model in enumerate(models, start=1):
        # next to the maps of each model, so that all have one axis of brain time
        for column, (name, strip) in enumerate(strips.items(), start=1):
            _add_map(figure, [""], strip, name, [name], {"row": row, "col": column})
        for column, state in enumerate(states, start=len(strips) + 1):
            one = similarity.sel(model=model, state=state).transpose("brain_time", "time")
            titles = [f"{model} {state}, {moment}" for moment in moments]
            _add_map(figure, x, one, f"{state}, {model}", titles, {"row": row, "col": column})
            figure.update_xaxes(title_text=f"model {axis}" if row == len(models) else "", row=row, col=column)
        for column in range(2, len(strips) + len(states) + 1):
            figure.update_yaxes(showticklabels=False, row=row, col=column)
    figure.update_yaxes(title_text=theme.axis_title(similarity, "brain_time"), col=1)
    return figure.update_annotations(font={"size": theme.TEXT_PX})


def note(similarity: xr.DataArray) -> str:
    """Say which cells are faded; "" if there is no interval."""
    if lines.ends(similarity) is None:
        return ""
    return "faded: the interval includes 0 (in noise alone, about 1 cell in 20 is not faded)"


def _strips(similarity: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return a column of cells (brain_time, column) for the pixels, and one for the middle of the noise ceiling."""

    def column(name: str) -> xr.DataArray:
        return similarity[name].reset_coords(drop=True).expand_dims(column=1).transpose("brain_time", "column")

    def with_ends(values: xr.DataArray, low: str, high: str) -> xr.DataArray:
        return values.assign_coords(low=column(low), high=column(high))

    known, found = similarity.coords, {"pixels": column("pixels")}
    if "pixels_low" in known:
        found["pixels"] = with_ends(found["pixels"], "pixels_low", "pixels_high")
    if "ceiling_low" in known:
        middle = (column("ceiling_low") + column("ceiling_high")) / 2
        found["ceiling"] = with_ends(middle, "ceiling_low", "ceiling_high")
    return found


def _reach(similarity: xr.DataArray) -> float:
    """Return the end of the colour scale: the highest noise ceiling, or the largest value where there is none."""
    drawn = (
        [similarity, similarity["pixels"]] if "ceiling_high" not in similarity.coords else [similarity["ceiling_high"]]
    )
    known = np.concatenate([np.abs(one.values).ravel() for one in drawn])
    return float(known[np.isfinite(known)].max(initial=LEAST_REACH))


def _add_map(
    figure: go.Figure, x: Any, values: xr.DataArray, name: str, titles: list[str], cell: dict[str, int]
) -> None:
    """Add a map (brain_time, x), and a faded one of the cells whose interval includes 0."""
    interval = lines.ends(values)
    faded = np.zeros(values.shape, bool) if interval is None else (interval[0] <= 0).values & (interval[1] >= 0).values
    hover = _hover(values, titles, interval)
    for where, opacity, called in ((~faded, 1.0, name), (faded, FADED, f"{name}, faded")):
        if opacity < 1 and not faded.any():
            continue
        figure.add_heatmap(
            x=x,
            y=values["brain_time"].values,
            z=theme.for_json(np.where(where, values.values, np.nan)),
            coloraxis="coloraxis",
            opacity=opacity,
            hovertext=hover,
            hoverinfo="text",
            hoverongaps=False,
            name=called,
            **cell,
        )


def _hover(
    values: xr.DataArray, titles: list[str], interval: tuple[xr.DataArray, xr.DataArray] | None
) -> list[list[str]]:
    """Return the hover text for each cell of a map."""
    texts = [
        [f"{title}, brain {time:g}: {value:.3g}" for title, value in zip(titles, row, strict=True)]
        for time, row in zip(values["brain_time"].values, values.values, strict=True)
    ]
    if interval is None:
        return texts
    low, high = (end.values for end in interval)
    return [
        [f"{text} ({low[i, k]:.3g} to {high[i, k]:.3g})" for k, text in enumerate(row)] for i, row in enumerate(texts)
    ]
