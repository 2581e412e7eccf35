"""Dissimilarity matrices of brains, read from the file formats of the field."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import listed, truth
from cortexsim._support.extras import check_extra
from cortexsim._support.files import as_path
from cortexsim._support.settings import text, text_or_none
from cortexsim._support.strangers import rehearsed
from cortexsim.brains.matlab import read_matlab
from cortexsim.brains.matrices import DIMS, STIMULI, labelled_matrices, square
from cortexsim.brains.netcdf import contents_of_netcdf

HDF5, PICKLE, NETCDF = (".h5", ".hdf5"), (".pkl", ".pickle"), (".nc", ".nc4")
PLAIN = (".npy", ".csv", ".tsv")


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
        - `.h5`, `.hdf5`, `.pkl`: a file of rsatoolbox's `RDMs.save`; its descriptors `subject`, `session` and `time`
          name the matrices.
        - `.mat`: a struct array with the field `RDM` (a matrix, or a row of all pairs) and optionally `name`, of shape
          (1, subject, session) as in the RSA toolbox for MATLAB, or of one matrix; or a plain array, of one matrix or
          with the dimensions `dims` before or after the two of the stimuli. Of any version, including 7.3.
        - `.nc`: netCDF with a variable that has the dimensions of the result.
        - `.npz`: an archive of numpy with the array `rdm`, the array of texts `dims` that names its dimensions, and
          optionally an array for each dimension, e.g. `time`, with `time_units`. `dims=` may stand in for `dims`.
        - `.npy`: an array of numpy, with the dimensions `dims` before the two of the stimuli.
        - `.csv`, `.tsv`: one matrix as a table; with a first row and a first column of names, or with neither.
    variable : str, optional
        The variable of a `.mat` or `.nc` file, if several are possible.
    name : str, optional
        One matrix of a `.mat` file, by its name.
    dims : sequence of str, optional
        Dimensions of the matrices of an `.h5`, `.pkl`, `.mat`, `.npy` or `.npz` file that does not name them, such as
        ("subject",).
    allow_pickle : bool
        Open a pickle. A pickle can run any code of its author: open only your own.

    Returns
    -------
    DataArray, (subject, session, [time,] stimulus, other_stimulus)
        Coordinates: `stimulus`, numbered in the file's order; `stimulus_name` if the file names them; `time`, with
        units if the file states them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has an unknown format, is damaged, or is a pickle that was not allowed; if it lacks something, or
        contains matrices that are not square, symmetric and zero on the diagonal.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "mine.npz"
    >>> rdm = 1 - np.eye(5)[None]  # one subject
    >>> np.savez(path, rdm=rdm, dims=np.array(["subject", "stimulus", "other_stimulus"]))
    >>> dict(cs.brains.read(path).sizes)
    {'subject': 1, 'session': 1, 'stimulus': 5, 'other_stimulus': 5}
    """
    path, allow_pickle = as_path(path), truth(allow_pickle, "allow_pickle")
    text_or_none(variable, "variable")
    text_or_none(name, "name")
    dims = None if dims is None else tuple(listed(dims, "dims", "('subject',)"))
    for one in dims or ():
        text(one, "each of dims")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    kind = path.suffix.lower()
    kinds_with = {
        "variable": (".mat", *NETCDF),
        "name": (".mat",),
        "dims": (".mat", ".npy", ".npz", *HDF5, *PICKLE),
    }
    for option, value in (("variable", variable), ("name", name), ("dims", dims)):
        if value is not None and kind not in kinds_with[option]:
            raise ValueError(f"{option}= is for {', '.join(kinds_with[option])}, not for {path.name}")
    if kind == ".mat":
        return read_matlab(path, variable, name, dims)
    if kind in PICKLE and not allow_pickle:
        raise ValueError(
            f"{path} is a pickle, which can run any code of its author; save it as hdf5 "
            "(rdms.save(path, file_type='hdf5')), or pass allow_pickle=True if it is your own"
        )
    if kind in HDF5 + PICKLE:
        return _read_rsatoolbox(path, "hdf5" if kind in HDF5 else "pkl", dims)
    if kind in NETCDF:
        return _read_netcdf(path, variable)
    if kind == ".npz":
        return _read_numpy(path, dims)
    if kind == ".npy":
        return _read_array(path, dims)
    if kind in PLAIN:
        return _read_table(path)
    raise ValueError(f"cannot read {path}: allowed are {', '.join(('.mat', '.npz', *PLAIN, *HDF5, *NETCDF, *PICKLE))}")


