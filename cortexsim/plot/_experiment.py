"""All figures of an experiment, drawn from its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.files import written_aside
from cortexsim.plot._difference import difference
from cortexsim.plot._error_by_epoch import error_by_epoch
from cortexsim.plot._error_by_images import error_by_images
from cortexsim.plot._error_by_readout_time import error_by_readout_time
from cortexsim.plot._error_by_time import error_by_time
from cortexsim.plot._extrapolation import (
    collapse,
    controls_by_length,
    controls_by_maze,
    latency_by_distance,
    over_time_by_length,
    over_time_by_maze,
    steps_by_length,
)
from cortexsim.plot._parameters import parameters
from cortexsim.plot._trained_tested import families, trained_tested
from cortexsim.plot.gate import draws


def _by_time(result: xr.Dataset) -> go.Figure:
    # models trained at several times are drawn in the matrix of trained_tested
    alone = [label for labels in families(result).values() if len(labels) == 1 for label in labels]
    return error_by_time(result, alone if "trained-tested" in result.attrs["figures"] else None)


FIGURES: dict[str, Callable[[xr.Dataset], go.Figure]] = {
    "difference": difference,
    "closed-form": lambda result: difference(result, "closed_form_difference"),
    "epoch": error_by_epoch,
    "readout": error_by_readout_time,
    "time": _by_time,
    "trained-tested": trained_tested,
    "images": error_by_images,
    "parameters": parameters,
    "extrapolation": over_time_by_length,
    "controls": controls_by_length,
    "steps-needed": steps_by_length,
    "wave": latency_by_distance,
    "collapse": collapse,
    "mazes": over_time_by_maze,
    "maze-controls": controls_by_maze,
}


@draws()
def experiment(result: xr.Dataset) -> dict[str, go.Figure]:
    """Draw all figures of an experiment.

    Parameters
    ----------
    result : Dataset
        As `experiments.run` and `experiments.open_result` return it.

    Returns
    -------
    dict of str to Figure
        In reading order.

    Raises
    ------
    ValueError
        If it is not the result of an experiment.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figures = cs.plot.experiment(cs.experiments.shipped("weight-sharing"))
    >>> list(figures)
    ['epoch', 'parameters']
    """
    if "figures" not in result.attrs:
        raise ValueError("this Dataset is not the result of an experiment: it has no attribute 'figures'")
    return {name: FIGURES[name](result) for name in str(result.attrs["figures"]).split(",")}


def write_html(result: xr.Dataset, path: Path) -> None:
    """Write all figures of an experiment as one page that needs no network."""
    figures = experiment(result)
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=k == 0, config={"displaylogo": False})
        for k, figure in enumerate(figures.values())
    ]
    about = result.attrs
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{about["title"]}</title>'
        '<meta name="color-scheme" content="light dark">'
        "<style>body{font-family:system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}</style>"
        f"<h1>{about['title']}</h1><p>{about['question']}</p>{''.join(parts)}</html>"
    )
    with written_aside(path, replacing=True) as aside:
        aside.write_text(page, encoding="utf-8")
