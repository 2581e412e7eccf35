"""Estimates of the time of a recording, from running a few of its stimuli."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim.model.cortex import Cortex
from cortexsim.model.plan import Images
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation

TRIED = 2  # stimuli, because a mask may be taken from another one
BRIEF = 0.5  # seconds; a shorter run is repeated, because the first run includes preparations


def estimate_seconds(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation | None = None,
    *,
    until: int,
    n: int | None = None,
    **options: Any,
) -> float:
    """Estimate the time that `simulate` takes, by running two of the stimuli on this machine.

    The estimate tends to be too long, because larger batches are faster. The time to measure statistics or means for a
    lesion is not included.

    Parameters
    ----------
    model : Cortex
    images : Tensor or Dataset
        At least two stimuli.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time.
    n : int, optional
        Number of stimuli, including repeats; by default that of the given images.
    **options
        As for `simulate`: `record`, `statistics`, `silence`, `dtype`, ...

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        If there are fewer than two stimuli, or `simulate` refuses the arguments.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> cs.estimate_seconds(cs.zoo.load("ventral-stream"), curves, until=4, n=1000) > 0
    True
    """
    pixels = as_images(images)
    if len(pixels) < TRIED:
        raise ValueError(f"an estimate needs at least {TRIED} stimuli to run, got {len(pixels)}")
    n = len(pixels) if n is None else whole(n, "n", 1, unit="stimuli")
    some = images.isel(stimulus=slice(TRIED)) if isinstance(images, xr.Dataset) else pixels[:TRIED]
    elapsed = 0.0
    for _ in range(2):
        begun = perf_counter()
        with torch.no_grad():
            simulate(model, some, presentation, until=until, **options)
        elapsed = perf_counter() - begun
        if elapsed > BRIEF:
            break
    return elapsed * n / TRIED
