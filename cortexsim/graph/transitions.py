"""Transitions: the functions that link two states, and the times at which they may deliver. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from itertools import islice, pairwise
from typing import Any

from cortexsim._support.checks import is_several, is_whole, shown, truth, whole

LARGEST_SHORTCUT = 3e38  # weight; activity is float32 and would be infinite
LARGEST_KERNEL = 1_001  # px; larger than any image, and small enough to count its weights
MOST_LISTED = 100_000  # times; intervals do not count, because they are not listed
DELIVERS = "a time at which a transition delivers"  # for messages


@dataclass(frozen=True)
class Times:
    """The times at which a transition may deliver: half-open intervals, the last of which may be unlimited.

    Parameters
    ----------
    intervals : tuple of (int, int or None)
        `(start, stop)`: start <= t < stop; stop None means without end. Sorted, with gaps between them.

    Raises
    ------
    ValueError
        If an interval is empty or begins before time 1, or the intervals are unsorted, touch or overlap.
    """

    intervals: tuple[tuple[int, int | None], ...] = ((1, None),)

    def __post_init__(self) -> None:
        end: int | None = 0
        for start, stop in self.intervals:
            if end is None or start <= end or (stop is not None and stop <= start):
                raise ValueError(
                    "intervals of times must begin at 1 or later, be sorted, not be empty, and not touch, "
                    f"got {self.intervals}"
                )
            end = stop

    @classmethod
    def of(cls, times: Times | Iterable[int] | int | None) -> Times:
        """Read times: None means always; otherwise one time, a range, or any collection of times.

        Raises
        ------
        ValueError
            If a time is not a whole number of at least 1: a transition takes one step, so nothing is delivered
            before time 1.
        """
        if times is None:
            return cls()
        if isinstance(times, Times):
            return times
        if isinstance(times, range) and times.step == 1 and times:
            # an interval already: range(3, 10**9) is not listed
            return cls(((whole(times.start, DELIVERS, 1), times.stop),))
        several = times if is_several(times) else [times]
        listed = list(islice(several, MOST_LISTED + 1))  # type: ignore[arg-type]
        if len(listed) > MOST_LISTED:
            raise ValueError(
                f"at most {MOST_LISTED:,} times can be listed, got {shown(times)}: give an interval by a range with a "
                "step of 1, or None for always"
            )
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
        """True if the transition is open at every time."""
        return self == Times()

    @property
    def last_change(self) -> int:
        """The last time at which a transition opens or closes."""
        return max((end for interval in self.intervals for end in interval if end is not None), default=1)

    def without(self, other: Times) -> Times:
        """Return these times without the others."""
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
        A name of `KINDS`, with its identity shortcut, such as "BRCx2+I"; or a callable `(source, target) -> Module`.
        The module is called as `module(h, time)` and does its own normalization.
    times : Times
        The times at which it may deliver to its target.
    label : str
        Distinguishes several transitions from the same source to the same target: a Python identifier, part of the
        name.
    kernel_size : int, optional
        Side of the kernels of a named kind; None means the side that the kind has, 3. An even side is possible only
        where each convolution changes the size of the map.
    affine : bool
        Each normalization of a named kind has a gain and a bias for each channel, which belong to the transition and
        are shared over time like its kernels. Without it only the moments are removed, as in the paper.

    Raises
    ------
    ValueError, TypeError
        If the label, the kernel size or `affine` is not allowed.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.Transition("V1", "V2", "BRCx2", label="fast").name
    'V1->V2:fast'
    >>> cs.Transition("V1", "V1", "BRCx1", kernel_size=5, affine=True).description
    'BRCx1, 5x5, affine'
    """

    source: str
    target: str
    kind: str | Callable[..., Any]
    times: Times = Times()
    label: str = ""
    kernel_size: int | None = None
    affine: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", Times.of(self.times))
        if self.kernel_size is not None:
            size = whole(self.kernel_size, f"kernel_size of {self.source}->{self.target}", 1, LARGEST_KERNEL)
            object.__setattr__(self, "kernel_size", size)
        object.__setattr__(self, "affine", truth(self.affine, f"affine of {self.source}->{self.target}"))
        if self.label and not self.label.isidentifier():
            raise ValueError(
                f"the label of {self.source}->{self.target} must be a Python identifier such as 'fast', got "
                f"{self.label!r}"
            )

    @property
    def name(self) -> str:
        """For example "V1->V2", or with a label "V1->V2:fast"."""
        return f"{self.source}->{self.target}" + (f":{self.label}" if self.label else "")

    @property
    def reads_rate(self) -> bool:
        """True if it reads relu(BN(h)) of its source; callables read h."""
        return isinstance(self.kind, str) and Kind.parse(self.kind).normalized

    @property
    def kind_name(self) -> str:
        """The kind as text; for a callable, its name."""
        return self.kind if isinstance(self.kind, str) else module_name(self.kind)

    @property
    def description(self) -> str:
        """The kind as text, with the kernel size and "affine" if they are given."""
        side = "" if self.kernel_size is None else f", {self.kernel_size}x{self.kernel_size}"
        return f"{self.kind_name}{side}{', affine' if self.affine else ''}"


