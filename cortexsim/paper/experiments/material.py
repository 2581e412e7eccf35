"""Images of an experiment: drawn digits, CIFAR-10, a folder, or the caller's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from cortexsim import datasets
from cortexsim._support.checks import unknown
from cortexsim._support.files import as_path
from cortexsim._support.hashing import checksum
from cortexsim.datasets.labels import PARTS, split
from cortexsim.datasets.registry import SOURCES
from cortexsim.paper.experiments.scale import Scale
from cortexsim.stimuli.images import as_images
from cortexsim.training.augmentation import shrink


@dataclass(frozen=True)
class Material:
    """Images to train on and images to test on.

    Parameters
    ----------
    train, test : Dataset
        With `image` (stimulus, channel, y, x) and the coordinate `label`.
    name : str
        Their name in results.
    augmentation : str
        The augmentation that does not change their classes; see `Recipe`.
    """

    train: xr.Dataset
    test: xr.Dataset
    name: str
    augmentation: str

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(datasets.classes(self.train))

    def n(self, part: str) -> int:
        """Count the images of a part."""
        return (self.train if part == "train" else self.test).sizes["stimulus"]

    def identity(self) -> dict[str, object]:
        """Describe the images by plain values: name, numbers, checksums, classes."""
        return {
            "name": self.name,
            "augmentation": self.augmentation,
            **{
                f"{part}_{what}": value
                for part, data in (("train", self.train), ("test", self.test))
                for what, value in (
                    ("n", data.sizes["stimulus"]),
                    ("images", checksum(as_images(data))),
                    (
                        "labels",
                        checksum(torch.from_numpy(data["label" if "label" in data.coords else "target"].values)),
                    ),
                )
            },
            "classes": datasets.classes(self.train),
        }


def prepare(data: str | Path | Sequence[xr.Dataset] | None, scale: Scale, name: str | None = None) -> Material:
    """Fetch the images of an experiment at its scale.

    Parameters
    ----------
    data : str, path or pair of Datasets, optional
        A name of `datasets.SOURCES`, such as "digits"; a folder of images with train/ and test/, one subfolder per
        class; or a pair of Datasets (train, test). By default the scale's.
    scale : Scale
        Sets how many images, and their size; photographs are shrunk to it.
    name : str, optional
        Name of a folder's images in results; by default the folder's name.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or CIFAR-10 cannot be downloaded.
    ValueError
        If the folder lacks train/ or test/, images are missing, too small, or too few for a batch or for one of each
        class, the classes of train and test differ, or a name is given to data that already have one.
    """
    data = scale.data if data is None else data
    source = SOURCES.get(data) if isinstance(data, str) else None
    if name is not None and source is not None:
        raise ValueError(f"data_name names the images of a folder, got {name!r} for {str(data)!r}: leave it out")
    if isinstance(data, str) and source is not None and source.drawn:
        made = [
            datasets.get(data, n or default, part=part, size=(scale.side, scale.side))
            for part, n, default in (("train", scale.n_train, 50_000), ("test", scale.n_test, 10_000))
        ]
        if "label" not in made[0].coords:
            raise ValueError(f"this experiment classifies images, but {data} have target maps, not classes")
        return Material(made[0], made[1], str(made[0].attrs["name"]), source.augmentation)
    if source is not None:
        pair = [source.make(part=part) for part in PARTS]
        called = str(pair[0].attrs["name"])
    elif isinstance(data, str | Path):
        folder = _parts_folder(as_path(data, "data"))
        pair = [datasets.folder(folder, size=(scale.side, scale.side), part=part) for part in PARTS]
        called = folder.resolve().name
    elif isinstance(data, Sequence) and len(data) == 2 and all(isinstance(part, xr.Dataset) for part in data):
        pair = list(data)  # type: ignore[arg-type]
        _refuse_unlabelled(pair)
        called = str(pair[0].attrs.get("name", "unnamed"))
    else:
        raise TypeError(
            f"data must be one of {list(SOURCES)}, a folder, or a pair of Datasets (train, test), "
            f"got {type(data).__name__}"
        )
    names = [datasets.classes(part) for part in pair]
    if names[0] != names[1]:
        raise ValueError(f"train and test must have the same classes, but train has {names[0]} and test has {names[1]}")
    train, test = (
        _sized(_first(images, n, f"{part} images at {scale.name} scale"), scale.side)
        for part, images, n in zip(PARTS, pair, (scale.n_train, scale.n_test), strict=True)
    )
    least = math.ceil(scale.recipe.batch_size / (1 - scale.recipe.validation))
    if train.sizes["stimulus"] < least:
        raise ValueError(
            f"{name or called} has {train.sizes['stimulus']} training images; at {scale.name} scale there must be at "
            f"least {least}, for a batch of {scale.recipe.batch_size} in addition to those that are held out"
        )
    return Material(train, test, name or called, scale.recipe.augmentation)


def _parts_folder(folder: Path) -> Path:
    """Return a folder of images, or refuse one that does not exist or lacks a part."""
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}; " + unknown("data", str(folder), SOURCES))
    for part in PARTS:
        if not (folder / part).is_dir():
            raise ValueError(
                f"there is no {part}/ in {folder}: an experiment needs train/ and test/, one subfolder per class"
            )
    return folder


def _refuse_unlabelled(pair: Sequence[xr.Dataset]) -> None:
    """Refuse Datasets (train, test) without images or labels."""
    for part, images in zip(PARTS, pair, strict=True):
        lacks = [name for name in ("image", "label") if name not in images.variables]
        if lacks:
            raise ValueError(f"the {part} Dataset lacks {lacks[0]!r}: it must have `image` and the coordinate `label`")


def _first(data: xr.Dataset, n: int | None, name: str) -> xr.Dataset:
    """Take the first `n` stimuli, balanced over classes, in their order."""
    total, n_classes = data.sizes["stimulus"], len(datasets.classes(data))
    if n is None or n >= total:
        return data
    if n < n_classes:
        raise ValueError(f"{n} {name} are too few for {n_classes} classes; choose a larger scale, or fewer classes")
    return split(data, n / total)[1].assign_attrs(data.attrs)


def _sized(data: xr.Dataset, side: int) -> xr.Dataset:
    """Shrink photographs to a side in pixels, anti-aliased."""
    height, width = data["image"].shape[-2:]
    if (height, width) == (side, side):
        return data
    if height != width or height < side:
        raise ValueError(f"images must be {side}x{side} pixels or larger squares, got {height}x{width}")
    pixels = torch.cat([shrink(part, side / height, 1) for part in as_images(data).split(1000)])
    small = (pixels * 255).round().to(torch.uint8).numpy()
    return data.drop_vars("image").assign(image=(data["image"].dims, np.ascontiguousarray(small), data["image"].attrs))
