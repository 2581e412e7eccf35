"""Figures of the experiment `extrapolation`: running longer than trained, and interruption by a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import one_of
from cortexsim._support.percentages import percent, percentages
from cortexsim.plot import lines, theme
from cortexsim.plot._caption import dress
from cortexsim.plot.gate import ABOUT, draws
from cortexsim.zoo.tracers import TRACERS

CHANCE = 0.5
MODEL, MAZES = "tracer", "tracer-mazes"


@draws(along=("model", "seed"), about=ABOUT)
def over_time_by_length(result: xr.Dataset, model: str = MODEL, measure: str = "yes_no") -> go.Figure:
    """Draw accuracy over time, a line for each length, with a mark at the longest trained time.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    model : str
    measure : "yes_no" or "exact"

    Returns
    -------
    Figure
        Means over seeds, with a band from the lowest to the highest seed. Each line is named above its end.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.over_time_by_length(result)
    >>> figure.layout.xaxis.title.text
    'readout time (steps)'
    """
    return _over_time(result, model, measure, "length", "px")


@draws(along=("model", "seed"), about=ABOUT)
def over_time_by_maze(result: xr.Dataset, model: str = MAZES, measure: str = "exact") -> go.Figure:
    """Draw the fraction of mazes with every pixel correct over time, a line for each size; see `over_time_by_length`.

    Parameters
    ----------
    result, model, measure
        As for `over_time_by_length`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.over_time_by_maze(result)
    >>> figure.layout.xaxis.title.text
    'readout time (steps)'
    """
    return _over_time(result, model, f"maze_{measure}", "cells", "cells")


def _over_time(result: xr.Dataset, model: str, measure: str, by: str, unit: str) -> go.Figure:
    values = _of(result, measure, model)
    figure = go.Figure(layout={"template": theme.template()})
    trained = int(result["trained_until"].sel(model=model).max())
    x = result["time"].values
    for k, value in enumerate(result[by].values):
        one = values.sel({by: value})
        mean, low, high = (getattr(one, how)("seed").values for how in ("mean", "min", "max"))
        name, style = f"{value} {unit}", lines.style(k)
        lines.add_line(
            figure,
            x,
            mean,
            name=name,
            line={**style, "width": 3},
            interval=(low, high),
            hover=[f"{name}, t = {t}: {percent(share, 1)}" for t, share in zip(x, mean, strict=True)],
        )
        figure.data[-1].update(mode="lines")
        # in a column of a paper there is no room for all units
        short = name if value == result[by].values.max() else str(value)
        _name_above_the_end(figure, x, high, short, style["color"])
    figure.add_vline(x=trained, line={"color": theme.INK, "width": 2, "dash": "dash"}, name="trained")
    # below the lines, whose names are above them
    _add_trained(figure, f"trained until t = {trained}", trained, 0.0)
    chance = "exact" not in measure
    if chance:
        lines.add_level(figure, x, CHANCE, "chance")
    last = int(np.flatnonzero(values.notnull().any([dim for dim in values.dims if dim != "time"]).values).max())
    figure.update_xaxes(title_text="readout time (steps)", range=[0, int(x[last])])
    what = "yes or no at the far point" if chance else "every line pixel correct"
    figure.update_yaxes(title_text=what, **theme.PERCENT, range=[0.4 if chance else -0.2, 1.03])
    size = "length of the curve" if by == "length" else "cells on each side of the maze"
    notes = (f"{model}: {TRACERS[model].description}, {_seeds(values)}. Lines: {size}; bands: lowest to highest seed.",)
    dress(figure, result, f"{what}, over time", *notes, plot_px=380, top_px=64)
    figure.update_layout(showlegend=False)
    return figure


def _name_above_the_end(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, colour: str) -> None:
    """Write the name of a line above its last point: lines of longer curves end later, and none is above it there."""
    last = int(np.flatnonzero(np.isfinite(y)).max())
    figure.add_annotation(
        x=x[last],
        y=float(y[last]),
        text=name,
        xanchor="right",
        yanchor="bottom",
        yshift=3,
        showarrow=False,
        font={"size": theme.TEXT_PX, "color": colour},
        name="line end",
    )


def _add_trained(figure: go.Figure, text: str, x: float, y: float, *, size_px: int | None = None) -> None:
    """Write where training ended, at a height as a fraction of the plot; `x` is a logarithm on a logarithmic axis."""
    to_the_right = {"xanchor": "left", "yanchor": "bottom", "showarrow": False}
    figure.add_annotation(text=text, x=x, y=y, yref="paper", name="trained", font={"size": size_px}, **to_the_right)


def _add_late(figure: go.Figure, last: tuple[int, float], late: tuple[int, float], name: str, colour: str) -> None:
    """Add a point that was measured long after a line's last one, joined to it by dots."""
    figure.add_scatter(
        x=[last[0], late[0]],
        y=[last[1], late[1]],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dot"},
        marker={"size": [0, 10]},
        hovertext=["", f"{name}, t = {late[0]}: {percent(late[1], 1)}"],
        hoverinfo="text",
        name=f"{name}, last",
    )


