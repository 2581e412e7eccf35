"""The matrix of readout times: trained at one, tested at another."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.paper.experiments.result import over_seeds
from cortexsim.plot import theme
from cortexsim.plot.caption import diverged, dress

TITLES = {"calibrated": "own moments at each time", "held": "moments of the trained time reused"}


def families(result: xr.Dataset) -> dict[str, list[str]]:
    """Group the models of a result that differ only in the readout time at which they were trained."""
    groups: dict[str, list[str]] = {}
    for label in result["model"].values:
        groups.setdefault(str(label).rpartition(", t = ")[0], []).append(str(label))
    return groups


def trained_tested(result: xr.Dataset) -> go.Figure:
    """Draw the error of models by the time at which they were trained and the time at which they are tested.

    Parameters
    ----------
    result : Dataset
        Of an experiment, with `test_error` (model, seed, statistics, time) and `readout_time` (model, seed).

    Returns
    -------
    Figure
        A matrix for each family of models (rows) and kind of statistics (columns), in percent; the cell on the
        diagonal is framed. A cell is blank where the last state is empty or no moments are known.

    Raises
    ------
    ValueError
        If no family was trained at several times.
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
    lowest, highest = float(errors.min()), float(errors.max())
    for row, labels in enumerate(groups.values(), 1):
        trained = [int(result["readout_time"].sel(model=label).max()) for label in labels]
        for column, kind in enumerate(kinds, 1):
            shown = errors.sel(model=labels, statistics=kind).transpose("model", "time").values
            times = errors["time"].values.astype(int)
            figure.add_heatmap(
                z=theme.for_json(shown),
                x=times,
                y=[str(time) for time in trained],
                zmin=lowest,
                zmax=highest,
                colorscale=theme.SEQUENTIAL,
                showscale=row == 1 and column == len(kinds),
                colorbar={"title": {"text": "error"}, "tickformat": ".0%", "thickness": 12},
                texttemplate="%{text}",
                text=np.where(np.isnan(shown), "", np.char.mod("%.0f", np.nan_to_num(100 * shown))),
                hovertemplate="trained at %{y}, tested at %{x}: %{z:.1%}<extra></extra>",
                name=kind,
                row=row,
                col=column,
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
                    row=row,
                    col=column,
                )
    figure.update_xaxes(title_text=theme.axis_title(errors, "time"), tick0=0, dtick=1)
    figure.update_yaxes(title_text="trained at (steps)", type="category")
    figure.update_annotations(font={"size": 12})
    n = errors.attrs["n"]
    lost = diverged(result)
    dress(
        figure,
        result,
        "trained at x tested at",
        f"Error in percent of {n:,} test images, mean over {result.sizes['seed']} "
        f"{'seed' if result.sizes['seed'] == 1 else 'seeds'} (standard error of one cell at most "
        f"{50 / np.sqrt(n):.1f} points). Framed: tested where it was trained. Blank: the last state is empty, or the "
        "model has no weights for that time."
        + (f" Training diverged in a seed or more of: {'; '.join(lost)}." * bool(lost)),
        plot_px=230 * len(groups),
        top_px=84,
    )
    return figure
