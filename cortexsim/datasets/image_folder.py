"""Folders of images, one subfolder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown, whole
from cortexsim._support.files import as_path
from cortexsim.datasets.labels import labelled
from cortexsim.datasets.target_maps import with_maps

if TYPE_CHECKING:
    from PIL import Image

GREY = (127, 127, 127)  # grey level behind transparent pixels
SMALL_FILE_BYTES = 20_000
MOST_NAMED = 5  # most images that one error names


def folder(
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    part: str | None = None,
    progress: bool = False,
    targets: str | os.PathLike[str] | None = None,
) -> xr.Dataset:
    """Read a folder of images, one subfolder a class; or, with `targets`, a folder of images and one of target maps.

    The classes are the names of the subfolders, sorted. Whatever Pillow opens can be read: grey and palette images
    become RGB, 16-bit ones are divided by 257, CMYK is converted, transparent pixels show mid-grey, the camera's
    orientation (EXIF) is applied, and of an animation the first frame is taken. Hidden files and folders, and files
    whose suffix is not that of an image, are ignored.

    Parameters
    ----------
    path : str or path
        Folder with a subfolder for each class, or with subfolders such as "train" and "test" that are such folders.
    size : int or (height, width), optional
        All images are resized to this, in px, with antialiasing; their proportions are not preserved. Without it, all
        must have the same size.
    part : str, optional
        The subfolder of `path` to read, such as "train" or "test".
    progress : bool
        Show a progress bar.
    targets : str or path, optional
        A folder with one mask for each image, of the same name (without its ending) and size: a grey image in a
        lossless format such as PNG, with the values 0 (no answer counts there), 128 (off the target) and 255 (on it).
        There are no classes and no subfolders then; a `part` is a subfolder of both.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, height, width), uint8; coordinates `label` and `source` (stimulus,): the index of the
        file in the list of all files, sorted by class and name, which a `split` preserves. With `targets`: `image`,
        `target` and `line` as in `paths`, and `distance`, which is unknown: -1 everywhere.

    Raises
    ------
    FileNotFoundError
        If `path` is missing.
    ValueError
        If `path` is not a folder or has no subfolders, if `part` is none of them or is needed, if a class has no
        image, if files cannot be read (up to five are named), if sizes differ, or if `size` is not a size. If an image
        has no mask or a mask no image, or a mask differs in size from its image or has other values.
    """
    if targets is not None:
        return _with_targets(as_path(path), as_path(targets, "targets"), part, size, progress)
    root = _part_of(as_path(path), part)
    shape = _height_and_width(size)
    names, files, labels = _list(root)
    images = _read_all(files, shape, progress)
    return labelled(
        images,
        {"label": np.array(labels, dtype=np.int64), "source": np.arange(len(files))},
        classes=names,
        attrs={
            "name": root.parent.name if part else root.name,
            "part": part or "all",
            "seed": 0,
            "path": str(path),
            "height": images.shape[2],
            "width": images.shape[3],
        },
    )


def pictures(
    path: str | os.PathLike[str], *, size: int | tuple[int, int] | None = None, progress: bool = False
) -> xr.Dataset:
    """Read the images in a folder, without classes, in the order of their names. Otherwise this equals `folder`.

    Parameters
    ----------
    path : str or path
    size : int or (height, width), optional
        All images are resized to this, in px. Without it, all must have the same size.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, height, width), uint8; coordinate `file_name` (stimulus,).

    Raises
    ------
    FileNotFoundError
        If `path` is missing.
    ValueError
        If `path` is not a folder or contains no image, files cannot be read, sizes differ, or `size` is not a size.
    """
    root = as_path(path)
    if not root.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}: give a folder with images")
    if not root.is_dir():
        raise ValueError(f"{str(path)!r} is a file: give a folder with images")
    shape, files = _height_and_width(size), _images_in(root)
    if not files:
        raise ValueError(f"no image found in {str(path)!r}: give a folder with images, such as .png or .jpg")
    images = _read_all(files, shape, progress)
    name = ("stimulus", [_readable(file.name) for file in files], {"long_name": "name of the file", "units": "1"})
    height, width = images.shape[2:]
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), images, {"long_name": "RGB image", "units": "1"})},
        {"file_name": name},
        {"name": root.name, "path": str(path), "height": height, "width": width},
    )


def _readable(name: str) -> str:
    r"""Return a name of the file system as text that can be written: bytes that are not UTF-8 are escaped, as \xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