@draws(along=("model", "seed"), about=ABOUT)
def controls_by_length(result: xr.Dataset, measure: str = "yes_no") -> go.Figure:
    """Draw the final accuracy of each model by the length of the curve.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    measure : "yes_no" or "exact"

    Returns
    -------
    Figure
        A line for each model that was tested on curves, named at its end: the mean over its seeds, and bars from the
        lowest to the highest seed. Lengths up to the longest trained length are shaded.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.controls_by_length(result)
    >>> figure.layout.xaxis.title.text
    'length of the curve (px)'
    """
    figure = _by_size(result, measure, "length", "px", "after 3 steps per pixel", max(TRACERS[MODEL].shown["length"]))
    figure.update_xaxes(title_text="length of the curve (px)")
    return figure


@draws(along=("model", "seed"), about=ABOUT)
def controls_by_maze(result: xr.Dataset, measure: str = "exact") -> go.Figure:
    """Draw the final accuracy of each model by the size of the maze; see `controls_by_length`.

    Parameters
    ----------
    result, measure
        As for `controls_by_length`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.controls_by_maze(result)
    >>> figure.layout.xaxis.title.text
    'cells on each side of the maze'
    """
    figure = _by_size(
        result, f"maze_{measure}", "cells", "cells per side", "at the last time", TRACERS[MAZES].shown["cells"]
    )
    figure.update_xaxes(title_text="cells on each side of the maze")
    return figure


def _by_size(result: xr.Dataset, measure: str, by: str, unit: str, read: str, trained: int) -> go.Figure:
    """Draw the last accuracy of each model that was tested on curves, or on mazes, by their size."""
    values = result[f"{measure}_end"]
    chance = "exact" not in measure
    figure = go.Figure(layout={"template": theme.template()})
    x = result[by].values
    ends, notes = [], [f"Recurrent: {read}; the others have no weights for more steps, or do not change with time."]
    for k, name in enumerate(str(one) for one in result["model"].values if values.sel(model=one).notnull().any()):
        one = values.sel(model=name)
        mean, low, high = one.mean("seed"), one.min("seed"), one.max("seed")
        figure.add_scatter(
            x=x,
            y=theme.for_json(mean.values),
            mode="lines+markers",
            name=name,
            line={**lines.style(k), "width": 3},
            marker={"size": 9, "symbol": k},
            error_y=lines.error_bars(mean, low, high),
            customdata=percentages(mean.values),
            hovertemplate=f"{name}, %{{x}} {unit}: %{{customdata}}<extra></extra>",
        )
        ends.append((float(mean[-1]), name, lines.style(k)["color"]))
        n = int(_n_parameters(result, name))
        notes.append(f"{name}: {TRACERS[name].description}, {n:,} parameters, {_seeds(one)}.")
    figure.add_vrect(x0=0, x1=trained, fillcolor=theme.INK, opacity=0.15, line_width=0, name="trained")
    _add_trained(figure, f"trained: up to {trained} {unit}", trained, 0.02)
    if chance:
        lines.add_level(figure, x, CHANCE, "chance")
    span = (0.4 if chance else -0.03, 1.03)
    what = "yes or no at the far point" if chance else "every line pixel correct"
    figure.update_xaxes(tickvals=x, range=[0, float(x.max()) * 1.04])
    figure.update_yaxes(title_text=what, **theme.PERCENT)
    dress(figure, result, "final accuracy of each model", " ".join(notes), plot_px=380)
    lines.label_ends(figure, ends, span=span, plot_px=380, size_px=theme.TEXT_PX)
    figure.update_layout(
        showlegend=False, margin_r=12 + round(0.6 * theme.TEXT_PX * max(len(name) for _, name, _ in ends))
    )
    return figure


