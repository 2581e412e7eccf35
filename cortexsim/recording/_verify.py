"""Verification of recordings: reading everything, and marking what is damaged to be run again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.files import PathLock, as_path
from cortexsim.recording.io import COMPLETE, WRITTEN, engine_for, open_recording

SHOWN_AT_MOST = 5


class DamagedRecordingError(ValueError):
    """A part of a recording cannot be read."""


def verify(path: str | Path, *, mend: bool = False) -> int:
    """Read all of a recording, and report what is damaged or missing.

    Parameters
    ----------
    path : str or Path
        A complete recording, .zarr or .nc.
    mend : bool
        Mark stimuli with damaged data as not written (only of a .zarr that was streamed to disk), so that the same call
        of `simulate` with resume=True runs them again, to the same bytes.

    Returns
    -------
    int
        The bytes that were read.

    Raises
    ------
    DamagedRecordingError
        If data cannot be read, fail their checksum, or are missing though the state is populated.
    ValueError, FileNotFoundError
        As for `open_recording`; or if it cannot be mended.
    """
    damaged: list[tuple[str, range, str]] = []
    n_bytes = 0
    with open_recording(path) as recording:
        for name, node in recording.children.items():
            dataset = node.to_dataset()
            variable = dataset["logits" if name == "readout" else "activation"]
            for at in _blocks(variable):
                block = variable.isel(at)
                n_bytes += block.nbytes
                problem = _problem(block, dataset["populated"])
                if problem:
                    rows, times = at["stimulus"], at["time"]
                    where = f"{name} at time {times.start}" + f"-{times.stop - 1}" * (len(times) > 1)
                    damaged.append((where, rows, problem))
    if not damaged:
        return n_bytes
    texts = [
        f"{where}, stimuli {rows.start} to {rows.stop - 1} ({problem})"
        for where, rows, problem in damaged[:SHOWN_AT_MOST]
    ]
    more = f"; and {len(damaged) - SHOWN_AT_MOST:,} more parts" if len(damaged) > SHOWN_AT_MOST else ""
    text = f"{path} is damaged: {'; '.join(texts)}{more}"
    if not mend:
        raise DamagedRecordingError(
            f"{text}; verify(path, mend=True) (or cortexsim verify --mend) marks these as not written, and the same "
            "call of simulate with resume=True (--resume) runs them again"
        )
    n = _mark(as_path(path), [rows for _, rows, _ in damaged], text)
    raise DamagedRecordingError(
        f"{text}; {n:,} stimuli are marked as not written now, and the same call of simulate with resume=True "
        "(--resume) runs them again"
    )


def _blocks(array: xr.DataArray) -> Iterator[dict[str, range]]:
    """Yield the chunks of an array, so that only one is in memory at a time."""
    chunks = dict(zip(array.dims, array.encoding.get("chunks") or (64, 1), strict=False))
    ranges = [
        [range(start, min(start + chunks[dim], array.sizes[dim])) for start in range(0, array.sizes[dim], chunks[dim])]
        for dim in ("stimulus", "time")
    ]
    for rows, times in itertools.product(*ranges):
        yield {"stimulus": rows, "time": times}


def _problem(block: xr.DataArray, populated: xr.DataArray) -> str:
    """Describe what is wrong with a part of an array; "" if nothing is."""
    try:
        values = block.values
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__
    here = populated.sel({dim: block[dim] for dim in populated.dims}).values
    finite = np.isfinite(values).all(axis=tuple(range(2, values.ndim)))
    return "populated, but missing" if (np.broadcast_to(here, finite.shape) & ~finite).any() else ""


def _mark(path: Path, damaged: list[range], text: str) -> int:

    import zarr

    root: Any = zarr.open_group(str(path), mode="r+") if engine_for(path) == "zarr" else None
    if root is None or WRITTEN not in root:
        raise ValueError(f"{text}; only a .zarr that simulate streamed to disk can be mended: make it again")
    lock = PathLock(path)
    try:
        written = root[WRITTEN][:]
        for rows in damaged:
            written[rows.start : rows.stop] = 0
        # first, so that it never counts as complete
        root.attrs[COMPLETE] = 0
        root[WRITTEN][:] = written
    finally:
        lock.release()
    return int((written == 0).sum())
