"""Published summary numbers of humans and monkeys, with citation and exactness."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite, one_of, shown
from cortexsim._support.resources import data_folder

CONDITIONS = {
    "area": ("area", None),
    "event": ("event", None),
    "occluded": ("occluded fraction", "1"),
    "mask": ("mask", None),
    "soa_ms": ("SOA", "ms"),
    "noise_sd": ("standard deviation of the noise", "1"),
    "response_ms": ("forced response time", "ms"),
}
_NUMBERS = ("value", "spread", "low", "high", "chance", "n_observers")


def studies() -> list[str]:
    """Return the names of the studies, e.g. "tang-2018".

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.human.studies()[:3]
    ['schmolesky-1998', 'tang-2018', 'tang-2018-whole']
    """
    return list(_studies())


def table() -> xr.Dataset:
    """Return all numbers, one in each row.

    Returns
    -------
    Dataset, (row,)
        The columns of `data/human/published.csv` (explained in its README) and `citation`; NaN and "" where a column
        does not apply.

    Examples
    --------
    >>> import cortexsim as cs
    >>> sorted(cs.human.table().data_vars)[:3]
    ['area', 'chance', 'citation']
    """
    rows = _rows()
    columns: dict[str, Any] = {}
    for name in rows[0]:
        texts = [row[name] for row in rows]
        numeric = name in _NUMBERS or CONDITIONS.get(name, ("", None))[1] is not None
        columns[name] = ("row", [float(text or "nan") for text in texts] if numeric else texts)
    known = _studies()
    columns["citation"] = ("row", [known[row["study"]]["citation"] for row in rows])
    attrs = {"long_name": "published numbers of humans and monkeys", "source": "data/human/published.csv"}
    return xr.Dataset(columns, {"row": np.arange(len(rows))}, attrs)


def numbers(study: str) -> xr.DataArray:
    """Return the numbers of one study.

    Parameters
    ----------
    study : str
        One of `studies()`.

    Returns
    -------
    DataArray
        Its dimensions are the study's conditions, e.g. (mask, soa_ms). NaN where only a range is known. The coordinates
        `low` and `high` are the range, or the value ± its spread; NaN where neither is known. attrs: `long_name`,
        `units`, `citation`, `short` (authors and year), `exactness`, `species`, `note`; where known `n` and `chance`;
        `interval` describes `low` and `high`.

    Raises
    ------
    ValueError
        If there is no such study.

    Examples
    --------
    >>> import cortexsim as cs
    >>> human = cs.human.numbers("tang-2018")
    >>> human.attrs["short"], human.attrs["units"]
    ('Tang et al. 2018', '1')
    """
    known = _studies()
    one_of(study, "study", known)
    rows = [row for row in _rows() if row["study"] == study]
    # a condition is a dimension only if every number states it
    dims = [name for name in CONDITIONS if all(row[name] for row in rows)]
    values = {name: list(dict.fromkeys(_value(row, name) for row in rows)) for name in dims}
    shape = tuple(len(known) for known in values.values())
    arrays = {name: np.full(shape, np.nan) for name in ("value", "low", "high")}
    for row in rows:
        at = tuple(values[name].index(_value(row, name)) for name in dims)
        value, spread = float(row["value"] or "nan"), float(row["spread"] or "nan")
        arrays["value"][at] = value
        arrays["low"][at] = float(row["low"]) if row["low"] else value - spread
        arrays["high"][at] = float(row["high"]) if row["high"] else value + spread
    first = rows[0]
    attrs: dict[str, Any] = {
        "long_name": first["measure"],
        "units": first["units"],
        **known[study],
        "exactness": first["exactness"],
        "species": first["species"],
        "note": first["note"],
    }
    if first["n_observers"]:
        attrs["n"] = int(first["n_observers"])
    if first["chance"]:
        attrs["chance"] = float(first["chance"])
    if any(row["spread"] for row in rows):
        attrs["interval"] = "± as published with the number; the kind of spread is not known"
    elif any(row["low"] for row in rows):
        attrs["interval"] = "the range; nothing else is known"
    coordinates: dict[str, Any] = {}
    for name in dims:
        long_name, units = CONDITIONS[name]
        coordinates[name] = (name, values[name], {"long_name": long_name, **({"units": units} if units else {})})
    coordinates |= {name: (dims, arrays[name]) for name in ("low", "high")}
    return xr.DataArray(arrays["value"], coordinates, dims, first["measure"].replace(" ", "_"), attrs)


def chance_corrected(accuracy: xr.DataArray, chance: float | None = None) -> xr.DataArray:
    """Correct an accuracy for guessing, so that tasks with different numbers of answers can be compared.

    `(accuracy - chance) / (1 - chance)`: 0 is chance, 1 is perfect, and below chance is negative.

    Parameters
    ----------
    accuracy : DataArray
        A fraction; its coordinates `low` and `high` are corrected too.
    chance : float, optional
        By default from the array's attrs.

    Returns
    -------
    DataArray
        Of the same shape; its attrs contain `chance` 0, and `corrected_for_chance`, the chance level before.

    Raises
    ------
    TypeError
        If the accuracy is not a DataArray.
    ValueError
        If chance is not known or not in [0, 1), or the array is already corrected, or has values that are no fractions.

    References
    ----------
    Abbott's formula, as in psychophysics: the fraction of trials with a known answer, if all others are guessed.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> cs.human.chance_corrected(xr.DataArray(0.75), chance=0.5).item()
    0.5
    """
    if not isinstance(accuracy, xr.DataArray):
        raise TypeError(f"an accuracy must be a DataArray, got {shown(accuracy)}")
    if "corrected_for_chance" in accuracy.attrs:
        raise ValueError("this accuracy is already corrected for chance")
    if chance is None:
        chance = accuracy.attrs.get("chance")
    if chance is None:
        raise ValueError("the chance level is not known: pass chance=, such as 1 / number of classes")
    given, chance = chance, finite(chance, "chance")
    if not 0 <= chance < 1:
        raise ValueError(f"chance must be in [0, 1), got {shown(given)}")
    ends = [name for name in ("low", "high") if name in accuracy.coords]
    _refuse_no_fractions(accuracy, "an accuracy")
    for name in ends:
        _refuse_no_fractions(accuracy[name], f"the coordinate {name!r} of an accuracy", within=False)

    def corrected(values: xr.DataArray) -> xr.DataArray:
        return (values - chance) / (1 - chance)

    result = corrected(accuracy.drop_vars(ends))
    result = result.assign_coords({name: corrected(accuracy[name].drop_vars(ends)) for name in ends})
    result.attrs = {
        **accuracy.attrs,
        "long_name": f"{accuracy.attrs.get('long_name', 'accuracy')}, corrected for chance",
        "chance": 0.0,
        "corrected_for_chance": chance,
    }
    return result


def _refuse_no_fractions(values: xr.DataArray, what: str, *, within: bool = True) -> None:
    """Raise a ValueError for values that are not numbers, or, within an accuracy, not from 0 to 1; NaN is allowed."""
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{what} must be numbers, got the dtype {values.dtype}")
    outside = values.values[(values.values < 0) | (values.values > 1)] if within else values.values[:0]
    if outside.size:
        raise ValueError(f"{what} must be fractions from 0 to 1, got {outside.flat[0]:g}; divide percentages by 100")


def _value(row: dict[str, str], name: str) -> float | str:
    return row[name] if CONDITIONS[name][1] is None else float(row[name])


def _rows() -> list[dict[str, str]]:
    return _read("published.csv")


def _studies() -> dict[str, dict[str, str]]:
    return {row["study"]: row for row in _read("studies.csv")}


def _read(name: str) -> list[dict[str, str]]:
    with (data_folder() / "human" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
