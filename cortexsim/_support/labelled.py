"""Values of stimuli, from numpy, torch, xarray, pandas or lists: as arrays, in the order of the stimuli."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cortexsim._support.checks import is_number, shown

SHOWN = 5  # values of a kind that a message shows
NAMES = ("file_name", "stimulus_name")  # coordinates that name stimuli by text
ENDINGS = ("bmp", "gif", "jpeg", "jpg", "jp2", "pgm", "png", "ppm", "tif", "tiff", "webp")


def array_of(values: Any, what: str) -> np.ndarray:
    """Return values as a numpy array in native byte order; strings stay strings.

    Parameters
    ----------
    values : array of numpy, Tensor, DataArray, Series, Index, Categorical, list or tuple
        A Tensor may be on any device.
    what : str
        Name of the argument, for the message.

    Raises
    ------
    TypeError
        If it is none of these, or is a table with several columns.
    ValueError
        If lists differ in length, or values of a masked array are masked.
    """
    if isinstance(values, pd.DataFrame | xr.Dataset | Mapping):
        kind = type(values).__name__
        raise TypeError(f"{what} must be one array, got a {kind}; choose one of its columns or variables")
    if isinstance(values, str | bytes) or (not hasattr(values, "__array__") and not _is_list(values)):
        raise TypeError(f"{what} must be an array, a list or a Series, got {shown(values)}")
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        n = int(np.ma.getmaskarray(values).sum())
        raise ValueError(f"{what} is masked at {n:,} of {values.size:,} places; leave these stimuli out")
    if hasattr(values, "detach"):  # a Tensor; this module does not import torch
        values = values.detach().cpu()
        # numpy has no bfloat16; every bfloat16 is a float32
        values = (values.float() if "bfloat16" in str(values.dtype) else values).numpy()
    if _is_list(values):
        _refuse_mixed(values, what)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{what} must be one array, got lists of different lengths") from error
    return _plain(array)


def missing(values: np.ndarray) -> np.ndarray:
    """Return a bool array of the same shape, True for missing values: NaN, None, NaT, or pandas' NA."""
    return np.asarray(pd.isna(values)).reshape(values.shape)


def refuse_missing(values: np.ndarray, what: str, *, hint: str = "leave them out") -> None:
    """Raise a ValueError if stimuli lack a value; it counts them and gives the first positions.

    Parameters
    ----------
    values : array, shape (stimulus, ...)
    what : str
    hint : str
        End of the message.
    """
    gaps = missing(values)
    without = gaps.any(tuple(range(1, gaps.ndim)))
    if without.any():
        positions = np.flatnonzero(without)
        raise ValueError(
            f"{what} is missing (NaN) for {len(positions):,} of {len(values):,} stimuli, at the positions "
            f"{_some(positions.tolist())}; {hint}"
        )


