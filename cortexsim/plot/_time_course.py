"""Time courses: a line for each state or condition, with its interval, chance level and noise ceiling."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import product

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, significance, theme
from cortexsim.plot.gate import draws


@draws(first_too=False)
def time_course(
    array: xr.DataArray,
    *,
    significant: xr.Dataset | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw a summary over time.

    Parameters
    ----------
    array : DataArray, (time,) or (time, one or two more)
        The result of an analysis: a line for each value of the other dimension, such as `state`. With two, the dash of
        a line shows the `seed`, else the `model`, else the last dimension. The coordinates `low`
        and `high`, and `ceiling_low` and `ceiling_high` (over time or one for all), and the attribute `chance` are
        drawn if they exist.
    significant : Dataset, optional
        As `analyse.significance` returns it, for the same times and lines; significant times have a bar under the
        curves.
    milliseconds : Milliseconds, optional
        Draws wall-clock time; the axis states the assumption.
    title : str, optional
        By default the array's `long_name`.

    Returns
    -------
    Figure
        NaN makes a gap. The subtitle describes the intervals and their number of stimuli.

    Raises
    ------
    TypeError
        If `milliseconds` or `significant` is of another type.
    ValueError
        If the array has no time, or more than three dimensions, or `significant` has other times or lines, or is given
        with three dimensions.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.time_course(cs.analyse.accuracy(recording["readout"]))
    >>> figure.layout.xaxis.title.text
    'time (steps)'
    """
    by, across = _by_colour_and_dash(lines.check_dims(array, ["time"], more=2, what="a time course"))
    if across is not None and significant is not None:
        raise ValueError(f"bars of significance are for one value of {across}: choose it, such as .isel({across}=0)")
    x, axis, moments = lines.time_axis(array, milliseconds)
    figure = go.Figure(layout={"template": theme.template()})
    _add_ceiling(figure, array, x)
    if "chance" in array.attrs:
        other_values = array.transpose("time", ...).values.reshape(array.sizes["time"], -1)
        lines.add_level(figure, x, float(array.attrs["chance"]), "chance", values=other_values)
    interval = lines.ends(array)
    n_colours, n_dashes = (1 if dim is None else array.sizes[dim] for dim in (by, across))
    for index, place in product(range(n_colours), range(n_dashes)):
        one = {} if by is None else {by: index}
        name = str(array.attrs.get("long_name", array.name)) if by is None else label(array, str(by), index)
        dash = lines.style(index)["dash"]
        if across is not None:
            one[across] = place
            name, dash = f"{name}, {across} {label(array, str(across), place)}", lines.DASHES[place % len(lines.DASHES)]
        y = array.isel(one).values
        drawn = None if interval is None else tuple(end.isel(one).values for end in interval)
        lines.add_line(
            figure,
            x,
            y,
            name=name,
            line={**lines.style(index), "dash": dash, "width": 2},
            interval=drawn,
            hover=_hover(name, moments, y, drawn),
            legend=by is not None,
        )
    caption = lines.caption(array)
    if significant is not None:
        _add_significant(figure, array, significant, by, x)
        caption = f"{caption}; {significance.describe(significant, 'bars')}"
    lines.head(figure, title or str(array.attrs.get("long_name", array.name)), caption)
    if by is not None:
        figure.update_layout(
            legend_title_text=", ".join(theme.axis_title(array, dim) for dim in (by, across) if dim is not None)
        )
    figure.update_xaxes(title_text=axis)
    figure.update_yaxes(title_text=lines.value_title(array))
    if "chance" in array.attrs:
        figure.update_yaxes(**theme.PERCENT)
    return figure


def _by_colour_and_dash(rest: Sequence[Hashable]) -> tuple[Hashable | None, Hashable | None]:
    """Return the dimension that the colour of a line shows, and the one that its dash shows."""
    if len(rest) < 2:
        return (rest[0] if rest else None), None
    across = next((dim for dim in ("seed", "model") if dim in rest), rest[-1])
    return next(dim for dim in rest if dim != across), across


def _add_significant(
    figure: go.Figure, array: xr.DataArray, found: xr.Dataset, by: Hashable | None, x: np.ndarray
) -> None:
    flags = significance.check(found, array).transpose("time", ...)
    drawn = np.concatenate([np.asarray(one.y, float) for one in figure.data if one.y is not None and len(one.y)])
    count = 1 if by is None else array.sizes[by]
    significance.add_bars(
        figure,
        x,
        [flags.values.reshape(len(x), -1)[:, index] for index in range(count)],
        [str(array.name) if by is None else label(array, str(by), index) for index in range(count)],
        [lines.style(index)["color"] for index in range(count)],
        float(np.nanmin(drawn)),
        float(np.nanmax(drawn)),
    )


def label(array: xr.DataArray, dim: str, index: int) -> str:
    """Return the name of a value of a dimension, for a legend."""
    value = array[dim].values[index] if dim in array.coords else index
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _hover(name: str, moments: list[str], y: np.ndarray, interval: tuple[np.ndarray, ...] | None) -> list[str]:
    texts = [f"{name}, {moment}: {value:.3g}" for moment, value in zip(moments, y, strict=True)]
    if interval is None:
        return texts
    return [f"{text} ({low:.3g} to {high:.3g})" for text, low, high in zip(texts, *interval, strict=True)]


def _add_ceiling(figure: go.Figure, array: xr.DataArray, x: np.ndarray) -> None:
    """Shade the noise ceiling: from the mean agreement of a subject with the others to that with all."""
    if not {"ceiling_low", "ceiling_high"} <= set(array.coords):
        return
    low, high = (array[f"ceiling_{end}"] for end in ("low", "high"))
    if low.ndim > 1 or (low.ndim == 1 and low.dims != ("time",)):
        raise ValueError(f"a noise ceiling is one number or one for each time, got dimensions {low.dims}")
    outline = lines.band(x, *(np.broadcast_to(end.values, x.shape) for end in (low, high)))
    figure.add_scatter(
        x=outline[0],
        y=outline[1],
        mode="lines",
        fill="toself",
        fillcolor=theme.BEHIND,
        line={"color": theme.FAINT, "width": 1},
        hoverinfo="skip",
        name="noise ceiling",
        showlegend=True,
    )
