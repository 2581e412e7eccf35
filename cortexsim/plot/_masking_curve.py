"""Masking curves: accuracy against stimulus-onset asynchrony (SOA), compared with human accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.brains import human
from cortexsim.brains.milliseconds import Milliseconds, in_steps
from cortexsim.plot import lines, theme
from cortexsim.plot._time_course import label
from cortexsim.plot.gate import draws

BLANK = "blank"  # name of the condition without a mask


@draws()
def masking_curve(
    result: xr.Dataset,
    *,
    humans: str | None = None,
    milliseconds: Milliseconds | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw accuracy against SOA, a line for each mask, and one without a mask.

    Parameters
    ----------
    result : Dataset
        As the masking protocol returns it: `accuracy` (mask, soa), or only (soa,), for one `duration`. Accuracy
        without a mask is the mask "blank", or the variable `unmasked`, one number or (soa,). `reaches` is False if
        the mask cannot have reached the last state at the readout time. `soa` is in steps.
    humans : "tang-2018" or "tang-2018-whole", optional
        Also draws human accuracy, as a band: the SOA in steps depends on the length of a step, 20 to 50 ms by the paper
        (25 ms is 0.5 to 1.25 steps). All accuracies are then corrected for chance, because humans had a different
        number of response options.
    milliseconds : Milliseconds, optional
        Draws SOAs in ms; the axis states the assumption.
    title : str, optional

    Returns
    -------
    Figure
        Conditions in which the mask cannot have reached the last state are open grey points, not connected with the
        others: they show no effect of the mask. SOAs at which no mask can have reached it are shaded.

    Raises
    ------
    TypeError
        If `milliseconds` is of another type.
    ValueError
        If the result or the human data are not a masking curve, or the two cannot be compared: the target was not
        shown until mask onset (`duration = soa`), or the model's chance level is unknown.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> figure = cs.plot.masking_curve(cs.protocols.masking(model, curves, soas=(1, 2, 4)).sel(duration=1))
    >>> figure.layout.xaxis.title.text
    'SOA (steps)'
    """
    lines.check_milliseconds(milliseconds)
    if "accuracy" not in result:
        raise ValueError(f"a masking curve needs the variable 'accuracy', got {sorted(map(str, result))}")
    if result["accuracy"].sizes.get("duration") == 1 and "duration" not in result["accuracy"].coords["soa"].dims:
        result = result.squeeze("duration")
    accuracy = result["accuracy"]
    (by,) = lines.check_dims(accuracy, ["soa"], more=1, what="a masking curve") or [None]
    unmasked = result.get("unmasked")
    if unmasked is None and by is not None and BLANK in accuracy[by].values:
        unmasked = accuracy.sel({by: BLANK}).rename("unmasked")
        accuracy = accuracy.sel({by: accuracy[by] != BLANK})
    if humans is not None:
        _check_comparable(result, humans)
    curve = _Curve(result, milliseconds, corrected=humans is not None)
    figure = go.Figure(layout={"template": theme.template()})
    if humans is not None:
        _add_humans(figure, humans, curve)
    # a model without a memory has nothing to read out after the target alone
    if unmasked is not None and bool(unmasked.notnull().any()):
        spread = unmasked if "soa" in unmasked.dims else unmasked.expand_dims(soa=result["soa"])
        curve.add(figure, spread, unmasked, "no mask", {"color": theme.INK, "width": 2, "dash": "dash"})
    for index in range(1 if by is None else accuracy.sizes[by]):
        one = accuracy if by is None else accuracy.isel({by: index})
        name = "mask" if by is None else label(accuracy, str(by), index)
        curve.add(figure, one, accuracy, name, {**lines.style(index), "width": 2}, reach=True)
    late = _too_late(result, accuracy)
    for soa in curve.x[late]:
        half = np.diff(curve.x).min(initial=curve.scale) / 2
        figure.add_vrect(x0=soa - half, x1=soa + half, fillcolor=theme.INK, opacity=0.15, line_width=0, name="too late")
    shown = curve.shown(accuracy)
    if "chance" in shown.attrs:
        other_values = shown.transpose("soa", ...).values
        lines.add_level(figure, curve.x, shown.attrs["chance"], "chance", values=other_values)
    lines.head(figure, title or "the cost of a mask", _subtitle(result, accuracy, late, humans), height=420)
    if by is not None:
        figure.update_layout(legend_title_text=theme.axis_title(accuracy, by))
    figure.update_xaxes(title_text=curve.axis)
    if milliseconds is None:
        figure.update_xaxes(tickvals=curve.x)
    figure.update_yaxes(title_text=lines.value_title(shown))
    if "chance" in shown.attrs:
        figure.update_yaxes(**theme.PERCENT)
    return figure


