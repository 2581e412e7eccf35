"""Images next to the classes of a model: labels are the numbers of the model's own classes, by their names."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.class_numbers import class_names, class_numbers, renumbered
from cortexsim._support.labelled import array_of, one_for_each
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import stimulus_coordinates


def classes_of(model: Cortex) -> list[str] | None:
    """Return the names of a model's classes, or None where it has none.

    Raises
    ------
    ValueError
        If there is not one name for each class of its readout.
    """
    if model.classes is None:
        return None
    names = class_names(list(model.classes))
    if len(names) != model.n_classes:
        raise ValueError(
            f"model.classes must name each of the {model.n_classes} classes of the readout, got {len(names)} names: "
            f"{names[:10]}"
        )
    return names


def matched(model: Cortex, data: xr.Dataset) -> xr.Dataset:
    """Return images whose labels are the numbers of the model's classes.

    Where both the images and the model name their classes, labels are matched by these names: the same class may have
    another number in each list, as where a test set lacks a class. Where only one has names, or none, numbers are taken
    as they are.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Images, with the coordinate `label` or without.

    Returns
    -------
    Dataset
        The same images; `label` and the attribute `classes` are the model's where it has names.

    Raises
    ------
    DifferentClassesError
        If a class that occurs is none of the model's.
    ValueError
        If labels are no numbers or names of classes, or out of range.
    """
    given = class_names(data.attrs["classes"]) if "classes" in data.attrs else None
    own = classes_of(model)
    if "label" not in data.coords:
        return data
    label = one_for_each(data["label"], "label", {}, data.sizes["stimulus"])
    if label.ndim > 1:  # of several readout times, which only training takes
        return data
    wanted = own or given
    numbers = (
        class_numbers(label, model.n_classes, what="label") if wanted is None else renumbered(label, given, wanted)
    )
    class_numbers(numbers, model.n_classes, what="label")
    if np.array_equal(numbers, label) and (own is None or own == given):
        return data
    found = data.assign_coords(label=data["label"].copy(data=numbers))
    return found if own is None else found.assign_attrs(classes=json.dumps(own))


def labels_for(model: Cortex, data: xr.Dataset, *, device: Any = None) -> Tensor:
    """Return the labels of images as `matched` finds them, shape (stimulus,), int64.

    Raises
    ------
    ValueError
        As `matched`; also if there are no labels.
    """
    if "label" not in data.coords:
        raise ValueError(f"the images need the coordinate 'label', but have only {sorted(map(str, data.coords))}")
    return torch.from_numpy(array_of(matched(model, data)["label"], "label").astype(np.int64)).to(device)


def numbers_of(model: Cortex, labels: Any, images: Any, n: int) -> np.ndarray:
    """Return the labels of images that are given next to them, in the images' order, as far as they are classes.

    Names of the model's classes are their numbers; other labels, which an analysis may compare but a readout cannot
    name, stay what they are.

    Parameters
    ----------
    model : Cortex
    labels
        A value for each stimulus; see `one_for_each`.
    images : Tensor, Dataset, ...
        Their coordinates put labels that carry an index in order.
    n : int
        Number of stimuli.

    Raises
    ------
    ValueError
        If they are not one for each stimulus.
    """
    stimuli = {name: one.values for name, one in stimulus_coordinates(images).items()}
    values = one_for_each(labels, "labels", stimuli, n)
    if values.shape != (n,):
        raise ValueError(f"labels must be one for each of the {n} stimuli, got shape {values.shape}")
    own = classes_of(model)
    if own is not None and values.dtype.kind in "UO" and set(values.tolist()) <= set(own):
        return class_numbers(values, model.n_classes, own)
    return values
