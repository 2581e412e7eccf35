"""Read dissimilarity matrices of brains from the files that the field saves them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.brains.matlab import read_matlab
from cortexsim.brains.matrices import DIMS, STIMULI, labelled_matrices, square

HDF5, PICKLE, NETCDF = (".h5", ".hdf5"), (".pkl", ".pickle"), (".nc", ".nc4")


def read(
    path: str | Path,
    *,
    variable: str | None = None,
    name: str | None = None,
    dims: Sequence[str] | None = None,
    allow_pickle: bool = False,
) -> xr.DataArray:
    """Read the dissimilarity matrices of one or several brains.

    Parameters
    ----------
    path : str or Path
        - `.h5`, `.hdf5`, `.pkl`: what rsatoolbox's `RDMs.save` writes; its descriptors `subject`, `session` and `time`
          name the matrices.
        - `.mat`: a struct array with the field `RDM` (a matrix, or a row of all pairs) and maybe `name`, of shape
          (1, subject, session) as in the RSA toolbox for MATLAB, or of one matrix.
        - `.nc`: netCDF with a variable whose dimensions are named as in the result.
        - `.npz`: numpy's, with the array `rdm`, the array of texts `dims` that names its dimensions, and for each
          dimension that needs it an array of that name, e.g. `time`; `time_units` where there are times.
    variable : str, optional
        Which variable of a `.mat` or `.nc` file, where several would do.
    name : str, optional
        One matrix of a `.mat` file, by its name.
    dims : sequence of str, optional
        What the matrices of an `.h5`, `.pkl` or `.mat` file are where the file does not tell, such as ("subject",).
    allow_pickle : bool
        Whether to open a pickle. A pickle runs whatever code its maker put in: open only your own.

    Returns
    -------
    DataArray, (subject, session, [time,] stimulus, other_stimulus)
        Coordinates: `stimulus`, numbered in the file's order; `stimulus_name` where the file names them; `time` with
        its units where the file says them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind, damaged, a pickle that was not allowed, lacks what is needed, or holds
        matrices that are not square, symmetric and zero on the diagonal; the message says which.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    kind = path.suffix.lower()
    takes = {
        "variable": (".mat", *NETCDF),
        "name": (".mat",),
        "dims": (".mat", *HDF5, *PICKLE),
    }
    for option, given in (("variable", variable), ("name", name), ("dims", dims)):
        if given is not None and kind not in takes[option]:
            raise ValueError(f"{option}= is for {', '.join(takes[option])}, not for {path.name}")
    if kind == ".mat":
        return read_matlab(path, variable, name, dims)
    if kind in PICKLE and not allow_pickle:
        raise ValueError(
            f"{path} is a pickle, which runs whatever code its maker put in; save it as hdf5 "
            "(rdms.save(path, file_type='hdf5')), or say allow_pickle=True if it is your own"
        )
    if kind in HDF5 + PICKLE:
        return _read_rsatoolbox(path, "hdf5" if kind in HDF5 else "pkl", dims)
    if kind in NETCDF:
        return _read_netcdf(path, variable)
    if kind == ".npz":
        return _read_numpy(path)
    raise ValueError(f"cannot read {path}: allowed are {', '.join(('.mat', '.npz', *HDF5, *NETCDF, *PICKLE))}")


