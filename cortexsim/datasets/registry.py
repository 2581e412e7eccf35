"""The datasets by name: the command line, panels, studies and experiments offer all that are registered here."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import xarray as xr

from cortexsim._support.checks import is_number, one_of, unknown, whole
from cortexsim._support.files import as_path
from cortexsim.datasets import contour_tracing, digits_in_debris, pixel_paths, tree_mazes
from cortexsim.datasets.cifar import cifar10
from cortexsim.datasets.image_files import subfolders
from cortexsim.datasets.image_folder import folder, height_and_width, part_there
from cortexsim.datasets.labels import PARTS

CIFAR10_FOLDER = "data-cifar10"  # folder, relative to the working folder, for CIFAR-10


class Difficulty(NamedTuple):
    """A label for menus, and the arguments with which a dataset is drawn at this difficulty."""

    label: str
    adds: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A dataset, as `SOURCES` lists it under its name.

    Parameters
    ----------
    description : str
        Short description for menus and help.
    make : callable
        Returns a Dataset: from (n, part=, seed=, size=, ...) if it is `drawn`, else from (part=).
    drawn : bool
        It is made on the spot, in any number; else all of it is read.
    augmentation : str
        The augmentation in training that does not change labels; see `Recipe`.
    classes : tuple of str
        Names of the classes; empty if they are known only after reading.
    model : str, optional
        The pretrained model that panels show it to.
    difficulty : str
        What makes it difficult, such as "occlusion": the label of the menu of difficulties.
    difficulties : mapping of str to Difficulty
        From the easiest to the hardest; at least one.
    small : mapping
        Arguments of `make` for images that a small model learns within minutes.

    Examples
    --------
    >>> import cortexsim as cs
    >>> source = cs.datasets.SOURCES["contours"]
    >>> source.classes, source.drawn
    (('different', 'same'), True)
    """

    description: str
    make: Callable[..., xr.Dataset]
    drawn: bool = True
    augmentation: str = "none"
    classes: tuple[str, ...] = ()
    model: str | None = None
    difficulty: str = "data"
    difficulties: Mapping[str, Difficulty] = field(default_factory=lambda: {"as drawn": Difficulty("as drawn", {})})
    small: Mapping[str, Any] = field(default_factory=dict)


SOURCES: dict[str, Source] = {
    # mirroring would change the digit
    "digits": Source(
        "digits in debris, made on the spot",
        digits_in_debris.digits,
        classes=digits_in_debris.CLASSES,
        model="ventral-stream-digits",
        difficulty="occlusion",
        difficulties={
            "none": Difficulty("none", {"occlusion": "none"}),
            "light": Difficulty("light (5-20 %)", {"occlusion": "light"}),
            "heavy": Difficulty("heavy (30-50 %)", {"occlusion": "heavy"}),
        },
        small={"size": 16, "debris": "none", "occlusion": "none"},
    ),
    # cropping could remove a part of a curve
    "contours": Source(
        "two curves and two dots, made on the spot",
        contour_tracing.contours,
        augmentation="flip",
        classes=contour_tracing.ANSWERS,
        model="ventral-stream-contours",
        difficulty="curve length",
        difficulties={
            "short": Difficulty("short (8-14 px)", {"length": [8, 14]}),
            "medium": Difficulty("medium (14-21 px)", {"length": [14, 21]}),
            "long": Difficulty("long (21-28 px)", {"length": [21, 28]}),
        },
        small={"size": 16},
    ),
    "paths": Source(
        "curves of single pixels and one dot, with target maps, made on the spot",
        pixel_paths.paths,
        augmentation="turn-flip",
        classes=pixel_paths.CLASSES,
    ),
    "mazes": Source(
        "mazes and one dot, with target maps, made on the spot",
        tree_mazes.mazes,
        augmentation="turn-flip",
        classes=tree_mazes.GOALS["component"],
    ),
    "cifar10": Source(
        "photographs, downloaded when absent",
        lambda *, part: cifar10(CIFAR10_FOLDER, part=part),
        drawn=False,
        augmentation="crop-flip",
        model="ventral-stream-cifar10-jpeg",
    ),
}


def drawn() -> list[str]:
    """Return the names of the datasets that are made on the spot."""
    return [name for name, source in SOURCES.items() if source.drawn]


