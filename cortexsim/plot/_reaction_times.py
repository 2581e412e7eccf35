"""Reaction times: the fractions of stimuli with correct and with wrong decisions up to each time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import label
from cortexsim.plot.gate import draws

HEADLINE = "headline"
# outcome: the value of `correct`, and the index of its colour
OUTCOMES = {"right": (1, 2), "wrong": (0, 0)}

SIDE_BY_SIDE = ("version", "model", "seed")


@draws("reaction_time")
def reaction_times(
    decided: xr.Dataset, *, milliseconds: Milliseconds | None = None, title: str | None = None
) -> go.Figure:
    """Draw the fraction of stimuli that are decided by each time, with separate lines for right and wrong decisions.

    Parameters
    ----------
    decided : Dataset, (stimulus,) or (stimulus, version)
        As `analyse.reaction_time` returns it, or several joined along `version`, `model` or `seed`.
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        A plot for each version, with two lines: fractions of all stimuli. If their sum stays below 1, the remaining
        stimuli were never decided. Above each plot, the mean time in steps of the right and of the wrong decisions,
        and their numbers.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the Dataset lacks a variable, or has other dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.reaction_times(cs.analyse.reaction_time(recording["readout"], threshold=0.9))
    >>> figure.layout.xaxis.title.text
    'time (steps)'
    """
    parts = _parts(decided)
    x, axis, _ = lines.time_axis(decided["confidence"], milliseconds)
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(parts), shared_yaxes=True, horizontal_spacing=0.03
    )
    for column, (name, _) in enumerate(parts, start=1):
        for outcome, (value, colour) in OUTCOMES.items():
            figure.add_scatter(
                x=x,
                mode="lines",
                line={"color": theme.COLOURS[colour], "width": 2, "dash": "solid" if value else "dot", "shape": "hv"},
                hoverinfo="text",
                name=f"decided {outcome}",
                legendgroup=outcome,
                showlegend=column == 1,
                meta={"version": name, "outcome": outcome},
                row=1,
                col=column,
            )
        # not an annotation, because a change of one makes a browser lay out the whole figure again
        figure.add_scatter(
            x=[(x[0] + x[-1]) / 2],
            # above the plot; a point beyond its range would be hidden with its text
            y=[1.03],
            mode="text",
            textposition="top center",
            textfont={"size": 12, "color": theme.INK},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
            name=HEADLINE,
            meta={"version": name},
            row=1,
            col=column,
        )
        # few labels, because a browser redraws them whenever the lines change
        beyond = (x[-1] - x[0]) / 20
        figure.update_xaxes(title_text=axis, nticks=5, range=[x[0] - beyond, x[-1] + beyond], row=1, col=column)
    figure.update_yaxes(range=[-0.03, 1.03], **theme.PERCENT)
    figure.update_yaxes(title_text="decided by then", row=1, col=1)
    lines.head(figure, title or "times of the decisions", _subtitle(decided), height=340)
    # the headlines of the plots are between title and plot
    figure.update_layout(margin={"t": figure.layout.margin.t + 54})
    show_decisions(figure, decided)
    return figure


def show_decisions(figure: go.Figure, decided: xr.Dataset) -> None:
    """Update a figure of `reaction_times` to another threshold.

    Parameters
    ----------
    figure : Figure
    decided : Dataset
        As for `reaction_times`, with the same versions and times.

    Raises
    ------
    ValueError
        If the Dataset lacks a variable, or has other dimensions.
    """
    parts = dict(_parts(decided))
    n, _, moments = decided.sizes["stimulus"], *lines.time_axis(decided["confidence"], None)[1:]
    for trace in figure.data:
        one = parts[trace.meta["version"]]
        if trace.name == HEADLINE:
            trace.text = [_headline(trace.meta["version"], one)]
            continue
        outcome = trace.meta["outcome"]
        share = (_times_of(one, outcome)[:, None] <= decided["time"].values).sum(0) / n
        trace.y = share
        trace.hovertext = [f"{m}: {percent(v)} decided {outcome}" for m, v in zip(moments, share, strict=True)]
    figure.layout.title.subtitle.text = theme.wrapped(_subtitle(decided))


def _parts(decided: xr.Dataset) -> list[tuple[str, xr.Dataset]]:
    lacking = sorted({"reaction_time", "correct", "confidence"} - set(map(str, decided.variables)))
    if lacking:
        raise ValueError(f"reaction times need {lacking}, got {sorted(map(str, decided.variables))}")
    others = lines.check_dims(decided["reaction_time"], ["stimulus"], more=1, what="a figure of reaction times")
    if others not in ([], *([dim] for dim in SIDE_BY_SIDE)):
        raise ValueError(
            f"reaction times need the dimensions (stimulus, one of {SIDE_BY_SIDE}), got ({', '.join(map(str, others))})"
        )
    decided = decided[["reaction_time", "correct"]]
    if not others:
        return [("", decided)]
    times = decided["reaction_time"]
    dim = str(others[0])
    return [(label(times, dim, k), decided.isel({dim: k})) for k in range(decided.sizes[dim])]


def _times_of(one: xr.Dataset, outcome: str) -> np.ndarray:
    """Return the times of the decisions with an outcome."""
    return one["reaction_time"].values[one["correct"].values == OUTCOMES[outcome][0]]


def _headline(name: str, one: xr.Dataset) -> str:
    """Return the mean times of right and of wrong decisions, with their numbers."""
    texts = []
    for outcome in OUTCOMES:
        times = _times_of(one, outcome)
        texts.append(f"{outcome} {np.mean(times):.1f} ({len(times)})" if len(times) else f"{outcome} – (0)")
    # side by side they would overlap on a narrow page
    return "<br>".join(filter(None, [f"<b>{name}</b>" if name else "", *texts]))


def _subtitle(decided: xr.Dataset) -> str:
    attrs = decided.attrs
    criterion = f"confidence of at least {attrs['threshold']:g} by {attrs['by']}; " if "threshold" in attrs else ""
    return (
        f"{criterion}of {decided.sizes['stimulus']} stimuli; the rest to 100 % was never decided; above each plot: "
        "mean time (number of decisions)"
    )