@draws(along=("model", "seed"), about=ABOUT)
def steps_by_length(result: xr.Dataset) -> go.Figure:
    """Draw the median of the steps needed by the length of the curve, a line for each seed, with the slope.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.steps_by_length(result)
    >>> figure.layout.xaxis.title.text
    'length of the curve (px)'
    """
    steps = _of(result, "steps_needed", MODEL)
    figure = go.Figure(layout={"template": theme.template()})
    x, correlations = result["length"].values, []
    ends = [(float(x.max()), "1 step per pixel", theme.INK)]
    for k, seed in enumerate(steps["seed"].values):
        slope, r = (float(result[name].sel(model=MODEL, seed=seed)) for name in ("slope", "r_of_medians"))
        y = steps.sel(seed=seed).dropna("length")
        figure.add_scatter(
            x=y["length"].values,
            y=y.values,
            mode="lines+markers",
            name=f"seed {seed}: {slope:.2f} steps per pixel, r of the medians {r:.3f}",
            line={**lines.style(k), "width": 2},
            marker={"size": 9, "symbol": k},
        )
        correlations.append(r)
        if y.size:
            ends.append((float(y[-1]), f"{slope:.2f}, seed {seed}", lines.style(k)["color"]))
    lines.add_diagonal(figure, [0, x.max()], "1 step per pixel")
    figure.update_xaxes(title_text="length of the curve (px)", range=[0, float(x.max()) * 1.02])
    figure.update_yaxes(title_text="steps needed, median")
    note = "One step reaches one pixel, because kernels are 3x3: the speed is built in, but not its constancy."
    if np.isfinite(correlations).any():
        lowest = np.floor(1000 * np.nanmin(correlations)) / 1000
        note += f" At the ends, steps per pixel; the correlation of the medians with the length is at least {lowest}."
    dress(figure, result, "steps needed until every line pixel stays correct", note, plot_px=380)
    top = 1.05 * max(y for y, _, _ in ends)
    # one below the other from the top: apart in a plot of any height
    stacked = [(top, name, colour) for _, name, colour in sorted(ends)]
    lines.label_ends(figure, stacked, span=(0.0, top), plot_px=380, size_px=theme.TEXT_PX)
    longest = max(len(name) for _, name, _ in ends)
    figure.update_layout(showlegend=False, margin_r=12 + round(0.6 * theme.TEXT_PX * longest))
    return figure


