"""Receptive and projective fields over time, as a row of maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

MOST_MAPS = 8
_MAP_PX = 150


@draws()
def field(array: xr.DataArray, *, times: Sequence[int] | None = None, title: str | None = None) -> go.Figure:
    """Draw the field of a unit at several times, side by side, on one colour scale.

    Parameters
    ----------
    array : DataArray, (time, y, x) or (stimulus, time, y, x)
        As `analyse.receptive_field`, `protocols.sensitivity`, or a state of `analyse.projective_field` or
        `protocols.influence` (`found["V2"]["influence"]`) returns it. Stimuli are averaged, as root mean square.
    times : sequence of int, optional
        By default all times at which the field is not empty, or eight of them.
    title : str, optional

    Returns
    -------
    Figure
        A map for each time; the unit is described in the subtitle.

    Raises
    ------
    ValueError
        If the array has other dimensions, or lacks a time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32)
    >>> figure = cs.plot.field(cs.analyse.receptive_field(graph, "IT", time=4))
    >>> len(figure.data)
    3
    """
    over = lines.check_dims(array, ["time", "y", "x"], more=1, what="a field")
    maps = array.astype(float)
    if over:
        maps = (maps**2).mean([over[0]]) ** 0.5
    known = [int(time) for time in array["time"].values]
    chosen = _spread(maps, known) if times is None else [int(time) for time in times]
    missing = [time for time in chosen if time not in known]
    if missing or not chosen:
        raise ValueError(f"times must be among {known[0]} to {known[-1]}, got {missing or chosen}")
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(chosen), subplot_titles=[f"t = {time}" for time in chosen], horizontal_spacing=0.01
    )
    exact = array.dtype == bool
    highest = 1.0 if exact else float(maps.max()) or 1.0
    units = "" if array.attrs.get("units") == "1" else str(array.attrs.get("units", ""))
    for column, time in enumerate(chosen, 1):
        figure.add_heatmap(
            z=theme.for_json(maps.sel(time=time).values),
            zmin=0,
            zmax=highest,
            colorscale=theme.SEQUENTIAL,
            showscale=not exact and column == len(chosen),
            colorbar={"title": {"text": units}, "thickness": 10},
            hovertemplate=f"t = {time}, y %{{y}}, x %{{x}}: %{{z:.3g}}<extra></extra>",
            row=1,
            col=column,
        )
    about, name = array.attrs, str(array.attrs.get("long_name", "field"))
    words = "unit of {state} at y = {y}, x = {x} and t = {at}".format(**about) if "state" in about else ""
    if over:
        words += f"; root mean square over {array.sizes[over[0]]} {'stimuli' if over[0] == 'stimulus' else over[0]}"
    lines.head(figure, title or name, words, height=_MAP_PX + 170)
    # room for the times between the subtitle and the maps
    figure.update_layout(margin_t=figure.layout.margin.t + 26)
    figure.update_annotations(font_size=theme.TITLE_PX)
    bare = {"showticklabels": False, "ticks": "", "showline": False, "constrain": "domain"}
    height, width = maps.sizes["y"], maps.sizes["x"]
    figure.update_xaxes(range=[-0.5, width - 0.5], **bare)
    figure.update_yaxes(range=[height - 0.5, -0.5], **bare)
    for column in range(1, len(chosen) + 1):
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    return figure


def _spread(maps: xr.DataArray, known: list[int]) -> list[int]:
    """Return the times at which something is in the field, or some of them at equal distances."""
    filled = [time for time in known if bool((maps.sel(time=time) > 0).any())] or known
    places = np.linspace(0, len(filled) - 1, min(MOST_MAPS, len(filled))).round().astype(int)
    return [filled[place] for place in places]
