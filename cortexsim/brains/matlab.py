"""Structs of MATLAB files, in the formats of the RSA toolboxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim.brains.matrices import STIMULI, labelled_matrices, square

# the names that the RSA toolbox for MATLAB gives: region | subject | session
_NAME = re.compile(r"(?P<region>[^|]+)\|(?P<subject>[^|]+)\|\s*Session:\s*(?P<session>\S+)\s*")


def contents(path: Path) -> dict[str, Any]:
    """Read a MATLAB file.

    Raises
    ------
    ValueError
        If it is not a MATLAB file, or of version 7.3.
    """
    from scipy.io import loadmat

    try:
        return {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    except NotImplementedError:
        raise ValueError(f"{path} is a MATLAB file of version 7.3, which cannot be read; save it with '-v7'") from None
    except Exception as error:
        # a damaged file can raise any exception
        raise ValueError(f"{path} is not a MATLAB file, or it is damaged: {error}") from error


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
    """Read the struct array with the field `RDM`, each a matrix or a vector of all pairs; see `read`."""
    struct = struct_with(path, contents(path), "RDM", variable)
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
            # (region, subject, session), as the RSA toolbox for MATLAB has it
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
