"""Datasets as netCDF files: written whole or not at all, read whole."""

from __future__ import annotations

import io
from pathlib import Path

import xarray as xr

from cortexsim._support.files import written_aside


def save_dataset(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset as netCDF, whole or not at all; an existing file is replaced once the new one is complete.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    # through memory: an error while HDF5 writes, as on a full disk, ends the whole process (h5py 3)
    buffer = io.BytesIO()
    data.to_netcdf(buffer, engine="h5netcdf")
    with written_aside(path, replacing=True) as aside:
        aside.write_bytes(buffer.getvalue())


def open_dataset(path: Path, remedy: str) -> xr.Dataset:
    """Read a whole netCDF file into memory.

    Raises
    ------
    ValueError
        If it cannot be read; the message ends with the remedy.
    """
    try:
        return xr.load_dataset(path, engine="h5netcdf")
    except Exception as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error
