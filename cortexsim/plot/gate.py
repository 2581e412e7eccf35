"""The gate of figures: what is drawn has the type, and the variables, that the figure draws; arguments fit as well."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite, is_several, is_whole, shown, truth, whole

P = ParamSpec("P")
R = TypeVar("R")
SIMPLE = (int, float, bool, str)
# attributes of an experiment's result
ABOUT = ("title", "paper", "data", "scale", "hardware", "seconds", "date", "commit")


def draws(
    *variables: str, along: Sequence[str] = (), about: Sequence[str] = (), first_too: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse a first argument of another type than its annotation, or a Dataset without one of the variables.

    Further arguments are checked by their annotations: numbers, texts, truth values, sequences of these, and classes.

    Parameters
    ----------
    variables : str
        Of a Dataset, which the figure cannot do without.
    along : sequence of str
        Dimensions of a Dataset with names or numbers, which the figure cannot do without.
    about : sequence of str
        Attributes of a Dataset, which the caption states.
    first_too : bool
        False if the figure checks its first argument itself.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        first, *others = inspect.signature(function).parameters
        hints = functools.cache(lambda: get_type_hints(function))

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given: dict[str, Any] = dict(zip((first, *others), args, strict=False)) | kwargs
            if first_too and first in given:
                allowed = get_args(hints()[first]) or (hints()[first],)
                what = f"{first!r} of {function.__name__}"
                _check(given[first], allowed, what)
                if isinstance(given[first], xr.Dataset):
                    _check_contents(given[first], what, variables, along, about)
            fitting = {
                name: fitted(given[name], hints()[name], f"{name!r} of {function.__name__}")
                for name in others
                if name in given
            }
            return cast(Callable[..., R], function)(
                *args[:1], *(fitting.pop(name, value) for name, value in zip(others, args[1:], strict=False)),
                *args[1 + len(others) :], **{**kwargs, **fitting},
            )  # fmt: skip

        return checked

    return decorate


def fitted(value: Any, hint: Any, what: str) -> Any:
    """Return an argument as a plain value of its annotation; one whose annotation is not simple is returned as it is.

    Raises
    ------
    TypeError, ValueError
        If it does not fit.
    """
    if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Sequence):
        return _all_fitted(value, get_args(hint)[0], what)
    if get_origin(hint) is UnionType or NoneType in get_args(hint):
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        if value is None and NoneType in get_args(hint):
            return None
        # of optional objects a figure knows more to say
        return (
            fitted(value, kinds[0], what) if len(kinds) == 1 and (kinds[0] in SIMPLE or get_origin(kinds[0])) else value
        )
    if hint is float:
        number = finite(value, what)
        return whole(value, what) if is_whole(value) else number
    if hint in (int, bool):
        return whole(value, what) if hint is int else truth(value, what)
    if hint is str and not isinstance(value, str):
        raise TypeError(f"{what} must be text, got {shown(value)}")
    if isinstance(hint, type) and hint.__module__.startswith(("xarray", "cortexsim")) and not isinstance(value, hint):
        raise TypeError(f"{what} must be a {hint.__name__}, got {shown(value)}")
    return value


def _all_fitted(values: Any, hint: Any, what: str) -> list[Any]:
    if not is_several(values) or isinstance(values, Mapping | Set):
        raise TypeError(f"{what} must be a list, got {shown(values)}")
    return [fitted(value, hint, f"each of {what}") for value in values]


def _check(value: Any, allowed: tuple[type, ...], what: str) -> None:
    if not isinstance(value, allowed):
        kinds = " or ".join(f"a {kind.__name__}" for kind in allowed)
        raise TypeError(f"{what} must be {kinds}, got {shown(value)}")
    if isinstance(value, xr.DataArray):
        _check_numbers(value, what)
        empty = [str(dim) for dim, size in value.sizes.items() if size == 0]
        if empty:
            raise ValueError(f"there is nothing to draw: {what} has no values along {', '.join(map(repr, empty))}")
    if isinstance(value, xr.DataArray | xr.Dataset) and "time" in value.coords:
        _check_numbers(value["time"], f"the coordinate 'time' of {what}")


def _check_numbers(values: xr.DataArray, what: str) -> None:
    if values.dtype.kind not in "fiub":
        raise TypeError(f"{what} must contain real numbers, got the dtype {values.dtype}")
    if np.isinf(values.values).any():
        raise ValueError(f"{what} must contain finite numbers, or NaN where there is nothing to draw, got infinity")


def _check_contents(
    data: xr.Dataset, what: str, variables: Sequence[str], along: Sequence[str], about: Sequence[str]
) -> None:
    missing = [one for one in variables if one not in data.variables]
    if missing:
        raise ValueError(
            f"{what} has no variable {' and '.join(map(repr, missing))}, which is drawn; it has "
            f"{sorted(map(str, data.data_vars))}"
        )
    for name in variables:
        _check_numbers(data[name], f"{name!r} in {what}")
    for dim in along:
        if dim not in data.dims or dim not in data.indexes or data.sizes[dim] == 0:
            raise ValueError(
                f"{what} must have the dimension {dim!r} with coordinates, got the dimensions {dict(data.sizes)}; "
                f"select with a list to keep it, as in .sel({dim}=[...])"
            )
        if not data.indexes[dim].is_unique or data.indexes[dim].hasnans:
            raise ValueError(f"the coordinate {dim!r} of {what} must have each value once, and none missing")
    gone = [name for name in about if name not in data.attrs]
    if gone:
        raise ValueError(f"{what} lacks the attributes {gone}, which its caption states: keep the attrs of the result")
