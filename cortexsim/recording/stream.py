"""Recording sinks: in memory, or streamed to zarr, with partial files that are marked and can be resumed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.files import PathLock, as_path, written_aside
from cortexsim.recording.description import ATTRIBUTE, read_settings
from cortexsim.recording.io import COMPLETE, WRITTEN, chunk_for, engine_for, patient_store, write_zarr
from cortexsim.recording.store import check_store, seal

# one batch is written and one waits while the next is computed: memory does not grow with the number of stimuli
WAITING = 1


def written(path: Path) -> tuple[int, int]:
    """Return how many stimuli a recording that is streamed to this path has by now, and how many it will have."""
    import zarr

    flags: Any = zarr.open_group(str(path), mode="r")[WRITTEN]
    return int(flags[:].sum()), int(flags.size)


class Memory:
    """A recording in memory.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Shape (stimulus, time, ...) by node.
    dtype : str

    Attributes
    ----------
    arrays : dict of str to array
        NaN until written.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> None:
        self.arrays = {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}

    def missing(self, batch_size: int) -> list[range]:
        """Return the batches, in order."""
        return _batches(len(self.arrays["readout"]), batch_size)

    def room(self, batch: range) -> dict[str, np.ndarray]:
        """Return the arrays of a batch by node, to fill in place."""
        return {name: array[batch.start : batch.stop] for name, array in self.arrays.items()}

    def write(self, batch: range, arrays: Mapping[str, np.ndarray]) -> None:
        """Do nothing: the arrays of `room` are views of the recording."""

    def finish(self) -> None:
        """Do nothing: memory is complete with its last batch."""

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to release."""


class Stream:
    """A recording that is streamed to zarr by a thread with a bounded queue.

    Parameters
    ----------
    path : Path
        Path of an incomplete recording made by `create`.

    Raises
    ------
    BlockingIOError
        If another process is writing it.
    """

    def __init__(self, path: Path) -> None:
        import zarr

        self.path = path
        self._lock = PathLock(path)
        _remove_unfinished(path)
        self._store = patient_store(path)
        self._root = zarr.open_group(self._store, mode="r+")
        self._written: Any = self._root[WRITTEN]
        self._arrays: dict[str, Any] = {
            name: group["logits" if name == "readout" else "activation"] for name, group in self._root.groups()
        }
        self._queue: queue.Queue[tuple[range, Mapping[str, np.ndarray]] | None] = queue.Queue(WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write_all, name=f"writes {path.name}", daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, path: Path, skeleton: xr.DataTree, batch_size: int) -> Stream:
        """Create a recording without data, and open it.

        Parameters
        ----------
        path : Path
            A path that does not exist.
        skeleton : DataTree
            The recording with lazy arrays of the final shapes.
        batch_size : int
            Number of stimuli in each call of `write`; no chunk belongs to two batches.

        Raises
        ------
        FileExistsError
            If the path exists.
        OSError
            If it cannot be written; no partial file remains.
        """
        import zarr

        n = skeleton["readout"].sizes["stimulus"]
        with written_aside(path) as aside:
            store = patient_store(aside)
            try:
                write_zarr(skeleton, store, chunk_for(batch_size), compute=False)
                root = zarr.open_group(store, mode="r+")
                root.create_array(
                    WRITTEN,
                    shape=(n,),
                    chunks=(min(batch_size, n),),
                    dtype="int8",
                    dimension_names=["stimulus"],
                    fill_value=0,
                )
                root.attrs[COMPLETE] = 0
            finally:
                store.complain()
        return cls(path)

    def missing(self, batch_size: int) -> list[range]:
        """Return the batches that are not completely written, in order."""
        written = self._written[:] == 1
        batches = _batches(len(written), batch_size)
        return [batch for batch in batches if not written[batch.start : batch.stop].all()]

    def room(self, batch: range) -> dict[str, np.ndarray]:
        """Return arrays for a batch by node, shape (stimulus, time, ...), filled with NaN."""
        return {
            name: np.full((len(batch), *array.shape[1:]), np.nan, array.dtype) for name, array in self._arrays.items()
        }

    def write(self, batch: range, arrays: Mapping[str, np.ndarray]) -> None:
        """Queue a batch for writing, and wait while the queue is full.

        Parameters
        ----------
        batch : range
        arrays : mapping of str to array
            The filled arrays of `room`, which must not change afterwards.

        Raises
        ------
        OSError
            If an earlier batch could not be written, as on a full disk. The batches before it are kept.
        """
        self._complain()
        self._queue.put((batch, arrays))

    def finish(self) -> None:
        """Wait until everything is written, and mark the recording as complete.

        Raises
        ------
        OSError
            If a batch could not be written.
        """
        self._stop()
        self._complain()
        if self._written[:].all():
            try:
                seal(self.path)
                self._root.attrs[COMPLETE] = 1
                self._store.complain()
            except OSError as error:
                self._error = error
        self._complain()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stop()
        finally:
            self._lock.release()

    def _stop(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _complain(self) -> None:
        if self._error is None:
            return
        if not isinstance(self._error, OSError):
            raise self._error
        written = self._written[:]
        done, n = int(written.sum()), len(written)
        raise type(self._error)(
            self._error.errno,
            f"could not write {self.path}: {self._error.strerror or self._error}; {done:,} of {n:,} stimuli are "
            "written and stay; repeat the call with resume=True to finish",
        ) from self._error

    def _write_all(self) -> None:
        for batch, arrays in iter(self._queue.get, None):
            if self._error is not None:
                continue  # drop queued batches, so that no caller waits for this thread
            try:
                for name, values in arrays.items():
                    self._arrays[name][batch.start : batch.stop] = values
                self._store.complain()
                # last, so that every stimulus marked as written exists, even if the process is killed
                self._written[batch.start : batch.stop] = 1
                self._store.complain()
            except BaseException as error:
                self._error = error


def lazy(shapes: Mapping[str, tuple[int, ...]], dtype: str) -> dict[str, Any]:
    """Return lazy arrays without memory, for creating a recording."""
    import dask.array

    # in one piece, because dask's default chunks would not match those on disk, and nothing is computed
    return {name: dask.array.full(shape, np.nan, dtype=dtype, chunks=-1) for name, shape in shapes.items()}


def unfinished_settings(path: str | Path) -> dict[str, Any] | None:
    """Return the settings of an unfinished .zarr recording; None if there is none at the path.

    Raises
    ------
    ValueError
        If the suffix is not allowed, it is not a recording of cortexsim, or has formats that cortexsim does not write.
    """
    import zarr

    path = as_path(path)
    if engine_for(path) != "zarr" or not path.exists():
        return None
    try:
        check_store(path)
        attributes = zarr.open_group(str(path), mode="r").attrs
        if attributes.get(COMPLETE) != 0:
            return None
        found = read_settings(attributes[ATTRIBUTE])
        if not isinstance(found, dict) or "batch_size" not in found:
            raise ValueError("its description lacks the size of the batches")
        return found
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a recording: {error}") from error


def _remove_unfinished(path: Path) -> None:
    """Remove incomplete chunks of a killed process, which have temporary names of zarr.

    Requires the lock, because chunks of a running process would be removed, too.
    """
    for chunk in path.rglob("*.partial"):
        chunk.unlink(missing_ok=True)


def _batches(n: int, batch_size: int) -> list[range]:
    return [range(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]
