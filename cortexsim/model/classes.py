"""Matching of image labels to the classes of a model, by name."""

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
    """Return the names of a model's classes, or None if it has none.

    Raises
    ------
    ValueError
        If the number of names differs from the number of classes of its readout.
    """
    if model.classes is None:
        return None
    names = class_names(model.classes if isinstance(model.classes, str) else list(model.classes))
    if len(names) != model.n_classes:
        raise ValueError(
            f"model.classes must name each of the {model.n_classes} classes of the readout, got {len(names)} names: "
            f"{names[:10]}"
        )
    return names


def matched(model: Cortex, data: xr.Dataset) -> xr.Dataset:
    """Return images whose labels are the numbers of the model's classes.

    If both the images and the model have class names, labels are matched by name: the numbers of a class may differ,
    for example if a test set lacks a class. Otherwise the numbers are used unchanged.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Images, with or without the coordinate `label`.

    Returns
    -------
    Dataset
        The same images; if the model has class names, `label` and the attribute `classes` refer to them.

    Raises
    ------
    DifferentClassesError
        If the images contain a class that the model lacks.
    ValueError
        If labels are neither numbers nor names of classes, or are out of range.
    """
    given = class_names(data.attrs["classes"]) if "classes" in data.attrs else None
    own = classes_of(model)
    if "label" not in data.coords:
        return data
    # the Dataset has its labels in the order of its images
    label = one_for_each(xr.DataArray(data["label"].variable), "label", {}, data.sizes["stimulus"])
    if label.ndim > 2:
        return data
    by_time = label.ndim == 2  # (stimulus, time), for training
    wanted = own or given
    if wanted is None:
        numbers = class_numbers(label, model.n_classes, what="label", unasked=by_time)
    else:
        numbers = renumbered(label, given, wanted, unasked=by_time)
    class_numbers(numbers, model.n_classes, what="label", unasked=by_time)
    if np.array_equal(numbers, label) and (own is None or own == given):
        return data
    found = data.assign_coords(label=data["label"].transpose("stimulus", ...).copy(data=numbers))
    return found if own is None else found.assign_attrs(classes=json.dumps(own))


def labels_for(model: Cortex, data: xr.Dataset, *, device: Any = None) -> Tensor:
    """Return the labels of images as `matched` finds them, shape (stimulus,), int64.

    Raises
    ------
    ValueError
        As for `matched`; also if there are no labels.
    """
    if "label" not in data.coords:
        raise ValueError(f"the images need the coordinate 'label', but have only {sorted(map(str, data.coords))}")
    return torch.from_numpy(array_of(matched(model, data)["label"], "label").astype(np.int64)).to(device)


def numbers_of(model: Cortex, labels: Any, images: Any, n: int) -> np.ndarray:
    """Return labels that are given separately from the images, in the order of the images.

    Names of the model's classes are converted to numbers. Other labels, which an analysis may compare although the
    readout does not have them, stay unchanged.

    Parameters
    ----------
    model : Cortex
    labels
        A value for each stimulus; see `one_for_each`.
    images : Tensor, Dataset, ...
        Labels with an index are aligned to their coordinates.
    n : int
        Number of stimuli.

    Raises
    ------
    ValueError
        If there is not one label for each stimulus.
    """
    stimuli = {name: one.values for name, one in stimulus_coordinates(images).items()}
    values = one_for_each(labels, "labels", stimuli, n)
    if values.shape != (n,):
        raise ValueError(f"labels must be one for each of the {n} stimuli, got shape {values.shape}")
    own = classes_of(model)
    if own is not None and values.dtype.kind in "UO" and set(values.tolist()) <= set(own):
        return class_numbers(values, model.n_classes, own)
    return values
