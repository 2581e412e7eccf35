"""Numbers with their intervals, as phrases in the sentences of panels."""

from __future__ import annotations

import math

from cortexsim._support.percentages import percent


def fraction(value: float) -> str:
    """Write a fraction in percent; NaN means that nothing can be read out."""
    return "nothing to read out" if math.isnan(value) else percent(value)


def percentage(value: float, low: float, high: float) -> str:
    """Write a fraction and the ends of its interval in percent; NaN means that nothing can be read out."""
    if math.isnan(value):
        return "nothing to read out"
    return f"{percent(value, 1)} ({percent(low)} to {percent(high)})"


def percentage_points(value: float, low: float, high: float) -> str:
    """Write a difference of two fractions and the ends of its interval in percentage points, without that unit."""
    return f"{100 * value:+z.1f} ({100 * low:+z.0f} to {100 * high:+z.0f})".replace("-", "−")