MASK_VALUES = {0: "no answer counts", 128: "off the target", 255: "on the target"}


def _with_targets(
    path: Path, targets: Path, part: str | None, size: int | tuple[int, int] | None, progress: bool
) -> xr.Dataset:
    """Read the images of one folder and their masks from another."""
    of_images, of_masks = (one / (part or "") for one in (path, targets))
    for root, what in ((of_images, "images"), (of_masks, "masks, one for each image")):
        if not root.is_dir():
            raise FileNotFoundError(f"there is no folder {str(root)!r}: give a folder with {what}")
    shape, files = _height_and_width(size), _images_in(of_images)
    masks = {file.stem: file for file in _images_in(of_masks)}
    if not files:
        raise ValueError(f"no image found in {str(of_images)!r}: give a folder with images, such as .png or .jpg")
    lacking = [file.name for file in files if file.stem not in masks]
    alone = sorted(masks.keys() - {file.stem for file in files})
    if lacking or alone:
        which = f"image {lacking[0]!r} has no mask" if lacking else f"mask {masks[alone[0]].name!r} has no image"
        raise ValueError(
            f"the {which} ({len(lacking)} of {len(files)} images without a mask, {len(alone)} masks without an image): "
            f"a mask in {str(of_masks)!r} must have the name of its image"
        )
    images = _read_all(files, shape, progress)
    target = np.stack([_read_mask(masks[file.stem], file, shape) for file in files])
    return with_maps(
        images,
        target == 255,
        target > 0,
        np.full(target.shape, -1),
        {"source": np.arange(len(files))},
        classes=("off the target", "on the target"),
        attrs={
            "name": path.name,
            "part": part or "all",
            "seed": 0,
            "path": str(path),
            "height": images.shape[2],
            "width": images.shape[3],
        },
    )


def _read_mask(mask: Path, image: Path, shape: tuple[int, int] | None) -> np.ndarray:
    """Read the mask of an image, shape (y, x), of the values of `MASK_VALUES`."""
    from PIL import Image

    with Image.open(image) as opened:
        wanted = opened.size
    try:
        with Image.open(mask) as opened:
            grey = opened.convert("L")
    except OSError as error:
        raise ValueError(f"cannot read the mask {str(mask)!r} ({error}): repair or remove it") from error
    if grey.size != wanted:
        raise ValueError(
            f"the mask {str(mask)!r} has {grey.height} x {grey.width} px (height x width), but its image "
            f"{image.name!r} has {wanted[1]} x {wanted[0]}: they must be equal"
        )
    values = np.asarray(grey if shape is None else grey.resize(shape[::-1], Image.Resampling.NEAREST))
    strangers = sorted(set(np.unique(values).tolist()) - set(MASK_VALUES))
    if strangers:
        allowed = ", ".join(f"{value} ({meaning})" for value, meaning in MASK_VALUES.items())
        raise ValueError(f"the mask {str(mask)!r} has the grey value {strangers[0]}: allowed are {allowed}")
    return values


class _DamagedError(Exception):
    """An image cannot be read; the message contains its name and the reason."""


def _subfolders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _part_of(path: Path, part: str | None) -> Path:
    """Find the folder that contains the classes, or raise an error that says what is wrong with `path`."""
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}: give a folder with one subfolder a class")
    if not path.is_dir():
        raise ValueError(f"{str(path)!r} is a file: give a folder with one subfolder a class")
    names = _subfolders(path)
    if not names:
        raise ValueError(f"{str(path)!r} has no subfolders: each class needs one, with its images in it")
    if part is not None:
        if part not in names:
            raise ValueError(unknown("part", part, names) + f" (the subfolders of {str(path)!r})")
        return _part_of(path / part, None)
    if "train" in names and _subfolders(path / "train"):
        raise ValueError(
            f"{str(path)!r} contains parts, not classes: choose one by part=, one of {names}, such as part='train'"
        )
    return path


