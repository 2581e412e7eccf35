"""Accuracy over time on a batch of images like the one that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from cortexsim._support.progress import Report, silent
from cortexsim.analyse.interval import wilson
from cortexsim.model.classes import labels_for
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import Presentation
from cortexsim.training.evaluate import predictions

CHUNK = 50


def right_over_time(
    model: Cortex,
    images: xr.Dataset,
    presentation: Presentation,
    until: int,
    *,
    seed: int = 0,
    report: Report = silent,
    statistics: Statistics | None = None,
) -> list[int | None]:
    """Count how many images of a batch a model classifies correctly at each time.

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
    report : callable, optional
        Called before each chunk of images with the fraction that is done and a message.
    statistics : Statistics, optional
        By default the model's own for the presentation.

    Returns
    -------
    list of int or None
        For each time from 0 to `until`; None where nothing can be read.

    Raises
    ------
    MissingStatisticsError
        If the model has no statistics for the presentation, or they end too soon.
    """
    times = model.readable(presentation, until)
    labels = labels_for(model, images)

    named = predictions(
        model,
        as_images(images),
        times,
        presentation,
        statistics=statistics,
        seed=seed,
        batch_size=CHUNK,
        report=report,
    )
    counted = dict(zip(times, (named == labels).sum(1).tolist(), strict=True))
    return [counted.get(time) for time in range(until + 1)]


def as_series(name: str, right: Sequence[int | None], n: int) -> dict[str, Any]:
    """Return counts over time as a line with its 95 % interval, for the stage."""
    between = [None if count is None else wilson(count, n) for count in right]
    return {
        "name": name,
        "values": [None if count is None else count / n for count in right],
        "low": [None if pair is None else pair[0] for pair in between],
        "high": [None if pair is None else pair[1] for pair in between],
    }
