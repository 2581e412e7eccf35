"""Image files: which of a folder's files can be read, and their pixels as RGB with 8 bits."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cortexsim._support.checks import finite

if TYPE_CHECKING:
    from PIL import Image

GREY = (127, 127, 127)  # what shows through where an image is transparent
SMALL_FILE_BYTES = 20_000
MOST_NAMED = 5  # images that cannot be read, in one error
HIGHEST = 65535  # of 16 bits
TWELVE_BITS = 4095
ONE_PICTURE = ("MPO", "ICO", "ICNS")  # further pictures in these files are previews and other sizes of the first
# folders that systems put between those of the user
NOT_OF_THE_USER = (
    "__MACOSX",
    "@eaDir",
    "#recycle",
    "#snapshot",
    "lost+found",
    "$RECYCLE.BIN",
    "System Volume Information",
    "__pycache__",
)
# endings of images that Pillow has no reader for, or not on every machine
OTHER_IMAGES = (
    ".heic",
    ".heif",
    ".jxl",
    ".svg",
    ".dng",
    ".cr2",
    ".cr3",
    ".nef",
    ".arw",
    ".exr",
    ".czi",
    ".nii",
    ".dcm",
)


@lru_cache(maxsize=1)
def readable_endings() -> tuple[str, ...]:
    """Return the endings of the image formats that can be read on this machine, in small letters."""
    from PIL import EpsImagePlugin, Image, ImageFile, features

    endings = Image.registered_extensions()
    # Pillow recognises MPEG without a decoder; stubs are formats that need software of others
    without = {"MPEG"} | (set() if EpsImagePlugin.has_ghostscript() else {"EPS"})
    without |= {
        name
        for name, (factory, _) in Image.OPEN.items()
        if isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    }
    without |= {
        name
        for name, library in (("WEBP", "webp"), ("AVIF", "avif"), ("JPEG2000", "jpg_2000"))
        if library not in features.modules | features.codecs or not features.check(library)
    }
    opened = {*Image.OPEN, "MPO"} - without  # the reader of JPEG reads MPO
    return tuple(sorted(ending for ending, name in endings.items() if name in opened))


def is_skipped(name: str) -> bool:
    """Return whether a file or folder is hidden, or one that a system has put there."""
    return name.startswith(".") or name in NOT_OF_THE_USER


def subfolders(path: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; without hidden ones.

    Raises
    ------
    ValueError
        If a link leads nowhere, whose images would be missing.
    """
    names = []
    for entry in _entries(path):
        if is_skipped(entry.name):
            continue
        if _is(entry, "folder"):
            names.append(entry.name)
        elif _is_broken_link(entry) and not entry.name.lower().endswith(readable_endings()):
            raise ValueError(f"{entry.path!r} is a broken link: repair or remove it")
    return sorted(names)


def natural(names: Iterable[str]) -> list[str]:
    """Sort names as people number files: 2.png comes before 10.png."""

    def key(name: str) -> tuple[list[tuple[int, str]], str]:
        parts = re.split(r"([0-9]+)", name)
        return [(int(part or 0), "") if k % 2 else (0, part) for k, part in enumerate(parts)], name

    return sorted(names, key=key)


def images_in(path: Path, *, deep: bool = False) -> list[Path]:
    """List the files in a folder whose names end like those of images that can be read.

    Parameters
    ----------
    path : Path
    deep : bool
        Also those in its subfolders, and in theirs.

    Returns
    -------
    list of Path
        Sorted, with numbers in names by their value: 2.png comes before 10.png. Those of subfolders come after those
        of the folder itself.

    Warns
    -----
    UserWarning
        If there are images of a format that cannot be read here.
    """
    found: list[Path] = []
    others: list[Path] = []
    for folder in _folders(path, frozenset()) if deep else [path]:
        files = [
            entry.name
            for entry in _entries(folder)
            # a broken link is listed, so that reading it raises an error
            if not is_skipped(entry.name) and (_is(entry, "file") or _is_broken_link(entry))
        ]
        found += [folder / name for name in natural(files) if name.lower().endswith(readable_endings())]
        others += [folder / name for name in natural(files) if _is_other_image(name)]
    if others:
        warnings.warn(
            f"{len(others)} images in {str(path)!r} are not read, such as {others[0].name!r}: their format cannot be "
            "read on this machine; convert them to .png or .jpg",
            stacklevel=2,
        )
    return found


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except PermissionError as error:
        raise PermissionError(
            error.errno, f"the folder {str(path)!r} may not be read: change its permissions, or leave it out"
        ) from error


