"""Films of a map readout: the tag spreads over the lines of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim.analyse.node import Node
from cortexsim.analyse.target_maps import maps_of
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

# on black, so that it looks the same on paper, dark pages and projectors; luminances differ, not only hues
FIELD, LINE, TAG, CUE = (0, 0, 0), (105, 105, 105), (255, 190, 40), (255, 255, 255)
N_STILLS, MOST_STILLS = 6, 50
SIDE_PX = 190


@draws(first_too=False)
def film_strip(
    recording: Node, data: xr.Dataset, *, stimulus: int = 0, times: Sequence[int] | None = None, title: str = ""
) -> go.Figure:
    """Draw the tag on one picture at several times, side by side.

    Parameters
    ----------
    recording : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class, y, x) of two classes.
    data : Dataset
        The stimuli that were shown, with target maps.
    stimulus : int
        Position of the stimulus, counted from 0.
    times : sequence of int, optional
        By default six, from the first readout to the time at which the tag is complete.
    title : str

    Returns
    -------
    Figure
        Lines are grey, pixels read out as part of the cue's curve are yellow, and the cue is white.

    Raises
    ------
    ValueError
        If the readout is not a map of the stimuli, a time was not recorded, or the stimulus does not exist.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> figure = cs.plot.film_strip(recording, paths, times=[0, 5, 10])
    >>> len(figure.data)
    3
    """
    pictures, known, words = _pictures(recording, data, stimulus)
    chosen = _spread(pictures, known) if times is None else [int(time) for time in times]
    if not 0 < len(chosen) <= MOST_STILLS:
        raise ValueError(f"times must be 1 to {MOST_STILLS} times to draw side by side, got {len(chosen):,}")
    missing = [time for time in chosen if time not in known]
    if missing:
        raise ValueError(f"time {missing[0]} was not recorded; recorded are {known[0]} to {known[-1]}")
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(chosen), subplot_titles=[f"t = {time}" for time in chosen], horizontal_spacing=0.01
    )
    for column, time in enumerate(chosen, 1):
        figure.add_image(z=pictures[known.index(time)], row=1, col=column, hoverinfo="skip")
    lines.head(figure, title or "the tag spreads from the dot", words, height=SIDE_PX + 120)
    _bare(figure)
    figure.update_annotations(font_size=theme.TITLE_PX)
    # the times are written between the subtitle and the pictures
    figure.update_layout(width=SIDE_PX * len(chosen) + 20, margin_t=figure.layout.margin.t + 24)
    return figure


@draws(first_too=False)
def film(recording: Node, data: xr.Dataset, *, stimulus: int = 0, every: int = 1, title: str = "") -> go.Figure:
    """Draw the tag on one picture over time, as a film that `plot.save` also writes as .gif or .webp.

    Parameters
    ----------
    recording, data, stimulus, title
        As for `film_strip`.
    every : int
        Steps between two pictures of the film.

    Returns
    -------
    Figure
        A frame for each time; the play button is below.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> figure = cs.plot.film(recording, paths, stimulus=1, every=5)
    >>> len(figure.frames)
    5
    """
    pictures, known, words = _pictures(recording, data, stimulus)
    shown = list(range(0, len(known), whole(every, "every", 1)))
    frames = [
        go.Frame(
            name=str(known[k]), data=[go.Image(z=pictures[k])], layout={"xaxis": {"title": {"text": f"t = {known[k]}"}}}
        )
        for k in shown
    ]
    figure = go.Figure(layout={"template": theme.template()}, frames=frames)
    figure.add_image(z=frames[0].data[0].z, hoverinfo="skip")
    lines.head(figure, title or "the tag spreads from the dot", words, height=560)
    _bare(figure)
    figure.update_xaxes(title_text=frames[0].layout.xaxis.title.text)
    playing = {"fromcurrent": True, "frame": {"duration": 120, "redraw": True}, "transition": {"duration": 0}}
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0,
                "y": -0.12,
                "xanchor": "left",
                "yanchor": "top",
                "buttons": [
                    {"label": "play", "method": "animate", "args": [None, playing]},
                    {"label": "pause", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
        margin={"b": 90},
    )
    return figure


def _pictures(recording: Node, data: xr.Dataset, stimulus: int) -> tuple[list[np.ndarray], list[int], str]:
    """Draw the picture of each time with a readout, (y, x, RGB); return the pictures, the times and a caption."""
    maps = maps_of(recording, data)
    n = len(maps.target)
    if not -n <= stimulus < n:
        raise ValueError(f"there is no stimulus {stimulus}: the recording has {n}, counted from 0")
    one = maps.logits.isel(stimulus=stimulus)
    if one.sizes["class"] != 2:
        raise ValueError(f"a film of a tag needs a map of two classes, got {one.sizes['class']}")
    values = one.transpose("time", "class", "y", "x").values.astype(float)
    line = maps.line[stimulus]
    cue = maps.distance[stimulus] == 0
    painted, times = [], []
    for time, logits in zip(one["time"].values.tolist(), values, strict=True):
        if not np.isfinite(logits).all():
            continue
        share = 1 / (1 + np.exp(np.clip(logits[0] - logits[1], -50, 50)))[..., None]
        picture = np.where(line[..., None], (1 - share) * LINE + share * TAG, FIELD)
        picture[cue] = CUE
        painted.append(picture.round().astype(np.uint8))
        times.append(int(time))
    if not painted:
        raise ValueError(f"there is nothing to draw: the readout of stimulus {stimulus} is empty at all times")
    return painted, times, _words(maps.data, stimulus)


def _spread(pictures: Sequence[np.ndarray], times: Sequence[int]) -> list[int]:
    """Choose times from the first to the last at which the readout still changes noticeably."""
    after = [np.abs(picture.astype(int) - pictures[-1].astype(int)).max((1, 2)).max() for picture in pictures]
    settled = next((k for k in range(len(after)) if max(after[k:]) < 64), len(after) - 1)
    last = max(settled, min(N_STILLS, len(times)) - 1)
    return [times[k] for k in np.unique(np.linspace(0, last, N_STILLS).round().astype(int))]


def _words(data: xr.Dataset, stimulus: int) -> str:
    length = f"{int(data['length'].values[stimulus])} px long; " if "length" in data.coords else ""
    return f"{length}grey: lines; yellow: read out as connected to the dot; white: the dot"


def _bare(figure: go.Figure) -> None:
    figure.update_xaxes(showticklabels=False, ticks="", showline=False, constrain="domain")
    figure.update_yaxes(showticklabels=False, ticks="", showline=False, constrain="domain")
