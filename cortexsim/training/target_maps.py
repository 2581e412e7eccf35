"""Target maps in training: labels of pixels, their weights in the loss, and the fraction of maps that are correct."""

from __future__ import annotations

import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from cortexsim._support.labelled import pixel_map

BACKGROUND = -1  # label of a pixel at which no answer counts


def pixel_labels(data: xr.Dataset) -> Tensor:
    """Return the class of each pixel of the line, shape (stimulus, y, x); -1 off the line.

    Raises
    ------
    ValueError
        If the dataset has no target maps, or they are not whole numbers (stimulus, y, x).
    """
    missing = [name for name in ("target", "line") if name not in data]
    if missing:
        raise ValueError(
            f"a model with a map as readout learns target maps: the data need the variables 'target' and 'line' "
            f"(stimulus, y, x), as cs.datasets.paths makes them; missing is {' and '.join(map(repr, missing))}"
        )
    target, line = (torch.from_numpy(pixel_map(data, name)) for name in ("target", "line"))
    target, line = target.long(), line.bool()
    return torch.where(line, target, torch.tensor(BACKGROUND))


def check_pixel_labels(labels: Tensor, n_images: int, shape: tuple[int, ...]) -> None:
    """Raise an error if target maps do not fit the images and the readout of a model.

    Parameters
    ----------
    labels : Tensor
    n_images : int
    shape : tuple of int
        The readout of one stimulus, (class, y, x).

    Raises
    ------
    ValueError
        If the number or the size of the maps differs, or a label is not a class.
    """
    if labels.ndim != 3 or len(labels) != n_images or tuple(labels.shape[1:]) != shape[1:]:
        raise ValueError(
            f"the targets must be maps of {shape[1]}x{shape[2]} px, one for each of the {n_images} images, "
            f"got shape {tuple(labels.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < BACKGROUND or high >= shape[0]:
        raise ValueError(
            f"target values must be 0 to {shape[0] - 1} for a model of {shape[0]} classes, or -1 where no answer is "
            f"asked for, got {low} to {high}"
        )


def pixel_weights(labels: Tensor, batch: Tensor, n_classes: int, background: float) -> Tensor:
    """Return the weight of each pixel in the loss: all classes weigh the same over the batch, 1 in total.

    Parameters
    ----------
    labels : Tensor, shape (stimulus, y, x)
        Of a part of the batch.
    batch : Tensor, shape (stimulus, y, x)
        Of the whole batch.
    n_classes : int
    background : float
        The weight of all pixels off the line together.
    """
    each = (batch - BACKGROUND).flatten()
    # torch.bincount would wait for a GPU
    counts = each.new_zeros(n_classes + 1).scatter_add(0, each, torch.ones_like(each))
    total = torch.full_like(counts, 1 / n_classes, dtype=torch.float32)
    # not total[0] = ..., which copies the number to a GPU
    total[:1].fill_(background)
    return (total / counts.clamp(min=1))[labels - BACKGROUND]


def map_loss(logits: Tensor, labels: Tensor, weights: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the weighted cross-entropy of maps, the mean over readout times; off the line, class 0 is correct.

    Parameters
    ----------
    logits : Tensor, shape (time, stimulus, class, y, x)
    labels, weights : Tensor, shape (stimulus, y, x)
    label_smoothing : float
    """
    wanted = labels.clamp(min=0).expand(len(logits), *labels.shape).flatten(0, 1)
    each = F.cross_entropy(logits.flatten(0, 1), wanted, reduction="none", label_smoothing=label_smoothing)
    return (each.unflatten(0, logits.shape[:2]) * weights).sum() / len(logits)


def exactly_right(named: Tensor, labels: Tensor) -> Tensor:
    """Return which maps are correct at every pixel of the line.

    Parameters
    ----------
    named : Tensor, shape (time, stimulus, y, x)
        The class that is read out.
    labels : Tensor, shape (stimulus, y, x)

    Returns
    -------
    Tensor, shape (time, stimulus), bool
    """
    return ((named == labels) | (labels == BACKGROUND)).flatten(2).all(2)
