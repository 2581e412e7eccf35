"""Contents of netCDF files of others, classic or HDF5."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from cortexsim._support.strangers import rehearsed


def contents_of_netcdf(path: Path) -> xr.Dataset:
    """Read a whole netCDF file, in a child process first.

    Raises
    ------
    ValueError
        If it is not a netCDF file, or damaged.
    """
    try:
        with path.open("rb") as file:
            classic = file.read(3) == b"CDF"
        if classic:
            rehearsed("netcdf3", path)
        else:
            rehearsed("hdf5-whole", path)
        return xr.load_dataset(path, engine="scipy" if classic else "h5netcdf")
    except Exception as error:
        raise ValueError(f"{path} is not a netCDF file, or it is damaged: {error}") from error
