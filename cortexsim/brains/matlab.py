"""Variables of MATLAB files: structs in the formats of the RSA toolboxes, and plain arrays of dissimilarities."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.strangers import rehearsed
from cortexsim.brains.matlab73 import contents_of_hdf5
from cortexsim.brains.matrices import DIMS, STIMULI, labelled_matrices, square

_SIGNATURE_OF_HDF5 = b"\x89HDF\r\n\x1a\n"
_AT_MOST_BEFORE_IT = 2**16  # bytes; MATLAB writes 512

# the names that the RSA toolbox for MATLAB gives: region | subject | session
_NAME = re.compile(r"(?P<region>[^|]+)\|(?P<subject>[^|]+)\|\s*Session:\s*(?P<session>\S+)\s*")


def contents(path: Path) -> dict[str, Any]:
    """Read a MATLAB file of any version.

    A single damaged bit can make the library that reads these files crash or hang, so a child process reads the file
    first and returns its contents.

    Raises
    ------
    ValueError
        If it is not a MATLAB file, or damaged.
    """
    from scipy.io import loadmat

    if _is_hdf5(path):
        return contents_of_hdf5(path)
    try:
        clean = rehearsed("matlab", path)
    except ValueError as error:
        with path.open("rb") as file:
            if file.read(20).startswith(b"MATLAB 7.3"):
                raise ValueError(
                    f"{path} is a damaged MATLAB file of version 7.3, which cannot be read; save it with '-v7'"
                ) from None
        raise ValueError(f"{path} is not a MATLAB file, or it is damaged: {error}") from error
    return {name: value for name, value in loadmat(io.BytesIO(clean)).items() if not name.startswith("__")}


def _is_hdf5(path: Path) -> bool:
    """Return whether the file is HDF5: its signature is at byte 0, 512, 1024, 2048, ..."""
    with path.open("rb") as file:
        start = file.read(_AT_MOST_BEFORE_IT + len(_SIGNATURE_OF_HDF5))
    places = [0]
    while places[-1] <= _AT_MOST_BEFORE_IT:
        places.append(max(512, 2 * places[-1]))
    return any(start.startswith(_SIGNATURE_OF_HDF5, place) for place in places)


def struct_with(path: Path, variables: dict[str, Any], field: str, variable: str | None) -> np.ndarray:
    """Return the struct that has a field.

    Raises
    ------
    ValueError
        If no struct has the field, several structs have it, or the chosen variable lacks it.
    """
    structs = {name: value for name, value in variables.items() if getattr(value.dtype, "names", None)}
    if variable is not None:
        if variable not in variables:
            raise ValueError(f"{path}: " + unknown("variable", variable, variables))
        if variable not in structs or field not in structs[variable].dtype.names:
            got = f"the fields {list(structs[variable].dtype.names)}" if variable in structs else "no struct"
            raise ValueError(f"{path}: {variable!r} must be a struct with the field {field!r}, got {got}")
        return np.asarray(structs[variable])
    candidates = [name for name, value in structs.items() if field in value.dtype.names]
    if not candidates:
        known = {name: list(value.dtype.names) for name, value in structs.items()}
        raise ValueError(
            f"{path}: no struct has the field {field!r}; the variables are {sorted(variables)}, the structs {known}"
        )
    if len(candidates) > 1:
        raise ValueError(f"{path}: several structs have the field {field!r}: pass variable=, one of {candidates}")
    return np.asarray(structs[candidates[0]])


def read_matlab(path: Path, variable: str | None, name: str | None, dims: Sequence[str] | None) -> xr.DataArray:
    """Read the struct array with the field `RDM`, or a plain array of dissimilarities; see `read`."""
    variables = contents(path)
    plain = _plain(variables, variable)
    if plain is not None:
        if name is not None:
            raise ValueError(f"{path}: the matrices of {plain!r} have no names: leave out name=, got {name!r}")
        return _read_plain(f"{path.name}, {plain}", variables[plain], dims)
    struct = struct_with(path, variables, "RDM", variable)
    names = _names(struct)
    if name is not None:
        if name not in names.ravel():
            raise ValueError(f"{path}: " + unknown("name", name, names.ravel()))
        chosen = struct.ravel()[np.flatnonzero(names.ravel() == name)[:1]]
        return labelled_matrices(_matrices(path, chosen)[0], STIMULI, {"name": name}, source=f"{path.name}, {name}")
    if dims is None:
        if struct.size == 1:
            struct, names, dims = struct.reshape(()), names.reshape(()), ()
        elif struct.ndim == 3 and struct.shape[0] == 1:
            # (region, subject, session), as in the RSA toolbox for MATLAB
            struct, names, dims = struct[0], names[0], ("subject", "session")
        else:
            raise ValueError(
                f"{path} contains {struct.size} matrices in the shape {struct.shape}, without the names of its "
                f"dimensions: choose one matrix by name=, one of {names.ravel().tolist()}, or pass dims=('subject',) "
                "or ('subject', 'session')"
            )
    else:
        dims = tuple(dims)
        sides = tuple(side for side in struct.shape if side > 1)
        if len(sides) != len(dims):
            raise ValueError(f"{path} contains matrices in the shape {struct.shape}, to which dims={dims} does not fit")
        struct, names = struct.reshape(sides), names.reshape(sides)
    values = _matrices(path, struct)
    coordinates: dict[str, Any] = _from_names(names, dims)
    coordinates["name"] = (dims, names) if dims else names.item()
    return labelled_matrices(values, (*dims, *STIMULI), coordinates, source=path.name)


def _plain(variables: dict[str, Any], variable: str | None) -> str | None:
    """Name the plain array to read: the one that is chosen, or the only one of a file without structs."""
    arrays = [name for name, value in variables.items() if value.dtype.kind in "fiub" and value.size > 1]
    if variable is not None:
        return variable if variable in arrays else None
    structs = any(value.dtype.names for value in variables.values())
    return arrays[0] if len(arrays) == 1 and not structs else None


def _read_plain(source: str, values: np.ndarray, dims: Sequence[str] | None) -> xr.DataArray:
    """Read an array of matrices, (..., stimulus, stimulus) or (stimulus, stimulus, ...), or of rows of all pairs."""
    dims = () if dims is None else tuple(dims)
    values = values.astype(np.float64)
    if not set(dims) <= set(DIMS[:3]):
        raise ValueError(f"{source}: dims= must be of {DIMS[:3]}, got {dims}")
    of_rows = len(dims) + 1
    if values.ndim > of_rows and 1 in values.shape and values.size > 1:
        sides = [side for side in values.shape if side > 1]
        if len(sides) == of_rows and not (len(sides) > 1 and sides[-1] == sides[-2]):
            values = values.reshape(sides)
    if values.ndim == of_rows:
        return labelled_matrices(square(values, source=source), (*dims, *STIMULI), {}, source=source)
    if values.ndim != len(dims) + 2:
        raise ValueError(
            f"{source} has the shape {values.shape}: name its dimensions besides the two of the stimuli by dims=, such "
            f"as ('subject',); got {dims or 'none'}"
        )
    # subjects come last by MATLAB's convention, first by others; an array that fits both is the same in both
    layouts = [values, np.moveaxis(values, (0, 1), (-2, -1))]
    chosen = next((one for one in layouts if _may_be_matrices(one)), values)
    return labelled_matrices(chosen, (*dims, *STIMULI), {}, source=source)


def _may_be_matrices(values: np.ndarray) -> bool:
    """Return whether the last two dimensions are those of symmetric matrices with zeros on the diagonal."""
    if values.shape[-1] != values.shape[-2]:
        return False
    mirrored = np.swapaxes(values, -1, -2)
    diagonal = np.nan_to_num(np.diagonal(values, axis1=-2, axis2=-1))
    size = float(np.nanmax(np.abs(values), initial=0.0))
    close = np.allclose(values, mirrored, rtol=0, atol=1e-5 * size, equal_nan=True)
    return bool(close and np.abs(diagonal).max() <= 1e-5 * size)


def _names(struct: np.ndarray) -> np.ndarray:
    """Return the name of each element, or its number if it has none."""
    names = np.array([str(index) for index in range(struct.size)], dtype=object)
    if "name" in (struct.dtype.names or ()):
        for index, element in enumerate(struct.ravel()):
            names[index] = str(np.ravel(element["name"])[0]) if np.size(element["name"]) else names[index]
    return names.astype(str).reshape(struct.shape)


def _matrices(path: Path, struct: np.ndarray) -> np.ndarray:
    """Return all matrices of a struct array, (..., stimulus, other_stimulus)."""
    matrices = []
    for index, element in enumerate(struct.ravel()):
        source = f"{path.name}, matrix {index}"
        values = np.asarray(element["RDM"])
        if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.size:
            kind = f"shape {values.shape}, {values.dtype}"
            raise ValueError(f"{source}: RDM must be a matrix, or a row of all pairs, got {kind}")
        is_row = 1 in values.shape and values.size > 1
        matrices.append(square(values.ravel().astype(np.float64), source=source) if is_row else values)
    sizes = sorted({values.shape for values in matrices})
    if len(sizes) > 1:
        raise ValueError(f"{path}: the matrices must be of the same stimuli, got the shapes {sizes}")
    return np.stack(matrices).reshape(*struct.shape, *sizes[0])


def _from_names(names: np.ndarray, dims: Sequence[str]) -> dict[str, Any]:
    """Return the coordinates of subjects and sessions if all names are "region | subject | Session: number"."""
    matches = [_NAME.fullmatch(name) for name in names.ravel().tolist()]
    if not dims or not all(matches):
        return {}
    coordinates = {}
    for axis, dim in enumerate(dims):
        if dim not in ("subject", "session"):
            continue
        values = np.array([match[dim].strip() for match in matches if match]).reshape(names.shape)
        first = values.take(0, axis=1 - axis) if values.ndim == 2 else values
        if (np.expand_dims(first, 1 - axis) == values if values.ndim == 2 else first == values).all():
            coordinates[dim] = (dim, first)
    return coordinates
