"""Dissimilarity matrices of brains: square, symmetric, zero on the diagonal, with named dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.labelled import places_of

STIMULI = ("stimulus", "other_stimulus")
DIMS = ("subject", "session", "time", *STIMULI)


def labelled_matrices(
    values: np.ndarray, dims: Sequence[str], coordinates: Mapping[str, Any], *, source: str
) -> xr.DataArray:
    """Put dissimilarities into one labelled array, and check them.

    Parameters
    ----------
    values : ndarray
        The last two dimensions are the stimuli.
    dims : sequence of str
        Names of the dimensions, from `DIMS`, the last two of them the stimuli.
    coordinates : mapping
        Coordinates, as xarray takes them.
    source : str
        Origin of the matrices, for error messages.

    Returns
    -------
    DataArray, (subject, session, [time,] stimulus, other_stimulus)
        float64; one subject and one session if `dims` does not name them.

    Raises
    ------
    ValueError
        If a dimension is unknown or repeated, or a matrix is not square, not symmetric, not zero on its diagonal, not
        finite, or NaN everywhere.
    """
    dims = tuple(map(str, dims))
    if len(dims) != values.ndim or len(set(dims)) != len(dims) or dims[-2:] != STIMULI or not set(dims) <= set(DIMS):
        raise ValueError(
            f"{source}: an array of shape {values.shape} needs as many names of dimensions, from {DIMS[:3]}, and last "
            f"{STIMULI}; got {dims}"
        )
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{source}: dissimilarities must be real numbers, got {values.dtype}")
    values = values.astype(np.float64)
    n, other = values.shape[-2:]
    if n != other or n < 2:
        raise ValueError(f"{source}: a dissimilarity matrix must be square, of at least 2 stimuli, got {n} x {other}")
    array = _in_one_order(xr.DataArray(values, dict(coordinates), dims, "rdm"), source)
    values = array.values
    off = values[..., ~np.eye(n, dtype=bool)]
    if not off.size or np.isnan(off).all() or np.isinf(off).any():
        raise ValueError(f"{source}: dissimilarities must be finite numbers, got {'infinity' if off.size else 'none'}")
    size = float(np.nanmax(np.abs(off))) or 1.0
    mirrored = np.swapaxes(values, -1, -2)
    if (np.isnan(values) != np.isnan(mirrored)).any() or np.nanmax(np.abs(values - mirrored)) > 1e-5 * size:
        at = np.argwhere(~(np.abs(values - mirrored) <= 1e-5 * size) & ~(np.isnan(values) & np.isnan(mirrored)))[0]
        raise ValueError(
            f"{source}: a dissimilarity matrix must be symmetric, but between stimuli {at[-2]} and {at[-1]} it is "
            f"{values[tuple(at)]:.4g} in one direction and {mirrored[tuple(at)]:.4g} in the other"
        )
    # the distance of a stimulus from itself is not measured, so NaN is allowed there
    places = np.arange(n)
    values[..., places, places] = np.nan_to_num(values[..., places, places], nan=0.0)
    diagonal = np.diagonal(values, axis1=-2, axis2=-1)
    if np.nanmax(np.abs(diagonal), initial=0) > 1e-5 * size:
        raise ValueError(
            f"{source}: the diagonal must be 0, the distance of a stimulus from itself, got {np.nanmax(diagonal):.4g}; "
            "if these are similarities, pass 1 - similarity"
        )
    for dim in ("subject", "session"):
        if dim not in array.dims:
            array = array.expand_dims({dim: [0]})
    for dim in (*DIMS[:2], *STIMULI):
        if dim not in array.coords:
            array = array.assign_coords({dim: np.arange(array.sizes[dim])})
    # stimuli are numbered like those of a model; their names are a separate coordinate
    if array["stimulus"].dtype.kind not in "iu":
        array = array.assign_coords(stimulus_name=("stimulus", array["stimulus"].values))
    numbered = np.arange(n)
    array = array.assign_coords(stimulus=numbered, other_stimulus=numbered)
    array.attrs = {"long_name": "dissimilarity", "units": "1", "source": source}
    return array.transpose(*(dim for dim in DIMS if dim in array.dims))


def _in_one_order(array: xr.DataArray, source: str) -> xr.DataArray:
    """Return matrices whose columns are in the order of their rows, if both have names."""
    if not all(name in array.coords and array[name].dims == (name,) for name in STIMULI):
        return array
    rows, columns = (array[name].values for name in STIMULI)
    return array.isel(other_stimulus=places_of(columns, rows, f"{source}: other_stimulus", "stimulus"))


def square(pairs: np.ndarray, *, source: str) -> np.ndarray:
    """Turn vectors of all pairs, (..., pair), into matrices; the pairs are those above the diagonal, row by row.

    This is the order of MATLAB's and scipy's `squareform`, and of rsatoolbox.

    Raises
    ------
    ValueError
        If this is not the number of pairs of any number of stimuli.
    """
    n_pairs = pairs.shape[-1]
    n = round((1 + np.sqrt(1 + 8 * n_pairs)) / 2)
    if n * (n - 1) // 2 != n_pairs:
        raise ValueError(f"{source}: {n_pairs} is not the number of pairs of any number of stimuli")
    matrix = np.zeros((*pairs.shape[:-1], n, n))
    rows, columns = np.triu_indices(n, 1)
    matrix[..., rows, columns] = matrix[..., columns, rows] = pairs
    return matrix