def get(
    data: str | os.PathLike[str] | Mapping[str, Any],
    n: int,
    *,
    part: str = "train",
    seed: int = 0,
    size: int | tuple[int, int] | None = None,
) -> xr.Dataset:
    """Return a dataset by its name, or a folder of images by its path.

    Parameters
    ----------
    data : str, path or mapping
        A name of `SOURCES`; a folder with one subfolder per class, with or without train/ and test/ above them; or a
        name with arguments, such as {"name": "digits", "occlusion": "heavy"}.
    n : int
        Number of images to draw. A dataset that is read is returned whole.
    part : "train" or "test"
    seed : int
        Of the drawn images.
    size : int or (int, int), optional
        Side, or height and width, in px: drawn images are made at this size, and those of a folder are resized to it.

    Raises
    ------
    FileNotFoundError
        If it is neither a name nor a folder.
    ValueError
        If an argument is unknown or not allowed, or the folder has train/ but no test/ to read.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.datasets.get({"name": "digits", "occlusion": "heavy"}, 10, size=(16, 16))["image"].shape
    (10, 3, 16, 16)
    """
    one_of(part, "part", PARTS)
    if isinstance(data, Mapping):
        shape = height_and_width(size)
        if shape is not None and shape[0] != shape[1]:
            raise ValueError(f"drawn images are square: size must be one side in px, got {size}")
        return draw({"part": part, "seed": seed, **({} if shape is None else {"size": shape[0]}), **data}, n)
    if isinstance(data, str) and data in SOURCES:
        if as_path(data).is_dir():
            warnings.warn(
                f"{data!r} names a dataset of cortexsim; the folder of that name is not read: write ./{data} to "
                "read it",
                stacklevel=2,
            )
        return (
            get({"name": data}, n, part=part, seed=seed, size=size)
            if SOURCES[data].drawn
            else SOURCES[data].make(part=part)
        )
    path = as_path(data, "data")
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}; " + unknown("data", str(data), SOURCES))
    if part == "test" and (path / "train").is_dir() and not (path / "test").is_dir():
        raise ValueError(
            f"there is no test/ next to train/ in {path}; to use other images, give one of its folders "
            f"{subfolders(path)}, such as {path / 'train'}"
        )
    return folder(path, size=size, part=part_there(path, part))


def draw(data: Mapping[str, Any] | None, n: int) -> xr.Dataset:
    """Draw the first stimuli of a dataset that is made on the spot.

    Parameters
    ----------
    data : mapping
        `name`, one of `drawn()`, and keyword arguments of that dataset, as in JSON or TOML: lists become tuples.
    n : int
        Number of stimuli.

    Raises
    ------
    ValueError
        If there are no data, the name is missing or unknown, or an argument is unknown or not allowed.
    """
    if data is None:
        raise ValueError(
            "these settings were saved for images of your own and name no dataset: pass the same images as images=..."
        )
    arguments = dict(data)
    if "name" not in arguments:
        raise ValueError(f"data lacks 'name': the allowed values are {drawn()}, got {arguments}")
    name = one_of(arguments.pop("name"), "data", drawn())
    make = SOURCES[name].make
    check_arguments(f"argument of {name}()", arguments, make, besides=("n", "device"))
    whole(arguments.get("seed", 0), f"the seed of {name}()")
    for key, value in arguments.items():
        if isinstance(value, list | tuple) and not (len(value) == 2 and all(map(is_number, value))):
            raise ValueError(f"{key} of {name}() is {value!r}: a list must be two numbers, [lowest, highest]")
    length = arguments.get("length")
    # an empty value would be taken for the default
    if length is not None and not isinstance(length, list | tuple):
        raise ValueError(f"length of {name}() is {length!r}: allowed are two numbers, [lowest, highest]")
    return make(n, **{key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()})


def check_arguments(
    what: str, arguments: Mapping[str, Any], function: Callable[..., Any], besides: tuple[str, ...] = ()
) -> None:
    """Refuse an argument that a function does not have, or that is not for the user to set.

    Raises
    ------
    ValueError
        The message suggests the nearest one.
    """
    allowed = [name for name in inspect.signature(function).parameters if name not in besides]
    for name in arguments:
        one_of(name, what, allowed)
