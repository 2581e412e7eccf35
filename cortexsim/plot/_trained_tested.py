"""The matrix of errors by trained and by tested readout time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import theme
from cortexsim.plot._caption import diverged, dress
from cortexsim.plot.gate import ABOUT, draws

TITLES = {"calibrated": "own moments at each time", "held": "moments of the trained time reused"}


def families(result: xr.Dataset) -> dict[str, list[str]]:
    """Group the models of a result that differ only in their trained readout time."""
    groups: dict[str, list[str]] = {}
    for label in result["model"].values:
        groups.setdefault(str(label).rpartition(", t = ")[0], []).append(str(label))
    return groups


@draws("test_error", along=("model", "seed"), about=ABOUT)
def trained_tested(result: xr.Dataset) -> go.Figure:
    """Draw the error of models by the time at which they were trained and the time at which they are tested.

    Parameters
    ----------
    result : Dataset
        Result of an experiment, with `test_error` (model, seed, statistics, time) and `readout_time` (model, seed).

    Returns
    -------
    Figure
        A matrix for each family of models (rows) and kind of statistics (columns), in percent; cells on the diagonal
        have a frame. A cell is blank if the last state is empty or no moments are known.

    Raises
    ------
    ValueError
        If no family was trained at several times.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.trained_tested(cs.experiments.shipped("generalization"))
    >>> figure.data[0].type
    'heatmap'
    """
    errors = over_seeds(result["test_error"])
    groups = {name: labels for name, labels in families(result).items() if len(labels) > 1}
    if not groups:
        raise ValueError("no model of this result was trained at several readout times")
    kinds = [kind for kind in TITLES if kind in errors["statistics"].values]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        len(groups),
        len(kinds),
        subplot_titles=[f"{name}:<br>{TITLES[kind]}" for name in groups for kind in kinds],
        horizontal_spacing=0.1,
        vertical_spacing=0.4 / len(groups),
    )
    scale = {"zmin": float(errors.min()), "zmax": float(errors.max())}
    for row, labels in enumerate(groups.values(), 1):
        trained = [int(result["readout_time"].sel(model=label).max()) for label in labels]
        for column, kind in enumerate(kinds, 1):
            matrix = errors.sel(model=labels, statistics=kind).transpose("model", "time")
            cell = {"row": row, "col": column}
            _add_matrix(figure, matrix, trained, kind, cell, showscale=row == 1 and column == len(kinds), **scale)
    figure.update_xaxes(tick0=0, dtick=1)
    figure.update_xaxes(title_text=theme.axis_title(errors, "time"), row=len(groups))
    figure.update_yaxes(title_text="trained at (steps)", type="category")
    figure.update_annotations(font={"size": theme.TEXT_PX})
    note = _note(result, errors.attrs["n"])
    dress(figure, result, "error by trained and tested time", note, plot_px=200 * len(groups), top_px=84)
    return figure


def _add_matrix(
    figure: go.Figure,
    errors: xr.DataArray,
    trained: list[int],
    name: str,
    cell: dict[str, int],
    *,
    showscale: bool,
    **scale: float,
) -> None:
    """Add a matrix of errors (model, time), with a frame around the cells that are tested at their trained time."""
    values = errors.values
    figure.add_heatmap(
        z=theme.for_json(values),
        x=errors["time"].values.astype(int),
        y=[str(time) for time in trained],
        **scale,
        colorscale=theme.SEQUENTIAL,
        showscale=showscale,
        colorbar={"title": {"text": "error"}, **theme.PERCENT, "thickness": 12},
        texttemplate="%{text}",
        text=np.where(np.isnan(values), "", np.char.mod("%.0f", np.nan_to_num(100 * values))),
        customdata=[percentages(row) for row in values],
        hovertemplate="trained at %{y}, tested at %{x}: %{customdata}<extra></extra>",
        name=name,
        **cell,
    )
    for k, time in enumerate(trained):
        figure.add_shape(
            type="rect",
            x0=time - 0.5,
            x1=time + 0.5,
            y0=k - 0.5,
            y1=k + 0.5,
            line={"color": theme.COLOURS[0], "width": 2},
            name="trained here",
            **cell,
        )


def _note(result: xr.Dataset, n: int) -> str:
    n_seeds, lost = result.sizes["seed"], diverged(result)
    note = (
        f"Error in percent of {n:,} test images, mean over {n_seeds} {'seed' if n_seeds == 1 else 'seeds'} (standard "
        f"error of one cell at most {50 / np.sqrt(n):.1f} percentage points). Frame: tested at the trained time. "
        "Blank: the last state is empty, or the model has no weights for that time."
    )
    return note + f" Training diverged in at least one seed of: {'; '.join(lost)}." * bool(lost)