@draws("latency")
def latency_by_distance(result: xr.Dataset) -> go.Figure:
    """Draw the latency at which the tag reaches a pixel, by its distance from the cue along the curve, for each seed.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`, or as `analyse.wave` returns it, of one recording.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> figure = cs.plot.latency_by_distance(cs.analyse.wave(recording, paths))
    >>> figure.layout.xaxis.title.text
    'distance from the cue along the curve (px)'
    """
    figure = go.Figure(layout={"template": theme.template()})
    x = result["distance"].values
    of_one = "seed" not in result.dims
    latency = result["latency"].expand_dims(seed=[0]) if of_one else _of(result, "latency", MODEL)
    for k, seed in enumerate(latency["seed"].values):
        y = latency.sel(seed=seed).values
        interval = (result["latency_low"].values, result["latency_high"].values) if of_one else None
        name = "mean over stimuli" if of_one else f"seed {seed}"
        lines.add_line(figure, x, y, name=name, line={**lines.style(k), "width": 2}, interval=interval)
    figure.update_xaxes(title_text="distance from the cue along the curve (px)")
    figure.update_yaxes(title_text="latency of the tag (steps)", rangemode="tozero")
    if of_one:
        slope, low, high = (float(result[name]) for name in ("slope", "slope_low", "slope_high"))
        lines.head(figure, "a wave along the curve", f"{slope:.2f} steps per pixel ({low:.2f} to {high:.2f})")
    else:
        note = "Mean over curves of 40 px and over the pixels that stay tagged."
        dress(figure, result, "a wave along the curve", note, rows=latency.sizes["seed"])
    return figure


@draws(along=("model", "seed"), about=ABOUT)
def collapse(result: xr.Dataset, masks: Sequence[str] = ("noise", "lines", "target")) -> go.Figure:
    """Draw latched accuracy by SOA minus the time that the wave needs, so that the lines of all lengths coincide.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    masks : sequence of str
        A plot for each: "noise", "lines", "target" (the picture as its own mask) or "blank" (nothing).

    Returns
    -------
    Figure
        Means over the masked seeds. The time that the wave needs is the length times the steps per pixel of the
        seed.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("extrapolation")
    >>> figure = cs.plot.collapse(result, masks=["noise"])
    >>> figure.layout.xaxis.title.text
    'SOA − length / speed (steps)'
    """
    masked = _of(result, "masked", MODEL).dropna("seed", how="all")
    slope = result["slope"].sel(model=MODEL, seed=masked["seed"])
    titles = {"noise": "mask: noise", "lines": "mask: other curves", "target": "the picture itself", "blank": "nothing"}
    known = [name for name in map(str, result["mask"].values) if name in titles]
    masks = [one_of(mask, "mask", known) for mask in masks]
    if not masks:
        raise ValueError(f"masks must name at least one of {known}")
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(masks), shared_yaxes=True, subplot_titles=[titles[mask] for mask in masks], horizontal_spacing=0.03
    )
    for column, mask in enumerate(masks, 1):
        for k, length in enumerate(masked["masked_length"].values):
            one = masked.sel(mask=mask, masked_length=length)
            x = (one["soa"] - float(slope.mean()) * length).values
            mean, low, high = (getattr(one, how)("seed") for how in ("mean", "min", "max"))
            figure.add_scatter(
                x=x,
                y=theme.for_json(mean.values),
                mode="lines+markers",
                name=f"{length} px",
                legendgroup=str(length),
                showlegend=column == 1,
                line={**lines.style(k), "width": 2},
                marker={"size": 8, "symbol": k},
                error_y=lines.error_bars(mean, low, high),
                row=1,
                col=column,
            )
        figure.add_vline(x=0, line={"color": theme.INK, "width": 1, "dash": "dash"}, row=1, col=column)
    figure.update_xaxes(title_text="SOA − length / speed (steps)")
    figure.update_yaxes(**theme.PERCENT, range=[0.35, 1.03])
    figure.update_yaxes(title_text="yes or no at the far point", col=1)
    figure.update_annotations(font_size=theme.TITLE_PX)
    n = int(result["masked"].attrs.get("n", 0)) // masked.sizes["masked_length"]
    note = (
        f"The picture is shown until mask onset; decisions are kept once taken. {n} curves of each length, "
        f"{_seeds(masked)}; bars: lowest to highest. Chance is 50 %."
    )
    dress(
        figure,
        result,
        "a mask interrupts the part that the wave has not reached",
        note,
        rows=masked.sizes["masked_length"],
        top_px=76,
    )
    return figure


def _of(result: xr.Dataset, name: str, model: str) -> xr.DataArray:
    """Return a variable of a model, with the seeds that have it."""
    if name not in result or model not in result["model"].values:
        raise ValueError(
            f"the result has no {name!r} of {model!r}: this figure is of the experiment extrapolation, with the "
            f"models {list(TRACERS)}"
        )
    return result[name].sel(model=model).dropna("seed", how="all")


