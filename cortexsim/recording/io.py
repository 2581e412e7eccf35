"""Recordings on disk, as zarr or netCDF: written aside and renamed when whole, opened lazily, told apart if foreign."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.files import refuse_existing, written_aside
from cortexsim.graph.transitions import Times
from cortexsim.stimuli.presentation import SHOWN

SUFFIXES = {".zarr": "zarr", ".nc": "h5netcdf"}
ATTRIBUTE = "cortexsim"
# of a recording that is written while it runs: whether all of it is there, and which stimuli are
COMPLETE, WRITTEN = "complete", "written"
CHUNK_OF_STIMULI, MOST_OF_A_CHUNK = 50, 64


def engine_for(path: str | Path) -> str:
    """Return xarray's engine for a path, by its suffix.

    Raises
    ------
    ValueError
        If the suffix is neither .zarr nor .nc.
    """
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise ValueError(f"a recording's path must end in {' or '.join(SUFFIXES)}, got {str(path)!r}")
    return SUFFIXES[suffix]


def save_recording(recording: xr.DataTree, path: str | Path) -> None:
    """Write a recording, whole or not at all.

    Parameters
    ----------
    recording : DataTree
        What `simulate` returned.
    path : str or Path
        Ends in .zarr (zarr v3, compressed, a chunk for 50 stimuli at one time) or .nc (netCDF).

    Raises
    ------
    FileExistsError, FileNotFoundError, PermissionError
        If nothing can be written there.
    OSError
        If writing fails, as on a full disk; nothing is left behind.
    """
    engine = engine_for(path)
    path = refuse_existing(path)
    with written_aside(path) as aside:
        if engine == "zarr":
            store = _patient_store(aside)
            try:
                write_zarr(recording, store, CHUNK_OF_STIMULI)
            finally:
                store.complain()
        else:
            with _PatientFile(aside) as file:
                try:
                    recording.to_netcdf(file, engine="h5netcdf")
                finally:
                    file.complain()


def write_zarr(recording: xr.DataTree, store: Any, stimuli: int, *, compute: bool = True) -> None:
    """Write a recording to a new zarr v3 store, in chunks of so many stimuli: maps at one time, all else at all times.

    Parameters
    ----------
    recording : DataTree
    store : path or zarr store
    stimuli : int
        Stimuli in a chunk.
    compute : bool
        False lays it out and leaves lazy arrays unwritten.
    """
    from zarr.codecs import BloscCodec, Crc32cCodec

    # the checksum tells a damaged chunk when it is read; most damage would else pass as other numbers
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
    # zarr v3 has no form of its own for texts of one length
    recording = recording.map_over_datasets(_with_free_texts)
    layout: dict[str, Any] = {"zarr_format": 3, "consolidated": False, "encoding": encoding, "compute": compute}
    recording.to_zarr(store, mode="w-", **layout)


def _chunks(array: xr.DataArray, stimuli: int) -> tuple[int, ...]:
    # maps are read one time after the other; of what has no place in space, all times are less than one map
    times = 1 if "y" in array.dims else array.sizes["time"]
    chosen = {"stimulus": min(stimuli, array.sizes["stimulus"]), "time": times}
    return tuple(chosen.get(str(dim), size) for dim, size in array.sizes.items())


def chunk_for(batch_size: int) -> int:
    """Return how many stimuli a chunk holds, so that none belongs to two batches: each is written once."""
    size = max(size for size in range(1, MOST_OF_A_CHUNK + 1) if batch_size % size == 0)
    # a batch of 97 has no parts but single stimuli, which would make many tiny files
    return size if size >= MOST_OF_A_CHUNK // 4 else batch_size


class _PatientFile(io.FileIO):
    """A new file that remembers why it cannot be written until it is asked.

    An error while HDF5 writes, as on a full disk, leaves it in a state that ends the whole process (h5py 3).
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self.error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self.tell() if size is None else size

    def complain(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.error is not None:
            raise self.error


def _patient_store(path: Path) -> Any:
    """Return a new zarr store that remembers why it cannot be written until it is asked.

    zarr writes many chunks at once; were one to fail, others would still be written while what is there is removed.
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


def _with_free_texts(node: xr.Dataset) -> xr.Dataset:
    texts = {name: array.astype(object) for name, array in node.coords.items() if array.dtype.kind == "U"}
    return node.assign_coords(texts) if texts else node


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
        If there is nothing.
    ValueError
        If it is no recording of cortexsim, cannot be read, or is incomplete: the message says how much of it is there.
    """
    engine = engine_for(path)
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no recording at {path}")
    options: dict[str, Any] = {"consolidated": False} if engine == "zarr" else {}
    try:
        recording = xr.open_datatree(path, engine=engine, **options)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a recording: {error}") from error
    if ATTRIBUTE not in recording.attrs:
        recording.close()
        raise ValueError(f"{path} is no recording of cortexsim: the root lacks the attribute {ATTRIBUTE!r}")
    if not recording.attrs.pop(COMPLETE, 1):
        n, written = recording[WRITTEN].size, int(recording[WRITTEN].sum())
        recording.close()
        raise ValueError(
            f"{path} is incomplete: {written:,} of {n:,} stimuli are there; the same call of simulate with resume=True "
            "(or the command with --resume) goes on"
        )
    if WRITTEN in recording:
        recording.dataset = recording.to_dataset(inherit=False).drop_vars(WRITTEN)
    # a folder lists what is in it in any order
    names = [*settings(recording)["record"], "readout"]
    recording.children = {name: recording.children[name] for name in names if name in recording.children}
    return recording


def settings(recording: xr.DataTree) -> dict[str, Any]:
    """Return how a recording was made: graph, presentation, statistics used, seed, batch size, checksum and version."""
    return json.loads(recording.attrs[ATTRIBUTE])


def summary(recording: xr.DataTree) -> str:
    """Tell in a paragraph what a recording holds, and why something in it is NaN."""
    made = settings(recording)
    n = recording["readout"].sizes["stimulus"]
    states = [name for name in recording.children if name != "readout"]
    kind = "relu(BN(h))" if made["quantity"] == "rate" else "h"
    held = [_portion(made["record"], name) for name in states]
    texts = [
        f"{n} {'stimulus' if n == 1 else 'stimuli'} at times 0 to {made['until']}: {made['presentation_text']}.",
        f"Recorded: {kind} of {', '.join(held)}, and the readout's logits." if states else "Recorded: the logits.",
    ]
    if made["statistics"]:
        used = made["statistics"]
        texts.append(
            f"Normalized with the moments of {used['n_images']} images, {_taken_on(made)}"
            + (f", {used['change']}" if used["change"] else "")
            + (", reused on purpose." if used["reused"] else ".")
        )
    for transition, intervals in made["silence"].items():
        texts.append(f"{transition} was silenced: {_times(intervals)}.")
    texts.extend(_interventions(made))
    texts.extend(_emptiness(recording, [*states, "readout"]))
    return " ".join(texts)


def _portion(record: list[str] | dict[str, Any], name: str) -> str:
    """Say how much of a state was kept, where that is not all."""
    way = record[name] if isinstance(record, dict) else "all"
    if isinstance(way, list):
        return f"{name} ({len(way)} {'unit' if len(way) == 1 else 'units'})"
    return name if way == "all" else f"{name} (its {way.replace('_', ' ')})"


def _interventions(made: dict[str, Any]) -> list[str]:
    """Tell of the lesion's kind, of gains and of noise; recordings of before there were any tell of none."""
    texts = []
    lesion = made.get("lesion") or {"kind": "acute"}
    if lesion["kind"] == "recalibrated":
        texts.append("The lesion is recalibrated: the moments were taken with it in place.")
    if lesion["kind"] == "mean-replaced":
        texts.append(
            "The lesion is mean-replaced: for what is silenced or taken away by a gain, a transition delivers its mean "
            f"over {lesion['n_images']} images."
        )
    texts += [
        f"{name} was multiplied by {amount:g}: {_times(t)}." for name, (amount, t) in made.get("gain", {}).items()
    ]
    for name, (amount, times) in made.get("transition_noise", {}).items():
        texts.append(f"{name} had noise of {amount:g} standard deviations: {_times(times)}.")
    if made.get("noise"):
        texts.append(f"Every state had noise of {made['noise']:g} standard deviations at every time.")
    if made.get("repeats", 1) > 1:
        texts.append(f"Each stimulus was shown {made['repeats']} times, row after row; only the noise differs.")
    return texts


def _times(intervals: list[list[int | None]]) -> Times:
    return Times(tuple((start, stop) for start, stop in intervals))  # type: ignore[misc]


def _emptiness(recording: xr.DataTree, nodes: list[str]) -> list[str]:
    """Say what is NaN, and why."""
    texts, spans = [], []
    for name in nodes:
        populated = np.asarray(recording[name]["populated"])
        ever = populated if populated.ndim == 1 else populated.any(0)
        empty = [int(time) for time in np.asarray(recording[name]["time"])[~ever]]
        if empty:
            spans.append(f"{name} {'throughout' if not ever.any() else 'at ' + _spans(empty)}")
        if populated.ndim == 2 and bool((ever & ~populated.all(0)).any()):
            texts.append(f"{name} is populated at different times for different stimuli; see `populated`.")
    if spans:
        texts.insert(0, f"NaN because empty, nothing has reached it then: {', '.join(spans)}.")
    return texts


def _taken_on(made: dict[str, Any]) -> str:
    """Say on what the statistics were taken, without telling a long mixture twice."""
    used = made["statistics"]
    if used["presentation"] == made["presentation"]:
        return "shown in the same way"
    if used["presentation"]["kind"] == "mixture":
        return f"shown in a mixture of {len(used['presentation']['components'])} ways"
    return f"«{used['presentation_text']}»"


def _spans(times: list[int]) -> str:
    """Write [0, 1, 2, 5] as "times 0-2, 5"."""
    spans: list[list[int]] = []
    for time in times:
        if spans and spans[-1][-1] == time - 1:
            spans[-1].append(time)
        else:
            spans.append([time])
    texts = [str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans]
    return ("time " if len(times) == 1 else "times ") + ", ".join(texts)


def flags(shown: np.ndarray, dims: tuple[str, ...]) -> xr.Variable:
    """Return what is shown as integer flags with their meanings, which every file format keeps."""
    return xr.Variable(
        dims,
        shown.astype(np.int8),
        {
            "long_name": "on the screen",
            "flag_values": list(range(len(SHOWN))),
            "flag_meanings": " ".join(SHOWN),
        },
    )
