"""Progress and cancellation: one protocol for all long computations, from a simulation to a sweep and its panel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol


class Report(Protocol):
    """A function that a long computation calls from time to time, in its own thread.

    It takes the finished fraction of the work, from 0 to 1, and a message. An exception that it raises stops the
    work and reaches the caller; results written by then are kept.
    """

    def __call__(self, fraction: float, message: str, /) -> None: ...


def silent(fraction: float, message: str, /) -> None:
    """Report nothing, and never stop the work."""


def checked(report: Report) -> Report:
    """Return a report, or raise a TypeError if it cannot be called."""
    if not callable(report):
        raise TypeError(f"report must be a function of a fraction and a message, got {type(report).__name__}")
    return report


def part(report: Report, first: float, last: float, prefix: str = "") -> Report:
    """Make a report for a part of the work, between two fractions of the whole.

    Parameters
    ----------
    report : Report
        The report of the whole.
    first, last : float
        The finished fractions of the whole when the part starts and ends.
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
    """Estimates the remaining time from the finished fraction and the time since its creation."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def seconds_left(self, fraction: float) -> float:
        """Return the remaining seconds; infinity while too little is finished for an estimate."""
        if fraction <= 0.02:
            return math.inf
        return (time.perf_counter() - self._started) * (1 - fraction) / fraction

    def left(self, fraction: float) -> str:
        """Return the estimate as text, such as "12 s left"; "" while too little is finished."""
        seconds = self.seconds_left(fraction)
        return f"{duration(seconds)} left" if math.isfinite(seconds) else ""


def duration(seconds: float) -> str:
    """Return a time as text, in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