def _subtitle(result: xr.Dataset, accuracy: xr.DataArray, late: np.ndarray, humans: str | None) -> str:
    parts = [lines.caption(accuracy)]
    if late.any():
        parts.append("shaded: the mask cannot have reached the last state, so there is no effect")
    elif "reaches" in result.variables and not _reaches(result, accuracy).all():
        parts.append("open grey points: the mask cannot have reached the last state, so they show no effect")
    if "readout_time" in result.attrs:
        parts.append(f"read out at t = {result.attrs['readout_time']} in all conditions")
    if humans is not None:
        about = human.numbers(humans).attrs
        parts.append(
            f"humans: {about['short']}, {about['n']} observers, {about['exactness']}; band: 20 to 50 ms per step"
        )
    return "; ".join(parts)


class _Curve:
    """The units of a masking figure: SOA in steps or ms, and accuracy with or without correction for chance."""

    def __init__(self, result: xr.Dataset, milliseconds: Milliseconds | None, *, corrected: bool) -> None:
        self.result, self.corrected = result, corrected
        self.scale = 1.0 if milliseconds is None else milliseconds.lasting(1)
        self.milliseconds = milliseconds
        self.x = result["soa"].values * self.scale
        self.axis = "SOA (steps)" if milliseconds is None else f"SOA (ms) = {self.scale:g} × steps, assumed"

    def shown(self, array: xr.DataArray) -> xr.DataArray:
        if not self.corrected:
            return array
        chance = array.attrs.get("chance", self.result["accuracy"].attrs.get("chance"))
        return human.chance_corrected(_with_ends(array, self.result), chance)

    def add(
        self,
        figure: go.Figure,
        one: xr.DataArray,
        whole: xr.DataArray,
        name: str,
        line: dict[str, Any],
        *,
        reach: bool = False,
    ) -> None:
        """Add a line; with `reach`, it leaves out conditions in which the mask cannot have reached the last state."""
        one = self.shown(_with_ends(one, self.result, of=whole))
        interval = lines.ends(one)
        reaches = np.ones(one.sizes["soa"], dtype=bool)
        if reach and "reaches" in self.result.variables:
            known = self.result["reaches"]
            at = {dim: one[dim] for dim in known.dims if dim in one.coords and dim != "soa"}
            reaches = known.sel(at).values if known.ndim else np.full_like(reaches, bool(known))
        for part, is_effect in ((reaches, True), (~reaches, False)):
            if not part.any():
                continue
            # NaN makes a gap
            y = np.where(part, one.values, np.nan)
            drawn = None
            if interval is not None:
                drawn = (np.where(part, interval[0].values, np.nan), np.where(part, interval[1].values, np.nan))
            why = "" if is_effect else "<br>the mask cannot have reached the last state at the readout time: no effect"
            hover = [f"{name}, SOA {soa:g}: {value:.3g}{why}" for soa, value in zip(self.x, y, strict=True)]
            lines.add_line(
                figure,
                self.x,
                y,
                name=name if is_effect else f"{name}, too late",
                legend=is_effect,
                line=line if is_effect else {"color": theme.INK, "width": 1, "dash": "dot"},
                interval=drawn,
                hover=hover,
            )
            if not is_effect:
                figure.data[-1].marker.symbol = "circle-open"


