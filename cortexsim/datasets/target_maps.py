"""Datasets with a target map: for each pixel of a line, whether it belongs to what the cue marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from cortexsim.datasets.labels import labelled

WHITE, ORANGE = (255, 255, 255), (255, 89, 0)


def with_maps(
    images: np.ndarray,
    target: np.ndarray,
    line: np.ndarray,
    distance: np.ndarray,
    factors: Mapping[str, np.ndarray],
    *,
    classes: Sequence[str],
    attrs: Mapping[str, str | int | float],
) -> xr.Dataset:
    """Put images, their target maps and their factors into one Dataset.

    Parameters
    ----------
    images : array, shape (stimulus, 3, y, x), uint8
    target : array, shape (stimulus, y, x), bool
        The pixels that belong to what the cue marks.
    line : array, shape (stimulus, y, x), bool
        The pixels at which an answer counts.
    distance : array, shape (stimulus, y, x), int
        Steps from the cue, along the line, of each target pixel; -1 at all others.
    factors : mapping from str to array, shape (stimulus,)
        Named as in `labels.LONG_NAMES`.
    classes : sequence of str
        Names of target values 0 and 1.
    attrs : mapping
        `name`, `part`, and the arguments that make the set again.

    Returns
    -------
    Dataset
        `image`, `target` (uint8), `line` (bool) and `distance` (int16).
    """
    made = labelled(images, factors, classes=classes, attrs=attrs)
    dims = ("stimulus", "y", "x")
    return made.assign(
        target=(dims, target.astype(np.uint8), {"long_name": "class of the pixel", "units": "1"}),
        line=(dims, line.astype(bool), {"long_name": "pixels at which an answer counts", "units": "1"}),
        distance=(
            dims,
            distance.astype(np.int16),
            {"long_name": "distance from the cue along the line", "units": "px"},
        ),
    )


def painted(line: np.ndarray, cues: np.ndarray) -> np.ndarray:
    """Paint white lines and orange cue pixels on black.

    Parameters
    ----------
    line : array, shape (stimulus, y, x), bool
    cues : array, shape (stimulus, cue, 2), int
        Row and column of each cue.

    Returns
    -------
    array, shape (stimulus, 3, y, x), uint8
    """
    image = np.repeat(line[:, None].astype(np.uint8) * 255, 3, axis=1)
    stimulus = np.arange(len(line))
    for cue in cues.transpose(1, 0, 2):
        image[stimulus, :, cue[:, 0], cue[:, 1]] = ORANGE
    return image


def choose_one(allowed: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Choose one of the allowed columns of each row, all with the same probability.

    Parameters
    ----------
    allowed : array, shape (row, column), bool
    draw : array, shape (row,)
        Random numbers from 0 to 1; the choice depends on nothing else.
    """
    wanted = (draw * allowed.sum(1)).astype(np.int64)
    return (allowed.cumsum(1) > wanted[:, None]).argmax(1)
