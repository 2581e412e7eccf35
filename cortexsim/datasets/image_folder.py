"""Folders of images, one subfolder for each class."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

from cortexsim._support.checks import shown, unknown, whole
from cortexsim._support.documents import read_text
from cortexsim._support.files import as_path
from cortexsim._support.labelled import stems
from cortexsim.datasets.image_files import images_in, read_all, subfolders
from cortexsim.datasets.labels import labelled
from cortexsim.datasets.target_maps import with_maps

ANNOTATIONS = "_annotations.txt"  # how the list of a folder's classes ends, in Tiny ImageNet
LARGEST_SIDE = 20_000  # px
# subfolders of these names, in small letters, are parts of a set rather than classes
PART_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}


def folder(
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    part: str | None = None,
    progress: bool = False,
    targets: str | os.PathLike[str] | None = None,
    white: float | None = None,
) -> xr.Dataset:
    """Read a folder of images, one subfolder per class; or, with `targets`, a folder of images and one of target maps.

    The classes are the names of the subfolders, sorted; images deeper in them belong to the class, too. Whatever
    Pillow opens can be read: grey and palette images become RGB, 16-bit ones are divided by 257, CMYK is converted,
    transparent pixels show mid-grey, the camera's orientation (EXIF) is applied, and of several frames or pages the
    first is taken. Ignored are hidden files and folders, those that systems add (such as __MACOSX), and files whose
    name does not end like that of an image that can be read here.

    Tiny ImageNet is read as it is unpacked: `part="train"` has a subfolder per class, and of `part="val"` the classes
    come from `val_annotations.txt`, in the order of those of "train".

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
        A folder with one mask for each image, of the same name (without its ending) and size: a grey image without
        losses, such as PNG, of the values 0 (no answer counts there), 128 (off the target) and 255 (on it). There are
        no classes and no subfolders then; a `part` is a subfolder of both.
    white : float, optional
        The value of white in grey images with more than 8 bits. By default 65535 for 16 bits; images with 32-bit
        or floating-point values are refused without it, and so are images with 16 bits of which none exceeds 4095, as
        cameras with 12 bits make them.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, height, width), uint8; coordinates `label` and `source` (stimulus,): the index of the
        file in the list of all files, sorted by class and name (those of deeper folders last), which a `split`
        preserves. With `targets`: `image`,
        `target` and `line` as `paths` has them, and `distance`, which is not known: -1 everywhere.

    Raises
    ------
    FileNotFoundError
        If `path` is missing.
    ValueError
        If `path` is not a folder or has no subfolders, if `part` is none of them or is needed, if a class has no
        image, if files cannot be read (up to five are named), if sizes differ, or if `size` is not a size. If
        subfolders are parts rather than classes, a list of classes does not fit the images, or values exceed `white`.
        If an image has no mask or a mask no image, or a mask has another size than its image or other values.

    Warns
    -----
    UserWarning
        If images are next to the subfolders, or have a format that cannot be read on this machine: they are left out.
        If files have several frames or pages.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (path / name).mkdir()
    ...     Image.new("RGB", (40, 30), "grey").save(path / name / "one.png")
    >>> images = cs.datasets.folder(path, size=32)
    >>> images["image"].shape, cs.datasets.classes(images)
    ((2, 3, 32, 32), ['cat', 'dog'])
    """
    if targets is not None:
        return _with_targets(as_path(path), as_path(targets, "targets"), part, size, progress, white)
    return _read_classes(as_path(path), part, size, progress, white)[0]


def named_folder(path: Path, *, size: int | tuple[int, int] | None = None) -> xr.Dataset:
    """Read a folder as `folder` does, with the coordinate `file_name` (class/file) unless two files have one name."""
    images, files = _read_classes(path, None, size, False, None)
    names = np.array([file.relative_to(path).as_posix() for file in files])
    unique = len(set(stems(names).tolist())) == len(names)
    return images.assign_coords(file_name=("stimulus", names)) if unique else images


def contents(path: Path, part: str) -> tuple[list[str], int]:
    """Return the classes of a folder and its number of images, without reading them.

    Parameters
    ----------
    path : Path
    part : str
        Read if it is a part of the folder; otherwise the folder is read as a whole.
    """
    root = _part_of(path, part_there(path, part))
    names, files, _ = _annotated(root) if _annotations(root) else _list(root)
    return [_readable(name) for name in names], len(files)


def part_there(path: Path, part: str) -> str | None:
    """Return a part if the folder has it, and None if it has none; a class may be called "train"."""
    has_part = (path / part).is_dir() and (subfolders(path / part) or {*subfolders(path)} <= PART_NAMES)
    return part if has_part else None


def _read_classes(
    path: Path, part: str | None, size: int | tuple[int, int] | None, progress: bool, white: float | None
) -> tuple[xr.Dataset, list[Path]]:
    """Return the images of a folder with a subfolder for each class, and their files."""
    root = _part_of(path, part)
    shape = height_and_width(size)
    names, files, labels = _annotated(root) if _annotations(root) else _list(root)
    images = read_all(files, shape, white=white, progress=progress)
    read = labelled(
        images,
        {"label": np.array(labels, dtype=np.int64), "source": np.arange(len(files))},
        classes=[_readable(name) for name in names],
        attrs={
            "name": _readable(root.parent.name if part else root.name),
            "part": _readable(part or "all"),
            "seed": 0,
            "path": _readable(str(path)),
            "height": images.shape[2],
            "width": images.shape[3],
        },
    )
    return read, files


def pictures(
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    progress: bool = False,
    white: float | None = None,
) -> xr.Dataset:
    """Read the images in a folder, without classes, in the order of their names, with numbers by their value.

    As `folder` reads them, otherwise.

    Parameters
    ----------
    path : str or path
    size : int or (height, width), optional
        All images are resized to this, in px. Without it, all must have the same size.
    progress : bool
        Show a progress bar.
    white : float, optional
        As for `folder`.

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

    Warns
    -----
    UserWarning
        If images are in subfolders, or have a format that cannot be read on this machine: they are left out.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp())
    >>> Image.new("RGB", (40, 30), "grey").save(path / "one.png")
    >>> cs.datasets.pictures(path, size=32)["file_name"].values.tolist()
    ['one.png']
    """
    root = as_path(path)
    if not root.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}: give a folder with images")
    if not root.is_dir():
        raise ValueError(f"{str(path)!r} is a file: give a folder with images")
    shape, files = height_and_width(size), images_in(root)
    if not files:
        raise ValueError(f"no image found in {str(path)!r}: give a folder with images, such as .png or .jpg")
    deeper = [name for name in subfolders(root) if images_in(root / name, deep=True)]
    if deeper:
        warnings.warn(
            f"images in {len(deeper)} subfolders of {str(path)!r}, such as {deeper[0]!r}, are not read: "
            "datasets.folder reads them, each subfolder as a class",
            stacklevel=2,
        )
    images = read_all(files, shape, white=white, progress=progress)
    name = ("stimulus", [_readable(file.name) for file in files], {"long_name": "name of the file", "units": "1"})
    height, width = images.shape[2:]
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), images, {"long_name": "RGB image", "units": "1"})},
        {"file_name": name},
        {"name": _readable(root.name), "path": _readable(str(path)), "height": height, "width": width},
    )


def _readable(name: str) -> str:
    r"""Return a name of the file system as text that can be written: bytes that are not UTF-8 are escaped, as \xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


