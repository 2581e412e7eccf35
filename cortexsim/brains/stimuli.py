"""The images that a brain was shown, as a model sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.brains.matlab import contents, struct_with
from cortexsim.datasets import folder, pictures


def images(path: str | Path, *, size: int | tuple[int, int], variable: str | None = None) -> xr.Dataset:
    """Read the images of a folder or a MATLAB file, in the order in which the matrices must have them.

    Parameters
    ----------
    path : str or Path
        A folder of images: in subfolders, one a class, sorted by class and name, as `cortexsim.datasets.folder` reads
        them; or without subfolders, sorted by name. Or a `.mat` file with a struct array that has the field `image`
        (height x width x 3, or grey, uint8) and maybe others: fields of one number become coordinates, a text field
        `category` becomes the label.
    size : int or (height, width)
        What the model sees, in px. Images are resized to it with antialiasing (bicubic); proportions are not kept, and
        a model that sees 32 x 32 px sees much less than the brain did.
    variable : str, optional
        Which struct, where several have images.

    Returns
    -------
    Dataset
        `image` (stimulus, channel, y, x), uint8, and the coordinates; attrs `classes` where there are categories or
        subfolders.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If it is no MATLAB file, has no such struct, or holds what is no image or cannot be read.
    """
    from PIL import Image

    path = Path(path).expanduser()
    if path.is_dir():
        if variable is not None:
            raise ValueError(f"variable= is for .mat, not for the folder {path}")
        inside = any(entry.is_dir() and not entry.name.startswith(".") for entry in path.iterdir())
        return folder(path, size=size) if inside else pictures(path, size=size)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if path.suffix.lower() != ".mat":
        raise ValueError(f"cannot read images from {path}: give a folder of images, or a .mat file that holds them")
    height, width = (size, size) if isinstance(size, int) else size
    struct = struct_with(path, contents(path), "image", variable).ravel()
    fields = struct.dtype.names or ()
    shown = np.empty((len(struct), 3, height, width), dtype=np.uint8)
    for place, element in enumerate(struct):
        pixels = np.asarray(element["image"])
        if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
            kind = f"shape {pixels.shape}, {pixels.dtype}"
            raise ValueError(f"{path}: image {place} must be height x width x 3 or grey, uint8, got {kind}")
        resized = Image.fromarray(pixels).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        shown[place] = np.asarray(resized).transpose(2, 0, 1)
    coordinates: dict[str, Any] = {}
    for name in fields:
        held = [np.ravel(element[name]) for element in struct]
        if name not in ("image", "category") and all(v.size == 1 and v.dtype.kind in "uif" for v in held):
            coordinates[name] = ("stimulus", [value[0].item() for value in held], {"long_name": name, "units": "1"})
    attrs: dict[str, Any] = {"name": path.stem, "path": str(path), "height": height, "width": width}
    if "category" in fields:
        told = [str(np.ravel(element["category"])[0]) for element in struct]
        classes = sorted(set(told))
        label = [classes.index(category) for category in told]
        coordinates["label"] = ("stimulus", label, {"long_name": "category", "units": "1"})
        attrs["classes"] = json.dumps(classes)
    pixels_of_all = (("stimulus", "channel", "y", "x"), shown, {"long_name": "RGB image", "units": "1"})
    return xr.Dataset({"image": pixels_of_all}, coordinates, attrs)
