"""Verification of recordings: reading all data, and marking damaged parts to be run again."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth
from cortexsim._support.files import PathLock, as_path
from cortexsim.recording.io import COMPLETE, WRITTEN, engine_for, opened
from cortexsim.recording.store import changed_chunks

SHOWN_AT_MOST = 5


class DamagedRecordingError(ValueError):
    """A part of a recording cannot be read."""


def verify(path: str | Path, *, mend: bool = False) -> int:
    """Read a whole recording, and report damaged or missing parts.

    Parameters
    ----------
    path : str or Path
        A complete recording, .zarr or .nc.
    mend : bool
        Mark stimuli with damaged data as not written (only in a .zarr that was streamed to disk), so that the same call
        of `simulate` with resume=True runs them again, with the same bytes.

    Returns
    -------
    int
        The number of bytes read.

    Raises
    ------
    DamagedRecordingError
        If data cannot be read, fail their checksum, differ from the written data, or are missing although the state
        is populated.
    ValueError, FileNotFoundError
        As for `open_recording`; or if it cannot be mended.

    Warns
    -----
    UserWarning
        If the file has no checksums, so that damage to readable data cannot be detected.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> curves = cs.datasets.contours(4, part="test")
    >>> path = Path(tempfile.mkdtemp()) / "curves.zarr"
    >>> _ = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=4, record=["IT"], to=path)
    >>> cs.verify(path)
    41120
    """
    path, mend = as_path(path), truth(mend, "mend")
    damaged: list[tuple[str, range, str]] = []
    n_bytes = 0
    with opened(path) as recording:
        changed = _changed(path)
        unchecked = []
        for name, node in recording.children.items():
            dataset = node.to_dataset()
            variable = dataset["logits" if name == "readout" else "activation"]
            if not _has_checksums(variable):
                unchecked.append(name)
            for chunk, at in _blocks(variable):
                block = variable.isel(at)
                n_bytes += block.nbytes
                problem = _problem(block, dataset["populated"]) or changed.get((name, *chunk), "")
                if problem:
                    rows, times = at["stimulus"], at["time"]
                    where = f"{name} at time {times.start}" + f"-{times.stop - 1}" * (len(times) > 1)
                    damaged.append((where, rows, problem))
    if unchecked and not damaged:
        warnings.warn(
            f"{path} has no checksums for {', '.join(unchecked)} (it was written by an older version or by another "
            "program): everything can be read, but it is unknown whether the numbers have changed",
            stacklevel=2,
        )
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
    n = _mark(path, [rows for _, rows, _ in damaged], text)
    raise DamagedRecordingError(
        f"{text}; {n:,} stimuli are marked as not written now, and the same call of simulate with resume=True "
        "(--resume) runs them again"
    )


def _changed(path: Path) -> dict[tuple[str, int, int], str]:
    """Return the problems of changed chunks, by node and position along stimuli and times."""
    if engine_for(path) != "zarr":
        return {}
    try:
        return {(name, place[0], place[1]): problem for (name, place), problem in changed_chunks(path).items()}
    except ValueError as error:
        raise DamagedRecordingError(f"{path} is damaged: {error}") from error


def _has_checksums(array: xr.DataArray) -> bool:
    """Return whether the file has a checksum that is compared when these numbers are read."""
    compressors = array.encoding.get("compressors") or ()
    return bool(array.encoding.get("fletcher32")) or any("Crc32c" in type(one).__name__ for one in compressors)


def _blocks(array: xr.DataArray) -> Iterator[tuple[tuple[int, int], dict[str, range]]]:
    """Yield the chunks of an array with their positions, so that only one is in memory at a time."""
    sides = array.encoding.get("chunks") or array.encoding.get("chunksizes") or (64, 1)
    chunks = dict(zip(array.dims, sides, strict=False))
    ranges = [
        [range(start, min(start + chunks[dim], array.sizes[dim])) for start in range(0, array.sizes[dim], chunks[dim])]
        for dim in ("stimulus", "time")
    ]
    for (k, rows), (m, times) in itertools.product(*map(enumerate, ranges)):
        yield (k, m), {"stimulus": rows, "time": times}


def _problem(block: xr.DataArray, populated: xr.DataArray) -> str:
    """Describe the problem of a part of an array; "" if there is none."""
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
        raise ValueError(f"{text}; only a .zarr that simulate streamed to disk can be mended: run it again")
    lock = PathLock(path)
    try:
        written = root[WRITTEN][:]
        for rows in damaged:
            written[rows.start : rows.stop] = 0
        # first, so that the recording never counts as complete
        root.attrs[COMPLETE] = 0
        root[WRITTEN][:] = written
    finally:
        lock.release()
    return int((written == 0).sum())
