"""How often a model is right over time, on a batch of images like the one that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import xarray as xr

from cortexsim.analyse.interval import wilson
from cortexsim.graph._schedule import schedule
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.model.nets import undisturbed
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import Presentation

CHUNK = 50


def right_over_time(
    model: Cortex,
    images: xr.Dataset,
    presentation: Presentation,
    until: int,
    *,
    seed: int = 0,
    wanted: Callable[[], bool] = lambda: True,
    statistics: Statistics | None = None,
) -> list[int | None]:
    """Count how many images of a batch a model names right at each time.

    Parameters
    ----------
    model : Cortex
    images : Dataset
        With the coordinate `label`.
    presentation : Presentation
    until : int
        Last time.
    seed : int
        Draws the masks.
    wanted : callable
        Asked between chunks of images.
    statistics : Statistics, optional
        By default those that the model has for the presentation.

    Returns
    -------
    list of int or None
        For each time from 0 to `until`; None where there is nothing to read.

    Raises
    ------
    MissingStatisticsError
        If the model has no statistics for the presentation, or they end too soon.
    InterruptedError
        If it is wanted no longer.
    """
    pixels, labels = as_images(images), torch.as_tensor(images["label"].values)
    times = model.readable(presentation, until)
    if not times:
        return [None] * (until + 1)
    right = torch.zeros(len(times), dtype=torch.int64)
    planned = schedule(model.graph, times, presentation)
    with undisturbed(model), torch.no_grad():
        # the mode is evaluation now, so this takes the stored statistics; once for all chunks
        normalize = model.normalizer(presentation, statistics)
        for index in torch.arange(len(pixels)).split(CHUNK):
            if not wanted():
                raise InterruptedError("a newer request has come")
            frames = presentation.frames(pixels[index], planned.until, seed=seed, index=index, others=pixels)
            logits = model.read(frames, planned, times, normalize)
            right += (logits.argmax(-1) == labels[index]).sum(1)
    counted = dict(zip(times, right.tolist(), strict=True))
    return [counted.get(time) for time in range(until + 1)]


def as_series(name: str, right: Sequence[int | None], n: int) -> dict[str, Any]:
    """Turn counts over time into a line with its 95 % interval, for the stage."""
    between = [None if count is None else wilson(count, n) for count in right]
    return {
        "name": name,
        "values": [None if count is None else count / n for count in right],
        "low": [None if pair is None else pair[0] for pair in between],
        "high": [None if pair is None else pair[1] for pair in between],
    }
