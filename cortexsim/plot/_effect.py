"""What an intervention changes: each state at each time, and the decision."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import label

DECISION = {"accuracy_difference": "change of accuracy", "changed": "decisions that changed"}


def effect(change: xr.Dataset, *, milliseconds: Milliseconds | None = None, title: str | None = None) -> go.Figure:
    """Draw what an intervention changes, where and when.

    Parameters
    ----------
    change : Dataset
        As `analyse.effect` gives it: `distance` (state, time), `accuracy_difference` and `changed`
        (time,); each may have a dimension `version` too (acute, recalibrated, mean-replaced).
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Above, a map of state and time, a column for each version, with one colour scale; below, the decision. Empty
        states are blank.

    Raises
    ------
    TypeError
        If `milliseconds` is something else.
    ValueError
        If the Dataset has no `distance`, or other dimensions.
    """
    if "distance" not in change:
        raise ValueError(f"an effect needs the variable 'distance', got {sorted(map(str, change))}")
    maps = change["distance"]
    others = lines.check_dims(maps, ["state", "time"], more=1, what="an effect")
    if others not in ([], ["version"]):
        raise ValueError(f"an effect has the dimensions (version, state, time), got {maps.dims}")
    x, axis, moments = lines.time_axis(maps, milliseconds)
    versions = [None] if not others else list(range(maps.sizes["version"]))
    decided = [name for name in DECISION if name in change]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        2 if decided else 1,
        len(versions),
        subplot_titles=[label(maps, "version", k) for k in versions if k is not None] or None,
        row_heights=[0.58, 0.42] if decided else None,
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=0.08,
        horizontal_spacing=0.04,
    )
    known = maps.values[np.isfinite(maps.values)]
    signed = bool((known < 0).any())
    reach = float(np.abs(known).max(initial=0)) or 1.0
    figure.update_layout(
        coloraxis={
            "colorscale": theme.DIVERGING if signed else theme.SEQUENTIAL,
            "cmin": -reach if signed else 0,
            "cmax": reach,
            "colorbar": {
                # plotly breaks no title, and a bar as high as the map has no room for a long one
                "title": {"text": lines.wrapped(lines.value_title(maps), 28), "side": "right"},
                "len": 0.55,
                "y": 1,
                "yanchor": "top",
                "outlinewidth": 0,
                "thickness": 12,
            },
        }
    )
    for column, version in enumerate(versions, start=1):
        at = {} if version is None else {"version": version}
        one = maps.isel(at).transpose("state", "time")
        states = [str(name) for name in one["state"].values]
        figure.add_heatmap(
            x=x,
            y=states,
            z=theme.for_json(one.values),
            coloraxis="coloraxis",
            hoverongaps=False,
            hovertext=[
                [f"{state}, {moment}: {value:.3g}" for moment, value in zip(moments, row, strict=True)]
                for state, row in zip(states, one.values, strict=True)
            ],
            hoverinfo="text",
            name="distance" if version is None else label(maps, "version", version),
            row=1,
            col=column,
        )
        for place, name in enumerate(decided):
            line, whole = change[name].isel(at), change[name]
            found = lines.ends(whole, change)
            lines.add_line(
                figure,
                x,
                line.values,
                name=DECISION[name],
                line={**lines.style(place), "width": 2},
                interval=None if found is None else (found[0].isel(at).values, found[1].isel(at).values),
                hover=[f"{DECISION[name]}, {t}: {v:.3g}" for t, v in zip(moments, line.values, strict=True)],
                legend=column == 1,
                cell={"row": 2, "col": column},
                group=name,
            )
        if decided:
            lines.add_level(figure, x, 0.0, "", {"row": 2, "col": column})
            figure.update_xaxes(title_text=axis, row=2, col=column)
        else:
            figure.update_xaxes(title_text=axis, row=1, col=column)
    figure.update_yaxes(autorange="reversed", row=1)
    if decided:
        figure.update_yaxes(title_text="the decision", tickformat=".0%", row=2, col=1)
    lines.head(
        figure, title or "what the intervention changes", lines.caption(maps, *(change[d] for d in decided)), height=460
    )
    figure.update_layout(legend={"orientation": "v", "y": 0, "yanchor": "bottom", "x": 1.02})
    if others:
        figure.update_layout(margin={"t": figure.layout.margin.t + 22})
    return figure
