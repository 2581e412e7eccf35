"""The time at which a model agrees best with a reference, for each time of the reference."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import facets, lines, theme
from cortexsim.plot.gate import draws

CLOCKS = ("brain_time", "reference_time")
WHAT = "best times"


@draws()
def best_time(best: xr.DataArray, *, title: str | None = None) -> go.Figure:
    """Draw the model's time of best agreement for each time of the reference, with its interval.

    Parameters
    ----------
    best : DataArray, (brain_time,) or (reference_time,)
        As `analyse.best_time` returns it for a reference with times. With `model` or `seed`, up to eight are drawn,
        each in its colour.
    title : str, optional

    Returns
    -------
    Figure
        Points with the range over resamples; the subtitle says what the range is over. If both times are in the same
        unit, a dotted line shows where they are equal. A long range says that the agreement is similar at all these
        times: its point means little.

    Raises
    ------
    TypeError
        If it is not a DataArray.
    ValueError
        If the array has other dimensions, or there is nothing but NaN.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> v4, it = (cs.analyse.rdm(recording[area]).sel(time=slice(4, 8)) for area in ("V4", "IT"))
    >>> figure = cs.plot.best_time(cs.analyse.best_time(v4, it, n_bootstrap=20))
    >>> figure.layout.yaxis.title.text
    'best time (steps)'
    """
    clock = next((dim for dim in CLOCKS if isinstance(best, xr.DataArray) and dim in best.dims), CLOCKS[1])
    runs = facets.runs_of(best, (clock,), what=WHAT)
    if not np.isfinite(best.values).any():
        raise ValueError("there is nothing to draw: the best time is NaN at all times")
    x, _, texts = lines.time_axis(best, None, clock)
    figure = go.Figure(layout={"template": theme.template()})
    steps = np.diff(x).min() if len(x) > 1 else 1.0
    for index, (name, one) in enumerate(runs.items()):
        # moved apart, so that their ranges do not cover each other
        moved = x + steps * 0.12 * (index - (len(runs) - 1) / 2)
        _add_points(figure, moved, one, texts, index, name or WHAT)
    unit, unit_of_reference = (str(one.attrs.get("units", "steps")) for one in (best, best[clock]))
    subtitle = lines.caption(best)
    if unit == unit_of_reference:
        lines.add_diagonal(figure, [float(x[0]), float(x[-1])], "equal times")
        subtitle += "; dotted: equal times"
    figure.update_xaxes(title_text=f"{clock.replace('_', ' ')} ({unit_of_reference})")
    figure.update_yaxes(title_text=f"best time ({unit})", rangemode="tozero")
    lines.head(figure, title or "when the model agrees best", subtitle)
    figure.update_layout(showlegend=len(runs) > 1)
    return figure


def _add_points(figure: go.Figure, x: np.ndarray, one: xr.DataArray, texts: list[str], index: int, name: str) -> None:
    values, interval = one.values.astype(float), lines.ends(one)
    colour = lines.style(index)["color"]
    ranges = [""] * len(x)
    bars = None
    if interval is not None:
        low, high = (end.values.astype(float) for end in interval)
        bars = lines.error_bars(values, low, high, thickness=2)
        ranges = [f" ({a:g} to {b:g})" for a, b in zip(low, high, strict=True)]
    figure.add_scatter(
        x=x,
        y=values,
        mode="markers",
        marker={"size": 9, "color": colour},
        error_y=bars,
        name=name,
        hoverinfo="text",
        hovertext=[f"{at}: best at {value:g}{bounds}" for at, value, bounds in zip(texts, values, ranges, strict=True)],
    )
