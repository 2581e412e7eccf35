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
    NaN. Further nodes among the arguments that have the dimension, too, go with the first, one by one.
    """
    first = next(iter(inspect.signature(analysis).parameters))

    def of_runs(*args: Any, **named: Any) -> R:
        node = args[0] if args else named.get(first)
        dim = dimension_of_runs(node)
        if dim is None:
            return analysis(*args, **named)
        names = _names(node, dim)
        results = []
        for k in range(len(names)):
            own = {name: _one(value, dim, k, names) for name, value in named.items()}
            results.append(of_runs(*(_one(value, dim, k, names) for value in args), **own))
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


def _one(value: Any, dim: str, index: int, names: Sequence[Any]) -> Any:
    """Return what belongs to one model or seed; what is not by model or seed belongs to all."""
    if isinstance(value, Labelled):
        return value.isel({dim: index}, drop=True) if dim in value.dims else value
    if isinstance(value, Mapping) and list(value) == list(names):
        return value[names[index]]
    return value


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
