"""CIFAR-10, through torchvision."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
import xarray as xr

from cortexsim._support.files import as_path
from cortexsim.datasets.labels import check_part, labelled


def cifar10(root: str | os.PathLike[str], *, part: str = "train", download: bool = True) -> xr.Dataset:
    """Read CIFAR-10: 50,000 images for training and 10,000 for testing, 32 x 32 px, 10 classes.

    Parameters
    ----------
    root : str or path
        Folder that contains `cifar-10-batches-py`, or to which it is downloaded.
    part : {"train", "test"}
    download : bool
        Download it (170 MB) if it is absent.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, 32, 32), uint8, and the coordinate `label` (stimulus,).

    Raises
    ------
    FileNotFoundError
        If it is neither in `root` nor can be downloaded.
    ValueError
        If `part` is unknown.

    References
    ----------
    Krizhevsky (2009), Learning multiple layers of features from tiny images. Technical report, University of Toronto.

    Examples
    --------
    >>> import cortexsim as cs
    >>> photographs = cs.datasets.cifar10("~/cifar", part="test")  # doctest: +SKIP
    """
    check_part(part)
    root = as_path(root, "root")
    # imported here: torchvision takes seconds to load and is needed for this alone
    from torchvision.datasets import CIFAR10

    there = root.exists()
    try:
        read = CIFAR10(str(root), train=part == "train", download=download)
    except (OSError, RuntimeError) as error:
        tried = "and could not be downloaded" if download else "and download=False"
        raise FileNotFoundError(
            f"CIFAR-10 is not in {str(root)!r} {tried} ({error}): connect to the internet once, copy the folder "
            "'cifar-10-batches-py' there, or read any folder of images, one subfolder per class, with datasets.folder"
        ) from error
    finally:
        if not there:
            # torchvision makes the folder before it has downloaded anything; only an empty one is removed
            with suppress(OSError):
                root.rmdir()
    return labelled(
        np.ascontiguousarray(read.data.transpose(0, 3, 1, 2)),
        {"label": np.array(read.targets, dtype=np.int64)},
        classes=read.classes,
        attrs={"name": "CIFAR-10", "part": part, "seed": 0},
    )
