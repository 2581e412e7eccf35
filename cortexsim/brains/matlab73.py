"""Variables of MATLAB files of version 7.3, which are HDF5, as scipy reads those of earlier versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cortexsim._support.strangers import check_hdf5

DEEPEST = 16  # levels of structs and cells within each other


def contents_of_hdf5(path: Path) -> dict[str, Any]:
    """Read all variables: numbers as arrays, structs as structured arrays of objects, texts as arrays of text.

    Raises
    ------
    ValueError
        If the file is damaged, or refers to places beyond its end.
    """
    import h5py

    check_hdf5(path, whole=True)
    with h5py.File(path, "r") as file:
        try:
            # MATLAB keeps what its cells and structs refer to in groups whose names begin with #
            return {str(name): _value(file, file[name], 0) for name in file if not name.startswith("#")}
        except (KeyError, TypeError, AttributeError, OSError, RuntimeError) as error:
            raise ValueError(f"{path} is not a MATLAB file of version 7.3, or it is damaged: {error}") from error


def _value(file: Any, one: Any, depth: int) -> Any:
    """Read a variable, a field or an element; MATLAB's order of dimensions is the reverse of HDF5's."""
    import h5py

    if depth > DEEPEST:
        raise ValueError(f"{file.filename}: structs and cells are nested more than {DEEPEST} deep")
    if isinstance(one, h5py.Group):
        return _struct(file, one, depth)
    kind = one.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if one.shape is None or "MATLAB_empty" in one.attrs:
        return np.array([""] if kind == "char" else [], dtype="U1" if kind == "char" else float)
    values = np.asarray(one[()])
    if h5py.check_ref_dtype(values.dtype) is not None:
        cells = np.empty(values.shape, dtype=object)
        for at in np.ndindex(values.shape):
            cells[at] = _value(file, file[values[at]], depth + 1) if values[at] else np.array([])
        return cells.T
    if kind == "char":
        rows = np.atleast_2d(values.T)
        return np.array(["".join(map(chr, row.ravel().tolist())) for row in rows])
    if values.dtype.names == ("real", "imag"):
        return (values["real"] + 1j * values["imag"]).T
    if kind == "logical":
        values = values.astype(bool)
    # arrays in MATLAB have at least two dimensions
    return np.atleast_2d(values).T


def _struct(file: Any, group: Any, depth: int) -> np.ndarray:
    """Read a struct array; the fields of a single element are stored directly, those of several as references."""
    import h5py

    fields = list(group)
    listed = {
        name: isinstance(group[name], h5py.Dataset)
        and h5py.check_ref_dtype(group[name].dtype) is not None
        and "MATLAB_class" not in group[name].attrs
        for name in fields
    }
    shape = group[fields[0]].shape[::-1] if fields and all(listed.values()) else (1, 1)
    struct = np.empty(shape, dtype=[(name, object) for name in fields])
    for name in fields:
        if all(listed.values()):
            references = np.asarray(group[name][()]).T
            if references.shape != shape:
                raise ValueError(f"{file.filename}: the fields of {group.name} differ in shape")
            for at in np.ndindex(shape):
                struct[name][at] = _value(file, file[references[at]], depth + 1)
        else:
            struct[name][0, 0] = _value(file, group[name], depth + 1)
    return struct
