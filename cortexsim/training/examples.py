"""Training examples: images and labels that fit the model, their difficulty, and those held out for validation."""

from __future__ import annotations

from typing import Any

import torch
import xarray as xr
from torch import Tensor

from cortexsim.datasets.labels import split
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images
from cortexsim.training.evaluate import asked_times
from cortexsim.training.recipe import Recipe
from cortexsim.training.target_maps import check_pixel_labels, pixel_labels


def pairs(data: Any, model: Cortex) -> tuple[Tensor, Tensor]:
    """Return images and labels, as `collected` leaves them, after checking that they fit the model.

    Raises
    ------
    TypeError, ValueError
        If they do not; the message says what is wanted.
    """
    of_maps = len(model.readout_shape) == 3
    if isinstance(data, xr.Dataset):
        if not of_maps and "label" not in data.coords:
            raise ValueError(
                "training needs the coordinate 'label'; this Dataset has " + str(sorted(map(str, data.coords)))
            )
        images = as_images(data)
        labels = pixel_labels(data) if of_maps else torch.from_numpy(data["label"].values).long()
    elif isinstance(data, tuple) and len(data) == 2:
        images, labels = data[0], torch.as_tensor(data[1]).long()
    else:
        raise TypeError(f"data must be a Dataset or a pair (images, labels), got {type(data).__name__}")
    model.check_images(images)
    if of_maps:
        check_pixel_labels(labels, len(images), model.readout_shape)
        return images, labels
    if labels.ndim not in (1, 2) or len(labels) != len(images):
        raise ValueError(
            f"there must be one label for each of the {len(images)} images, got shape {tuple(labels.shape)}; labels "
            "by readout time have the shape (stimulus, time)"
        )
    # in labels by time, -1 marks a time at which no answer is asked for
    lowest = 0 if labels.ndim == 1 else -1
    if int(labels.min()) < lowest or int(labels.max()) >= model.n_classes:
        raise ValueError(
            f"labels must be 0 to {model.n_classes - 1} for a model of {model.n_classes} classes, got "
            f"{int(labels.min())} to {int(labels.max())}"
        )
    return images, labels


def difficulty(data: Any, recipe: Recipe, n: int) -> Tensor:
    """Return the difficulty of each image; zero for all where the recipe names no difficulty."""
    if recipe.difficulty is None:
        return torch.zeros(n)
    known = sorted(map(str, data.coords)) if isinstance(data, xr.Dataset) else []
    if recipe.difficulty not in known:
        raise ValueError(
            f"the recipe's difficulty {recipe.difficulty!r} is no coordinate of the data, which has {known}; "
            "set difficulty=None and curriculum=((0.0, 1.0),) to train without a curriculum"
        )
    return torch.from_numpy(data[recipe.difficulty].values)


def held_out(labels: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Split into training and validation images, balanced over classes, by the seed."""
    if not recipe.validation:
        return torch.arange(len(labels)), torch.arange(0)
    # of labels by time, the last that is asked for
    one = labels[:, (asked_times(labels) or [0])[-1]] if labels.ndim == 2 else labels
    # maps have no classes
    one = torch.zeros(len(labels)) if labels.ndim == 3 else one
    only = xr.Dataset(coords={"label": ("stimulus", one.numpy()), "at": ("stimulus", range(len(labels)))})
    try:
        rest, held = split(only, recipe.validation, seed=recipe.seed)
    except ValueError as error:
        raise ValueError(f"{error}; give more images, or set the recipe's validation (0 is none)") from error
    return torch.from_numpy(rest["at"].values), torch.from_numpy(held["at"].values)
