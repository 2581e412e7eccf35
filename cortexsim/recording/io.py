"""Recordings on disk, as zarr or netCDF: written under a temporary name and renamed when complete; opened lazily."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.files import as_path, refuse_existing, written_aside
from cortexsim._support.interrupts import postponed_interrupts
from cortexsim._support.strangers import rehearsed
from cortexsim.recording.description import ATTRIBUTE, described, narrowed
from cortexsim.recording.sealing import SEAL, checksum_of, sealed
from cortexsim.recording.store import CHECKSUMS, DATA, changed_chunks, check_store, seal
from cortexsim.recording.writable import check_writable, free_texts
from cortexsim.stimuli.presentation import SHOWN

SUFFIXES = {".zarr": "zarr", ".nc": "h5netcdf"}
DAMAGED = "it is damaged, or was changed by another program"
# in a recording that is streamed to disk: whether it is complete, and which stimuli are written
COMPLETE, WRITTEN = "complete", "written"
CHUNK_OF_STIMULI, MOST_OF_A_CHUNK = 50, 64


def engine_for(path: str | Path) -> str:
    """Return xarray's engine for a path, by its suffix.

    Raises
    ------
    ValueError
        If the suffix is neither .zarr nor .nc.
    """
    suffix = as_path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"a recording's path must end in {' or '.join(SUFFIXES)}, got {str(path)!r}")
    return SUFFIXES[suffix]


def save_recording(recording: xr.DataTree, path: str | Path) -> None:
    """Write a recording, completely or not at all.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    path : str or Path
        Ends in .zarr (zarr v3, compressed, in chunks of 50 stimuli at one time) or .nc (netCDF).

    Raises
    ------
    TypeError
        If it is not a recording.
    ValueError
        If the path has another suffix, or a coordinate or attribute cannot be written in this format.
    FileExistsError, FileNotFoundError, PermissionError
        If the path cannot be written.
    OSError
        If writing fails, as on a full disk; no partial file remains.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> curves = cs.datasets.contours(4, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=4, record=["IT"])
    >>> path = Path(tempfile.mkdtemp()) / "curves.nc"
    >>> cs.save_recording(recording, path)
    >>> cs.open_recording(path).identical(recording)
    True
    """
    engine = engine_for(path)
    path = refuse_existing(path)
    _check_recording(recording)
    for node in recording.subtree:
        check_writable(dict(node.coords), path, engine, f"of {node.name}" if node.name else "of the recording")
    recording = narrowed(recording)
    with written_aside(path) as aside:
        if engine == "zarr":
            store = patient_store(aside)
            try:
                write_zarr(recording, store, CHUNK_OF_STIMULI)
            finally:
                store.complain()
            seal(aside)
        else:
            with _PatientFile(aside) as file:
                try:
                    with postponed_interrupts(file.stop):
                        sealed(recording).to_netcdf(file, engine="h5netcdf", encoding=_checked_by_hdf5(recording))
                finally:
                    file.complain()


def _check_recording(recording: Any) -> None:
    """Refuse anything but a whole recording."""
    if not isinstance(recording, xr.DataTree):
        raise TypeError(f"a recording must be a DataTree, as simulate returns it, got {type(recording).__name__}")
    if ATTRIBUTE not in recording.attrs:
        hint = "; give the whole recording, not one of its nodes" if recording.parent is not None else ""
        raise TypeError(f"this DataTree is not a recording of cortexsim: it lacks the attribute {ATTRIBUTE!r}{hint}")


def _checked_by_hdf5(recording: xr.DataTree) -> dict[str, Any]:
    """Return an encoding with checksums for all numbers, which HDF5 compares when they are read."""
    encoding: dict[str, Any] = {}
    for name, node in recording.children.items():
        encoding[f"/{name}"] = {
            str(key): {"fletcher32": True}
            | ({"chunksizes": _chunks(array, CHUNK_OF_STIMULI)} if key in DATA else {"chunksizes": array.shape})
            for key, array in node.to_dataset(inherit=False).variables.items()
            if array.dtype.kind in "biuf" and array.size and array.ndim
        }
    return encoding


def write_zarr(recording: xr.DataTree, store: Any, stimuli: int, *, compute: bool = True) -> None:
    """Write a recording to a new zarr v3 store, in chunks: maps at a single time, everything else at all times.

    Parameters
    ----------
    recording : DataTree
    store : path or zarr store
    stimuli : int
        Stimuli in a chunk.
    compute : bool
        If False, create the arrays, but do not write lazy ones.
    """
    from zarr.codecs import BloscCodec, Crc32cCodec

    # the checksum reveals a damaged chunk when it is read; most damage would otherwise only change the numbers
    codecs = [BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec()]
    encoding = {
        f"/{name}": {
            str(key): {
                "compressors": codecs,
                "chunks": _chunks(array, stimuli),
            }
            for key, array in node.data_vars.items()
            if array.dtype.kind == "f"
        }
        for name, node in recording.children.items()
    }
    recording = sealed(recording).map_over_datasets(free_texts)
    layout: dict[str, Any] = {"zarr_format": 3, "consolidated": False, "encoding": encoding, "compute": compute}
    recording.to_zarr(store, mode="w-", **layout)


def _chunks(array: xr.DataArray | xr.Variable, stimuli: int) -> tuple[int, ...]:
    # maps are read one time after another; without space, all times together are smaller than one map
    times = 1 if "y" in array.dims else array.sizes["time"]
    chosen = {"stimulus": min(stimuli, array.sizes["stimulus"]), "time": times}
    return tuple(chosen.get(str(dim), size) for dim, size in array.sizes.items())


def chunk_for(batch_size: int) -> int:
    """Return the number of stimuli in a chunk, such that no chunk belongs to two batches and each is written once."""
    size = max(size for size in range(1, MOST_OF_A_CHUNK + 1) if batch_size % size == 0)
    # for a prime such as 97, chunks of single stimuli would make many tiny files
    return size if size >= MOST_OF_A_CHUNK // 4 else batch_size


class _PatientFile(io.FileIO):
    """A new file that postpones write errors and interrupts until `complain`.

    An exception while HDF5 writes, as on a full disk or at Ctrl-C, would end the whole process or be ignored (h5py 3).
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.error: BaseException | None = None

    def stop(self, error: BaseException) -> None:
        """Write no more, and raise this error later."""
        self.error = self.error or error

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self.error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.stop(error)
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.stop(error)
            return self.tell() if size is None else size

    def complain(self) -> None:
        """Raise the first error, if there was one."""
        if self.error is not None:
            raise self.error


