"""Batches of images from torch, numpy or xarray: as a Tensor, floating point in [0, 1] or uint8."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import shown
from cortexsim._support.labelled import array_of
from cortexsim._support.transforms import extremes

DIMS = ("stimulus", "channel", "y", "x")
OF_MOVIES = ("stimulus", "frame", "channel", "y", "x")
COLOURS = (("r", "g", "b"), ("red", "green", "blue"))


def as_images(images: Any) -> Tensor:
    """Return pixels as a Tensor (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for movies.

    Parameters
    ----------
    images : Tensor, array of numpy, DataArray, Dataset, or list of one array for each stimulus
        The dimensions of a DataArray, or of a Dataset's variable `image`, are stimulus, channel, y and x, and frame for
        movies, in any order. If a coordinate `channel` names the colours, they are sorted into red, green, blue.
        Numbers along frame, channel, y and x must rise.
        The axes of other types are read by position.

    Raises
    ------
    TypeError
        If it is none of these, or its numbers cannot be pixels.
    ValueError
        If a Dataset has no variable `image`, dimensions have other names, or the numbers along one do not rise.
    """
    if isinstance(images, Tensor):
        return images
    if isinstance(images, xr.Dataset):
        if "image" not in images:
            raise ValueError(f"a Dataset of images needs the variable 'image', got {sorted(map(str, images))}")
        images = images["image"]
    if isinstance(images, xr.DataArray):
        images = _in_order(images).values
    elif isinstance(images, list | tuple) and images:
        shapes = {tuple(getattr(one, "shape", ())) for one in images}
        if len(shapes) != 1 or () in shapes:
            raise TypeError(f"a list of images must have one array for each stimulus, all of one shape, got {shapes}")
        return torch.stack([torch.from_numpy(_pixels(array_of(one, "an image"))) for one in images])
    elif not isinstance(images, np.ndarray):
        raise TypeError(
            f"images must be a torch.Tensor, a Dataset, a DataArray or an array of numpy, got {type(images).__name__}"
        )
    return torch.from_numpy(_pixels(array_of(images, "images")))


def stimulus_coordinates(images: Any) -> dict[str, xr.DataArray]:
    """Return the stimulus coordinates of a Dataset or DataArray (label, factors); for other types, none."""
    if not isinstance(images, xr.Dataset | xr.DataArray):
        return {}
    return {
        str(name): coordinate.reset_coords(drop=True)
        for name, coordinate in images.coords.items()
        if coordinate.dims == ("stimulus",)
    }


def without_levels(data: xr.Dataset) -> xr.Dataset:
    """Return images in which the levels of an index of several levels are coordinates, and `stimulus` is none."""
    return data.reset_index("stimulus") if isinstance(data.indexes.get("stimulus"), pd.MultiIndex) else data


def _in_order(image: xr.DataArray) -> xr.DataArray:
    """Return images with dimensions in the order of a Tensor, and channels in the order red, green, blue."""
    wanted = OF_MOVIES if "frame" in image.dims else DIMS
    if set(image.dims) != set(wanted):
        raise ValueError(
            f"images must have the dimensions {DIMS}, of movies {OF_MOVIES}, in any order, got {image.dims}; rename "
            "them"
        )
    image = image.transpose(*wanted)
    for dim in wanted[1:]:
        _refuse_falling(image, dim)
    if "channel" not in image.coords or image["channel"].dtype.kind not in "USO":
        return image
    names = [str(name).lower() for name in array_of(image["channel"].values, "channel")]
    for colours in COLOURS:
        if sorted(names) == sorted(colours):
            return image.isel(channel=[names.index(colour) for colour in colours])
    raise ValueError(f"the channels of images must be red, green and blue, got {image['channel'].values.tolist()}")


def _refuse_falling(image: xr.DataArray, dim: str) -> None:
    """Raise a ValueError if the numbers along a dimension are not in rising order: it may be reversed or shuffled."""
    if dim in image.indexes and image[dim].dtype.kind in "iuf":
        numbers = image[dim].values
        if not (numbers[1:] > numbers[:-1]).all():
            raise ValueError(
                f"the coordinate {dim!r} of images must be in rising order, got {shown(numbers.tolist())}: sort them "
                f"by it, images.sortby({dim!r}), or drop it to show them in their order, images.drop_vars({dim!r})"
            )


def _pixels(values: np.ndarray) -> np.ndarray:
    """Return an array that torch accepts: numbers, contiguous and writeable."""
    if values.dtype.kind not in "fiub" or values.dtype.itemsize > 8:
        raise TypeError(f"images must be floating point in [0, 1] or uint8, got {values.dtype}")
    return np.require(values, requirements=("C", "W"))


def as_float(images: Tensor) -> Tensor:
    """Return images as floating point in [0, 1]; uint8 is divided by 255."""
    return images.to(torch.float32) / 255 if images.dtype == torch.uint8 else images


def check_images(images: Tensor, size: tuple[int, int] | None = None) -> None:
    """Check that a Tensor is a batch of images.

    Parameters
    ----------
    images : Tensor
    size : (int, int), optional
        Height and width of the model's input, in pixels; None allows any.

    Raises
    ------
    TypeError
        If the dtype is neither floating point nor uint8.
    ValueError
        If the shape, range or size is wrong, there are no images, or pixels are not finite.
    """
    shape = tuple(images.shape)
    if images.layout != torch.strided:
        raise TypeError(f"images must be a dense tensor, got the layout {images.layout}: pass images.to_dense()")
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
    low, high = extremes(images)
    if not math.isfinite(low + high):
        raise ValueError("images must be finite, got NaN or infinity among the pixels")
    if low < 0 or high > 1:
        raise ValueError(f"pixels must lie in [0, 1] (or be uint8), got {low:.9g} to {high:.9g}")
