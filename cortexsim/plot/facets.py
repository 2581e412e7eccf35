"""Several models or seeds side by side: their names, and a plot for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import plotly.graph_objects as go
import xarray as xr

from cortexsim.analyse.runs import RUNS
from cortexsim.plot import lines, theme

MOST = 8
COLUMNS = 4
HEADING_PX = 26


def runs_of(array: xr.DataArray, needed: Sequence[str], *, what: str) -> dict[str, xr.DataArray]:
    """Return each model or seed of an array by its name; a single one has the name "".

    Raises
    ------
    ValueError
        If the array lacks a dimension, has others in addition to `model` and `seed`, or more than eight of these.
    """
    lines.check_dims(array, [*needed, *(dim for dim in RUNS if dim in array.dims)], what=what)
    return {name: array.isel(places, drop=True) for name, places in places_of(array, what=what).items()}


def places_of(array: xr.DataArray, *, what: str) -> dict[str, dict[str, int]]:
    """Return the place of each model or seed of an array along these dimensions, by its name; "" for a single one.

    Raises
    ------
    ValueError
        If there are more than eight.
    """
    several = [dim for dim in RUNS if dim in array.dims]
    values = [(array[dim].values if dim in array.coords else range(array.sizes[dim])) for dim in several]
    found = {}
    for places in product(*(range(array.sizes[dim]) for dim in several)):
        words = [
            f"{of[k]}" if dim == "model" else f"{dim} {of[k]}"
            for dim, of, k in zip(several, values, places, strict=True)
        ]
        found[", ".join(words)] = dict(zip(several, places, strict=True))
    if len(found) > MOST:
        raise ValueError(f"{what} is drawn for up to {MOST} models and seeds, got {len(found)}: choose some of them")
    return found


def grid(names: Sequence[str], *, spec: str = "xy") -> tuple[go.Figure, list[dict[str, int]]]:
    """Return a figure with a plot for each name, at most four in a row, and the cell of each."""
    n_columns = min(len(names), COLUMNS)
    n_rows = -(-len(names) // n_columns)
    figure = go.Figure(layout={"template": theme.template()})
    if len(names) > 1:
        figure.set_subplots(
            n_rows,
            n_columns,
            specs=[[{"type": spec}] * n_columns] * n_rows,
            subplot_titles=list(names),
            horizontal_spacing=0.3 / n_columns,
            vertical_spacing=0.35 / n_rows,
        )
        figure.update_annotations(font_size=theme.TITLE_PX)
    cells = [{"row": k // n_columns + 1, "col": k % n_columns + 1} for k in range(len(names))]
    return figure, cells if len(names) > 1 else [{}]


def axis_number(place: int) -> str:
    """Return the ending of the axes' names of a plot, "" for the first."""
    return str(place + 1) if place else ""


def height(single_px: int, cells: Sequence[Mapping[str, int]]) -> int:
    """Return the height of a figure whose single plot is `single_px` high."""
    n_rows = max(cell.get("row", 1) for cell in cells)
    return single_px if len(cells) == 1 else HEADING_PX + 110 + round(0.62 * single_px) * n_rows


def make_room(figure: go.Figure, cells: Sequence[Mapping[str, int]]) -> None:
    """Make room for the names of the plots below the subtitle."""
    if len(cells) > 1:
        figure.update_layout(margin_t=figure.layout.margin.t + HEADING_PX)