def patient_store(path: Path) -> Any:
    """Return a zarr store that postpones write errors until `complain`.

    zarr writes many chunks at the same time. If an error were raised immediately, other chunks would still be written
    while the store is removed or Python exits, and print their tracebacks.
    """
    from zarr.storage import LocalStore

    class PatientStore(LocalStore):
        error: OSError | None = None

        async def set(self, key: str, value: Any) -> None:
            try:
                if self.error is None:
                    await super().set(key, value)
            except OSError as error:
                self.error = error

        async def set_if_not_exists(self, key: str, value: Any) -> None:
            try:
                if self.error is None:
                    await super().set_if_not_exists(key, value)
            except OSError as error:
                self.error = error

        def complain(self) -> None:
            if self.error is not None:
                raise self.error

    return PatientStore(path)


def open_recording(path: str | Path) -> xr.DataTree:
    """Open a recording; arrays are read when they are used.

    Parameters
    ----------
    path : str or Path
        Ends in .zarr or .nc.

    Returns
    -------
    DataTree

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If it is not a recording of cortexsim, is damaged, has formats or codecs that cortexsim does not write, refers
        to other files, or is incomplete; the message then says how much was written.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> curves = cs.datasets.contours(4, part="test")
    >>> path = Path(tempfile.mkdtemp()) / "curves.zarr"
    >>> _ = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=4, record=["IT"], to=path)
    >>> cs.open_recording(path)["IT"]["activation"].shape
    (4, 5, 32, 4, 4)
    """
    recording = opened(path)
    try:
        lost = changed_chunks(as_path(path), lost_only=True) if engine_for(path) == "zarr" else {}
        if lost:
            (name, place), _ = next(iter(lost.items()))
            raise ValueError(
                f"{path} is damaged: {len(lost)} of its chunks are missing, such as {'/'.join(map(str, place))} of "
                f"{name}; cortexsim.verify(path) lists them, and can mend it"
            )
    except ValueError:
        recording.close()
        raise
    return recording


