"""Training examples: images and labels that fit the model, their difficulty, and those held out for validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import is_whole
from cortexsim._support.class_numbers import class_names, class_numbers, refuse_one_hot
from cortexsim._support.labelled import array_of, missing, one_for_each, refuse_missing
from cortexsim.datasets.labels import split
from cortexsim.model.classes import classes_of, matched
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images, stimulus_coordinates
from cortexsim.training.evaluate import asked_times
from cortexsim.training.recipe import Recipe
from cortexsim.training.target_maps import check_pixel_labels, pixel_labels


def pairs(data: Any, model: Cortex, until: int) -> tuple[Tensor, Tensor]:
    """Return images and labels, as `collected` returns them, after checking that they fit the model.

    Parameters
    ----------
    data : Dataset or (images, labels)
        As for `train`.
    model : Cortex
    until : int
        The last time that is read out in training or validation.

    Returns
    -------
    images : Tensor
    labels : Tensor, int64
        Shape (stimulus,), (stimulus, time) with -1 where nothing is asked, or (stimulus, y, x) of a map.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If images or labels do not fit the model.
    """
    of_maps = len(model.readout_shape) == 3
    if isinstance(data, xr.Dataset):
        if not of_maps and "label" not in data.coords:
            raise ValueError(
                "training needs the coordinate 'label'; this Dataset has " + str(sorted(map(str, data.coords)))
            )
        classes_after(model, data)
        images = as_images(data)
        given = pixel_labels(data) if of_maps else matched(model, data)["label"]
    elif isinstance(data, tuple) and len(data) == 2:
        images, given = as_images(data[0]), data[1]
    else:
        raise TypeError(f"data must be a Dataset or a pair (images, labels), got {type(data).__name__}")
    model.check_images(images)
    source = {
        name: one.values
        for name, one in stimulus_coordinates(data if isinstance(data, xr.Dataset) else data[0]).items()
    }
    values = one_for_each(_of_maps(given) if of_maps else _by_time(given), "labels", source, len(images))
    if of_maps:
        labels = torch.from_numpy(_whole(values))
        check_pixel_labels(labels, len(images), model.readout_shape)
        return images, labels
    if values.ndim not in (1, 2):
        raise ValueError(
            f"there must be one label for each of the {len(images)} images, got shape {values.shape}; labels by "
            "readout time have the shape (stimulus, time)"
        )
    if values.ndim == 2:
        refuse_one_hot(values, model.n_classes, until)
    numbers = class_numbers(values, model.n_classes, classes_of(model), unasked=values.ndim == 2)
    return images, torch.from_numpy(numbers)


def classes_after(model: Cortex, data: Any) -> list[str] | None:
    """Return the names of a model's classes after training on these data: its own, or those of the data.

    Raises
    ------
    ValueError
        If the data name more or fewer classes than a model without names reads out.
    """
    own = classes_of(model)
    if own is not None or not isinstance(data, xr.Dataset) or "classes" not in data.attrs:
        return own
    names = class_names(data.attrs["classes"])
    if len(names) != model.n_classes:
        raise ValueError(
            f"the data have {len(names)} classes, {names[:10]}, but the model reads out {model.n_classes}: make the "
            f"model with n_classes={len(names)}, or name all of its classes in data.attrs['classes']"
        )
    return names


def difficulty(data: Any, recipe: Recipe, n: int) -> Tensor:
    """Return the difficulty of each image; zero for all where the recipe names no difficulty."""
    if recipe.difficulty is None:
        return torch.zeros(n)
    known = sorted(map(str, data.coords)) if isinstance(data, xr.Dataset) else []
    if recipe.difficulty not in known:
        raise ValueError(
            f"the recipe's difficulty {recipe.difficulty!r} is not a coordinate of the data, which has {known}; "
            "set difficulty=None and curriculum=((0.0, 1.0),) to train without a curriculum"
        )
    values = array_of(data[recipe.difficulty], recipe.difficulty)
    if values.shape != (n,) or values.dtype.kind not in "iuf":
        raise ValueError(f"the recipe's difficulty {recipe.difficulty!r} must be a number for each of the {n} images")
    refuse_missing(values, recipe.difficulty)
    return torch.from_numpy(values)


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


def _by_time(labels: Any) -> Any:
    """Return labels of a DataArray with the coordinate `time` with a column for each time from 0, -1 where none is."""
    if not isinstance(labels, xr.DataArray) or ("time" not in labels.dims and labels.ndim < 2):
        return labels
    if all(str(dim).startswith("dim_") for dim in labels.dims):
        return labels
    if set(labels.dims) != {"stimulus", "time"}:
        raise ValueError(f"labels by readout time have the dimensions stimulus and time, got {labels.dims}")
    if "time" not in labels.coords:
        return labels
    times = labels["time"].values.tolist()
    if not all(is_whole(time) and time >= 0 for time in times) or len(set(times)) < len(times):
        raise ValueError(f"the times of labels must be whole numbers, each once, got {times}")
    if missing(labels.values).any():
        raise ValueError(f"labels are missing (NaN) at {int(missing(labels.values).sum())} places; -1 asks for nothing")
    return labels.reindex(time=np.arange(max(times) + 1), fill_value=-1)


def _of_maps(targets: Any) -> Any:
    """Return target maps of a DataArray with the dimensions (stimulus, y, x)."""
    if not isinstance(targets, xr.DataArray) or all(str(dim).startswith("dim_") for dim in targets.dims):
        return targets
    if set(targets.dims) != {"stimulus", "y", "x"}:
        raise ValueError(f"target maps have the dimensions stimulus, y and x, got {targets.dims}")
    return targets.transpose("stimulus", "y", "x")


def _whole(values: np.ndarray) -> np.ndarray:
    """Return target maps as int64.

    Raises
    ------
    ValueError
        If they are not whole numbers.
    """
    if values.dtype.kind not in "iufb" or (values.dtype.kind == "f" and not (values == np.round(values)).all()):
        raise ValueError(f"target values must be whole numbers, the class of each pixel, got {values.dtype}")
    return array_of(values, "targets").astype(np.int64)
