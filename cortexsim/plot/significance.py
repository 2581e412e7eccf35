"""Marks of significant times: bars under curves, outlines in matrices of times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme

METHODS = {"cluster": "cluster permutation test", "fdr": "t-tests corrected for the false discovery rate"}
DIRECTIONS = {"both": "different from", "above": "above", "below": "below"}


def check(found: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """Return the flags of significant values, with the dimensions and times of the drawn array.

    Raises
    ------
    TypeError
        If it is not a Dataset.
    ValueError
        If it has other dimensions or times.
    """
    if not isinstance(found, xr.Dataset) or "significant" not in found:
        raise TypeError(f"significant must be what analyse.significance returns, got {type(found).__name__}")
    flags = found["significant"]
    if set(flags.dims) != set(array.dims):
        raise ValueError(f"the test must have the dimensions of what is drawn, {array.dims}, got {flags.dims}")
    for dim in flags.dims:
        tested, drawn = (one[dim].values if dim in one.coords else np.arange(one.sizes[dim]) for one in (flags, array))
        if not np.array_equal(tested, drawn):
            raise ValueError(f"the test must have the values of {dim} that are drawn, {drawn}, got {tested}")
    return flags.transpose(*array.dims)


def describe(found: xr.Dataset, mark: str) -> str:
    """Describe the test for the caption; `mark` names its marks, such as "bars"."""
    made = found.attrs
    flips = f", {made['n_permutations']} flips" if "n_permutations" in made else ""
    return (
        f"{mark}: {DIRECTIONS[made['tail']]} {made['against']}, p < {made['level']:g}, {METHODS[made['method']]} over "
        f"{made['n']} {made['over']}s{flips}"
    )


def add_bars(
    figure: go.Figure,
    x: np.ndarray,
    flags: list[np.ndarray],
    names: list[str],
    colours: list[str],
    lowest: float,
    highest: float,
) -> None:
    """Add a row of bars for each line, under the lowest value of all.

    Parameters
    ----------
    figure : Figure
    x : ndarray, (time,)
    flags : list of ndarray, (time,), bool
        Flags of each line.
    names, colours : list of str
        Names and colours of the lines.
    lowest, highest : float
        Range of all drawn values.
    """
    step = 0.05 * ((highest - lowest) or 1.0)
    # a bar extends half-way to the next time
    half = np.diff(x).min() / 2 if len(x) > 1 else 0.5
    for row, (flag, name, colour) in enumerate(zip(flags, names, colours, strict=True), start=1):
        edges = np.diff(np.concatenate([[0], flag.astype(int), [0]]))
        spans = list(zip(x[np.flatnonzero(edges == 1)], x[np.flatnonzero(edges == -1) - 1], strict=True))
        figure.add_scatter(
            x=[end for first, last in spans for end in (first - half, last + half, None)],
            y=[lowest - row * step, lowest - row * step, None] * len(spans),
            mode="lines",
            line={"color": colour, "width": 5},
            connectgaps=False,
            hoverinfo="name",
            showlegend=False,
            legendgroup=name,
            name=f"{name} significant",
        )


def add_outline(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, flags: np.ndarray, cell: Mapping[str, int] | None = None
) -> None:
    """Outline the significant cells of a heat map, (y, x); `cell` is the row and column of a subplot."""
    # a border of insignificant cells closes the outlines at the edge
    step_x, step_y = (float(np.diff(axis).min()) if len(axis) > 1 else 1.0 for axis in (x, y))
    figure.add_contour(
        x=np.concatenate([[x[0] - step_x], x, [x[-1] + step_x]]),
        y=np.concatenate([[y[0] - step_y], y, [y[-1] + step_y]]),
        z=np.pad(flags.astype(float), 1),
        contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
        line={"color": theme.INK, "width": 2, "smoothing": 0},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
        name="significant",
        **dict(cell or {}),
    )
