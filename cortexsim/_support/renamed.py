"""Former names of arguments, accepted with a DeprecationWarning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def formerly(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Accept former names of arguments: `@formerly(told="report")` takes `told=` for `report=`, with a warning.

    A former argument that is None counts as not given. Put it above other decorators, so that the warning shows the
    line of the caller.

    Parameters
    ----------
    **names : str
        For each former name, the present one.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def accepting(*args: P.args, **kwargs: P.kwargs) -> T:
            given: dict[str, Any] = kwargs
            for former, name in names.items():
                if former not in given:
                    continue
                if name in given:
                    raise TypeError(f"{function.__name__} got {name}= and its former name {former}=; give {name}= only")
                warnings.warn(
                    f"{function.__name__}({former}=...) is deprecated; write {name}=", DeprecationWarning, stacklevel=2
                )
                value = given.pop(former)
                if value is not None:
                    given[name] = value
            return function(*args, **kwargs)

        return accepting

    return decorate
