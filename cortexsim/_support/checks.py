"""Checks of arguments. An error says what was wrong, what was given and what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

LONGEST_SHOWN = 80  # characters; for a longer value, a message gives the type


def unknown(what: str, got: object, allowed: Iterable[str]) -> str:
    """Say that a name is unknown, and suggest the nearest one.

    Parameters
    ----------
    what : str
        The kind of name, e.g. "state".
    got : object
        The given value.
    allowed : iterable of str
        The known names.

    Returns
    -------
    str
        For example "unknown state 'MT': the allowed values are ['V1', 'IT']".
    """
    names = [str(name) for name in allowed]
    near = difflib.get_close_matches(str(got), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {shown(got)}: the allowed values are {names}{hint}"


def one_of(value: Any, what: str, allowed: Iterable[str]) -> str:
    """Return a name that is one of the allowed ones.

    Raises
    ------
    ValueError
        If it is not one of them; the message suggests the nearest one.
    """
    names = list(allowed)
    # lists and arrays are not names, and may not be comparable with them
    if not isinstance(value, str) or value not in names:
        raise ValueError(unknown(what, value, names))
    return value


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number: any integer of Python, numpy or torch, but not a bool."""
    value = _plain(value)
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether a value is a real number of Python, numpy or torch, but not a bool."""
    value = _plain(value)
    return isinstance(value, Real) and not isinstance(value, bool)


def is_several(value: Any) -> bool:
    """Return whether a value is a collection: not text, bytes, or an array without dimensions."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes) and getattr(value, "ndim", None) != 0


def whole(
    value: Any,
    what: str,
    least: int | None = None,
    most: int | None = None,
    *,
    unit: str = "",
    limit: int | None = None,
) -> int:
    """Return a whole number as an int, which files, JSON and torch take.

    Parameters
    ----------
    value : int
        Integers of numpy, and 0-d arrays and tensors of integers, count as whole numbers; a bool does not.
    what : str
        Name of the argument, for the message.
    least, most : int, optional
        The allowed range, both ends included.
    unit : str
        For the message, such as "steps".
    limit : int, optional
        A largest value set for practical reasons, such as running time; only its own message mentions it.

    Raises
    ------
    ValueError
        If it is not a whole number, or is out of range.
    """
    number = _plain(value)
    if not is_whole(number) or (least is not None and number < least) or (most is not None and number > most):
        kind = f"whole number of {unit}" if unit else "whole number"
        raise ValueError(f"{what} must be a {kind}{_range(least, most)}, got {shown(value)}")
    if limit is not None and number > limit:
        raise ValueError(f"{what} must be at most {limit:,}{f' {unit}' if unit else ''}, got {shown(value)}")
    return int(number)


def finite(value: Any, what: str, least: float | None = None, most: float | None = None, *, unit: str = "") -> float:
    """Return a finite number as a float; parameters as for `whole`.

    Raises
    ------
    ValueError
        If it is not a finite number, or is out of range.
    """
    number = _plain(value)
    low, high = -math.inf if least is None else least, math.inf if most is None else most
    if not is_number(number) or not _is_finite(number) or not low <= number <= high:
        # without a range, the message must say that infinity is not allowed
        kind = "number" if (least, most) != (None, None) else "finite number"
        raise ValueError(
            f"{what} must be a {kind}{f' of {unit}' if unit else ''}{_range(least, most)}, got {shown(value)}"
        )
    return float(number)


def truth(value: Any, what: str) -> bool:
    """Return a truth value of Python, numpy or torch as a bool.

    Raises
    ------
    ValueError
        If it is not a truth value.
    """
    plain = _plain(value)
    if not isinstance(plain, bool):
        raise ValueError(f"{what} must be True or False, got {shown(value)}")
    return plain


def listed(values: Any, what: str, example: str = "[1, 2]") -> list[Any]:
    """Return a collection as a list of plain values, which can be compared and written to files.

    Parameters
    ----------
    values : iterable
        A list, tuple, range or set, or a 1-d array of numpy, torch, xarray or pandas.
    what : str
        Name of the argument, for the message.
    example : str
        An allowed value, for the message.

    Raises
    ------
    TypeError
        If it is text, a mapping, a single value or a table.
    """
    if not is_several(values) or isinstance(values, Mapping) or getattr(values, "ndim", 1) > 1:
        raise TypeError(f"{what} must be a list of values, such as {example}, got {shown(values)}")
    return [_plain(value) for value in values]


def share(value: Any, what: str, *, unit: str = "") -> float:
    """Return a number above 0 and at most 1 as a float.

    Raises
    ------
    ValueError
        If it is not such a number.
    """
    number = _plain(value)
    if not is_number(number) or not 0 < number <= 1:
        kind = unit or "number"
        raise ValueError(f"{what} must be a {kind} above 0 and at most 1, got {shown(value)}")
    return float(number)


def seed_of(value: Any, what: str = "seed") -> int:
    """Return a seed that numpy and scikit-learn take: a whole number from 0 to 2**32 - 1.

    Raises
    ------
    ValueError
        If it is not such a number.
    """
    return whole(value, what, 0, 2**32 - 1)


def rising(values: Any, what: str = "edges") -> list[float]:
    """Return at least two finite numbers in rising order, such as the edges of bins, as floats.

    Raises
    ------
    ValueError
        If they are not such numbers.
    """
    numbers = [] if isinstance(values, str | bytes) else values
    try:
        numbers = [_plain(value) for value in numbers]
    except TypeError:  # not iterable
        numbers = []
    finite_ones = all(is_number(number) and _is_finite(number) for number in numbers)
    if len(numbers) < 2 or not finite_ones or any(low >= high for low, high in pairwise(numbers)):
        raise ValueError(f"{what} must be at least two numbers in rising order, got {shown(_listed(values))}")
    return [float(number) for number in numbers]


def ordered_pair(value: Any, what: str, least: float, most: float) -> tuple[float, float]:
    """Return a pair (lowest, highest) with least ≤ lowest ≤ highest ≤ most.

    Raises
    ------
    ValueError
        If it is not such a pair.
    """
    pair = [_plain(end) for end in value] if isinstance(value, tuple | list) else []
    if len(pair) != 2 or not all(map(is_number, pair)) or not least <= pair[0] <= pair[1] <= most:
        raise ValueError(
            f"{what} must be a pair (lowest, highest), both from {least:g} to {most:g}, got {shown(value)}"
        )
    return float(pair[0]), float(pair[1])


def shown(value: Any) -> str:
    """Return a value as text for a message: its repr, or its type if the repr is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN and "\n" not in text else f"a value of type {type(value).__name__}"


def _listed(values: Any) -> Any:
    """Return a sequence in the form that messages show: arrays and tuples as lists."""
    if getattr(values, "is_meta", False):
        return values
    return values.tolist() if hasattr(values, "tolist") else list(values) if isinstance(values, tuple) else values


def _plain(value: Any) -> Any:
    """Return the number in a scalar or 0-d array of numpy, torch or xarray; return anything else unchanged.

    Dates stay as they are: some of them would become numbers.
    """
    if not hasattr(value, "item") or getattr(value, "ndim", None) != 0 or getattr(value, "is_meta", False):
        return value
    return value if getattr(value.dtype, "kind", "") in ("m", "M") else value.item()


def _is_finite(number: Real) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int that is larger than any float
        return False


def _range(least: float | None, most: float | None) -> str:
    if least is None and most is None:
        return ""
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    return f", at least {least:,}" if least is not None else f", at most {most:,}"