# times as a user gives them; None means always
When = Times | Iterable[int] | int | None


def module_name(factory: object) -> str:
    """Return the name under which a callable is saved; for a partial, with its arguments."""
    if isinstance(factory, partial):
        given = [repr(value) for value in factory.args]
        given += [f"{key}={value!r}" for key, value in factory.keywords.items()]
        return f"{module_name(factory.func)}({', '.join(given)})"
    return getattr(factory, "__name__", type(factory).__name__)


@dataclass(frozen=True)
class Convolution:
    """One convolution of a transition: without bias, enlarging if transposed.

    It is padded so that the side changes by the stride alone. A kernel with an even side can do that only if the stride
    is at least 2.
    """

    in_channels: int
    out_channels: int
    stride: int
    transposed: bool
    size: int = 3
    groups: int = 1

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of the kernel in torch's order."""
        if self.transposed:
            return (self.in_channels, self.out_channels // self.groups, self.size, self.size)
        return (self.out_channels, self.in_channels // self.groups, self.size, self.size)

    @property
    def padding(self) -> int:
        """Rows and columns of zeros added on each side."""
        return (self.size - 1) // 2

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output, used to scale the initial weights (He et al. 2015)."""
        return self.size**2 * self.in_channels // self.groups


@dataclass(frozen=True)
class Layer:
    """A convolution of a transition function, before channels and stride are known.

    Parameters
    ----------
    transposed : bool
        The convolution enlarges the map instead of shrinking it.
    size : int
        Side of the kernel, odd.
    depthwise : bool
        Each channel has a separate kernel, and the number of channels does not change.
    """

    transposed: bool = False
    size: int = 3
    depthwise: bool = False


@dataclass(frozen=True)
class TransitionFunction:
    """A function that may link two states, listed in `KINDS` under its name.

    Parameters
    ----------
    description : str
        Short description, for menus and help.
    layers : tuple of Layer
        At most two, with BN and ReLU in between.
    reads_rate : bool
        It reads relu(BN(h)) of its source rather than h itself.
    doublings : (int or None, int or None)
        Least and greatest number of times that the side may double from source to target; negative for halving.
    same_features : bool
        Both states must have the same number of features.
    carries : bool
        It may carry an identity shortcut, written "+I", or "+0.5I" for another weight.
    pools : bool
        2x2 max-pooling instead of layers.
    """

    description: str
    layers: tuple[Layer, ...]
    reads_rate: bool = True
    doublings: tuple[int | None, int | None] = (None, 0)
    same_features: bool = False
    carries: bool = False
    pools: bool = False

    @property
    def normalized_layers(self) -> range:
        """The layers whose input is normalized: the first only if it reads the rate, all others always."""
        return range(0 if self.reads_rate else 1, len(self.layers))

    def bridges(self, doublings: int) -> bool:
        """Return whether it can link states whose sides have this ratio."""
        least, most = self.doublings
        return (least is None or doublings >= least) and (most is None or doublings <= most)

    def convolutions(
        self, source_features: int, target_features: int, doublings: int, kernel_size: int | None = None
    ) -> tuple[Convolution, ...]:
        """Return its convolutions between two states, in order; a kernel size replaces those of its layers.

        A size ratio 2^k is bridged by strides 2^ceil(k/2) and 2^floor(k/2). Between two layers there are
        (source + target features) // 2 channels; a depthwise layer does not change the number.
        """
        power = abs(doublings)
        strides = [2**power] if len(self.layers) == 1 else [2 ** -(-power // 2), 2 ** (power // 2)]
        found: list[Convolution] = []
        before = source_features
        for place, (layer, stride) in enumerate(zip(self.layers, strides, strict=False)):
            last = place == len(self.layers) - 1
            after = before if layer.depthwise else target_features if last else (source_features + target_features) // 2
            groups = before if layer.depthwise else 1
            found.append(Convolution(before, after, stride, layer.transposed, kernel_size or layer.size, groups))
            before = after
        return tuple(found)


_UP = Layer(transposed=True)
# the kinds of transition by name, the usual one first: messages and menus use this registry
KINDS: dict[str, TransitionFunction] = {
    "BRCx2": TransitionFunction("BN, ReLU, convolution; twice", (Layer(), Layer()), carries=True),
    "BRCx1": TransitionFunction("BN, ReLU, convolution", (Layer(),)),
    "BRDx2": TransitionFunction("BN, ReLU, transposed convolution; twice", (_UP, _UP), doublings=(0, None)),
    "BRDx1": TransitionFunction("BN, ReLU, transposed convolution", (_UP,), doublings=(0, None)),
    "Conv": TransitionFunction("convolution", (Layer(),), reads_rate=False),
    "Pool": TransitionFunction(
        "2x2 max-pooling", (), reads_rate=False, doublings=(-1, -1), same_features=True, pools=True
    ),
}


def kind_names() -> list[str]:
    """Return the names of all kinds; a kind that may carry an identity shortcut is listed with it first."""
    names: list[str] = []
    for name, function in KINDS.items():
        names += [f"{name}+I", name] if function.carries else [name]
    return names


def allowed_kinds() -> str:
    """Return the allowed kinds as text, for messages."""
    weighted = [f"{name}+0.5I (any weight)" for name, function in KINDS.items() if function.carries]
    return ", ".join([*kind_names(), *weighted, "or a callable"])


@dataclass(frozen=True)
class Kind:
    """A kind of transition: a function of `KINDS`, and the weight of its identity shortcut."""

    name: str
    shortcut: float = 0.0

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Kind:
        """Read a kind such as "BRCx2+0.5I".

        Raises
        ------
        ValueError
            If the text is not the name of a transition function.
        """
        name, plus, identity = text.partition("+")
        weight = re.fullmatch(r"(\d*\.?\d*)I", identity)
        known = name in KINDS and (not plus or (KINDS[name].carries and weight is not None and weight[1] != "."))
        if not known:
            raise ValueError(f"unknown kind of transition {shown(text)}: allowed are {allowed_kinds()}")
        shortcut = 0.0 if weight is None else float(weight[1] or 1)
        if shortcut > LARGEST_SHORTCUT:
            raise ValueError(
                f"the weight of the identity shortcut of a transition must be at most {LARGEST_SHORTCUT:g}, got "
                f"{shown(text)}"
            )
        return cls(name, shortcut)

    @property
    def function(self) -> TransitionFunction:
        """The transition function."""
        return KINDS[self.name]

    @property
    def n_convolutions(self) -> int:
        """The number of convolutions."""
        return len(self.function.layers)

    @property
    def carries(self) -> bool:
        """True if it may carry an identity shortcut."""
        return self.function.carries

    @property
    def normalized(self) -> bool:
        """True if it reads relu(BN(h)) of its source rather than h itself."""
        return self.function.reads_rate

    @staticmethod
    def carrying(weight: float) -> str:
        """Return the kind with an identity shortcut of a weight from 0 (none) to 1, such as "BRCx2+0.5I"."""
        # all digits, without an exponent
        return "BRCx2" if weight == 0 else "BRCx2+I" if weight == 1 else f"BRCx2+{Decimal(repr(weight)):f}I"