MASK_VALUES = {0: "no answer counts", 128: "off the target", 255: "on the target"}


def _with_targets(
    path: Path,
    targets: Path,
    part: str | None,
    size: int | tuple[int, int] | None,
    progress: bool,
    white: float | None,
) -> xr.Dataset:
    """Read the images of a folder and their masks of another."""
    of_images, of_masks = (one / (part or "") for one in (path, targets))
    for root, what in ((of_images, "images"), (of_masks, "masks, one for each image")):
        if not root.is_dir():
            raise FileNotFoundError(f"there is no folder {str(root)!r}: give a folder with {what}")
    shape, files = height_and_width(size), images_in(of_images)
    masks: dict[str, Path] = {}
    for file in images_in(of_masks):
        if masks.setdefault(file.stem, file) is not file:
            raise ValueError(
                f"there are two masks for one image in {str(of_masks)!r}, {masks[file.stem].name!r} and "
                f"{file.name!r}: leave one"
            )
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
    images = read_all(files, shape, white=white, progress=progress)
    target = np.stack([_read_mask(masks[file.stem], file, shape) for file in files])
    return with_maps(
        images,
        target == 255,
        target > 0,
        np.full(target.shape, -1),
        {"source": np.arange(len(files))},
        classes=("off the target", "on the target"),
        attrs={
            "name": _readable(path.name),
            "part": _readable(part or "all"),
            "seed": 0,
            "path": _readable(str(path)),
            "height": images.shape[2],
            "width": images.shape[3],
        },
    )


def _read_mask(mask: Path, image: Path, shape: tuple[int, int] | None) -> np.ndarray:
    """Read the mask of an image, shape (y, x), of the values of `MASK_VALUES`."""
    from PIL import Image, ImageOps

    with Image.open(image) as opened:
        wanted = ImageOps.exif_transpose(opened).size
    try:
        with Image.open(mask) as opened:
            grey = ImageOps.exif_transpose(opened)
            if grey.mode[0] in "IF":
                # Pillow clips more than 8 bits, which would turn "off" into "on"
                strangers = sorted(set(np.unique(np.asarray(grey)).tolist()) - set(MASK_VALUES))
                if strangers:
                    raise ValueError(_stranger(mask, strangers[0]))
            grey = grey.convert("L")
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
        raise ValueError(_stranger(mask, strangers[0]))
    return values


