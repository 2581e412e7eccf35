"""The images that were shown to a brain, at the size of a model's retina."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.files import as_path
from cortexsim.brains.matlab import contents, struct_with
from cortexsim.datasets import pictures
from cortexsim.datasets.image_files import subfolders
from cortexsim.datasets.image_folder import height_and_width, named_folder


def images(path: str | Path, *, size: int | tuple[int, int], variable: str | None = None) -> xr.Dataset:
    """Read the images of a folder or a MATLAB file; the brain's matrices must have the same order.

    Parameters
    ----------
    path : str or Path
        A folder of images: with a subfolder for each class, sorted by class and name, as `cortexsim.datasets.folder`
        reads them; or without subfolders, sorted by name; numbers in names are sorted by their value, so that 2.png
        comes before 10.png. `file_name` names them, unless two classes have a file of one name. Or a `.mat` file with a
        struct array that has the field `image` (height x width x 3, or grey, uint8). Its fields of one number become
        coordinates, and its text field `category` becomes the label.
    size : int or (height, width)
        Size of the model's retina in px. Images are resized to it with antialiasing (bicubic), without preserving
        their proportions. At 32 x 32 px a model sees much less than the brain did.
    variable : str, optional
        The struct, if several have images.

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
        If it is not a MATLAB file, has no such struct, or contains something that is not an image or cannot be read.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp())
    >>> Image.new("RGB", (40, 40), "grey").save(path / "one.png")
    >>> cs.brains.images(path, size=32)["image"].shape
    (1, 3, 32, 32)
    """
    from PIL import Image

    path = as_path(path)
    if path.is_dir():
        if variable is not None:
            raise ValueError(f"variable= is for .mat, not for the folder {path}")
        return named_folder(path, size=size) if subfolders(path) else pictures(path, size=size)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if path.suffix.lower() != ".mat":
        raise ValueError(f"cannot read images from {path}: pass a folder of images, or a .mat file with images")
    sides = height_and_width(size)
    if sides is None:
        raise ValueError("images of a .mat file need a size: a side in px or a pair (height, width), got None")
    height, width = sides
    struct = struct_with(path, contents(path), "image", variable).ravel()
    fields = struct.dtype.names or ()
    images_of_all = np.empty((len(struct), 3, height, width), dtype=np.uint8)
    for index, element in enumerate(struct):
        pixels = np.asarray(element["image"])
        if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
            kind = f"shape {pixels.shape}, {pixels.dtype}"
            raise ValueError(f"{path}: image {index} must be height x width x 3 or grey, uint8, got {kind}")
        resized = Image.fromarray(pixels).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        images_of_all[index] = np.asarray(resized).transpose(2, 0, 1)
    coordinates: dict[str, Any] = {}
    for name in fields:
        values = [np.ravel(element[name]) for element in struct]
        if name not in ("image", "category") and all(v.size == 1 and v.dtype.kind in "uif" for v in values):
            coordinates[name] = ("stimulus", [value[0].item() for value in values], {"long_name": name, "units": "1"})
    attrs: dict[str, Any] = {"name": path.stem, "path": str(path), "height": height, "width": width}
    if "category" in fields:
        categories = [str(np.ravel(element["category"])[0]) for element in struct]
        classes = sorted(set(categories))
        label = [classes.index(category) for category in categories]
        coordinates["label"] = ("stimulus", label, {"long_name": "category", "units": "1"})
        attrs["classes"] = json.dumps(classes)
    image = (("stimulus", "channel", "y", "x"), images_of_all, {"long_name": "RGB image", "units": "1"})
    return xr.Dataset({"image": image}, coordinates, attrs)
