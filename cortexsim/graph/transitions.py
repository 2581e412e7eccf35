"""Transitions: which kind of function links two states, and at which times it may deliver. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cortexsim._support.checks import is_whole, whole

FAMILIES = "BRCx1, BRCx2, BRCx2+I, BRCx2+0.5I (any weight), BRDx1, BRDx2, Conv, Pool, or a callable"

DELIVERS = "a time at which a transition delivers"  # for messages


@dataclass(frozen=True)
class Times:
    """The times at which a transition may deliver: half-open intervals, whose end may be open.

    Parameters
    ----------
    intervals : tuple of (int, int or None)
        `(start, stop)`: start <= t < stop; stop None is for ever. Sorted, apart from each other.

    Raises
    ------
    ValueError
        If an interval is empty or begins before time 1, or they are not sorted and apart.
    """

    intervals: tuple[tuple[int, int | None], ...] = ((1, None),)

    def __post_init__(self) -> None:
        end: int | None = 0
        for start, stop in self.intervals:
            if end is None or start <= end or (stop is not None and stop <= start):
                raise ValueError(
                    "intervals of times must begin at 1 or later, hold a time each, and be sorted and apart, "
                    f"got {self.intervals}"
                )
            end = stop

    @classmethod
    def of(cls, times: Times | Iterable[int] | int | None) -> Times:
        """Read times: None is always; else one time, a range, or any collection of times.

        Raises
        ------
        ValueError
            If a time is no whole number of at least 1: a transition takes one step, so nothing is delivered before
            time 1.
        """
        if times is None:
            return cls()
        if isinstance(times, Times):
            return times
        if isinstance(times, range) and times.step == 1 and times:
            # an interval already: range(3, 10**9) is not listed
            return cls(((whole(times.start, DELIVERS, 1), times.stop),))
        listed = [times] if isinstance(times, str) or not isinstance(times, Iterable) else times
        return cls._joined([(time, time + 1) for time in sorted({whole(time, DELIVERS, 1) for time in listed})])

    @classmethod
    def _joined(cls, intervals: list[tuple[int, int | None]]) -> Times:
        joined: list[tuple[int, int | None]] = []
        for start, stop in intervals:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], stop)
            else:
                joined.append((start, stop))
        return cls(tuple(joined))

    def __contains__(self, time: object) -> bool:
        return is_whole(time) and any(
            start <= time and (stop is None or time < stop)  # type: ignore[operator]
            for start, stop in self.intervals
        )

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __str__(self) -> str:
        if self == Times():
            return "always"
        if not self.intervals:
            return "never"
        return ", ".join(_interval(start, stop) for start, stop in self.intervals)

    @property
    def always(self) -> bool:
        """Whether the transition is open at every time."""
        return self == Times()

    @property
    def last_change(self) -> int:
        """The last time at which something opens or closes; constant from then on."""
        return max((end for interval in self.intervals for end in interval if end is not None), default=1)

    def without(self, other: Times) -> Times:
        """Return these times less the others."""
        edges = {edge for times in (self, other) for interval in times.intervals for edge in interval if edge}
        starts: list[int] = sorted(edges)
        pieces: list[tuple[int, int | None]] = []
        for start, stop in pairwise([*starts, None]):
            assert start is not None
            if start in self and start not in other:
                pieces.append((start, stop))
        return self._joined(pieces)


def _interval(start: int, stop: int | None) -> str:
    if stop is None:
        return f"t ≥ {start}"
    return f"t = {start}" if stop == start + 1 else f"t = {start}…{stop - 1}"


@dataclass(frozen=True)
class Transition:
    """An edge of the graph, one time step long.

    Parameters
    ----------
    source, target : str
        Names of states.
    kind : str or callable
        See `FAMILIES`. A callable `(source, target) -> Module` is called as `module(h, time)` and owns its
        normalization.
    times : Times
        When it may deliver to its target.
    """

    source: str
    target: str
    kind: str | Callable[..., Any]
    times: Times = Times()

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", Times.of(self.times))

    @property
    def name(self) -> str:
        """For example "V1->V2"."""
        return f"{self.source}->{self.target}"

    @property
    def reads_rate(self) -> bool:
        """Whether it reads relu(BN(h)) of its source; a callable reads h."""
        return isinstance(self.kind, str) and Kind.parse(self.kind).normalized

    @property
    def kind_name(self) -> str:
        """The kind as text; a callable's own name."""
        return self.kind if isinstance(self.kind, str) else module_name(self.kind)


def module_name(factory: Any) -> str:
    """Return the name under which a callable kind, a module or an update is saved."""
    return getattr(factory, "__name__", type(factory).__name__)


@dataclass(frozen=True)
class Kind:
    """A transition function taken apart: `family` (BRC, BRD, Conv, Pool), its convolutions, its shortcut's weight."""

    family: str
    n_convolutions: int
    shortcut: float = 0.0

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Kind:
        """Read a kind such as "BRCx2+0.5I".

        Raises
        ------
        ValueError
            If the text names no transition function.
        """
        if text == "Conv":
            return cls("Conv", 1)
        if text == "Pool":
            return cls("Pool", 0)
        match = re.fullmatch(r"(BRC|BRD)x([12])(?:\+(\d*\.?\d*)I)?", text)
        if not match or (match[3] is not None and (match[1], match[2]) != ("BRC", "2")) or match[3] == ".":
            raise ValueError(f"unknown kind of transition {text!r}: allowed are {FAMILIES}")
        weight = 0.0 if match[3] is None else float(match[3] or 1)
        return cls(match[1], int(match[2]), weight)

    @property
    def carries(self) -> bool:
        """Whether it may carry an identity shortcut."""
        return (self.family, self.n_convolutions) == ("BRC", 2)

    @staticmethod
    def carrying(weight: float) -> str:
        """Write the kind that carries an identity shortcut of a weight from 0 (none) to 1, such as "BRCx2+0.5I"."""
        # every digit, and none as an exponent
        return "BRCx2" if weight == 0 else "BRCx2+I" if weight == 1 else f"BRCx2+{Decimal(repr(weight)):f}I"

    @property
    def normalized(self) -> bool:
        """Whether it reads relu(BN(h)) of its source rather than h itself."""
        return self.family in ("BRC", "BRD")


@dataclass(frozen=True)
class Convolution:
    """One 3x3 convolution of a transition: padding 1, no bias; transposed ones have output padding stride - 1."""

    in_channels: int
    out_channels: int
    stride: int
    transposed: bool

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of the kernel as torch keeps it."""
        pair = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        return (*pair, 3, 3)
