"""The form of every dataset: images, labels and stimulus factors in one plain xarray Dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr

from cortexsim._support import randomness
from cortexsim._support.checks import finite, shown, unknown, whole
from cortexsim._support.class_numbers import class_names
from cortexsim._support.memory import available
from cortexsim.model.modes import own_modes

PARTS = ("train", "test")
CHUNK_PIXELS = {"cpu": 512 * 32**2, "accelerator": 8192 * 32**2}  # drawn at once

LONG_NAMES = {
    "label": ("class of the stimulus", "1"),
    "visible_fraction": ("visible fraction of the target", "1"),
    "x_offset": ("target centre, to the right of the image centre", "px"),
    "y_offset": ("target centre, below the image centre", "px"),
    "scale": ("height of the digit", "px"),
    "rotation": ("rotation of the digit, clockwise", "degree"),
    "shear": ("horizontal shift for each unit of height", "1"),
    "stroke_width": ("width of the stroke, as a fraction of the digit's height", "1"),
    "n_debris": ("number of debris fragments", "1"),
    "n_occluders": ("number of occluders", "1"),
    "curve_length": ("length of each of the two curves", "px"),
    "dot_distance": ("distance between the two dots", "px"),
    "curve_gap": ("smallest distance between the two curves' centre lines", "px"),
    "length": ("length of each curve; of a maze, of the longest path from the cue", "px"),
    "cue_y": ("row of the cue", "px"),
    "cue_x": ("column of the cue", "px"),
    "end_y": ("row of the far point, on the target", "px"),
    "end_x": ("column of the far point", "px"),
    "foil_y": ("row of the foil, off the target", "px"),
    "foil_x": ("column of the foil", "px"),
    "source": ("index of the file in the sorted list of files", "1"),
}


def labelled(
    images: np.ndarray,
    factors: Mapping[str, np.ndarray],
    *,
    classes: Sequence[str],
    attrs: Mapping[str, str | int | float],
) -> xr.Dataset:
    """Put images and their factors into one Dataset.

    Parameters
    ----------
    images : array, shape (stimulus, 3, y, x), uint8
        RGB, 0 to 255.
    factors : mapping from str to array, shape (stimulus,)
        `label`, and other factors of each stimulus; named as in `LONG_NAMES`.
    classes : sequence of str
        Class names, in the order of the labels.
    attrs : mapping
        `name`, `part`, and the arguments that make the set again; str, int and float only, as netCDF requires.

    Returns
    -------
    Dataset
        `image` (stimulus, channel, y, x) with the factors as coordinates.
    """
    coordinates = {}
    for name, values in factors.items():
        long_name, units = LONG_NAMES[name]
        coordinates[name] = ("stimulus", values, {"long_name": long_name, "units": units})
    image = (("stimulus", "channel", "y", "x"), images, {"long_name": "RGB image", "units": "1"})
    return xr.Dataset({"image": image}, coordinates, {**attrs, "classes": json.dumps(list(classes))})


def classes(dataset: xr.Dataset) -> list[str]:
    """Return the names of the classes of a dataset, in the order of its labels.

    Parameters
    ----------
    dataset : Dataset
        With the attribute `classes`: a JSON list, as in every dataset of this module, or a list.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If the dataset has no attribute `classes`, or it is not a list of different names.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.datasets.classes(cs.datasets.contours(2))
    ['different', 'same']
    """
    if "classes" not in dataset.attrs:
        raise ValueError(
            "the dataset has no attribute 'classes': allowed is a JSON list of names, "
            "such as dataset.attrs['classes'] = '[\"cat\", \"dog\"]'"
        )
    return class_names(dataset.attrs["classes"])


@own_modes()
def split(dataset: xr.Dataset, fraction: float, *, seed: int = 0) -> tuple[xr.Dataset, xr.Dataset]:
    """Hold out a fraction of the stimuli of every class, for validation.

    Parameters
    ----------
    dataset : Dataset
        With the coordinate `label` (stimulus).
    fraction : float
        The fraction of each class that is held out, rounded to whole stimuli; between 0 and 1.
    seed : int
        A different seed holds out different stimuli. The same dataset and seed give the same split.

    Returns
    -------
    rest, held_out : Dataset
        Both in the order of `dataset`. The attribute `part` of the second is "validation".

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1, if there are no labels, or if one side would be empty.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(100, size=16)
    >>> rest, held_out = cs.datasets.split(digits, 0.2)
    >>> rest.sizes["stimulus"], held_out.sizes["stimulus"]
    (80, 20)
    """
    given, fraction, seed = fraction, finite(fraction, "fraction"), whole(seed, "seed")
    if not 0 < fraction < 1:
        raise ValueError(f"cannot hold out the fraction {shown(given)}: allowed is a number above 0 and below 1")
    if "label" not in dataset.coords:
        raise ValueError(
            f"cannot split by class: the coordinates are {sorted(map(str, dataset.coords))}, needed is 'label'"
        )
    label = dataset["label"].values
    draw = randomness.bits(seed, "split", torch.arange(len(label)), 1)[:, 0].numpy()
    held_out = np.zeros(len(label), dtype=bool)
    for value in np.unique(label):
        members = np.flatnonzero(label == value)
        order = np.argsort(draw[members], kind="stable")
        held_out[members[order[: round(fraction * len(members))]]] = True
    if held_out.all() or not held_out.any():
        raise ValueError(
            f"holding out {fraction} of each class takes {held_out.sum()} of {len(label)} stimuli: "
            "each side needs at least one"
        )
    rest = dataset.isel(stimulus=~held_out)
    taken = dataset.isel(stimulus=held_out)
    return rest, taken.assign_attrs(part="validation", split_fraction=float(fraction), split_seed=int(seed))


def spread(dataset: xr.Dataset, n: int) -> xr.Dataset:
    """Take some stimuli at equal distances over a dataset, in their order.

    A folder is sorted by class, so its first stimuli are all of one class.

    Parameters
    ----------
    dataset : Dataset
        With the dimension `stimulus`.
    n : int
        Number of stimuli; all, if there are fewer.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(100, size=16)
    >>> cs.datasets.spread(digits, 4)["stimulus"].values
    array([0, 1, 2, 3])
    """
    n, total = whole(n, "n", 1), dataset.sizes["stimulus"]
    return dataset if n >= total else dataset.isel(stimulus=np.arange(n) * total // n)


@own_modes()
def sample(dataset: xr.Dataset, n: int, *, seed: int = 0) -> xr.Dataset:
    """Draw some stimuli at random, without repeats and in their order.

    Parameters
    ----------
    dataset : Dataset
        With the dimension `stimulus`.
    n : int
        Number of stimuli; all, if there are fewer.
    seed : int

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(100, size=16)
    >>> cs.datasets.sample(digits, 10, seed=1).sizes["stimulus"]
    10
    """
    n, seed = whole(n, "n", 1), randomness.torch_seed(seed)
    order = torch.randperm(dataset.sizes["stimulus"], generator=torch.Generator().manual_seed(seed))[:n]
    return dataset.isel(stimulus=sorted(order.tolist()))


def balanced_labels(seed: int, purpose: str, index: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Draw labels so that each class occurs once in every run of `n_classes` stimuli.

    Returns
    -------
    Tensor, shape (stimulus,), int64
    """
    order = randomness.permutation(seed, purpose, index // n_classes, n_classes)
    return order.gather(1, (index % n_classes)[:, None])[:, 0]


def number_of_images(n: int, size: int) -> int:
    """Return the number of images to draw, after checking that they fit in memory.

    Parameters
    ----------
    n : int
    size : int
        Side of an image, px.

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.
    MemoryError
        If the images do not fit in memory.
    """
    n = whole(n, "n", 1)
    needed, free = 3 * n * size**2, available()
    if needed > free:
        raise MemoryError(
            f"{n:,} images of {size} x {size} px take {needed / 1e9:,.0f} GB, but {free / 1e9:,.1f} GB of memory is "
            "free; draw fewer"
        )
    return n


def check_part(part: str) -> None:
    """Refuse a part that is neither "train" nor "test"."""
    if part not in PARTS:
        raise ValueError(unknown("part", part, PARTS))


def device_named(device: str | torch.device) -> torch.device:
    """Return the device to compute on, or report why it is not available."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"cannot compute on device {str(device)!r} here: allowed is 'cpu'"
            f"{', or ' + repr('cuda') if torch.cuda.is_available() else ' (torch finds no CUDA device)'}"
        ) from error
    return found


def chunks(n: int, size: int, device: torch.device) -> Iterator[torch.Tensor]:
    """Iterate over the indices of `n` images of side `size` in pieces that fit the processor's cache.

    Yields
    ------
    Tensor, shape (chunk,), int64
        On `device`. The images do not depend on where one piece ends and the next begins.
    """
    count = max(1, CHUNK_PIXELS["cpu" if device.type == "cpu" else "accelerator"] // size**2)
    for start in range(0, n, count):
        yield torch.arange(start, min(start + count, n), device=device)