def opened(path: str | Path) -> xr.DataTree:
    """Open a recording like `open_recording`, even if chunks of its activity are lost."""
    path = as_path(path)
    engine, place = engine_for(path), path
    if not place.exists():
        raise FileNotFoundError(f"there is no recording at {path}")
    options: dict[str, Any] = {"consolidated": False} if engine == "zarr" else {}
    try:
        if engine == "zarr":
            check_store(place)
        else:
            rehearsed("hdf5", place)
        recording = xr.open_datatree(path, engine=engine, **options)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a recording: {error}") from error
    try:
        return _checked(recording, path)
    except Exception:
        recording.close()
        raise


def _checked(recording: xr.DataTree, path: str | Path) -> xr.DataTree:
    """Compare a recording with its description and checksum, and put its nodes in order."""
    if ATTRIBUTE not in recording.attrs:
        raise ValueError(f"{path} is not a recording of cortexsim: the root lacks the attribute {ATTRIBUTE!r}")
    try:
        complete, seal_of_file = recording.attrs.pop(COMPLETE, 1), recording.attrs.pop(SEAL, None)
        found = None if seal_of_file is None else checksum_of(recording)
        names = [*described(recording)["record"], "readout"]
        if not complete:
            n, written = recording[WRITTEN].size, int(recording[WRITTEN].sum())
        of_root = [name for name in (WRITTEN, CHECKSUMS) if name in recording]
        _check_nodes(recording, names)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a recording: {DAMAGED} ({error})") from error
    if seal_of_file != found:
        raise ValueError(f"{path} does not match the checksum of its description: {DAMAGED}")
    if not complete:
        raise ValueError(
            f"{path} is incomplete: only {written:,} of {n:,} stimuli were written; call simulate again with "
            "resume=True (or the command with --resume) to finish"
        )
    if of_root:
        recording.dataset = recording.to_dataset(inherit=False).drop_vars(of_root)
    # folders list their contents in arbitrary order
    recording.children = {name: recording.children[name] for name in names}
    return recording


def _check_nodes(recording: xr.DataTree, names: list[str]) -> None:
    """Refuse a recording that lacks a state, or a required variable of a state."""
    lost = [name for name in names if name not in recording.children]
    if lost:
        raise ValueError(f"it recorded {names}, but {lost} are missing")
    for name in names:
        node = recording.children[name].to_dataset(inherit=False)
        data = "logits" if name == "readout" else "activation"
        lacking = [key for key in (data, "populated", "time", "stimulus") if key not in node.variables]
        if lacking:
            raise ValueError(f"{name} lacks {lacking}")
        dims, populated = node[data].dims, node["populated"]
        if dims[:2] != ("stimulus", "time") or populated.dims not in (("time",), ("stimulus", "time")):
            raise ValueError(f"{name} has the dimensions {dims}, and its populated {populated.dims}")
        if populated.dtype.kind not in "biu" or not np.isin(populated.values, (0, 1)).all():
            raise ValueError(f"populated of {name} has values other than true and false")


def flags(shown: np.ndarray, dims: tuple[str, ...]) -> xr.Variable:
    """Return the screen content as integer flags with their meanings, which all file formats preserve."""
    return xr.Variable(
        dims,
        shown.astype(np.int8),
        {
            "long_name": "on the screen",
            "flag_values": list(range(len(SHOWN))),
            "flag_meanings": " ".join(SHOWN),
        },
    )
