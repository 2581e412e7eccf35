"""Joining of results along a new dimension, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import xarray as xr

R = TypeVar("R", xr.DataArray, xr.Dataset)


def joined(results: Sequence[R], along: str | xr.Variable | xr.DataArray, **options: Any) -> R:
    """Join results along a new dimension.

    Coordinates that are equal in all results keep their dimensions, except the ends of intervals: a figure or a table
    reads them by the dimensions of the values, also if all results have the same interval.

    Parameters
    ----------
    results : sequence of DataArray or Dataset
    along : str, Variable or DataArray
        The new dimension, with its values.
    **options
        As for `xarray.concat`.
    """
    found = xr.concat(results, along, coords="different", compat="equals", **options)
    dim = along if isinstance(along, str) else str(along.dims[0])
    ends = [name for name in found.coords if str(name).endswith(("low", "high")) and dim not in found[name].dims]
    several = found.sizes[dim]
    return found.assign_coords(
        {name: found[name].drop_vars(found[name].coords).expand_dims({dim: several}) for name in ends}
    )
