"""Degraded targets: lower contrast, noise on the pixels, occlusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Unpack

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support import randomness
from cortexsim._support.checks import finite, rising, share
from cortexsim._support.labelled import refuse_missing
from cortexsim._support.renamed import formerly
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.protocols.conditions import (
    Condition,
    Dimension,
    Options,
    distinct,
    fraction_correct,
    interval_text,
    known_options,
    reaches_last,
    readout_time_for,
    refuse_names,
    run_conditions,
)
from cortexsim.stimuli.images import as_float, as_images
from cortexsim.stimuli.presentation import Presentation, checked, sustained

EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


@formerly(told="report")
def contrast(
    model: Cortex,
    data: xr.Dataset,
    *,
    contrasts: Sequence[float] = (0.1, 0.25, 0.5, 1.0),
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> xr.Dataset | xr.DataTree:
    """Show targets with a fraction of their RMS contrast about the mean of each channel; returns what `masking` does.

    Parameters
    ----------
    contrasts : sequence of float
        Above 0, at most 1, which leaves the image unchanged.
    presentation : Presentation, optional
        By default `sustained()`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> result = cs.protocols.contrast(model, curves, contrasts=(0.25, 1.0))
    >>> dict(result["accuracy"].sizes)
    {'contrast': 2}
    """
    options, model = known_options("contrast", options), the_cortex(model, "contrast")

    def lowered(pixels: Tensor, fraction: float) -> Tensor:
        fraction = share(fraction, "a contrast")
        mean = pixels.mean((-2, -1), keepdim=True)
        # rounding must not lead out of [0, 1]
        return (mean + fraction * (pixels - mean)).clamp(0, 1)

    dimension = Dimension("fraction of the target's RMS contrast", "1", distinct("contrasts", contrasts))
    return _run(model, data, "contrast", dimension, lowered, presentation, readout_time, record, options)


@formerly(told="report")
def noise(
    model: Cortex,
    data: xr.Dataset,
    *,
    levels: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.4),
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> xr.Dataset | xr.DataTree:
    """Show targets with Gaussian noise on every pixel and channel, clipped to [0, 1]; returns what `masking` does.

    Parameters
    ----------
    levels : sequence of float
        Standard deviations of the noise, where pixels range from 0 to 1. A stimulus has the same noise pattern at every
        level, only stronger; it is drawn by (seed, stimulus).
    presentation : Presentation, optional
        By default `sustained()`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> result = cs.protocols.noise(model, curves, levels=(0.0, 0.2))
    >>> dict(result["accuracy"].sizes)
    {'level': 2}
    """
    options, model = known_options("noise", options), the_cortex(model, "noise")
    seed = options.get("seed", 0)

    def with_noise(pixels: Tensor, level: float) -> Tensor:
        level = finite(level, "a level of noise", 0)
        drawn = randomness.normal(seed, "pixel noise", torch.arange(len(pixels)), pixels.shape[1:])
        return (pixels + level * drawn.to(pixels)).clamp(0, 1)

    dimension = Dimension("standard deviation of the noise on the pixels", "1", distinct("levels", levels))
    return _run(model, data, "level", dimension, with_noise, presentation, readout_time, record, options)


@formerly(told="report")
def occlusion(
    model: Cortex,
    data: xr.Dataset,
    *,
    factor: str = "visible_fraction",
    edges: Sequence[float] = EDGES,
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    **options: Unpack[Options],
) -> xr.Dataset:
    """Show targets and return accuracy by the fraction that is visible, or by a different factor of the data.

    Unlike in `masking`, each condition has different stimuli, so nothing is paired.

    Parameters
    ----------
    factor : str
        A stimulus coordinate of the data, e.g. "visible_fraction" of digits in debris, or "curve_length" of contours.
    edges : sequence of float
        Edges of the bins; the last bin includes its upper edge.
    presentation : Presentation, optional
        By default `sustained()`.

    Returns
    -------
    Dataset
        `accuracy` (bin) with `low` and `high`, and `n` (bin), the number of stimuli; NaN where there are none.
        `correct` (stimulus), with the factor as coordinate. Coordinates `from` and `to` are the edges of a bin.

    Raises
    ------
    ValueError
        If the data lack the factor, or the edges do not increase.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> result = cs.protocols.occlusion(model, curves, factor="curve_length", edges=(8, 18, 28))
    >>> int(result["n"].sum())
    20
    """
    options, model = known_options("occlusion", options), the_cortex(model, "occlusion")
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"data must be a Dataset of images, got a {type(data).__name__}")
    if not isinstance(factor, str) or factor not in data.coords:
        raise ValueError(f"the data have no coordinate {factor!r}, only {sorted(map(str, data.coords))}")
    edges, known = rising(edges), data[factor]
    if known.dims != ("stimulus",) or known.dtype.kind not in "iuf":
        raise ValueError(f"the factor {factor!r} must be a number for each stimulus, got {known.dims}, {known.dtype}")
    refuse_missing(known.values, factor)
    refuse_names(data, ("bin", "from", "n", "to"))
    dimension = Dimension("all stimuli", "1", [0])
    shown = _run(model, data, "all", dimension, lambda pixels, _: pixels, presentation, readout_time, None, options)
    assert isinstance(shown, xr.Dataset)
    correct, values = shown["correct"].isel(all=0, drop=True), data[factor].values
    within = [(values >= low) & (values < high) for low, high in pairwise(edges)]
    within[-1] |= values == edges[-1]
    summed = np.stack([fraction_correct(correct.values[chosen]) for chosen in within], axis=1)
    about = {"long_name": f"edge of the bin of {factor}", "units": data[factor].attrs.get("units", "1")}
    accuracy = {"long_name": "accuracy", "units": "1", "interval": interval_text("the stimuli of a bin")}
    return xr.Dataset(
        {
            "accuracy": ("bin", summed[0], accuracy),
            "correct": correct.drop_vars(["low", "high"], errors="ignore"),
            "n": ("bin", np.array([int(chosen.sum()) for chosen in within]), {"long_name": "stimuli", "units": "1"}),
        },
        {
            "from": ("bin", list(edges[:-1]), about),
            "to": ("bin", list(edges[1:]), about),
            "low": ("bin", summed[1]),
            "high": ("bin", summed[2]),
        },
        {**shown.attrs, "protocol": "occlusion", "factor": factor},
    )


def _run(
    model: Cortex,
    data: xr.Dataset,
    name: str,
    dimension: Dimension,
    degrade: Callable[[Tensor, float], Tensor],
    presentation: Presentation | None,
    readout_time: int | None,
    record: Sequence[str] | None,
    options: Options,
) -> xr.Dataset | xr.DataTree:
    """Run conditions that differ in the images, not in their presentation."""
    shown = checked(sustained() if presentation is None else presentation)
    if not isinstance(shown, Presentation):
        raise TypeError("a protocol needs a single presentation, got a mixture")
    readout_time, pixels = readout_time_for(model, readout_time, 0), as_images(data)
    model.check_images(pixels)
    reaches, images = reaches_last(model.graph, shown, readout_time), as_float(pixels)
    conditions = [Condition({name: value}, shown, degrade(images, value), reaches) for value in dimension.values]
    return run_conditions(
        name, model, data, {name: dimension}, conditions, readout_time, record, **known_options(name, options)
    )
