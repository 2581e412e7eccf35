"""Batches of images: a Tensor in [0, 1] or of bytes, or a Dataset with its stimulus coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor


def as_images(images: Any) -> Tensor:
    """Return the pixels of a Tensor or Dataset, shape (stimulus, 3, height, width) or with frames.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a Dataset has no variable `image`.
    """
    if isinstance(images, xr.Dataset):
        if "image" not in images:
            raise ValueError(f"a Dataset of images needs the variable 'image', got {sorted(map(str, images))}")
        # torch takes neither a reversed nor a read-only array as it is: those are copied
        return torch.from_numpy(np.require(images["image"].values, requirements=("C", "W")))
    if isinstance(images, Tensor):
        return images
    raise TypeError(f"images must be a torch.Tensor or a Dataset, got {type(images).__name__}")


def stimulus_coordinates(images: Any) -> dict[str, xr.DataArray]:
    """Return the coordinates of a Dataset's stimuli (label, factors); none for a Tensor."""
    if not isinstance(images, xr.Dataset):
        return {}
    return {
        str(name): coordinate.reset_coords(drop=True)
        for name, coordinate in images.coords.items()
        if coordinate.dims == ("stimulus",)
    }


def as_float(images: Tensor) -> Tensor:
    """Return images as floating point in [0, 1]; uint8 is divided by 255."""
    return images.to(torch.float32) / 255 if images.dtype == torch.uint8 else images


def check_images(images: Tensor, size: tuple[int, int] | None = None) -> None:
    """Check that a Tensor is a batch of images.

    Parameters
    ----------
    images : Tensor
    size : (int, int), optional
        Height and width that the model sees, in pixels; None allows any.

    Raises
    ------
    TypeError
        If the dtype is neither floating point nor uint8.
    ValueError
        If the shape, the range or the size is wrong, there are none, or not all pixels are finite.
    """
    shape = tuple(images.shape)
    if images.ndim not in (4, 5) or shape[-3] != 3:
        raise ValueError(
            "images must have shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a "
            f"sequence, got {shape}"
        )
    if 0 in shape:
        raise ValueError(f"there are no images: shape {shape}")
    if size is not None and shape[-2:] != tuple(size):
        raise ValueError(f"this model sees images of {size[0]}x{size[1]} pixels, got {shape[-2]}x{shape[-1]}")
    if images.dtype == torch.uint8:
        return
    if not images.is_floating_point():
        raise TypeError(f"images must be floating point in [0, 1] or uint8, got {images.dtype}")
    low, high = (float(edge) for edge in torch.aminmax(images.detach()))
    if not math.isfinite(low + high):
        raise ValueError("images must be finite, got NaN or infinity among the pixels")
    if low < 0 or high > 1:
        raise ValueError(f"pixels must lie in [0, 1] (or be uint8), got {low:.3g} to {high:.3g}")