def _read_rsatoolbox(path: Path, file_type: str, dims: Sequence[str] | None) -> xr.DataArray:
    from rsatoolbox.rdm import load_rdm

    try:
        if file_type == "pkl":
            # rsatoolbox leaves a pickle that it opens by its name open
            with path.open("rb") as file:
                rdms = load_rdm(file, file_type=file_type)
        else:
            rdms = load_rdm(str(path), file_type=file_type)
    except Exception as error:
        # what is no such file fails in as many ways as there are others
        raise ValueError(f"{path} holds no RDMs of rsatoolbox, or it is damaged: {error!r}") from error
    matrices = square(np.asarray(rdms.dissimilarities), source=path.name)
    told = {str(key): np.asarray(value) for key, value in rdms.rdm_descriptors.items()}
    names = [dim for dim in DIMS[:3] if dim in told]
    if dims is not None:
        dims = tuple(dims)
        if len(dims) != 1 or dims[0] not in DIMS[:3]:
            raise ValueError(f"{path}: dims= names the one list of matrices, one of {DIMS[:3]}, got {dims}")
        told, names = {dims[0]: np.arange(len(matrices))}, list(dims)
    if not names:
        if len(matrices) > 1:
            raise ValueError(
                f"{path} holds {len(matrices)} matrices whose descriptors are {sorted(told)}, and nothing says what "
                "they are: give dims=('subject',), ('session',) or ('time',), or the descriptors subject, session, time"
            )
        matrices = matrices[0]
    values = {dim: np.array(list(dict.fromkeys(told[dim].tolist()))) for dim in names}
    shape = tuple(len(known) for known in values.values())
    if names:
        at = [np.array([np.flatnonzero(values[dim] == one)[0] for one in told[dim].tolist()]) for dim in names]
        flat = np.ravel_multi_index(at, shape)
        if sorted(flat.tolist()) != list(range(int(np.prod(shape)))):
            raise ValueError(
                f"{path} holds {len(matrices)} matrices, but {' x '.join(map(str, shape))} are needed, one for each "
                f"{' and '.join(names)}"
            )
        matrices = matrices[np.argsort(flat)].reshape(*shape, *matrices.shape[1:])
    coordinates: dict[str, Any] = {dim: (dim, known) for dim, known in values.items()}
    if "time" in coordinates:
        coordinates["time"] = ("time", values["time"], {"long_name": "brain time", "units": "units not stated"})
    patterns = {str(key): np.asarray(value) for key, value in rdms.pattern_descriptors.items() if key != "index"}
    texts = [key for key, value in patterns.items() if value.dtype.kind in "UO"]
    if texts:
        coordinates["stimulus_name"] = ("stimulus", patterns[texts[0]].astype(str))
    return labelled_matrices(matrices, (*names, *STIMULI), coordinates, source=path.name)


def _read_netcdf(path: Path, variable: str | None) -> xr.DataArray:
    try:
        whole = xr.load_dataset(path)
    except Exception as error:
        raise ValueError(f"{path} is no netCDF file, or it is damaged: {error}") from error
    fitting = [str(key) for key, array in whole.data_vars.items() if set(STIMULI) <= set(array.dims)]
    chosen = variable or (fitting[0] if len(fitting) == 1 else None)
    if chosen is None or chosen not in fitting:
        raise ValueError(
            f"{path}: one variable must have the dimensions {STIMULI}, or be chosen by variable=; "
            f"{fitting or 'none'} of {sorted(map(str, whole.data_vars))} have them"
        )
    array = whole[chosen].transpose(..., *STIMULI)
    coordinates = {str(key): value for key, value in array.coords.items()}
    return labelled_matrices(array.values, [str(dim) for dim in array.dims], coordinates, source=path.name)


def _read_numpy(path: Path) -> xr.DataArray:
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except Exception as error:
        raise ValueError(f"{path} is no .npz file of numbers and texts, or it is damaged: {error}") from error
    lacking = sorted({"rdm", "dims"} - set(held))
    if lacking:
        raise ValueError(
            f"{path} needs the arrays 'rdm' and 'dims' (texts), but lacks {lacking}; it has {sorted(held)}"
        )
    dims = [str(dim) for dim in np.ravel(held["dims"])]
    rdm = held["rdm"]
    if "time" in dims and "time" not in held:
        raise ValueError(f"{path} has the dimension 'time', so it needs an array 'time' that says when")
    coordinates: dict[str, Any] = {}
    for axis, dim in enumerate(dims):
        if dim not in held:
            continue
        if axis >= rdm.ndim or held[dim].shape != (rdm.shape[axis],):
            raise ValueError(f"{path}: {dim!r} must have a value for each of {rdm.shape}, got shape {held[dim].shape}")
        units = {"long_name": "brain time", "units": str(held.get("time_units", "units not stated"))}
        coordinates[dim] = (dim, held[dim], units if dim == "time" else {})
    return labelled_matrices(rdm, dims, coordinates, source=path.name)
