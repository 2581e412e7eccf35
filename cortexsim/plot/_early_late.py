"""The cost of an intervention for stimuli that are decided at arrival, later, and never."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.analyse.runs import RUNS
from cortexsim.plot import facets, lines, theme
from cortexsim.plot._time_course import label
from cortexsim.plot.gate import draws

APART = 0.16
WHAT = "a figure of early and late decisions"


@draws("accuracy")
def early_late(change: xr.Dataset, *, title: str | None = None) -> go.Figure:
    """Draw the accuracy of each group of stimuli, with an intervention and without.

    Parameters
    ----------
    change : Dataset, (decision,) or (decision, version)
        As `analyse.early_late` returns it, or several joined along `version`. With `model` or `seed`, up to eight are
        drawn side by side.
    title : str, optional

    Returns
    -------
    Figure
        Points with their intervals, one colour for the intact model and one for each version, side by side for each
        group of stimuli; below, the number of stimuli in the group.

    Raises
    ------
    ValueError
        If the Dataset lacks a variable, or has other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> intact = cs.simulate(model, curves, cs.sustained(), until=8)
    >>> cut = cs.simulate(model, curves, cs.sustained(), until=8, silence={"lateral": range(4, 9)})
    >>> change = cs.analyse.early_late(cut["readout"], intact["readout"], threshold=0.9)
    >>> figure = cs.plot.early_late(change)
    >>> len(figure.data) > 0
    True
    """
    runs = _runs(change)
    shown = {name: _shown(one) for name, one in runs.items()}
    groups = change.sizes["decision"]
    figure, cells = facets.grid(list(runs))
    for cell, versions in zip(cells, shown.values(), strict=True):
        for index, name in enumerate(versions):
            figure.add_scatter(
                x=[k + APART * (index - (len(versions) - 1) / 2) for k in range(groups)],
                mode="markers",
                marker={"size": 10, "color": lines.style(index)["color"]},
                hoverinfo="text",
                name=name,
                legendgroup=name,
                showlegend=cell is cells[0],
                **cell,
            )
        for left, right in pairwise(range(groups)):
            figure.add_vline(x=(left + right) / 2, line={"color": theme.FAINT, "width": 1}, **cell)
    subtitle = lines.caption(change["accuracy"]).replace("a group", "each group")
    # models that were read at different times have no time in common
    when = f" at t = {change.attrs['at']}" if "at" in change.attrs else ""
    heading = title or f"accuracy{when}, by when the intact model decides"
    lines.head(figure, heading, subtitle, height=facets.height(330, cells))
    facets.make_room(figure, cells)
    figure.update_xaxes(tickvals=list(range(groups)), range=[-0.5, groups - 0.5])
    figure.update_xaxes(title_text=theme.axis_title(change["accuracy"], "decision"), **cells[0])
    figure.update_yaxes(range=[-0.03, 1.03], **theme.PERCENT)
    figure.update_yaxes(title_text="accuracy", **cells[0])
    show_groups(figure, change)
    return figure


def show_groups(figure: go.Figure, change: xr.Dataset) -> None:
    """Update a figure of `early_late` to another threshold.

    Parameters
    ----------
    figure : Figure
    change : Dataset
        As for `early_late`, with the same versions.

    Raises
    ------
    ValueError
        If the Dataset lacks a variable, or has other dimensions.
    """
    traces = iter(figure.data)
    for place, one in enumerate(_runs(change).values()):
        counts = (one["n"].isel(version=0) if "version" in one["n"].dims else one["n"]).values
        decisions = one["decision"].values
        for y, low, high in _shown(one).values():
            trace = next(traces)
            trace.y = theme.for_json(y)
            trace.error_y = lines.error_bars(y, low, high, thickness=1.5)
            trace.hovertext = [
                f"{trace.name}, decided {group}: {percent(v, 1)} ({percent(a, 1)} to {percent(b, 1)}) of {count}"
                for group, v, a, b, count in zip(decisions, y, low, high, counts, strict=True)
            ]
        figure.layout[f"xaxis{facets.axis_number(place)}"].ticktext = [
            f"{group}<br>{n} {'stimulus' if n == 1 else 'stimuli'}"
            for group, n in zip(decisions, counts.astype(int), strict=True)
        ]


def _runs(change: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return each model or seed by its name; a single one has the name ""."""
    _check(change)
    places = facets.places_of(change["accuracy"], what=WHAT)
    return {name: change.isel(place, drop=True) for name, place in places.items()}


def _check(change: xr.Dataset) -> None:
    lacking = sorted({"accuracy", "accuracy_intact", "n"} - set(map(str, change.variables)))
    if lacking:
        raise ValueError(f"early and late decisions need {lacking}, got {sorted(map(str, change.variables))}")
    several = [dim for dim in RUNS if dim in change["accuracy"].dims]
    others = lines.check_dims(change["accuracy"], ["decision", *several], more=1, what=WHAT)
    if others not in ([], ["version"]):
        raise ValueError(
            f"early and late decisions need the dimensions (decision, version), model or seed, got {tuple(others)}"
        )


def _shown(change: xr.Dataset) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return accuracy and the ends of its interval, for the intact model and each version."""
    if "version" not in change["accuracy"].dims:
        change = change.expand_dims(version=["with the intervention"])
    names = ("accuracy_intact", "accuracy")
    arrays = {
        name: [change[name + end].transpose("version", "decision").values for end in ("", "_low", "_high")]
        for name in names
    }
    # the intact model is the same for every version
    whole = {"intact": tuple(values[0] for values in arrays["accuracy_intact"])}
    return whole | {
        label(change["accuracy"], "version", k): tuple(values[k] for values in arrays["accuracy"])
        for k in range(change.sizes["version"])
    }