def _read_array(path: Path, dims: Sequence[str] | None) -> xr.DataArray:
    try:
        values = np.load(path, allow_pickle=False)
    except Exception as error:
        raise ValueError(f"{path} is not an .npy file of numbers, or it is damaged: {error}") from error
    more = values.ndim - len(STIMULI)
    if dims is None and more > 0:
        raise ValueError(
            f"{path} has the shape {values.shape} without names of its dimensions: pass dims=, {more} of {DIMS[:3]} "
            "for those before the two of the stimuli"
        )
    if "time" in (dims or ()):
        raise ValueError(f"{path} has no place for the times: save an .npz with the arrays rdm, dims and time")
    return labelled_matrices(values, (*(dims or ()), *STIMULI), {}, source=path.name)


def _read_table(path: Path) -> xr.DataArray:
    """Read one matrix; names are taken from the first row and column, if the upper left field is no number."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",") if row]
        named = bool(rows) and not _is_number(rows[0][0])
        numbers = [[float(field or "nan") for field in row[named:]] for row in rows[named:]]
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of one dissimilarity matrix: {error}") from error
    if not numbers or len({len(row) for row in numbers}) != 1:
        raise ValueError(
            f"{path} is not a table of one dissimilarity matrix: its rows differ in length, or are missing"
        )
    coordinates: dict[str, Any] = {}
    if named:
        coordinates = {STIMULI[0]: [row[0] for row in rows[1:]], STIMULI[1]: rows[0][1:]}
    return labelled_matrices(np.array(numbers), STIMULI, coordinates, source=path.name)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_rsatoolbox(path: Path, file_type: str, dims: Sequence[str] | None) -> xr.DataArray:
    check_extra("brains", "files of rsatoolbox")
    from rsatoolbox.rdm.rdms import load_rdm

    try:
        if file_type == "pkl":
            # given a path, rsatoolbox does not close the pickle
            with path.open("rb") as file:
                rdms = load_rdm(file, file_type=file_type)
        else:
            rehearsed("hdf5-whole", path)
            rdms = load_rdm(str(path), file_type=file_type)
    except Exception as error:
        # a file of another kind can raise any exception
        raise ValueError(f"{path} contains no RDMs of rsatoolbox, or it is damaged: {error!r}") from error
    matrices = square(np.asarray(rdms.dissimilarities), source=path.name)
    descriptors = {str(key): np.asarray(value) for key, value in rdms.rdm_descriptors.items()}
    names = [dim for dim in DIMS[:3] if dim in descriptors]
    if dims is not None:
        dims = tuple(dims)
        if len(dims) != 1 or dims[0] not in DIMS[:3]:
            raise ValueError(f"{path}: dims= must name one dimension of {DIMS[:3]}, got {dims}")
        descriptors, names = {dims[0]: np.arange(len(matrices))}, list(dims)
    if not names and len(matrices) > 1:
        raise ValueError(
            f"{path} contains {len(matrices)} matrices with the descriptors {sorted(descriptors)}, which do not "
            "identify them: pass dims=('subject',), ('session',) or ('time',), or write the descriptors subject, "
            "session or time"
        )
    values = {dim: np.array(list(dict.fromkeys(descriptors[dim].tolist()))) for dim in names}
    matrices = _arranged(path, matrices, {dim: descriptors[dim] for dim in names}, values) if names else matrices[0]
    coordinates: dict[str, Any] = {dim: (dim, known) for dim, known in values.items()}
    if "time" in coordinates:
        coordinates["time"] = ("time", values["time"], {"long_name": "brain time", "units": "units not stated"})
    patterns = {str(key): np.asarray(value) for key, value in rdms.pattern_descriptors.items() if key != "index"}
    texts = [key for key, value in patterns.items() if value.dtype.kind in "UO"]
    if texts:
        coordinates["stimulus_name"] = ("stimulus", patterns[texts[0]].astype(str))
    return labelled_matrices(matrices, (*names, *STIMULI), coordinates, source=path.name)


def _arranged(
    path: Path, matrices: np.ndarray, descriptors: dict[str, np.ndarray], values: dict[str, np.ndarray]
) -> np.ndarray:
    """Arrange a list of matrices by their descriptors, (*values, stimulus, other_stimulus)."""
    shape = tuple(len(known) for known in values.values())
    at = [np.array([np.flatnonzero(values[dim] == one)[0] for one in descriptors[dim].tolist()]) for dim in values]
    flat = np.ravel_multi_index(at, shape)
    if sorted(flat.tolist()) != list(range(int(np.prod(shape)))):
        raise ValueError(
            f"{path} contains {len(matrices)} matrices, but {' x '.join(map(str, shape))} are needed, one for each "
            f"{' and '.join(values)}"
        )
    return matrices[np.argsort(flat)].reshape(*shape, *matrices.shape[1:])


def _read_netcdf(path: Path, variable: str | None) -> xr.DataArray:
    whole = contents_of_netcdf(path)
    fitting = [str(key) for key, array in whole.data_vars.items() if set(STIMULI) <= set(array.dims)]
    chosen = variable or (fitting[0] if len(fitting) == 1 else None)
    if chosen is None or chosen not in fitting:
        raise ValueError(
            f"{path}: exactly one variable must have the dimensions {STIMULI}, or be chosen by variable=; "
            f"{fitting or 'none'} of {sorted(map(str, whole.data_vars))} have them"
        )
    array = whole[chosen].transpose(..., *STIMULI)
    coordinates = {str(key): value for key, value in array.coords.items()}
    return labelled_matrices(array.values, [str(dim) for dim in array.dims], coordinates, source=path.name)


def _read_numpy(path: Path, dims: Sequence[str] | None = None) -> xr.DataArray:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:
        raise ValueError(f"{path} is not an .npz file of numbers and texts, or it is damaged: {error}") from error
    if dims is not None and "dims" not in arrays:
        arrays["dims"] = np.array([*dims, *STIMULI])
    lacking = sorted({"rdm", "dims"} - set(arrays))
    if lacking:
        raise ValueError(
            f"{path} needs the arrays 'rdm' and 'dims' (texts), but lacks {lacking}; it has {sorted(arrays)}"
        )
    named = [str(dim) for dim in np.ravel(arrays["dims"])]
    if dims is not None and named != [*dims, *STIMULI]:
        raise ValueError(f"{path} names its dimensions {named}, which differ from dims={tuple(dims)}")
    dims, rdm = named, arrays["rdm"]
    if "time" in dims and "time" not in arrays:
        raise ValueError(f"{path} has the dimension 'time', so it needs an array 'time' with the times")
    coordinates: dict[str, Any] = {}
    for axis, dim in enumerate(dims):
        if dim not in arrays:
            continue
        values = arrays[dim]
        if axis >= rdm.ndim or values.shape != (rdm.shape[axis],):
            raise ValueError(f"{path}: {dim!r} must have a value for each of {rdm.shape}, got shape {values.shape}")
        units = {"long_name": "brain time", "units": str(arrays.get("time_units", "units not stated"))}
        coordinates[dim] = (dim, values, units if dim == "time" else {})
    return labelled_matrices(rdm, dims, coordinates, source=path.name)
