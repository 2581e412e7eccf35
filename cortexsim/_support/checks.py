"""What an error says when a name is not known: what it got, what is allowed, and the nearest one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, got: object, allowed: Iterable[str]) -> str:
    """Say that a name is unknown.

    Parameters
    ----------
    what : str
        What was asked for, e.g. "state".
    got : object
        What was given.
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
    return f"unknown {what} {got!r}: the allowed values are {names}{hint}"
