"""The images of a training: drawn once, then split into those to train on and those held out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import torch
import xarray as xr

from cortexsim._support.progress import Clock, Report
from cortexsim.datasets.labels import classes
from cortexsim.datasets.registry import draw
from cortexsim.stimuli.images import as_images

PIECE = 250  # images drawn at once; cancelling takes effect between two pieces

_DRAWN: dict[tuple[str, int], xr.Dataset] = {}
_DRAWING = threading.Lock()


def drawn(data: Mapping[str, Any], n: int, report: Report) -> xr.Dataset:
    """Draw images of a dataset, or return those that were drawn before.

    Parameters
    ----------
    data : mapping
        `name` and arguments of a dataset.
    n : int
    report : callable
        Called before each piece; an exception that it raises stops the drawing.
    """
    key = (repr(sorted(data.items())), n)
    while not _DRAWING.acquire(timeout=0.1):
        report(0.0, "waiting for another panel to draw its images …")
    try:
        if key not in _DRAWN:
            clock, pieces = Clock(), []
            for start in range(0, n, PIECE):
                left = clock.left(start / n)
                report(start / n, f"drawing images, {start:,} of {n:,}{', ' + left if left else ''}")
                # a seed for each piece: a dataset cannot be drawn from the middle
                pieces.append(draw({**data, "seed": start // PIECE}, min(PIECE, n - start)))
            _DRAWN[key] = xr.concat(pieces, "stimulus", combine_attrs="override")
        return _DRAWN[key]
    finally:
        _DRAWING.release()


def shuffled(images: xr.Dataset, n: int) -> xr.Dataset:
    """Choose n of the images, in a random order that is always the same.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    there = len(as_images(images))
    if there < n:
        raise ValueError(f"the training needs {n} images, but the data contain only {there}")
    order = torch.randperm(there, generator=torch.Generator().manual_seed(0))
    return images.isel(stimulus=order[:n].numpy())


def split(images: xr.Dataset, n_held_out: int) -> tuple[xr.Dataset, xr.Dataset, list[str]]:
    """Return the images to train on, the last ones as held out, and the names of the classes."""
    n = len(as_images(images)) - n_held_out
    return (
        images.isel(stimulus=slice(0, n)),
        images.isel(stimulus=slice(n, None)),
        [str(name) for name in classes(images)],
    )
