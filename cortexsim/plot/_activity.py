"""The activity of every state at one time, as maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot.gate import draws
from cortexsim.recording import trial
from cortexsim.recording.description import settings

_COLUMNS = 6
_ROW_PX = 170


@draws()
def activity(
    recording: xr.DataTree,
    *,
    stimulus: int,
    time: int,
    states: Sequence[str] | None = None,
    channel: int | None = None,
    one_scale: bool = True,
) -> go.Figure:
    """Draw the activity of every state at one time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    stimulus : int
        A value of the `stimulus` coordinate.
    time : int
        A time of the recording.
    states : sequence of str, optional
        By default all recorded states.
    channel : int, optional
        One channel with its sign; by default the mean of the absolute activation over the channels.
    one_scale : bool
        Let the colour scale of a state span all times of the stimulus, so that maps of different times can be
        compared. Otherwise it spans only this time, so that weak activity is visible.

    Returns
    -------
    Figure
        A map for each state, each with a separate colour scale. An empty state is hatched, and labelled "empty".

    Raises
    ------
    ValueError
        If the recording lacks the stimulus, the time, a state or the channel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.activity(recording, stimulus=0, time=4)
    >>> len(figure.data)
    8
    """
    names = trial.states(recording) if states is None else list(states)
    if not names:
        raise ValueError("there is nothing to draw: the recording contains no state, only the readout")
    maps = {name: activity_maps(recording, name, stimulus=stimulus, channel=channel) for name in names}
    n_columns = min(len(names), _COLUMNS)
    n_rows = -(-len(names) // n_columns)
    between_px, top_px, bottom_px = 60, 56, 40
    height_px = _ROW_PX * n_rows + between_px * (n_rows - 1)
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        n_rows, n_columns, horizontal_spacing=0.15 / n_columns, vertical_spacing=between_px / height_px
    )
    for index, name in enumerate(names):
        _add_map(figure, index, n_columns, maps[name])
    figure.update_layout(
        title_text=_title(recording, names[0], channel),
        height=height_px + top_px + bottom_px,
        margin={"t": top_px, "b": bottom_px},
    )
    show_time(figure, maps, time, one_scale=one_scale)
    return figure


def activity_maps(recording: xr.DataTree, state: str, *, stimulus: int, channel: int | None = None) -> xr.DataArray:
    """Reduce a state's activation to a map for each time.

    Returns
    -------
    DataArray, (time, y, x)
        The mean of the absolute activation over the channels, or one channel; NaN if the state is empty, with
        the coordinate `populated` (time) False.

    Raises
    ------
    ValueError
        If the recording lacks the state, the stimulus or the channel, or has no map of the state.
    """
    activation = trial.node(recording, state, stimulus)["activation"].astype(np.float32)
    if "y" not in activation.dims:
        raise ValueError(
            f"{state} was recorded without y and x (only {', '.join(map(str, activation.dims))}), so there is no map "
            f"to draw; simulate with record={{{state!r}: 'all'}}"
        )
    if channel is None:
        return abs(activation).mean("channel", skipna=False).rename(state)
    n_channels = activation.sizes["channel"]
    if not 0 <= channel < n_channels:
        raise ValueError(f"{state} has no channel {channel}: its channels are 0 to {n_channels - 1}")
    return activation.isel(channel=channel).rename(state)


def show_time(figure: go.Figure, maps: Mapping[str, xr.DataArray], time: int, *, one_scale: bool = True) -> None:
    """Move a figure of `activity` to another time of the same stimulus.

    Parameters
    ----------
    figure : Figure
        As `activity` returns it; changed in place.
    maps : mapping from state to DataArray, (time, y, x)
        As `activity_maps` returns them, in the figure's order.
    time : int
        A time of the recording.
    one_scale : bool
        As in `activity`.

    Raises
    ------
    ValueError
        If the recording lacks the time.
    """
    for index, (name, over_time) in enumerate(maps.items()):
        trial.check_time(over_time, time)
        shown = over_time.sel(time=time)
        populated = bool(shown["populated"])
        scale = _scale(over_time if one_scale or not populated else shown, signed=bool((over_time < 0).any()))
        heat_map, hatching = figure.data[2 * index : 2 * index + 2]
        heat_map.z = theme.for_json(shown.values)
        heat_map.zmin, heat_map.zmax = scale[0], scale[-1]
        heat_map.colorbar.tickvals = scale
        hatching.visible = not populated
        size = " × ".join(str(side) for side in shown.shape)
        axis = "xaxis" if index == 0 else f"xaxis{index + 1}"
        figure.layout[axis].title.text = f"<b>{name}</b>  {size if populated else 'empty'}"


def _scale(maps: xr.DataArray, *, signed: bool) -> list[float]:
    """Return the ends and the zero point of a colour scale."""
    sizes = np.abs(maps.values[np.isfinite(maps.values)])
    # a state without activity still needs a scale of nonzero length
    largest = float(sizes.max(initial=0)) or 1.0
    return [-largest, 0, largest] if signed else [0, largest]


def _title(recording: xr.DataTree, name: str, channel: int | None) -> str:
    word = "rate" if settings(recording)["quantity"] == "rate" else "activation"
    units = recording.children[name]["activation"].attrs["units"]
    # a rate is never negative
    mean = "mean rate" if word == "rate" else f"mean |{word}|"
    quantity = f"{mean} over channels" if channel is None else f"{word} of channel {channel}"
    return f"{quantity} ({units})"


def _add_map(figure: go.Figure, index: int, n_columns: int, maps: xr.DataArray) -> None:
    """Add the traces of a state: the map, and the hatching of an empty one."""
    row, column = divmod(index, n_columns)
    cell = {"row": row + 1, "col": column + 1}
    axis = "" if index == 0 else str(index + 1)
    across, up = figure.layout[f"xaxis{axis}"].domain, figure.layout[f"yaxis{axis}"].domain
    _, height, width = maps.shape
    figure.add_heatmap(
        colorscale=theme.DIVERGING if bool((maps < 0).any()) else theme.SEQUENTIAL,
        name=str(maps.name),
        hoverongaps=False,
        hovertemplate=f"{maps.name} y %{{y}}, x %{{x}}: %{{z:.3g}}<extra></extra>",
        colorbar={
            "orientation": "h",
            "x": sum(across) / 2,
            "xanchor": "center",
            "len": (across[1] - across[0]) * 0.7,
            "y": up[0],
            "yanchor": "top",
            "thickness": 8,
            "outlinewidth": 0,
            "tickformat": ".2g",
        },
        **cell,
    )
    # a heat map cannot be hatched, but a filled outline over it can
    figure.add_scatter(
        x=[-0.5, width - 0.5, width - 0.5, -0.5, -0.5],
        y=[-0.5, -0.5, height - 0.5, height - 0.5, -0.5],
        mode="lines",
        line={"color": theme.FAINT, "width": 1},
        fill="toself",
        fillpattern={
            "shape": "/",
            "size": 10,
            "solidity": 0.15,
            "fgcolor": theme.INK,
            "bgcolor": theme.CLEAR,
        },
        hoveron="fills",
        hoverinfo="text",
        text=f"{maps.name} is empty: no signal has reached it",
        name=f"{maps.name} empty",
        showlegend=False,
        **cell,
    )
    bare = {"showticklabels": False, "ticks": "", "showline": False, "constrain": "domain"}
    figure.update_xaxes(range=[-0.5, width - 0.5], side="top", title_standoff=4, **bare, **cell)
    # pixels of a map stay square; spare height is left below the map
    upright = {"scaleanchor": f"x{axis}", "constraintoward": "top"}
    figure.update_yaxes(range=[height - 0.5, -0.5], **upright, **bare, **cell)