def _too_late(result: xr.Dataset, accuracy: xr.DataArray) -> np.ndarray:
    """Return the SOAs at which no mask can have reached the last state, (soa,)."""
    if "reaches" not in result.variables:
        return np.zeros(accuracy.sizes["soa"], dtype=bool)
    reaches = _reaches(result, accuracy)
    return ~np.broadcast_to(reaches.any([dim for dim in reaches.dims if dim != "soa"]).values, accuracy.sizes["soa"])


def _reaches(result: xr.Dataset, accuracy: xr.DataArray) -> xr.DataArray:
    """Return for the masks that are drawn whether they can have reached the last state, (..., soa)."""
    reaches = result["reaches"].reset_coords(drop=True)
    return reaches.sel({dim: accuracy[dim] for dim in reaches.dims if dim != "soa"})


def _with_ends(array: xr.DataArray, dataset: xr.Dataset, of: xr.DataArray | None = None) -> xr.DataArray:
    """Add the interval of an array, under any name in the Dataset, as its coordinates `low` and `high`."""
    found = lines.ends(array) or lines.ends(array if of is None else of, dataset)
    array = array.drop_vars([name for name in ("low", "high") if name in array.coords])
    if found is None:
        return array
    ends = {}
    for name, end in zip(("low", "high"), found, strict=True):
        at = {dim: array[dim].item() for dim in end.dims if dim not in array.dims}
        end = end.sel(at, drop=True)
        missing = {dim: array[dim] for dim in array.dims if dim not in end.dims}
        ends[name] = (end.expand_dims(missing) if missing else end).transpose(*array.dims).variable
    return array.assign_coords(ends)


def _check_comparable(result: xr.Dataset, study: str) -> None:
    if "soa_ms" not in human.numbers(study).dims:
        raise ValueError(f"{study!r} is not a masking curve; allowed are 'tang-2018' and 'tang-2018-whole'")
    if "chance" not in result["accuracy"].attrs:
        raise ValueError("next to humans, accuracy is corrected for chance: give accuracy.attrs['chance']")
    if "duration" not in result.coords:
        raise ValueError("humans saw the target until the mask: give the coordinate 'duration', equal to 'soa'")
    duration, soa = xr.broadcast(result["duration"], result["soa"])
    if bool((duration.values != soa.values).any()):
        raise ValueError(
            "humans saw the target until the mask, so only duration = soa can be compared with them, got durations "
            f"{np.unique(duration.values).tolist()} at SOAs {result['soa'].values.tolist()}"
        )


def _add_humans(figure: go.Figure, study: str, curve: _Curve) -> None:
    """Add human accuracy: a band from 50 to 20 ms per step, and a line for the assumed length of a step."""
    accuracy = human.chance_corrected(human.numbers(study))
    fewest, most = (steps * curve.scale for steps in in_steps(accuracy["soa_ms"].values))
    for mask, colour, name in (
        ("none", theme.COLOURS[4], "humans, no mask"),
        ("mask", theme.COLOURS[3], "humans, mask"),
    ):
        one = accuracy.sel(mask=mask)
        # the middle of a range, if only a range was published; the subtitle reports it
        value = one.values if np.isfinite(one.values).all() else (one["low"].values + one["high"].values) / 2
        figure.add_scatter(
            x=[*fewest, *most[::-1], fewest[0]],
            y=[*value, *value[::-1], value[0]],
            mode="lines",
            fill="toself",
            fillcolor=lines.translucent(colour, 0.25),
            line={"color": colour, "width": 1, "dash": "dot"},
            hoveron="fills",
            hoverinfo="text",
            text=f"{name}: SOA {one['soa_ms'].values[0]:g} to {one['soa_ms'].values[-1]:g} ms at 20 to 50 ms per step",
            name=name,
            legendgroup=name,
        )
        if curve.milliseconds is not None:
            texts = [f"{name}, SOA {soa:g} ms: {y:.3g}" for soa, y in zip(one["soa_ms"].values, value, strict=True)]
            figure.add_scatter(
                x=one["soa_ms"].values,
                y=value,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 6, "symbol": "diamond"},
                hovertext=texts,
                hoverinfo="text",
                showlegend=False,
                legendgroup=name,
                name=f"{name} at {curve.scale:g} ms per step",
            )