def _height_and_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size must be a side in px, a pair (height, width), or None, got {size!r}")
    return whole(pair[0], "size", 1, unit="px"), whole(pair[1], "size", 1, unit="px")


def _list(root: Path) -> tuple[list[str], list[Path], list[int]]:
    """List the classes, all image files, and the label of each file."""
    names = _subfolders(root)
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        found = _images_in(root / name)
        if not found:
            raise ValueError(
                f"no image found in {str(root / name)!r}: every subfolder is a class and needs images, "
                "such as .png or .jpg"
            )
        files += found
        labels += [label] * len(found)
    return names, files, labels


def _images_in(path: Path) -> list[Path]:
    """List the files in a folder with the suffix of an image, sorted."""
    from PIL import Image

    endings = tuple(Image.registered_extensions())
    entries = sorted(entry.name for entry in os.scandir(path) if entry.is_file())
    return [path / entry for entry in entries if not entry.startswith(".") and entry.lower().endswith(endings)]


def _read_all(files: list[Path], shape: tuple[int, int] | None, progress: bool) -> np.ndarray:
    """Read all files in order; refuse files that cannot be read, naming several, and the first that differs in size."""
    images: np.ndarray | None = None
    damaged: list[str] = []
    for k, read in enumerate(_each(files, shape, progress)):
        if isinstance(read, _DamagedError):
            damaged.append(str(read))
            if len(damaged) > MOST_NAMED:
                break
        elif images is None:
            images = np.empty((len(files), *read.shape), dtype=np.uint8)
            images[k], first = read, files[k]
        elif not damaged and read.shape != images.shape[1:]:
            raise ValueError(
                f"{str(files[k])!r} has {read.shape[1]} x {read.shape[2]} px (height x width), but {str(first)!r} "
                f"has {images.shape[2]} x {images.shape[3]}: give size=(height, width) to resize all to one size"
            )
        elif not damaged:
            images[k] = read
    if len(damaged) == 1:
        raise ValueError(f"cannot read the image {damaged[0]}: repair or remove it")
    if damaged:
        more = ", and more" if len(damaged) > MOST_NAMED else ""
        raise ValueError(f"cannot read the images {', '.join(damaged[:MOST_NAMED])}{more}: repair or remove them")
    assert images is not None  # every class has a file
    return images


def _each(files: list[Path], shape: tuple[int, int] | None, progress: bool) -> Iterator[np.ndarray | _DamagedError]:
    def read(file: Path) -> np.ndarray | _DamagedError:
        try:
            return _read(file, shape)
        except _DamagedError as error:
            return error

    with ThreadPoolExecutor() as pool:
        # Pillow releases Python's lock to decode, but not to open a file: for thumbnails, which take longer to open
        # than to decode, threads halve the speed
        images = map(read, files) if os.path.getsize(files[0]) < SMALL_FILE_BYTES else pool.map(read, files)
        if progress:
            from tqdm.auto import tqdm

            images = tqdm(images, total=len(files), unit="image", desc="reading images")
        yield from images


def _read(file: Path, shape: tuple[int, int] | None) -> np.ndarray:
    """Read one image as (3, height, width), uint8, RGB."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            image = _to_rgb(ImageOps.exif_transpose(opened))
    except Exception as error:
        # a damaged file fails differently in each format; in any case the user needs the file's name
        raise _DamagedError(f"{str(file)!r} ({error})") from error
    if shape is not None and image.size != shape[::-1]:
        image = image.resize(shape[::-1], Image.Resampling.BICUBIC)  # Pillow widens the filter: antialiased
    return np.asarray(image).transpose(2, 0, 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any Pillow mode to RGB."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("it contains floating-point values of unknown range; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        # Pillow clips 16 bits to 8 where it should scale
        image = Image.fromarray((np.asarray(image, dtype=np.int64).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (*GREY, 255)), layer).convert("RGB")
    return image.convert("RGB")
