"""Progress and cancellation: the one protocol of all long work, from a simulation to a sweep and its panel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol


class Report(Protocol):
    """A function that long work calls now and then, in the thread in which it works.

    It takes the fraction of the work that is done, from 0 to 1, and a message. An exception that it raises stops the
    work and reaches the caller; what was finished and written by then is kept.
    """

    def __call__(self, fraction: float, message: str, /) -> None: ...


def silent(fraction: float, message: str, /) -> None:
    """Report nothing, and never stop the work."""


def part(report: Report, first: float, last: float, prefix: str = "") -> Report:
    """Make the report of a part of the work, which lies between two fractions of the whole.

    Parameters
    ----------
    report : Report
        Of the whole.
    first, last : float
        The fractions of the whole that are done when the part starts and when it ends.
    prefix : str
        Put before each message.
    """

    def of_the_whole(fraction: float, message: str, /) -> None:
        report(first + fraction * (last - first), f"{prefix}{message}")

    return of_the_whole


def stop_unless(wanted: Callable[[], bool], report: Report = silent) -> Report:
    """Make a report that raises InterruptedError as soon as the work is no longer wanted."""

    def checked(fraction: float, message: str, /) -> None:
        if not wanted():
            raise InterruptedError("cancelled")
        report(fraction, message)

    return checked


class Clock:
    """Estimates the time that is left, from the fraction that is done and the time since it was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def seconds_left(self, fraction: float) -> float:
        """Return an estimate in seconds; infinity while too little is done for one."""
        if fraction <= 0.02:
            return math.inf
        return (time.perf_counter() - self._started) * (1 - fraction) / fraction

    def left(self, fraction: float) -> str:
        """Write the estimate, such as "12 s left"; "" while too little is done for one."""
        seconds = self.seconds_left(fraction)
        return f"{duration(seconds)} left" if math.isfinite(seconds) else ""


def duration(seconds: float) -> str:
    """Write a time in seconds, minutes or hours, whichever is short."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
