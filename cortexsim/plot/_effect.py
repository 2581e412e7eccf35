"""The effect of an intervention: on each state at each time, and on the decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import label
from cortexsim.plot.gate import draws

REACHES = (1.0, 2.0, 5.0, 10.0)
DECISION = {"accuracy_difference": "change of accuracy", "changed": "decisions that changed"}


@draws()
def effect(change: xr.Dataset, *, milliseconds: Milliseconds | None = None, title: str | None = None) -> go.Figure:
    """Draw the effect of an intervention on each state at each time, and on the decision.

    Parameters
    ----------
    change : Dataset
        As `analyse.effect` returns it: `distance` (state, time), `accuracy_difference` and `changed` (time,); each may
        also have a dimension `version` (acute, recalibrated, mean-replaced).
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Above, a map of state and time for each version, with a common colour scale; below, the decision. Empty
        states are blank.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the Dataset has no `distance`, or other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> intact = cs.simulate(model, curves, cs.sustained(), until=8)
    >>> cut = cs.simulate(model, curves, cs.sustained(), until=8, silence={"lateral": range(4, 9)})
    >>> figure = cs.plot.effect(cs.analyse.effect(cut, intact))
    >>> figure.data[0].type
    'heatmap'
    """
    if "distance" not in change:
        raise ValueError(f"an effect needs the variable 'distance', got {sorted(map(str, change))}")
    maps = change["distance"]
    more = lines.check_dims(maps, ["state", "time"], more=1, what="an effect")
    if more not in ([], ["version"]):
        raise ValueError(f"an effect needs the dimensions (version, state, time), got {maps.dims}")
    versions = list(range(maps.sizes["version"])) if more else [None]
    decisions = [name for name in DECISION if name in change]
    x, axis, moments = lines.time_axis(maps, milliseconds)
    figure = go.Figure(layout={"template": theme.template(), "coloraxis": _colour_axis(maps)}).set_subplots(
        2 if decisions else 1,
        len(versions),
        subplot_titles=[label(maps, "version", version) for version in versions if version is not None] or None,
        row_heights=[0.58, 0.42] if decisions else None,
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=0.08,
        horizontal_spacing=0.04,
    )
    for column, version in enumerate(versions, start=1):
        at = {} if version is None else {"version": version}
        name = "distance" if version is None else label(maps, "version", version)
        _add_map(figure, x, maps.isel(at), moments, name, column)
        _add_decisions(figure, x, change, decisions, at, moments, column)
        figure.update_xaxes(title_text=axis, row=2 if decisions else 1, col=column)
    figure.update_yaxes(autorange="reversed", row=1)
    if decisions:
        figure.update_yaxes(title_text="of the images", **theme.PERCENT, row=2, col=1)
    subtitle = lines.caption(maps, *(change[name] for name in decisions))
    lines.head(figure, title or "effect of the intervention", subtitle, height=460)
    figure.update_layout(legend={"orientation": "v", "y": 0, "yanchor": "bottom", "x": 1.02})
    if more:
        figure.update_layout(margin={"t": figure.layout.margin.t + 22})
    return figure


def _colour_axis(maps: xr.DataArray) -> dict[str, Any]:
    """Return one colour axis for all maps: diverging around 0 if a value is negative.

    It ends at 1, a change as large as the activity itself, or at 2, 5 or 10 where a value is larger: the colours of
    several effects can be compared.
    """
    known = maps.values[np.isfinite(maps.values)]
    signed = bool((known < 0).any())
    largest = float(np.abs(known).max(initial=0))
    reach = next((end for end in REACHES if largest <= end), largest)
    return {
        "colorscale": theme.DIVERGING if signed else theme.SEQUENTIAL,
        "cmin": -reach if signed else 0,
        "cmax": reach,
        "colorbar": {
            # plotly does not break titles, and a colour bar as high as the map has no room for a long one
            "title": {"text": theme.wrapped(lines.value_title(maps), 28), "side": "right"},
            "len": 0.55,
            "y": 1,
            "yanchor": "top",
            "outlinewidth": 0,
            "thickness": 12,
        },
    }


def _add_map(
    figure: go.Figure, x: np.ndarray, distance: xr.DataArray, moments: list[str], name: str, column: int
) -> None:
    distance = distance.transpose("state", "time")
    states = [str(state) for state in distance["state"].values]
    figure.add_heatmap(
        x=x,
        y=states,
        z=theme.for_json(distance.values),
        coloraxis="coloraxis",
        hoverongaps=False,
        hovertext=[
            [f"{state}, {moment}: {value:.3g}" for moment, value in zip(moments, row, strict=True)]
            for state, row in zip(states, distance.values, strict=True)
        ],
        hoverinfo="text",
        name=name,
        row=1,
        col=column,
    )


def _add_decisions(
    figure: go.Figure,
    x: np.ndarray,
    change: xr.Dataset,
    decisions: list[str],
    at: dict[str, int],
    moments: list[str],
    column: int,
) -> None:
    cell = {"row": 2, "col": column}
    for index, name in enumerate(decisions):
        values = change[name].isel(at).values
        ends = lines.ends(change[name], change)
        lines.add_line(
            figure,
            x,
            values,
            name=DECISION[name],
            line={**lines.style(index), "width": 2},
            interval=None if ends is None else [end.isel(at).values for end in ends],
            hover=[f"{DECISION[name]}, {t}: {value:.3g}" for t, value in zip(moments, values, strict=True)],
            legend=column == 1,
            cell=cell,
            group=name,
        )
    if decisions:
        lines.add_level(figure, x, 0.0, "", cell)