def _is(entry: os.DirEntry[str], what: str) -> bool:
    """Return whether an entry, or what a link leads to, is a "file" or a "folder"."""
    try:
        return entry.is_dir() if what == "folder" else entry.is_file()
    except OSError:  # links in a circle
        return False


def _is_other_image(name: str) -> bool:
    lower = name.lower()
    lacking = tuple({*OTHER_IMAGES, ".webp", ".avif", ".jp2"} - set(readable_endings()))
    return lower.endswith(lacking)


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _folders(path: Path, above: frozenset[str]) -> Iterator[Path]:
    """Yield a folder and all folders in it; a link back to one of those above is not followed."""
    real = os.path.realpath(path)
    # followed, a link to a folder above the first one would bring images of other classes
    above = above or frozenset(map(str, Path(real).parents))
    if real in above:
        return
    yield path
    for name in subfolders(path):
        yield from _folders(path / name, above | {real})


@dataclass(frozen=True)
class _Read:
    """An image that has been read.

    Parameters
    ----------
    pixels : array
        Shape (3, height, width), uint8.
    reached : int, optional
        The highest value, of an image with 16 bits.
    several : bool
        The file has several frames or pages; the pixels are those of the first.
    """

    pixels: np.ndarray
    reached: int | None
    several: bool


