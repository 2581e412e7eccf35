"""Agreement of a model's RDMs with a brain's, over model time, or over model and brain time."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import one_of
from cortexsim.brains.milliseconds import Milliseconds
from cortexsim.plot import lines, theme
from cortexsim.plot._brain_maps import maps, note
from cortexsim.plot.gate import draws

_PIXELS = theme.COLOURS[2]


@draws()
def brain(
    similarity: xr.DataArray,
    *,
    minus: str | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw the comparison of a model with a brain, a panel for each state.

    Parameters
    ----------
    similarity : DataArray, (model, state, time[, brain_time])
        As `brains.compare` returns it, with both baselines: the untrained model and the pixels.
    minus : "pixels" or "untrained", optional
        With brain time: draw the trained model's similarity minus that of this baseline.
    milliseconds : Milliseconds, optional
        Draws model time in ms; the axes state the assumption. Brain time is drawn as measured.
    title : str, optional

    Returns
    -------
    Figure
        Without brain time: lines of the trained and the untrained model, the pixels, and the noise ceiling if there is
        one. With brain time: maps of model time and brain time, with the pixels and the noise ceiling as columns. Their
        colours reach to the highest noise ceiling, and cells whose interval includes 0 are faded. Empty times are
        blank.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the array has other dimensions or lacks a baseline, or `minus` is unknown or given without brain time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(12, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> brain = cs.analyse.rdm(cs.simulate(model, curves, cs.sustained(), until=6)["IT"]).sel(time=6, drop=True)
    >>> rdms = brain.expand_dims(subject=1, session=1)
    >>> similarity = cs.brains.compare(model, curves, rdms, until=6, states=["V4", "IT"], n_bootstrap=20)
    >>> figure = cs.plot.brain(similarity)
    >>> len(figure.data) > 0
    True
    """
    rest = lines.check_dims(similarity, ["model", "state", "time"], more=1, what="a comparison with a brain")
    if rest not in ([], ["brain_time"]):
        raise ValueError(f"a comparison needs the dimensions (model, state, time, brain_time), got {similarity.dims}")
    models = [str(name) for name in similarity["model"].values]
    if "pixels" not in similarity.coords or "untrained" not in models:
        raise ValueError("a comparison needs both baselines: the coordinate 'pixels' and the model 'untrained'")
    if minus is not None:
        similarity = _difference(similarity, minus, bool(rest))
        models = [str(name) for name in similarity["model"].values]
    figure = maps(similarity, models, milliseconds) if rest else _lines(similarity, models, milliseconds)
    n = similarity.attrs.get("n_subjects", 1)
    notes = [lines.caption(similarity), f"{n} subjects" if n > 1 else "a single matrix has no noise ceiling"]
    if similarity.attrs.get("source"):
        notes.append(f"brain: {similarity.attrs['source']}")
    if not rest and n > 1:
        notes.append("grey: noise ceiling")
    if rest and note(similarity):
        notes.append(note(similarity))
    name = title or str(similarity.attrs.get("long_name", "agreement with the brain"))
    lines.head(figure, name, "; ".join(notes), height=400 if not rest else 560)
    figure.update_layout(margin={"t": figure.layout.margin.t + 22})
    return figure


def _difference(similarity: xr.DataArray, minus: str, has_brain_time: bool) -> xr.DataArray:
    """Return the trained model's similarity minus that of a baseline, as a comparison with one model."""
    one_of(minus, "minus", ("pixels", "untrained"))
    if not has_brain_time:
        raise ValueError("minus= is for maps of model and brain time; without brain time both baselines are lines")
    baseline = similarity["pixels"] if minus == "pixels" else similarity.sel(model="untrained", drop=True)
    name = f"trained - {minus}"
    difference = (similarity.sel(model="trained", drop=True) - baseline).expand_dims(model=[name])
    difference = difference.transpose(*similarity.dims).assign_coords(pixels=similarity["pixels"])
    about = {**similarity.attrs, "long_name": f"{similarity.attrs.get('long_name', 'similarity')}, minus {minus}"}
    # a ceiling is for the similarity of one model, and the interval of a difference is not that of its parts
    difference = difference.drop_vars(["low", "high", "ceiling_low", "ceiling_high"], errors="ignore")
    if minus == "untrained" and "training_low" in similarity.coords:
        for end in ("low", "high"):
            difference[end] = similarity[f"training_{end}"].variable.set_dims(difference.sizes)
        return difference.assign_attrs(about | {"interval": similarity["training"].attrs["interval"]})
    return difference.assign_attrs(about | {"interval": "none: a difference of two estimates"})


def _lines(similarity: xr.DataArray, models: list[str], milliseconds: Milliseconds | None) -> go.Figure:
    x, axis, moments = lines.time_axis(similarity, milliseconds)
    states = [str(name) for name in similarity["state"].values]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(states), subplot_titles=states, shared_yaxes=True, horizontal_spacing=0.03
    )
    interval = lines.ends(similarity)
    known = similarity.coords
    pixels = float(known["pixels"])
    for column, state in enumerate(states, start=1):
        cell = {"row": 1, "col": column}
        if "ceiling_low" in known:
            level = [np.full(x.shape, float(known[f"ceiling_{end}"])) for end in ("low", "high")]
            _add_band(figure, x, level, "noise ceiling", theme.BEHIND, column)
        if "pixels_low" in known:
            level = [np.full(x.shape, float(known[f"pixels_{end}"])) for end in ("low", "high")]
            _add_band(figure, x, level, "pixels interval", lines.translucent(_PIXELS, 0.15), column)
        figure.add_scatter(
            x=[x[0], x[-1]],
            y=[pixels, pixels],
            mode="lines",
            line={"color": _PIXELS, "width": 2, "dash": "dot"},
            name="pixels",
            legendgroup="pixels",
            showlegend=column == 1,
            hovertext=f"pixels: {pixels:.3g}",
            hoverinfo="text",
            **cell,
        )
        for index, model in enumerate(models):
            one: dict[str, Any] = {"model": index, "state": column - 1}
            y = similarity.isel(one).values
            lines.add_line(
                figure,
                x,
                y,
                name=model,
                line={**lines.style(index), "width": 2},
                interval=None if interval is None else [end.isel(one).values for end in interval],
                hover=[f"{model} {state}, {t}: {value:.3g}" for t, value in zip(moments, y, strict=True)],
                legend=column == 1,
                cell=cell,
            )
    figure.update_xaxes(title_text=axis)
    figure.update_yaxes(title_text=lines.value_title(similarity), col=1)
    return figure


def _add_band(figure: go.Figure, x: np.ndarray, level: list[np.ndarray], name: str, colour: str, column: int) -> None:
    outline = lines.band(x, *level)
    figure.add_scatter(
        x=outline[0],
        y=outline[1],
        mode="lines",
        fill="toself",
        fillcolor=colour,
        line={"color": theme.FAINT if name == "noise ceiling" else colour, "width": 1},
        hoverinfo="skip",
        name=name,
        legendgroup=name.removesuffix(" interval"),
        showlegend=name == "noise ceiling" and column == 1,
        row=1,
        col=column,
    )
