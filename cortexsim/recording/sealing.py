"""Checksum of a recording without its activity: coordinates, `populated`, attributes and nodes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.recording.description import ATTRIBUTE
from cortexsim.recording.store import DATA

SEAL = "cortexsim_checksum"


def sealed(recording: xr.DataTree) -> xr.DataTree:
    """Return the recording with its checksum in the attributes of the root, ready to be written."""
    copied = recording.copy()
    copied.attrs = {**recording.attrs, SEAL: checksum_of(recording)}
    return copied


def checksum_of(recording: xr.DataTree) -> str:
    """Return the checksum, which is the same before writing and after reading in any format."""
    digest = hashlib.sha256(str(recording.attrs[ATTRIBUTE]).encode())
    for name in sorted(recording.children):
        node = recording.children[name].to_dataset(inherit=False)
        for key in sorted(map(str, node.variables)):
            variable = node.variables[key]
            attributes = {str(at): np.ravel(np.asarray(value)).tolist() for at, value in variable.attrs.items()}
            said = [name, key, *map(str, variable.dims), *map(str, variable.shape)]
            digest.update(json.dumps([said, sorted(attributes.items())], default=str).encode())
            if key not in DATA:
                digest.update(_plain(variable))
    return digest.hexdigest()[:32]


def _plain(variable: xr.Variable) -> bytes:
    """Return values as bytes, in the same form for all types that files may use."""
    values: Any = variable.values
    if values.dtype.kind in "biu":
        return values.astype(np.int64).tobytes()
    if values.dtype.kind == "f":
        return values.astype(np.float64).tobytes()
    if values.dtype.kind in "mM":
        return b""  # their units depend on the file format
    return json.dumps(values.tolist(), default=str).encode()
