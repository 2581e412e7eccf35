"""The gate of figures: what is drawn has the type, and the variables, that the figure draws."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, get_args, get_type_hints

import xarray as xr

from cortexsim._support.checks import shown

P = ParamSpec("P")
R = TypeVar("R")


def draws(*variables: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse a first argument of another type than its annotation, or a Dataset without one of the variables.

    Parameters
    ----------
    variables : str
        Of a Dataset, which the figure cannot do without.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        (name, *_) = inspect.signature(function).parameters

        @functools.cache
        def allowed() -> tuple[type, ...]:
            hint = get_type_hints(function)[name]
            return get_args(hint) or (hint,)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if args or name in kwargs:
                _check(args[0] if args else kwargs[name], allowed(), f"{name!r} of {function.__name__}", variables)
            return function(*args, **kwargs)

        return checked

    return decorate


def _check(value: Any, allowed: tuple[type, ...], what: str, variables: tuple[str, ...]) -> None:
    if not isinstance(value, allowed):
        kinds = " or ".join(f"a {kind.__name__}" for kind in allowed)
        raise TypeError(f"{what} must be {kinds}, got {shown(value)}")
    if isinstance(value, xr.Dataset):
        missing = [one for one in variables if one not in value.variables]
        if missing:
            raise ValueError(
                f"{what} has no variable {' and '.join(map(repr, missing))}, which is drawn; it has "
                f"{sorted(map(str, value.data_vars))}"
            )
