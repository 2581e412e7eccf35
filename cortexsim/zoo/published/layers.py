"""Parts that the published models share: from pixels to the first area, and from the last one to the classes."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim._support.checks import truth, whole
from cortexsim.graph.states import State

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation of R, G and B
CENTRED = ((0.5,) * 3, (0.5,) * 3)  # from [0, 1] to [-1, 1]
MOST_CLASSES = 10_000_000
Moments = tuple[tuple[float, ...], tuple[float, ...]]


class FromPixels(nn.Module):
    """The pre-net of a published model: its normalization of images, then its first layers.

    Parameters
    ----------
    layers : mapping of str to Module
        In order.
    stride : int
        Pixels of the image for each pixel of the first area, along a side.
    moments : (mean, standard deviation)
        Of R, G and B.
    normalize : bool
        False for images that are already normalized.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, layers: OrderedDict[str, nn.Module], stride: int, moments: Moments, normalize: bool) -> None:
        super().__init__()
        self.layers, self.image_stride = nn.Sequential(layers), stride
        self.moments = moments if truth(normalize, "normalize_images") else None
        # not in the state_dict: no checkpoint contains them
        mean, std = self.moments or ((0.0,) * 3, (1.0,) * 3)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return what enters the first area, shape (stimulus, channel, y, x)."""
        if self.moments is None:
            return self.layers(images)
        return self.layers((images - self.mean) / self.std)

    def extra_repr(self) -> str:
        """Return the settings that change the result and are not parameters."""
        return f"image_stride={self.image_stride}, moments={self.moments}"


class AverageAndLinear(nn.Module):
    """The post-net of a published model: average over positions, then a linear layer."""

    def __init__(self, features: int, n_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, whole(n_classes, "n_classes", 1, limit=MOST_CLASSES))

    def forward(self, h: Tensor) -> Tensor:
        """Return logits, shape (stimulus, class)."""
        return self.linear(h.mean((2, 3)))


class Unchanged(nn.Module):
    """A transition that delivers its source unchanged: the self-transition of a state that keeps its activity."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__()

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return h, shape (stimulus, channel, y, x)."""
        return h


def areas(features: Mapping[str, int], sizes: Iterable[int], *, size: int, at: int, **settings: Any) -> list[State]:
    """Make the areas of a published model.

    Parameters
    ----------
    features : mapping of str to int
        Channels by name, in anatomical order.
    sizes : iterable of int
        Their side in px for images of the published size.
    size : int
        Side of the images, px.
    at : int
        The published side of the images, px.
    settings
        `update` and `start` of every area.

    Raises
    ------
    ValueError
        If an area would not have a whole number of pixels.
    """
    size = whole(size, "size", 1, unit="px")
    sides = list(sizes)
    step = math.lcm(*(at // math.gcd(at, side) for side in sides))
    if size % step:
        raise ValueError(f"size must be a multiple of {step} px, so that every area has whole pixels, got {size}")
    scaled = (side * size // at for side in sides)
    return [State(name, n, side, side, **settings) for (name, n), side in zip(features.items(), scaled, strict=True)]