def _n_parameters(result: xr.Dataset, model: str) -> float:
    return float(result["n_parameters"].sel(model=model).max())


def _seeds(values: xr.DataArray) -> str:
    n = int(values.notnull().any([dim for dim in values.dims if dim != "seed"]).sum())
    return "one seed" if n == 1 else f"{n} seeds"


def run_longer(
    result: xr.Dataset,
    until: Mapping[int, int],
    measured_last: Mapping[int, int] | None = None,
    model: str = MODEL,
) -> go.Figure:
    """Draw the share of curves with every pixel right over time, a line for each length up to a time of its own.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    until : dict of int to int
        By length in px, the last time that is drawn.
    measured_last : dict of int to int, optional
        By length, the time of `exact_late`, long after the others: a point, joined by a dotted line.
    model : str

    Returns
    -------
    Figure
        Time on a logarithmic axis, so that the trained time and thirty times as many steps are both seen. Means over
        seeds, with a band from the lowest to the highest seed; each line is named where it passes one half, or at its
        end.
    """
    values = _of(result, "exact", model)
    figure = go.Figure(layout={"template": theme.template(), "font": {"size": theme.PANEL_PX}})
    trained = int(result["trained_until"].sel(model=model).max())
    for k, (length, last) in enumerate(until.items()):
        # a logarithmic axis has no 0, and the tracer answers nothing there
        one = values.sel(length=length, time=slice(1, last)).dropna("time", how="all")
        x = one["time"].values
        mean, low, high = (getattr(one, how)("seed").values for how in ("mean", "min", "max"))
        colour = lines.style(k)["color"]
        lines.add_line(
            figure,
            x,
            mean,
            name=f"{length} px",
            line={"color": colour, "width": 3},
            interval=(low, high),
            hover=[f"{length} px, t = {t}: {percent(share, 1)}" for t, share in zip(x, mean, strict=True)],
        )
        figure.data[-1].update(mode="lines")
        if measured_last and length in measured_last:
            end = float(_of(result, "exact_late", model).sel(length=length).mean("seed"))
            _add_late(figure, (int(x[-1]), float(mean[-1])), (measured_last[length], end), f"{length} px", colour)
        _name_at_the_rise(figure, x, mean, f"{length} px", colour)
    figure.add_vline(x=trained, line={"color": theme.INK, "width": 2, "dash": "dash"}, name="trained")
    _add_trained(figure, f"trained until t = {trained}", float(np.log10(trained)), 1.0, size_px=theme.PANEL_PX)
    ticks = [3, 6, 12, 30, 60, 120, 360]
    big = theme.PANEL_PX
    figure.update_xaxes(
        type="log",
        range=[np.log10(3), np.log10(480)],
        tickvals=ticks,
        title={"text": "readout time (steps)", "font": {"size": big}},
    )
    what = {"text": "curves with every pixel right", "font": {"size": big}}
    figure.update_yaxes(title=what, range=[-0.03, 1.04], **theme.PERCENT)
    figure.update_layout(showlegend=False, height=386, margin={"t": 30, "b": 56, "r": 16})
    return figure


def _name_at_the_rise(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, colour: str) -> None:
    """Write the name of a line to the right of its rise through one half; all lines end at the same height."""
    risen = np.flatnonzero(y >= 0.5)
    k = int(risen[0]) if risen.size else len(x) - 1
    before = max(k - 1, 0)
    # on a logarithmic axis annotations are placed by logarithms
    at = float(np.interp(0.5, y[[before, k]], np.log10(x[[before, k]]))) if risen.size else float(np.log10(x[k]))
    figure.add_annotation(
        x=at,
        y=0.5 if risen.size else float(y[k]),
        text=name,
        xanchor="left",
        xshift=7,
        showarrow=False,
        font={"size": theme.PANEL_PX, "color": colour},
        name="line",
    )
