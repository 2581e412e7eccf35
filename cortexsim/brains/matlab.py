"""Structs of MATLAB files, as the RSA toolboxes of the field save them."""

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
        If it is none, or of version 7.3.
    """
    from scipy.io import loadmat

    try:
        return {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    except NotImplementedError:
        raise ValueError(f"{path} is a MATLAB file of version 7.3, which cannot be read; save it with '-v7'") from None
    except Exception as error:
        # a damaged file fails in as many ways as it can be damaged
        raise ValueError(f"{path} is no MATLAB file, or it is damaged: {error}") from error


def struct_with(path: Path, found: dict[str, Any], field: str, variable: str | None) -> np.ndarray:
    """Find the struct that has a field.

    Raises
    ------
    ValueError
        If no struct has the field, several have, or the one that was named lacks it.
    """
    structs = {name: value for name, value in found.items() if getattr(value.dtype, "names", None)}
    if variable is not None:
        if variable not in found:
            raise ValueError(f"{path}: " + unknown("variable", variable, found))
        if variable not in structs or field not in structs[variable].dtype.names:
            fields = list(structs[variable].dtype.names) if variable in structs else "no struct"
            raise ValueError(f"{path}: {variable!r} must be a struct with the field {field!r}, got {fields}")
        return structs[variable]
    having = [name for name, value in structs.items() if field in value.dtype.names]
    if not having:
        known = {name: list(value.dtype.names) for name, value in structs.items()}
        raise ValueError(
            f"{path}: no struct has the field {field!r}; the variables are {sorted(found)}, structs {known}"
        )
    if len(having) > 1:
        raise ValueError(f"{path}: several structs have the field {field!r}: choose one by variable=, one of {having}")
    return structs[having[0]]


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
                f"{path} holds {struct.size} matrices in the shape {struct.shape}, and nothing says what they are: "
                f"choose one by name=, one of {names.ravel().tolist()}, or say dims=('subject',) or "
                "('subject', 'session')"
            )
    else:
        dims = tuple(dims)
        sides = tuple(side for side in struct.shape if side > 1)
        if len(sides) != len(dims):
            raise ValueError(f"{path} holds matrices in the shape {struct.shape}, which {dims} does not name")
        struct, names = struct.reshape(sides), names.reshape(sides)
    values = _matrices(path, struct)
    coordinates: dict[str, Any] = _from_names(names, dims)
    coordinates["name"] = (dims, names) if dims else names.item()
    return labelled_matrices(values, (*dims, *STIMULI), coordinates, source=path.name)


def _names(struct: np.ndarray) -> np.ndarray:
    """Give each element's name, or its number where there is none."""
    names = np.array([str(place) for place in range(struct.size)], dtype=object)
    if "name" in (struct.dtype.names or ()):
        for place, element in enumerate(struct.ravel()):
            names[place] = str(np.ravel(element["name"])[0]) if np.size(element["name"]) else names[place]
    return names.astype(str).reshape(struct.shape)


def _matrices(path: Path, struct: np.ndarray) -> np.ndarray:
    """Give all matrices of a struct array, (..., stimulus, other_stimulus)."""
    found = []
    for place, element in enumerate(struct.ravel()):
        source = f"{path.name}, matrix {place}"
        values = np.asarray(element["RDM"])
        if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.size:
            kind = f"shape {values.shape}, {values.dtype}"
            raise ValueError(f"{source}: RDM must be a matrix, or a row of all pairs, got {kind}")
        is_row = 1 in values.shape and values.size > 1
        found.append(square(values.ravel().astype(np.float64), source=source) if is_row else values)
    sizes = sorted({values.shape for values in found})
    if len(sizes) > 1:
        raise ValueError(f"{path}: the matrices must be of the same stimuli, got the shapes {sizes}")
    return np.stack(found).reshape(*struct.shape, *sizes[0])


def _from_names(names: np.ndarray, dims: Sequence[str]) -> dict[str, Any]:
    """Name subjects and sessions, where all names are "region | subject | Session: number" and agree."""
    matches = [_NAME.fullmatch(name) for name in names.ravel().tolist()]
    if not dims or not all(matches):
        return {}
    coordinates = {}
    for axis, dim in enumerate(dims):
        if dim not in ("subject", "session"):
            continue
        told = np.array([match[dim].strip() for match in matches if match]).reshape(names.shape)
        first = told.take(0, axis=1 - axis) if told.ndim == 2 else told
        if (np.expand_dims(first, 1 - axis) == told if told.ndim == 2 else first == told).all():
            coordinates[dim] = (dim, first)
    return coordinates
