"""What a mask interrupts: latched accuracy of a model that traces, by SOA, moved by the time that the wave needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.plot import lines, theme

MODEL = "tracer"
HALFWAY = 0.75  # between chance and 1
MASK_NAMES = {"noise": "noise", "lines": "other curves", "target": "the picture itself", "blank": "nothing"}
_MARKS = ({"dash": "solid", "symbol": "circle"}, {"dash": "dash", "symbol": "diamond-open"})


def masked_accuracy(result: xr.Dataset, *, latched: bool = True) -> xr.DataArray:
    """Return the accuracy after a mask, (mask, soa, masked_length), the mean over the seeds that were masked.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    latched : bool
        Decisions are kept once taken; otherwise the map is read at the readout time (measured with noise only).
    """
    one = result["masked" if latched else "unlatched"].sel(model=MODEL).dropna("seed", how="all").mean("seed")
    if latched:
        return one.transpose("mask", "soa", "masked_length")
    return one.rename(unlatched_soa="soa").expand_dims(mask=["noise"]).transpose("mask", "soa", "masked_length")


def speed(result: xr.Dataset) -> float:
    """Return the steps that the wave needs for a pixel, without a mask: the mean over the seeds that were masked."""
    seeds = result["masked"].sel(model=MODEL).dropna("seed", how="all")["seed"]
    return float(result["slope"].sel(model=MODEL, seed=seeds).mean())


def halfway(accuracy: xr.DataArray) -> xr.DataArray:
    """Return the SOA at which each line first rises above halfway between chance and 1, by interpolation.

    Parameters
    ----------
    accuracy : DataArray
        (soa, masked_length), for one mask.

    Returns
    -------
    DataArray, (masked_length,)
        NaN for a line that never rises, or that is above from the first SOA on.
    """
    soa, found = accuracy["soa"].values, []
    for length in accuracy["masked_length"].values:
        y = accuracy.sel(masked_length=length).values
        above = np.flatnonzero(y >= HALFWAY)
        k = int(above[0]) if len(above) else 0
        rise = (HALFWAY - y[k - 1]) / (y[k] - y[k - 1]) if k else np.nan
        found.append(soa[k - 1] + rise * (soa[k] - soa[k - 1]) if k else np.nan)
    return xr.DataArray(found, dims="masked_length", coords={"masked_length": accuracy["masked_length"].values})


def interruption(
    result: xr.Dataset,
    masks: Sequence[str] = ("noise", "lines"),
    *,
    steps_a_pixel: float = 0.0,
    lengths: Sequence[int] | None = None,
    latched: bool = True,
) -> go.Figure:
    """Draw accuracy by SOA for each length of the curve, each line moved to the left by the time of a wave.

    Parameters
    ----------
    result : Dataset
        Of the experiment `extrapolation`.
    masks : sequence of str
        At most two of "noise", "lines" (another picture of curves), "target" (the picture itself) and "blank".
    steps_a_pixel : float
        Each line is moved to the left by the length of its curve times this number.
    lengths : sequence of int, optional
        By default all.
    latched : bool
        As for `masked_accuracy`.

    Returns
    -------
    Figure
        The name of each length is at the rise of its line, or at the end of one that does not rise.

    Raises
    ------
    ValueError
        If there are no masks, more than two, or an unknown one.
    """
    accuracy = masked_accuracy(result, latched=latched)
    masks = list(masks) if latched else ["noise"]
    if not 1 <= len(masks) <= len(_MARKS) or any(mask not in MASK_NAMES for mask in masks):
        raise ValueError(f"masks must be one or two of {list(MASK_NAMES)}, got {masks}")
    lengths = [int(one) for one in (accuracy["masked_length"].values if lengths is None else lengths)]
    figure = go.Figure(layout={"template": theme.template()})
    ends = []
    rises = halfway(accuracy.sel(mask=masks[0]))
    x_all = accuracy["soa"].values[:, None] - steps_a_pixel * np.array(lengths)[None, :]
    for k, length in enumerate(lengths):
        colour = theme.COLOURS[k % len(theme.COLOURS)]
        x = accuracy["soa"].values - steps_a_pixel * length
        for mask, marks in zip(masks, _MARKS, strict=False):
            values = accuracy.sel(mask=mask, masked_length=length).values
            figure.add_scatter(
                x=x,
                y=values,
                mode="lines+markers",
                name=f"{length} px, {MASK_NAMES[mask]}",
                line={"color": colour, "width": 3, "dash": marks["dash"]},
                marker={"size": 9, "symbol": marks["symbol"]},
                customdata=percentages(values, 0),
                hovertemplate=f"{length} px, {MASK_NAMES[mask]}: %{{customdata}}<extra></extra>",
            )
        rise = float(rises.sel(masked_length=length))
        if not np.isfinite(rise):
            ends.append((float(accuracy.sel(mask=masks[0], masked_length=length)[-1]), f"{length} px", colour))
            continue
        _name_line(figure, rise - steps_a_pixel * length, k, f"{length} px", colour)
    lowest = float(accuracy.sel(mask=masks, masked_length=lengths).isel(soa=0).min())
    _add_guessing(figure, (float(x_all.min()), float(x_all.max())), lowest)
    axis = {"title": {"font": {"size": theme.PANEL_PX}}, "tickfont": {"size": theme.PANEL_PX}}
    moved = "" if steps_a_pixel == 0 else f" − {steps_a_pixel:g} × length"
    figure.update_xaxes(**axis, title_text=f"SOA: from picture to mask{moved} (steps)")
    figure.update_yaxes(**axis, title_text="yes or no at the far point", **theme.PERCENT, range=[0.4, 1.04])
    drawn = "; ".join(f"{style}: {MASK_NAMES[mask]}" for style, mask in zip(("solid", "dashed"), masks, strict=False))
    n = int(result["masked"].attrs.get("n", 0)) // result.sizes["masked_length"]
    seeds = result["masked"].sel(model=MODEL).dropna("seed", how="all").sizes["seed"]
    kept = "decisions are kept once taken" if latched else "nothing is kept: read at t = 50"
    lines.label_ends(figure, ends, span=(0.4, 1.04), plot_px=265)
    figure.update_layout(
        title={
            "text": theme.wrapped(f"{drawn}; {kept}; {n} curves of each length, mean of {seeds} models", 130),
            "font": {"size": theme.PANEL_PX},
        },
        showlegend=False,
        height=365,
        margin={"t": 40, "r": 64 if ends else 20},
    )
    return figure


def _name_line(figure: go.Figure, x: float, row: int, name: str, colour: str) -> None:
    """Write the name of a line at its rise, in a row of its own, so that it can be read where lines coincide."""
    figure.add_annotation(
        x=x,
        y=0.56 + 0.09 * row,
        text=f"<b>{name}</b>",
        xanchor="left",
        xshift=24,
        showarrow=False,
        font={"size": theme.PANEL_PX, "color": colour},
        name=name,
    )


def _add_guessing(figure: go.Figure, span: tuple[float, float], lowest: float) -> None:
    """Add the level of guessing; its name is at the left end, below all lines, which may lie on the level."""
    lines.add_level(figure, np.array(span), 0.5, "guessing")
    figure.data[-1].mode = "lines"
    figure.add_annotation(
        x=span[0],
        y=min(0.5, lowest),
        text="guessing",
        xanchor="left",
        yanchor="top",
        yshift=-8,
        showarrow=False,
        font={"size": theme.PANEL_PX, "color": theme.INK},
    )
