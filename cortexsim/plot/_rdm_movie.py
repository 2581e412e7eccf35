"""Film of dissimilarity matrices over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import facets, lines, theme
from cortexsim.plot.gate import draws

MOST_STIMULI = 300  # a browser needs a second for a map of 500 x 500, and there is one map for each time


@draws()
def rdm_movie(
    rdm: xr.DataArray, *, by: str | None = None, milliseconds: Milliseconds | None = None, title: str | None = None
) -> go.Figure:
    """Draw dissimilarity matrices over time, as a film with a slider.

    Parameters
    ----------
    rdm : DataArray, (time, stimulus, other_stimulus)
        As `analyse.rdm` returns it, with at most 300 stimuli. With `model` or `seed`, up to eight films run
        side by side.
    by : str, optional
        A coordinate of the stimuli, such as "label", to sort them by; lines separate the groups.
    milliseconds : Milliseconds, optional
        Labels the times in ms; the slider states the assumption.
    title : str, optional
        By default the array's `long_name`.

    Returns
    -------
    Figure
        A frame for each time, all with the same colour scale. If the state is empty at a time, the frame is blank and
        labelled "empty".

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions, is NaN everywhere, has too many stimuli, or lacks the coordinate.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.rdm_movie(cs.analyse.rdm(recording["IT"]))
    >>> len(figure.frames)
    9
    """
    runs = facets.runs_of(rdm, ["time", "stimulus", "other_stimulus"], what="a film of dissimilarities")
    n = rdm.sizes["stimulus"]
    if n > MOST_STIMULI:
        some = f"rdm.isel(stimulus=slice({MOST_STIMULI}), other_stimulus=slice({MOST_STIMULI}))"
        raise ValueError(f"a browser cannot play a film of {n} x {n} stimuli: draw up to {MOST_STIMULI}, as in {some}")
    known = rdm.values[np.isfinite(rdm.values)]
    if not known.size:
        raise ValueError("there is nothing to draw: the dissimilarities are NaN at all times")
    order, groups = _sorted(rdm, by)
    names = (
        [str(value) for value in rdm["stimulus"].values[order]] if "stimulus" in rdm.coords else list(map(str, order))
    )
    _, axis, moments = lines.time_axis(rdm, milliseconds)
    films = [
        one.transpose("time", "stimulus", "other_stimulus").values[:, order[:, None], order] for one in runs.values()
    ]
    frames = _frames(films, rdm["time"].values, moments)
    # the film begins at the first time that is not empty
    first = int(np.flatnonzero(np.isfinite(films).any((0, 2, 3)))[0])
    figure, cells = facets.grid(list(runs))
    figure.frames = frames
    scale = _scale(known, lines.value_title(rdm))
    for place, name in enumerate(runs):
        figure.add_heatmap(
            z=frames[first].data[place].z,
            **scale,
            customdata=[[f"{one} and {other}" for other in names] for one in names],
            hovertemplate=f"{name}{' ' * bool(name)}stimuli %{{customdata}}: %{{z:.3g}}<extra></extra>",
            showscale=place == 0,
            name=name or "rdm",
            **cells[place],
        )
        for edge in groups:
            figure.add_hline(y=edge - 0.5, line={"color": theme.INK, "width": 1}, name="group", **cells[place])
            figure.add_vline(x=edge - 0.5, line={"color": theme.INK, "width": 1}, name="group", **cells[place])
        figure.update_yaxes(scaleanchor=f"x{facets.axis_number(place)}", **cells[place])
    sorting = f"; sorted by {rdm[by].attrs.get('long_name', by)}" if by else ""
    subtitle = f"{n} stimuli{sorting}; one colour scale for all times{' and matrices' * (len(runs) > 1)}"
    heading = title or str(rdm.attrs.get("long_name", "dissimilarity"))
    lines.head(figure, heading, subtitle, height=facets.height(620, cells))
    facets.make_room(figure, cells)
    bare = {"showticklabels": False, "ticks": "", "constrain": "domain"}
    figure.update_xaxes(range=[-0.5, n - 0.5], **bare)
    figure.update_yaxes(range=[n - 0.5, -0.5], **bare)
    figure.update_xaxes(title_text=frames[first].layout.xaxis.title.text, **cells[0])
    figure.update_yaxes(title_text="stimulus", **cells[0])
    _add_controls(figure, [frame.name for frame in frames], first, axis, milliseconds)
    return figure


def _scale(known: np.ndarray, title: str) -> dict[str, Any]:
    """Return the colour scale of all matrices."""
    return {
        "colorscale": theme.SEQUENTIAL,
        "zmin": min(0.0, float(known.min())),
        "zmax": float(known.max()) or 1.0,
        "hoverongaps": False,
        "colorbar": {"title": {"text": title, "side": "right"}, "outlinewidth": 0, "thickness": 12},
    }


def _frames(films: list[np.ndarray], times: np.ndarray, moments: list[str]) -> list[go.Frame]:
    """Return a frame for each time, with a matrix of each film, (time, stimulus, other_stimulus)."""
    frames = []
    for index, moment in enumerate(moments):
        matrices = [film[index] for film in films]
        empty = not np.isfinite(matrices).any()
        frames.append(
            go.Frame(
                name=str(times[index]),
                data=[go.Heatmap(z=theme.for_json(z)) for z in matrices],
                traces=list(range(len(films))),
                layout={"xaxis": {"title": {"text": f"stimulus, {moment}" + " (empty: no signal yet)" * empty}}},
            )
        )
    return frames


def _sorted(rdm: xr.DataArray, by: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of the stimuli, and the first position of each group."""
    if by is None:
        return np.arange(rdm.sizes["stimulus"]), np.array([], dtype=int)
    if by not in rdm.coords or rdm[by].dims != ("stimulus",):
        there = sorted(str(name) for name, values in rdm.coords.items() if values.dims == ("stimulus",))
        raise ValueError(f"the stimuli have no coordinate {by!r} to sort by, only {there}")
    order = np.argsort(rdm[by].values, kind="stable")
    values = rdm[by].values[order]
    return order, np.flatnonzero(values[1:] != values[:-1]) + 1


def _add_controls(
    figure: go.Figure, names: list[str], first: int, axis: str, milliseconds: Milliseconds | None
) -> None:
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    playing = {"fromcurrent": True, "frame": {"duration": 500, "redraw": True}, "transition": {"duration": 0}}
    steps = [
        {
            "method": "animate",
            "label": name if milliseconds is None else f"{milliseconds.of(float(name)):g}",
            "args": [[name], still],
        }
        for name in names
    ]
    figure.update_layout(
        sliders=[
            {
                "active": first,
                "steps": steps,
                "currentvalue": {"prefix": f"{axis}: ", "font": {"color": theme.INK}},
                "bgcolor": theme.FAINT,
                "activebgcolor": theme.INK,
                "bordercolor": theme.FAINT,
                "tickcolor": theme.INK,
                "font": {"color": theme.INK},
                "x": 0.14,
                "len": 0.86,
                "pad": {"t": 44},
            }
        ],
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0,
                "y": 0,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 60},
                "bgcolor": theme.CLEAR,
                "bordercolor": theme.FAINT,
                "font": {"color": theme.INK},
                "showactive": False,
                "buttons": [
                    {"label": "play", "method": "animate", "args": [None, playing]},
                    {"label": "stop", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
    )