def _stranger(mask: Path, value: float) -> str:
    allowed = ", ".join(f"{value} ({meaning})" for value, meaning in MASK_VALUES.items())
    return f"the mask {str(mask)!r} has the grey value {value:g}: allowed are {allowed}"


def _part_of(path: Path, part: str | None) -> Path:
    """Find the folder that contains the classes, or say what is wrong with `path`."""
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}: give a folder with one subfolder per class")
    if not path.is_dir():
        raise ValueError(f"{str(path)!r} is a file: give a folder with one subfolder per class")
    names = subfolders(path)
    if not names:
        raise ValueError(f"{str(path)!r} has no subfolders: each class needs one, with its images in it")
    if part is not None:
        if part not in names:
            raise ValueError(unknown("part", part, names) + f" (the subfolders of {str(path)!r})")
        return _part_of(path / part, None)
    only_parts = {name.lower() for name in names} <= PART_NAMES
    if only_parts or ("train" in names and subfolders(path / "train")):
        first = next((name for name in names if name.lower().startswith("train")), names[0])
        raise ValueError(
            f"{str(path)!r} contains parts, not classes: choose one by part=, one of {names}, such as part={first!r}"
        )
    return path


def height_and_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the height and width in px that a side or a pair stands for; None, for images of one size, stays None.

    Raises
    ------
    ValueError
        If it is none of these, or larger than `LARGEST_SIDE`.
    """
    if size is None:
        return None
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size must be a side in px, a pair (height, width), or None, got {shown(size)}")
    height, width = (whole(side, "size", 1, unit="px", limit=LARGEST_SIDE) for side in pair)
    return height, width


def _list(root: Path) -> tuple[list[str], list[Path], list[int]]:
    """List the classes, all image files, and the label of each file."""
    names = subfolders(root)
    _refuse_no_classes(root, names)
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        found = images_in(root / name, deep=True)
        if not found:
            raise ValueError(
                f"no image found in {str(root / name)!r}: every subfolder is a class and needs images, "
                "such as .png or .jpg"
            )
        files += found
        labels += [label] * len(found)
    outside = images_in(root)
    if outside:
        warnings.warn(
            f"{len(outside)} images next to the subfolders of {str(root)!r}, such as {outside[0].name!r}, are not "
            "read: an image belongs in the subfolder of its class",
            stacklevel=3,
        )
    return names, files, labels


def _refuse_no_classes(root: Path, names: list[str]) -> None:
    """Refuse a single subfolder that is not a class: the folder of an unpacked archive, or images without labels."""
    if len(names) > 1:
        return
    inner = root / names[0]
    within = subfolders(inner)
    if len(within) > 1 and not images_in(inner):
        raise ValueError(
            f"the only subfolder of {str(root)!r} has no images but subfolders, {within[:3]}...: if these are the "
            f"classes, give {str(inner)!r}"
        )
    parts = sorted(name for name in os.listdir(root.parent) if name.lower() in PART_NAMES)
    if names == ["images"] and root.name in parts:
        raise ValueError(
            f"the images in {str(inner)!r} have no labels: there is neither a subfolder for each class nor a list that "
            f"ends in {ANNOTATIONS}; the parts of {str(root.parent)!r} are {parts}"
        )


def _annotations(root: Path) -> Path | None:
    """Find the list of the classes of the images in images/, as Tiny ImageNet has it for its part "val"."""
    lists = sorted(file for file in root.glob(f"*{ANNOTATIONS}") if not file.name.startswith("."))
    return lists[0] if lists and subfolders(root) == ["images"] else None


def _annotated(root: Path) -> tuple[list[str], list[Path], list[int]]:
    """List the classes, all image files, and the label of each file, from a list "file, class, ..." by tabs."""
    listed = _annotations(root)
    assert listed is not None
    class_of: dict[str, str] = {}
    for number, line in enumerate(read_text(listed).splitlines(), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            raise ValueError(
                f"line {number} of {str(listed)!r} must be a file's name, a tab and its class, got {line[:40]!r}"
            )
        if class_of.setdefault(columns[0], columns[1]) != columns[1]:
            raise ValueError(f"{str(listed)!r} gives {columns[0]!r} two classes")
    files = images_in(root / "images")
    here = {file.name for file in files}
    for lacking, what in ((here - class_of.keys(), "has no line for"), (class_of.keys() - here, "names, but lacks,")):
        if lacking:
            raise ValueError(
                f"{str(listed)!r} {what} {sorted(lacking)[0]!r} ({len(lacking)} images): each image needs one line"
            )
    if not files:
        raise ValueError(f"no image found in {str(root / 'images')!r}")
    # labels must mean the same in both parts
    names = subfolders(root.parent / "train") if (root.parent / "train").is_dir() else sorted({*class_of.values()})
    strange = sorted({*class_of.values()} - {*names})
    if strange:
        raise ValueError(f"{str(listed)!r} names the class {strange[0]!r}, which is not a subfolder of train/")
    return names, files, [names.index(class_of[file.name]) for file in files]
