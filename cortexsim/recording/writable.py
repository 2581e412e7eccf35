"""Checks whether a file format can contain coordinates and attributes: tried in memory, before computing anything."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr


def check_writable(coordinates: Mapping[Any, Any], path: Path, engine: str, whose: str) -> None:
    """Refuse coordinates and attributes that the format of a path cannot contain, by writing them to memory.

    Parameters
    ----------
    coordinates : mapping of str to Variable or DataArray
    path : Path
    engine : "zarr" or "h5netcdf"
    whose : str
        For the message, such as "of the images".

    Raises
    ------
    ValueError
        With the first such coordinate or attribute, and the reason.
    """
    for name in coordinates:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"the coordinate {name!r} {whose} cannot be written to {path.name}: its name must be a string without "
                "/; rename it"
            )
    whole = {name: xr.Variable(one.dims, np.asarray(one.values), one.attrs) for name, one in coordinates.items()}
    if not _why_not_written(whole.values(), engine):
        return
    for name, variable in whole.items():
        tried = {
            f"coordinate {name!r}": xr.Variable(variable.dims, variable.values),
            **{
                f"attribute {key!r} of the coordinate {name!r}": xr.Variable((), 0, {key: value})
                for key, value in variable.attrs.items()
            },
            f"coordinate {name!r} with its attributes {list(variable.attrs)}": variable,
        }
        for what, one in tried.items():
            reason = _why_not_written([one], engine)
            if reason:
                raise ValueError(
                    f"the {what} {whose} cannot be written to {path.name} ({reason}): convert it to numbers or "
                    "strings, or remove it"
                )


def _why_not_written(variables: Iterable[xr.Variable], engine: str) -> str:
    """Return the reason why variables cannot be written in a format and read again; "" if they can."""
    data = xr.Dataset({f"v{k}": variable for k, variable in enumerate(variables)})
    try:
        if engine == "zarr":
            from zarr.storage import MemoryStore

            store: Any = MemoryStore()  # xarray opens it, but does not declare it
            free_texts(data).to_zarr(store, zarr_format=3, consolidated=False)
            # not in chunks: in a point of a sweep, dask would wait for the worker that asks
            read = xr.load_dataset(store, engine="zarr", consolidated=False, chunks=None)
        else:
            buffer = io.BytesIO()
            data.to_netcdf(buffer, engine="h5netcdf")
            read = xr.load_dataset(buffer, engine="h5netcdf")
    # xarray and its engines may raise any kind of error here
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return reason.encode("utf-8", "backslashreplace").decode()
    same = all(read[name].variable.equals(variable) for name, variable in data.variables.items())
    return "" if same else "it would be read back differently"


def free_texts(node: xr.Dataset) -> xr.Dataset:
    """Return a Dataset whose strings have no fixed length, because zarr v3 has no fixed-length strings."""
    texts = {name: array.astype(object) for name, array in node.variables.items() if array.dtype.kind == "U"}
    return node.assign(texts) if texts else node
