"""Fractions as percentages: one form on screens, in figures, messages and reports, with a space before the sign."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np


def percent(fraction: float, digits: int = 0) -> str:
    """Write a fraction in percent.

    Parameters
    ----------
    fraction : float
    digits : int
        After the decimal point.

    Examples
    --------
    >>> percent(0.125, 1)
    '12.5 %'
    """
    return f"{100 * fraction:.{digits}f} %"


def percentages(fractions: Iterable[float | None], digits: int = 1) -> list[str]:
    """Write several fractions in percent; NaN and None become empty.

    Parameters
    ----------
    fractions : iterable of float or None
    digits : int
        After the decimal point.
    """
    return ["" if one is None or np.isnan(one) else percent(one, digits) for one in fractions]


def spaced(text: str) -> str:
    """Return a text that an earlier version stored, with a space before each sign.

    Examples
    --------
    >>> spaced("10% of the images")
    '10 % of the images'
    """
    return re.sub(r"(?<=\d)%", " %", text)