def one_for_each(values: Any, what: str, stimuli: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """Return a value for each stimulus, in the order of the stimuli.

    Values with an index are aligned by it if the stimuli have the same coordinate. A DataArray is aligned by its
    coordinate `stimulus`, or by a coordinate that names the stimuli; a Series by its index, which may also have the
    name of another coordinate, or contain file names. Other values are used in the given order.

    Parameters
    ----------
    values
        As for `array_of`.
    what : str
        Name of the argument, for the message.
    stimuli : mapping of str to array, shape (stimulus,)
        The coordinates of the stimuli.
    n : int
        Number of stimuli.

    Returns
    -------
    ndarray, (stimulus, ...)

    Raises
    ------
    TypeError
        As for `array_of`.
    ValueError
        If there is not one value for each stimulus, or they belong to other stimuli.
    """
    if isinstance(values, xr.DataArray) and "stimulus" in values.dims:
        values = values.transpose("stimulus", ...)
    array = array_of(values, what)
    if not array.ndim:
        raise ValueError(f"{what} must be one for each of the {n:,} stimuli, got one value: {shown(values)}")
    names, known, by = _index(values, stimuli)
    if names is not None and known is not None:
        places = places_of(names, known, what, f"the stimuli's {by}")
        _refuse_other_names(values, stimuli, places, what)
        return array[places]
    if len(array) != n:
        raise ValueError(f"{what} must be one for each of the {n:,} stimuli, got shape {array.shape}")
    if names is None and isinstance(values, xr.DataArray):
        names = _names_of(values).get("stimulus")
    if names is not None and known is None:
        _refuse_shuffled(names, what)
    return array


def _refuse_shuffled(names: np.ndarray, what: str) -> None:
    """Raise a ValueError if an index has the numbers 0 to n - 1 in another order, and the stimuli have no index.

    Either the values were shuffled alone, or with the images: nothing says which.
    """
    numbers = _keys(names)
    in_order: list[Hashable] = [str(number) for number in range(len(numbers))]
    if numbers != in_order and set(numbers) == set(in_order):
        raise ValueError(
            f"the index of {what} has the numbers 0 to {len(numbers) - 1} in another order, but the images have no "
            f"index to match: put {what} in the order of the images (for a Series: .sort_index() if its index counts "
            "the images, .to_numpy() if it is in their order already), or give the images the coordinate 'stimulus'"
        )


def places_of(names: np.ndarray, wanted: np.ndarray, what: str, of: str = "the stimuli") -> np.ndarray:
    """Return the position of each wanted name among `names`, with the shape of `wanted`.

    Parameters
    ----------
    names, wanted : array, shape (stimulus,) each
        Numbers or strings. Wanted names may repeat, for stimuli that were shown several times.
    what, of : str
        The owner of `names` and the owner of `wanted`, for the message.

    Raises
    ------
    ValueError
        If a name occurs in only one of them, or occurs several times while their orders differ.
    """
    own, others = _keys(names), _keys(wanted)
    if own == others:
        return np.arange(len(own))
    lacking, extra = (
        list(dict.fromkeys(one for one in these if one not in those))
        for these, those in ((others, set(own)), (own, set(others)))
    )
    if lacking or extra:
        differences = [f"without {_some(lacking)}"] * bool(lacking) + [f"with {_some(extra)} as well"] * bool(extra)
        raise ValueError(
            f"{what} must be of the same stimuli as {of}, got {what} {' and '.join(differences)}; give the same "
            "stimuli, or drop these names if both are in the same order (.to_numpy() of a Series, "
            ".drop_vars('stimulus_name') of dissimilarities)"
        )
    twice = [name for name, count in Counter(own).items() if count > 1]
    if twice:
        raise ValueError(
            f"{what} names stimuli more than once, such as {_some(twice)}, and is not in the order of {of}; give each "
            "once, or all in the same order"
        )
    at = {name: place for place, name in enumerate(own)}
    return np.array([at[name] for name in others], dtype=int)


def names_among(stimuli: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return the names of stimuli, without folders and file extensions; None if no coordinate names them.

    Parameters
    ----------
    stimuli : mapping of str to array, shape (stimulus,)
        Their coordinates: `stimulus_name`, `file_name`, or strings as `stimulus`.
    """
    for name in (*NAMES, "stimulus"):
        if name in stimuli and array_of(stimuli[name], name).dtype.kind == "U":
            return stems(array_of(stimuli[name], name))
    return None


def stems(names: np.ndarray) -> np.ndarray:
    """Return file names without folders and extensions, because a stimulus may be saved as both .png and .jpg.

    Only extensions of image files are removed: "face.v2" is a whole name.
    """
    found = []
    for name in map(str, names.ravel().tolist()):
        stem, dot, ending = name.replace("\\", "/").rsplit("/", 1)[-1].rpartition(".")
        found.append(stem if dot and ending.lower() in ENDINGS else name.replace("\\", "/").rsplit("/", 1)[-1])
    return np.array(found, dtype=str)


def _index(values: Any, stimuli: Mapping[str, np.ndarray]) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """Return the index of values, what it refers to among the coordinates of the stimuli, and the latter's name.

    Either is None if it does not exist.
    """
    if isinstance(values, xr.DataArray):
        if values.ndim and "stimulus" not in values.dims and not str(values.dims[0]).startswith("dim_"):
            raise ValueError(
                f"a DataArray with a value for each stimulus has the dimension 'stimulus', got {values.dims}"
            )
        own = _names_of(values)
        for name in ("stimulus", *NAMES):
            if name in own and name in stimuli:
                return own[name], stimuli[name], name
        return names_among(own), names_among(stimuli), "names"
    if not isinstance(values, pd.Series):
        return None, None, "stimulus"
    names = _plain(values.index.to_numpy())
    if values.index.name in stimuli:
        return names, stimuli[str(values.index.name)], str(values.index.name)
    texts = all(isinstance(name, str) for name in names)
    numbered = "stimulus" not in stimuli or np.asarray(stimuli["stimulus"]).dtype.kind in "iuf"
    for name in NAMES:
        if texts and numbered and name in stimuli:
            return names, stimuli[name], name
    return names, stimuli.get("stimulus"), "stimulus"


def _names_of(values: xr.DataArray) -> dict[str, np.ndarray]:
    """Return the coordinates of a DataArray that identify its stimuli."""
    coordinates = {str(name): one for name, one in values.coords.items() if one.dims == ("stimulus",)}
    return {name: coordinates[name].values for name in ("stimulus", *NAMES) if name in coordinates}


def _refuse_other_names(values: Any, stimuli: Mapping[str, np.ndarray], places: np.ndarray, what: str) -> None:
    """Raise a ValueError if values, once aligned, have other names than the stimuli."""
    if not isinstance(values, xr.DataArray):
        return
    own = _names_of(values)
    for name in NAMES:
        if name in own and name in stimuli:
            places_of(own[name][places], np.asarray(stimuli[name]), what, f"the stimuli's {name}")
            pairs = zip(_keys(own[name][places]), _keys(np.asarray(stimuli[name])), strict=True)
            different = [(one, other) for one, other in pairs if one != other]
            if different:
                raise ValueError(
                    f"{what} and the stimuli have the same index in different orders: {len(different):,} of "
                    f"{len(places):,} differ in {name}, such as {different[0][0]!r} and {different[0][1]!r}"
                )


def _keys(names: np.ndarray) -> list[Hashable]:
    """Return names as strings for comparison; ints that a file turned into floats compare as equal."""
    plain = _plain(np.asarray(names))
    if plain.dtype.kind == "f" and not missing(plain).any() and (plain == np.round(plain)).all():
        plain = plain.astype(np.int64)
    return [str(name) for name in plain.tolist()]


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array in native byte order; an object array of one type becomes an array of that type."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind != "O" or not array.size:
        return array
    values = array.ravel().tolist()
    kinds = {type(value) for value in values}
    if kinds <= {bytes, np.bytes_}:
        return np.array([value.decode() for value in values]).reshape(array.shape)
    if kinds <= {str, np.str_} or (len(kinds) == 1 and kinds <= {int, float, bool}):
        return np.array(values).reshape(array.shape)
    return array


def _refuse_mixed(values: Any, what: str) -> None:
    """Raise a ValueError for a list of both numbers and strings, whose numbers numpy would turn into strings."""
    kinds = {
        isinstance(value, str | bytes) for value in values if isinstance(value, str | bytes | bool) or is_number(value)
    }
    if len(kinds) > 1:
        raise ValueError(f"{what} must be numbers or strings, all of one type, got both: {shown(values)}")


def _is_list(values: Any) -> bool:
    return isinstance(values, list | tuple | range)


def _some(names: list[Any]) -> str:
    return f"{names[:SHOWN]}" + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def pixel_map(data: xr.Dataset, name: str) -> np.ndarray:
    """Return a variable with a whole number for each pixel of each image, shape (stimulus, y, x).

    Raises
    ------
    ValueError
        If its dimensions differ, or a value is missing or not a whole number.
    """
    array, dims = data[name], ("stimulus", "y", "x")
    if set(array.dims) != set(dims):
        raise ValueError(f"{name!r} must have the dimensions (stimulus, y, x), got ({', '.join(map(str, array.dims))})")
    values = array.transpose(*dims).values
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{name!r} must be whole numbers, got values of type {values.dtype}")
    wrong = values != np.round(values) if values.dtype.kind == "f" else np.zeros((), bool)
    if wrong.any():
        raise ValueError(
            f"{name!r} must be whole numbers, got {values[wrong].flat[0]:g} at {int(wrong.sum()):,} of {wrong.size:,} "
            "pixels"
        )
    return values
