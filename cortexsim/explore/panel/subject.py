"""Subjects of panels: a model, its feedforward control, and the images that both are shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import numpy as np
import xarray as xr

from cortexsim import zoo
from cortexsim._support.checks import one_of, unknown, whole
from cortexsim._support.class_numbers import DifferentClassesError
from cortexsim.datasets import classes, spread
from cortexsim.datasets.registry import draw, drawn
from cortexsim.explore.panel.settings import SUBJECT
from cortexsim.explore.panel.tasks import TASKS, shipped
from cortexsim.model.classes import matched
from cortexsim.model.cortex import Cortex
from cortexsim.recording._rerun import MOST_DRAWN
from cortexsim.stimuli.images import as_images


class NeededClasses(Enum):
    """The classes that images need to have for what a panel measures."""

    MODELS = auto()
    """Those of the model, because its answers are counted."""
    ANY = auto()
    """Any: labels that are not the model's become names."""
    NONE = auto()
    """None at all: labels that are not the model's become names, and images may have no label."""


class Subject:
    """A model with images, by name or of your own.

    Parameters
    ----------
    task : str, optional
        A task with a pretrained model, such as "contours" or "digits"; by default the first, unless a model is given.
    model : Cortex or str, optional
        A model, the name of a pretrained one, or a path ending in .safetensors.
    data : Dataset or mapping, optional
        Images with `label`; or `name` and arguments of a dataset, whose images are drawn when they are needed.
    n : int
        Number of images to draw, or to take evenly from those that were given.
    needed : NeededClasses
        The classes that images of your own need to have.

    Attributes
    ----------
    model : Cortex
    control : Cortex or None
        The feedforward control of a pretrained model, if there is one.
    control_name : str or None
        Its name.

    Raises
    ------
    ValueError
        If there is no such task, or too few images.
    TypeError
        If model or data are of another type, or only one of them is given.
    """

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, Any] | None = None,
        n: int = 200,
        needed: NeededClasses = NeededClasses.MODELS,
    ) -> None:
        if task is not None and (model is not None or data is not None):
            raise ValueError(f"give either a task, got {task!r}, or a model and data of your own, not both")
        if (model is None) != (data is None):
            raise TypeError("model and data go together: images of one task say nothing about a model of another")
        n = whole(n, "n", 1, unit="images")
        if model is None:
            known = shipped()
            if task is not None and task not in known:
                raise ValueError(unknown("task", task, known))
            chosen = known[task or next(iter(known))]
            model, data = chosen.model, chosen.data
        if not isinstance(model, Cortex | str):
            raise TypeError(f"model must be a Cortex, a name or a path, got {type(model).__name__}")
        if not isinstance(data, xr.Dataset | Mapping):
            raise TypeError(
                "data must be a Dataset with `image` (and `label`), or a mapping such as "
                f"{{'name': 'digits', 'part': 'test'}}, got {type(data).__name__}"
            )
        # a Dataset is also a mapping
        if isinstance(data, xr.Dataset):
            if len(as_images(data)) < n:
                raise ValueError(f"n is {n}, but there are {len(as_images(data))} images")
        elif one_of(data.get("name"), "data", drawn()) and n > MOST_DRAWN:
            raise ValueError(f"n must be at most {MOST_DRAWN:,} where images are drawn, got {n}")
        self.n, self._named, self._data = n, None if isinstance(model, Cortex) else str(model), data
        self.model: Cortex = model if isinstance(model, Cortex) else zoo.get(model)
        if isinstance(data, xr.Dataset):
            self._data = _matched(self.model, data, needed)
        names = {one.model: one.control for one in shipped().values()}
        self.control_name = names.get(self._named)
        self.control: Cortex | None = None if self.control_name is None else zoo.get(self.control_name)
        self._drawn: xr.Dataset | None = None

    @property
    def images(self) -> xr.Dataset:
        """The images; drawn at the first call."""
        if self._drawn is None:
            given = self._data
            self._drawn = spread(given, self.n) if isinstance(given, xr.Dataset) else draw(given, self.n)
        return self._drawn

    def some(self, n: int) -> xr.Dataset:
        """Return up to n of the images: the first ones if they are drawn, else evenly taken ones."""
        if isinstance(self._data, xr.Dataset):
            return spread(self.images, n)
        return self.images.isel(stimulus=slice(0, n))

    def training(self, n: int) -> xr.Dataset:
        """Draw images of the training part, to take statistics on; for images of your own, return up to n of all."""
        if isinstance(self._data, xr.Dataset):
            return spread(self._data, n)
        described = self.training_data
        assert described is not None
        return draw(described, n)

    @property
    def training_data(self) -> dict[str, Any] | None:
        """The dataset of `training`, by name and arguments; None for images of your own."""
        if isinstance(self._data, xr.Dataset):
            return None
        return {**self._data, "part": "train", "seed": int(self._data.get("seed", 0)) + 1}

    @property
    def title(self) -> str:
        """The title of the task, the name of the model, or "your own model"."""
        for task in TASKS.values():
            if self._named is not None and task.model == self._named:
                return task.title
        return self._named or "your own model"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; None stands for a model or data of your own, which have no name."""
        return {
            "model": self._named,
            "data": None if isinstance(self._data, xr.Dataset) else dict(self._data),
            "n": self.n,
            "model_checksum": self.model.checksum(),
        }

    @classmethod
    def from_dict(
        cls,
        described: Mapping[str, Any],
        *,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, Any] | None = None,
        needed: NeededClasses = NeededClasses.MODELS,
    ) -> Subject:
        """Make a subject of what `to_dict` returned.

        Raises
        ------
        ValueError
            If no model or no data are named or given, or the model differs from the saved one.
        """
        described = SUBJECT.read(described)
        for name, given in (("model", model), ("data", data)):
            if described[name] is None and given is None:
                raise ValueError(
                    f"these settings name no {name}: they were saved with your own; pass it again as {name}=..."
                )
        model = described["model"] if model is None else model
        data = described["data"] if data is None else data
        subject = cls(model=model, data=data, n=described["n"], needed=needed)
        found = subject.model.checksum()
        if described.get("model_checksum") not in (None, found):
            raise ValueError(
                f"the model differs from the one of these settings: its checksum is {found}, the settings have "
                f"{described['model_checksum']!r}; pass that model, or remove model_checksum to use this one"
            )
        return subject


def _matched(model: Cortex, data: xr.Dataset, needed: NeededClasses) -> xr.Dataset:
    """Return images whose labels are the numbers of the model's classes, or names if it has other classes."""
    if model.post_net_name == "map" and needed is NeededClasses.MODELS:
        if "target" not in data:
            raise ValueError(
                "this model answers for each pixel, such as whether it is connected with the dot, and not what an "
                "image shows, so this panel needs images with target maps, as cs.datasets.paths and cs.datasets.mazes "
                "draw them; cs.explore.Changes, cs.explore.Tour and cs.simulate take any images"
            )
    elif "label" not in data and needed is not NeededClasses.NONE:
        raise ValueError(
            "this panel needs images with classes, the coordinate 'label' with one for each image: cs.datasets.folder "
            "reads them from a folder with one subfolder a class; cs.explore.Tour, cs.explore.Recorder and cs.simulate "
            "take images without"
        )
    try:
        return matched(model, data)
    except DifferentClassesError:
        if needed is NeededClasses.MODELS:
            raise
    labels = data["label"].values
    named = labels if labels.dtype.kind in "UO" else np.array(classes(data))[labels]
    found = data.assign_coords(label=("stimulus", named, {"long_name": "class of the image, none of the model's"}))
    found.attrs.pop("classes", None)
    return found