class _UnreadableError(Exception):
    """An image cannot be read: its name and why."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


def read_all(
    files: list[Path], shape: tuple[int, int] | None, *, white: float | None = None, progress: bool = False
) -> np.ndarray:
    """Read images in order.

    Parameters
    ----------
    files : list of Path
    shape : (height, width), optional
        All are resized to this, in px. Without it, all must have the same size.
    white : float, optional
        Value of white in images that have more than 8 bits.
    progress : bool
        Show a progress bar.

    Returns
    -------
    array
        Shape (stimulus, 3, height, width), uint8.

    Raises
    ------
    ValueError
        If files cannot be read (up to five are named), sizes differ, or the range of the values is not known.

    Warns
    -----
    UserWarning
        If files have several frames or pages, of which only the first is read.
    """
    if white is not None:
        finite(white, "white", least=0)
        if white == 0:
            raise ValueError("white must be a number above 0, got 0")
    images: np.ndarray | None = None
    unreadable: list[_UnreadableError] = []
    several: list[Path] = []
    reached: list[int] = []
    for k, read in enumerate(_each(files, shape, white, progress)):
        if isinstance(read, _UnreadableError):
            unreadable.append(read)
            if len(unreadable) > MOST_NAMED:
                break
            continue
        if read.reached is not None:
            reached.append(read.reached)
        if read.several:
            several.append(files[k])
        if images is None:
            images = np.empty((len(files), *read.pixels.shape), dtype=np.uint8)
            first = files[k]
        if not unreadable and read.pixels.shape != images.shape[1:]:
            raise ValueError(
                f"{str(files[k])!r} has {read.pixels.shape[1]} x {read.pixels.shape[2]} px (height x width), but "
                f"{str(first)!r} has {images.shape[2]} x {images.shape[3]}: give size=(height, width) to resize all to "
                "one size"
            )
        if not unreadable:
            images[k] = read.pixels
    if unreadable:
        raise ValueError(_of_unreadable(unreadable))
    # cameras and microscopes write 12 bits into 16: unscaled, they would be almost black
    if white is None and reached and 0 < max(reached) <= TWELVE_BITS:
        raise ValueError(
            f"the values of the images with 16 bits in {str(files[0].parent)!r} ({len(reached)} in all) reach only "
            f"{max(reached)} of {HIGHEST}: if white is {TWELVE_BITS} (12 bits), pass white={TWELVE_BITS}; if they "
            f"really are that dark, white={HIGHEST}"
        )
    if several:
        warnings.warn(
            f"{len(several)} images have several frames or pages, such as {str(several[0])!r}: only the first is read",
            stacklevel=3,
        )
    assert images is not None  # every class has a file
    return images


def _of_unreadable(errors: list[_UnreadableError]) -> str:
    """Name images that cannot be read, and what can be done."""
    if len(errors) == 1:
        return f"cannot read the image {errors[0]}: {errors[0].remedy}"
    more = ", and more" if len(errors) > MOST_NAMED else ""
    named = errors[:MOST_NAMED]
    remedies = list(dict.fromkeys(error.remedy for error in named))
    remedy = " or ".join(remedies).replace("repair or remove it", "repair or remove them")
    return f"cannot read the images {', '.join(map(str, named))}{more}: {remedy}"


def _each(
    files: list[Path], shape: tuple[int, int] | None, white: float | None, progress: bool
) -> Iterator[_Read | _UnreadableError]:
    def read(file: Path) -> _Read | _UnreadableError:
        try:
            return _read(file, shape, white)
        except _UnreadableError as error:
            return error

    with ThreadPoolExecutor() as pool:
        # Pillow decodes outside Python's lock, but opening a file needs it: for thumbnails, which take longer to open
        # than to decode, threads halve the speed
        small = os.path.exists(files[0]) and os.path.getsize(files[0]) < SMALL_FILE_BYTES
        images = map(read, files) if small else pool.map(read, files)
        if progress:
            from tqdm.auto import tqdm

            images = tqdm(images, total=len(files), unit="image", desc="reading images")
        yield from images


def _read(file: Path, shape: tuple[int, int] | None, white: float | None) -> _Read:
    """Read one image, resized to (height, width) in px."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            has_16_bits = ";16" in f"{opened.mode} {getattr(opened, 'tile', '')}" and opened.format != "PPM"
            stated = HIGHEST if opened.mode.startswith("I;16") or opened.format in ("PPM", "PNG") else None
            several = bool(getattr(opened, "is_animated", False)) and opened.format not in ONE_PICTURE
            transparent = _transparent_grey(opened)
            upright = ImageOps.exif_transpose(opened)
        if upright.mode == "F":
            image = Image.fromarray(scaled(np.asarray(upright, dtype=np.float64), white, "floating-point values"))
        elif upright.mode.startswith("I"):
            # Pillow clips these to 8 bits where it should scale
            top = HIGHEST if opened.format == "PPM" else white or stated
            image = Image.fromarray(scaled(np.asarray(upright, dtype=np.float64), top, "32-bit or signed values"))
            if transparent is not None:
                image.paste(GREY[0], mask=Image.fromarray(np.asarray(upright) == transparent))
        else:
            image = upright
            if transparent is not None:
                image.info["transparency"] = transparent
        reached = int(np.asarray(upright if has_16_bits else 0).max(initial=0))
        if has_16_bits and image is upright:
            # of colours, Pillow keeps the upper 8 of 16 bits
            reached = int(np.asarray(upright.convert("RGB")).max()) * 256
            if white not in (None, HIGHEST):
                raise _RangeError(f"it contains colours of 16 bits, where white is {HIGHEST}, got white={white}")
        image = to_rgb(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _UnreadableError(
            f"{str(file)!r} ({str(error).split(',')[0]})",
            "make it smaller; or set PIL.Image.MAX_IMAGE_PIXELS = None in Python before, if you trust the file",
        ) from error
    except PermissionError as error:
        raise _UnreadableError(
            f"{str(file)!r} ({error.strerror})", "change its permissions, or leave it out"
        ) from error
    except _RangeError as error:
        raise _UnreadableError(f"{str(file)!r} ({error})", "save it with 8 bits, or pass the right white=") from error
    except Exception as error:
        # a damaged file fails differently in each format; in any case the user needs the file's name
        raise _UnreadableError(f"{str(file)!r} ({error})", "repair or remove it") from error
    if shape is not None and image.size != shape[::-1]:
        image = image.resize(shape[::-1], Image.Resampling.BICUBIC)  # Pillow widens the filter: antialiased
    return _Read(np.asarray(image).transpose(2, 0, 1), reached if has_16_bits else None, several)


def _transparent_grey(opened: Image.Image) -> int | None:
    """Return the transparent value of a grey PNG, in the units of its pixels: Pillow does not scale that of 4 bits."""
    value = opened.info.get("transparency")
    if not isinstance(value, int) or opened.mode not in ("L", "I", "I;16"):
        return None
    tiles = getattr(opened, "tile", [])
    bits = tiles[0][3] if tiles else None
    return value * (17 if bits == "L;4" else 85 if bits == "L;2" else 1)


class _RangeError(ValueError):
    """The value of white is not known, or is exceeded."""


def scaled(values: np.ndarray, white: float | None, kind: str) -> np.ndarray:
    """Return values from 0 to white as 8 bits.

    Parameters
    ----------
    values : array
    white : float, optional
        If it is not known, the values are refused.
    kind : str
        What they are, for the message.

    Raises
    ------
    ValueError
        If white is not known, or values lie outside or are not finite.
    """
    if white is None:
        raise _RangeError(f"it contains {kind} of unknown range")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= white):
        raise _RangeError(f"its values reach from {low:g} to {high:g}, but allowed is 0 to white, which is {white:g}")
    # rounding errors of the division must not lower a whole number
    return (values * 255 / white + 1e-6).astype(np.uint8)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode of Pillow's with 8 bits to RGB."""
    from PIL import Image

    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (*GREY, 255)), layer).convert("RGB")
    return image.convert("RGB")
