"""Analyses of several models or seeds at once: a further dimension in, the same dimension out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
import xarray as xr

RUNS = ("model", "seed")
Labelled = xr.DataTree | xr.Dataset | xr.DataArray

P = ParamSpec("P")
R = TypeVar("R", xr.DataArray, xr.Dataset)


def of_each_run(analysis: Callable[P, R]) -> Callable[P, R]:
    """Let an analysis of a node take several: with the dimensions `model` or `seed`, or as a mapping of models.

    Each is analysed by itself. The results are joined along the same dimension; times that a model does not have are
    NaN. Further arguments that have the dimension, too, are paired with the first by name, in any order.
    """
    first = next(iter(inspect.signature(analysis).parameters))

    def of_runs(*args: Any, **named: Any) -> R:
        node = args[0] if args else named.get(first)
        dim = dimension_of_runs(node)
        if dim is None:
            return analysis(*args, **named)
        names = _names(node, dim)
        each = [_of_each(value, node, dim) for value in args]
        each_named = {name: _of_each(value, node, dim) for name, value in named.items()}
        results = [
            of_runs(*(values[k] for values in each), **{name: values[k] for name, values in each_named.items()})
            for k in range(len(names))
        ]
        return _joined(results, dim, names)

    return cast("Callable[P, R]", wraps(analysis)(of_runs))


def dimension_of_runs(node: object) -> str | None:
    """Return the dimension of several models or seeds that a node has; None for a single one."""
    if isinstance(node, Labelled):
        return next((dim for dim in RUNS if dim in node.dims), None)
    return RUNS[0] if isinstance(node, Mapping) and len(node) else None


def _names(node: object, dim: str) -> Sequence[Any]:
    if isinstance(node, Labelled):
        names: list[Any] = np.asarray(node.coords.get(dim, range(node.sizes[dim]))).tolist()
        return names
    assert isinstance(node, Mapping)
    return list(node)


def _of_each(value: Any, node: object, dim: str) -> list[Any]:
    """Return what belongs to each model or seed of a node; what is not by model or seed belongs to all."""
    names = _names(node, dim)
    # arrays come first, because a Dataset is a mapping, too
    if isinstance(value, Labelled):
        if dim not in value.dims:
            return [value] * len(names)
        own = _names(value, dim)
        if dim not in value.coords or (isinstance(node, Labelled) and dim not in node.coords):
            # what has no names is paired in the order given
            own, names = range(len(own)), range(len(names))
        return [value.isel({dim: place}, drop=True) for place in _places(own, names, dim)]
    if isinstance(value, Mapping):
        are_models = dim == RUNS[0] and any(isinstance(one, Labelled) for one in value.values())
        if are_models or set(value) == set(names):
            own = list(value)
            return [value[own[place]] for place in _places(own, names, dim)]
    return [value] * len(names)


def _places(own: Sequence[Any], names: Sequence[Any], dim: str) -> list[int]:
    """Return where each name is among those of another argument.

    Raises
    ------
    ValueError
        If it has other names, or more or fewer.
    """
    own, names = list(own), list(names)
    if own == names:
        return list(range(len(names)))
    if len(own) != len(names) or len(set(own)) < len(own) or set(own) != set(names):
        raise ValueError(
            f"arguments with several {dim}s are paired by {dim} and must have the same, got {names} and {own}"
        )
    return [own.index(name) for name in names]


def _joined(results: Sequence[R], dim: str, names: Sequence[Any]) -> R:
    """Join results along a new dimension.

    Raises
    ------
    ValueError
        If they have different stimuli, or parts that differ in number and have no names.
    """
    stimuli = [one["stimulus"].values.tolist() for one in results if "stimulus" in one.coords]
    if any(other != stimuli[0] for other in stimuli[1:]):
        raise ValueError(f"several {dim}s are analysed together if they have the same stimuli, but these differ")
    # coordinates of the stimuli are shared; all others, such as the ends of an interval, belong to one result
    own = set.intersection(*({str(name) for name in one.coords if _is_own(one, name)} for one in results))
    # at times that a model does not have, nothing is populated
    flags = [name for name in own if results[0].coords[name].dtype == bool]
    if isinstance(results[0], xr.Dataset):
        flags += [str(name) for name, values in results[0].items() if values.dtype == bool]
    try:
        return xr.concat(
            results,
            xr.Variable(dim, names, {"long_name": dim}),
            coords=sorted(own),
            compat="override",
            join="outer",
            fill_value=dict.fromkeys(flags, False),
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise ValueError(f"the results of several {dim}s cannot be joined: {error}") from error


def _is_own(result: xr.DataArray | xr.Dataset, name: Hashable) -> bool:
    return name not in result.dims and result.coords[name].dims != ("stimulus",)
