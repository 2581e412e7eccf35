"""Checks of zarr stores: format 3, only codecs that cortexsim writes, and no files outside the folder."""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from cortexsim._support.documents import parse_json

# the codecs of `write_zarr`; some others run code from the file, or read other files
CODECS = ("bytes", "vlen-utf8", "blosc", "zstd", "crc32c")
TYPES = ("bool", "int", "uint", "float", "string", "fixed_length_utf32", "numpy.datetime64", "numpy.timedelta64")
FORMER = (".zarray", ".zgroup", ".zattrs", ".zmetadata")  # files of zarr 2
DESCRIBES = "zarr.json"
LARGEST_DESCRIPTION = 2**26  # bytes
LARGEST_CHUNK = 2**34  # values
LARGEST_COORDINATE = 10**8  # values
DATA = ("activation", "logits")
CHECKSUMS = "chunk_checksums"  # an array at the root: the checksum of each chunk of the data, 0 for an empty chunk
_BYTES_OF_CHECKSUM = 4

Chunk = tuple[str, tuple[int, ...]]
"""A node, and the position of a chunk of its data in the grid of chunks."""


def check_store(path: Path) -> None:
    """Refuse a folder that is not a zarr store as cortexsim writes it, before zarr reads it.

    Raises
    ------
    ValueError
        If it has the format of zarr 2, other codecs, links that leave the folder, or a damaged description.
    """
    if not path.is_dir():
        raise ValueError("a .zarr must be a folder")
    root = path.resolve()
    if not (root / DESCRIBES).is_file():
        older = any((root / name).exists() for name in FORMER)
        raise ValueError("it is of zarr 2, and only zarr 3 is read" if older else f"it has no {DESCRIBES}")
    left = [root]
    while left:
        folder = left.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                place = Path(entry.path).relative_to(root)
                if entry.is_dir(follow_symlinks=False):
                    left.append(Path(entry.path))
                    continue
                if entry.is_symlink() and (entry.is_dir() or not Path(entry.path).resolve().is_relative_to(root)):
                    raise ValueError(
                        f"{place} is a link to {os.readlink(entry.path)!r}; a recording may not leave its folder"
                    )
                if not stat.S_ISREG(entry.stat().st_mode):
                    raise ValueError(f"{place} is not a regular file")
                if entry.name in FORMER:
                    raise ValueError(f"{place} is of zarr 2, and only zarr 3 is read")
                if entry.name == DESCRIBES:
                    _check_description(Path(entry.path), str(place))


def _check_description(file: Path, place: str) -> None:
    """Refuse a description of a group or array that cortexsim would not write."""
    if file.stat().st_size > LARGEST_DESCRIPTION:
        raise ValueError(f"{place} has {file.stat().st_size:,} bytes, at most {LARGEST_DESCRIPTION:,} are read")
    found = parse_json(file.read_bytes(), place)
    if not isinstance(found, dict) or found.get("zarr_format") != 3:
        raise ValueError(f"{place} does not describe a group or an array of zarr 3")
    if found.get("consolidated_metadata") is not None:
        raise ValueError(f"{place} has consolidated metadata, which could differ from the metadata of each array")
    if found.get("node_type") == "group":
        return
    if found.get("node_type") != "array":
        raise ValueError(f"{place} describes {found.get('node_type')!r}, neither a group nor an array")
    try:
        codecs = [one if isinstance(one, str) else one["name"] for one in found["codecs"]]
        kind = found["data_type"]
        kind = kind if isinstance(kind, str) else kind["name"]
        shape = [int(side) for side in found["shape"]]
        chunk = [int(side) for side in found["chunk_grid"]["configuration"]["chunk_shape"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"{place} is damaged: it does not describe an array of zarr 3") from None
    foreign = [name for name in codecs if name not in CODECS]
    if foreign or found.get("storage_transformers"):
        raise ValueError(
            f"{place} uses {foreign or found['storage_transformers']}; the allowed codecs are {list(CODECS)}"
        )
    if not isinstance(kind, str) or (kind.rstrip("0123456789") not in TYPES and kind not in TYPES):
        raise ValueError(f"{place} has values of type {kind!r}; the allowed types are {list(TYPES)}")
    most = LARGEST_CHUNK if file.parent.name in DATA else LARGEST_COORDINATE
    if min([*shape, *chunk, 0]) < 0 or len(shape) != len(chunk) or 0 in chunk or prod(chunk) > most:
        raise ValueError(f"{place} has the shape {shape} in chunks of {chunk}, which is not allowed")
    if file.parent.name not in DATA and prod(shape) > LARGEST_COORDINATE:
        raise ValueError(f"{place} has {prod(shape):,} values, at most {LARGEST_COORDINATE:,} are read")


# --- chunks


def seal(path: Path) -> None:
    """Store the checksum of each chunk, so that lost or exchanged chunks are detected later."""
    import zarr
    from zarr.codecs import Crc32cCodec

    root = zarr.open_group(str(path), mode="r+")
    sums = np.array([_checksum(path, one) for one in chunks(path)], dtype=np.uint32)
    array = root.create_array(
        CHECKSUMS,
        shape=sums.shape,
        chunks=sums.shape,
        dtype=sums.dtype,
        dimension_names=["chunk"],
        compressors=[Crc32cCodec()],
        fill_value=0,
        overwrite=True,
    )
    array[:] = sums


def changed_chunks(path: Path, *, lost_only: bool = False) -> dict[Chunk, str]:
    """Compare the chunks with their checksums, and return the problems; older files have no checksums.

    Parameters
    ----------
    path : Path
    lost_only : bool
        Check only whether they exist, which is fast.

    Raises
    ------
    ValueError
        If the checksums cannot be read.
    """
    import zarr

    root: Any = zarr.open_group(str(path), mode="r")
    if CHECKSUMS not in root:
        return {}
    try:
        sums, found = root[CHECKSUMS][:].tolist(), list(chunks(path))
    except Exception as error:
        raise ValueError(f"the checksums of the chunks cannot be read: {error}") from error
    if len(sums) != len(found):
        raise ValueError(f"there are {len(sums)} checksums of chunks, but {len(found)} chunks")
    wrong: dict[Chunk, str] = {}
    for one, expected in zip(found, sums, strict=True):
        there = _file(path, one).exists()
        if expected and not there:
            wrong[one] = "populated, but missing"
        elif not lost_only and there and _checksum(path, one) != expected:
            wrong[one] = "not the chunk that was written"
    return wrong


def chunks(path: Path) -> Iterator[Chunk]:
    """Yield the positions of all chunks of the data, existing or not, in a fixed order."""
    for described in sorted(path.glob(f"*/*/{DESCRIBES}")):
        if described.parent.name not in DATA:
            continue
        found = json.loads(described.read_text(encoding="utf-8"))
        sides = zip(found["shape"], found["chunk_grid"]["configuration"]["chunk_shape"], strict=True)
        for place in itertools.product(*(range(-(-side // of)) for side, of in sides)):
            yield described.parent.parent.name, place


def _file(path: Path, chunk: Chunk) -> Path:
    node, place = chunk
    return path / node / ("logits" if node == "readout" else "activation") / "c" / "/".join(map(str, place))


def _checksum(path: Path, chunk: Chunk) -> int:
    """Return the checksum at the end of a chunk; 0 if the chunk does not exist, because it has only NaN."""
    try:
        with _file(path, chunk).open("rb") as file:
            file.seek(-_BYTES_OF_CHECKSUM, os.SEEK_END)
            # never 0, which means that there is no chunk
            return int.from_bytes(file.read(), "little") or 1
    except OSError:
        return 0
