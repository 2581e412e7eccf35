"""Training data as one pair of arrays: read from batches, a DataLoader or a torch Dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from cortexsim._support.labelled import array_of
from cortexsim.stimuli.images import as_images


def collected(data: Any) -> Any:
    """Return data as one pair (images, labels), read once; a pair, or a Dataset of xarray, is returned unchanged.

    Parameters
    ----------
    data : Dataset of xarray, (Tensor, Tensor), iterable of (Tensor, Tensor), or Dataset of torch
        The batches of an iterable (a DataLoader, for example) contain images of shape (stimulus, 3, height, width) and
        labels of shape (stimulus,); the items of a torch Dataset one image and one label each.

    Raises
    ------
    TypeError
        If it is none of these, or an item is not a pair.
    ValueError
        If there is nothing in it.
    """
    if isinstance(data, xr.Dataset) or (isinstance(data, tuple) and len(data) == 2 and _is_array(data[0])):
        return data
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        items = [_pair(data[k]) for k in range(len(data))]  # type: ignore[arg-type]
        read = [(image[None], [label]) for image, label in items]
    elif isinstance(data, Iterable) and not isinstance(data, Tensor | str | bytes):
        read = [_pair(batch) for batch in data]
    else:
        raise TypeError(
            "data must be batches (an iterable such as a DataLoader, or a torch Dataset), a Dataset or a pair (images, "
            f"labels), got {type(data).__name__}"
        )
    if not read:
        raise ValueError("there are no images: the data contain no batch")
    images, labels = zip(*read, strict=True)
    return torch.cat(images), np.concatenate([array_of(label, "the labels of a batch") for label in labels])


def _is_array(value: Any) -> bool:
    return not isinstance(value, tuple | list)


def _pair(item: Any) -> tuple[Tensor, Any]:
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], Tensor | np.ndarray):
        return as_images(item[0]), item[1]
    found = f"{type(item).__name__} of {len(item)}" if isinstance(item, tuple | list) else type(item).__name__
    raise TypeError(f"each batch must be a pair (images, labels) with a Tensor of images, got {found}")
