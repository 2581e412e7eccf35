"""Datasets as netCDF files: atomic writing, complete reading."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import xarray as xr

from cortexsim._support.files import written_aside
from cortexsim._support.strangers import rehearsed

# after the HDF5 data: a mark, and the checksum of everything before it
_MARK = b"\ncortexsim sha256 "
_DIGITS = 64


def save_dataset(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset as netCDF, completely or not at all; an existing file is replaced by the complete new one.

    Raises
    ------
    OSError
        If it cannot be written; no partial file remains.
    """
    # written to memory first: an error while HDF5 writes, such as a full disk, ends the whole process (h5py 3)
    buffer = io.BytesIO()
    encoding = {
        str(name): {"fletcher32": True, "chunksizes": array.shape}
        for name, array in data.variables.items()
        if array.dtype.kind in "biuf" and array.ndim and array.size
    }
    data.to_netcdf(buffer, engine="h5netcdf", encoding=encoding)
    written = buffer.getvalue()
    with written_aside(path, replacing=True) as aside:
        aside.write_bytes(written + _MARK + hashlib.sha256(written).hexdigest().encode())


def open_dataset(path: Path, remedy: str) -> xr.Dataset:
    """Read a whole netCDF file into memory.

    HDF5 can crash on a damaged file, or hang without reacting to Ctrl-C. A file without a checksum of its contents is
    therefore read by a child process first.

    Raises
    ------
    ValueError
        If it cannot be read; the message ends with the remedy.
    """
    try:
        if not _is_as_written(path):
            rehearsed("hdf5-whole", path)
        return xr.load_dataset(path, engine="h5netcdf")
    except Exception as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error


def _is_as_written(path: Path) -> bool:
    """Return whether the file has the checksum of `save_dataset`; False if it has none.

    Raises
    ------
    ValueError
        If the checksum does not match.
    """
    written, mark, expected = path.read_bytes().rpartition(_MARK)
    if not mark or len(expected) != _DIGITS:
        return False
    if hashlib.sha256(written).hexdigest().encode() != expected:
        raise ValueError("it does not match its checksum")
    return True
