"""CIFAR-10 (JPEG) from one archive, read without torchvision; made-up images for a rehearsal."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
import xarray as xr

from benchmarks.device.work import Work

PARTS = ("train", "test")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tar.xz")
PICTURES = (".jpg", ".jpeg", ".png")


def of(work: Work) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the images to train and to test on; an archive is decoded once, for all steps and processes."""
    if work.data is None:
        return made_up(200), made_up(60)
    if not work.data.name.endswith(ARCHIVES):
        return read(work.data)
    decoded = Path(tempfile.gettempdir()) / f"{work.data.name}-{work.data.stat().st_size}.npz"
    if not decoded.exists():
        aside = decoded.with_name(f"{os.getpid()}-{decoded.name}")
        _write(aside, read(work.data))
        os.replace(aside, decoded)
    return read(decoded)


def _write(path: Path, both: tuple[xr.Dataset, xr.Dataset]) -> None:
    """Write images as an archive of arrays, which is read in a moment."""
    arrays = {
        f"{part}_images": data["image"].values.transpose(0, 2, 3, 1) for part, data in zip(PARTS, both, strict=True)
    }
    arrays |= {f"{part}_labels": data["label"].values for part, data in zip(PARTS, both, strict=True)}
    np.savez(path, classes=json.loads(both[0].attrs["classes"]), **arrays)


def read(path: Path) -> tuple[xr.Dataset, xr.Dataset]:
    """Read an archive of images.

    Parameters
    ----------
    path : path
        A .zip or .tar (.gz, .xz) with train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, at any depth; a .npz with
        `train_images` (stimulus, y, x, 3) uint8, `train_labels`, `test_images`, `test_labels` and `classes`; or a
        folder as `cs.datasets.folder` reads it.

    Returns
    -------
    train, test : Dataset
        `image` (stimulus, channel, y, x), uint8, with the coordinate `label`.
    """
    if path.is_dir():
        import cortexsim as cs

        train, test = (cs.datasets.folder(path, part=part, size=32) for part in PARTS)
        return train, test
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            classes = [str(name) for name in arrays["classes"]]
            found = [(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in PARTS]
        (train, test) = (labelled(pixels, labels, classes) for pixels, labels in found)
        return train, test
    if path.name.endswith(ARCHIVES):
        return _unpacked(path)
    raise ValueError(f"an archive of images is a {', '.join(ARCHIVES)}, .npz or a folder, got {path}")


def _pictures(path: Path) -> dict[str, bytes]:
    """Read the files of pictures from an archive, by their names there."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if name.lower().endswith(PICTURES)}
    with tarfile.open(path) as archive:
        return {
            member.name: file.read()
            for member in archive
            if member.name.lower().endswith(PICTURES) and (file := archive.extractfile(member))
        }


def _decoded(file: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def _unpacked(path: Path) -> tuple[xr.Dataset, xr.Dataset]:
    files = _pictures(path)
    placed = {name: PurePosixPath(name).parts[-3:-1] for name in sorted(files)}
    classes = sorted({place[1] for place in placed.values() if len(place) == 2})
    parts = []
    for part in PARTS:
        chosen = [(place[1], name) for name, place in placed.items() if len(place) == 2 and place[0] == part]
        if not chosen:
            raise ValueError(f"{path} has no images at {part}/CLASS/NAME.jpg")
        with ThreadPoolExecutor() as threads:  # on a GPU's machine every second counts
            pixels = list(threads.map(_decoded, (files[name] for _, name in chosen)))
        parts.append(labelled(np.stack(pixels), [classes.index(name) for name, _ in chosen], classes))
    return parts[0], parts[1]


def labelled(pixels: np.ndarray, labels: Sequence[int] | np.ndarray, classes: Sequence[str]) -> xr.Dataset:
    """Label an array of shape (stimulus, y, x, 3)."""
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))},
        {"label": ("stimulus", np.asarray(labels, np.int64))},
        {"classes": json.dumps(list(classes)), "name": "CIFAR-10 (JPEG)"},
    )


def made_up(n: int, side: int = 32) -> xr.Dataset:
    """Make noise images of ten classes that differ in brightness."""
    generator = np.random.default_rng(n)
    labels = np.arange(n) % 10
    pixels = generator.integers(0, 60, (n, side, side, 3), np.uint8) + (18 * labels[:, None, None, None]).astype(
        np.uint8
    )
    images = labelled(pixels, labels, [str(k) for k in range(10)])
    return images.assign_attrs(name="ten levels of brightness")
