"""Cortical areas: the states of a graph."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cortexsim._support.checks import finite, shown, whole

RESERVED = ("time", "stimulus", "channel", "y", "x", "label", "readout")
ASKED = ("arrivals", "previous", "time")  # parameters that an update's `forward` may have in addition to the sum


@dataclass(frozen=True)
class State:
    """A cortical area, a vertex of the graph.

    Parameters
    ----------
    name : str
        A Python identifier, such as "V1".
    features : int
        Channels.
    height, width : int
        Units (pixels of the map).
    update : callable, optional
        `update(state) -> torch.nn.Module`, or the module itself: applied to the sum of the inputs. None, as in
        the paper, leaves the sum unchanged. Its `forward` may have further parameters with these names: `arrivals`, a
        dict of the input from each transition, by name, and from "pre_net"; `previous`, the state one step earlier, or
        None if it was empty; `time`. They are found if `update` is a class or a module, but not if it is a function.
    start : "zero" or sequence of float, optional
        The content of the state at time 0, before any input: zeros, or a number for each channel. The state is then
        populated at all times, with zeros when there is no input: its update and the biases of its outgoing transitions
        act on them. None, as in the paper: the state is empty until input arrives.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.State("V1", features=8, height=32, width=32).size
    (32, 32)
    """

    name: str
    features: int
    height: int
    width: int
    update: Callable[..., Any] | None = None
    start: str | Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier() or keyword.iskeyword(self.name):
            raise ValueError(f"a state's name must be a Python identifier such as 'V1', got {self.name!r}")
        if self.name in RESERVED:
            raise ValueError(f"a state cannot be named {self.name!r}: reserved are {list(RESERVED)}")
        for what in ("features", "height", "width"):
            object.__setattr__(self, what, whole(getattr(self, what), f"{what} of {self.name}", 1))
        if self.update is not None and not callable(self.update):
            raise TypeError(
                f"update of {self.name} must be a torch.nn.Module, a function of the state that returns one, or None, "
                f"got {shown(self.update)}"
            )
        if self.start is not None and not (isinstance(self.start, str) and self.start == "zero"):
            object.__setattr__(self, "start", self._checked_start())

    def _checked_start(self) -> tuple[float, ...]:
        """Return the start as plain numbers, so that states can be compared and saved."""
        shape = getattr(self.start, "shape", None)
        flat = not isinstance(self.start, str) and (shape is None or len(shape) == 1)
        values: list[Any] = list(self.start) if flat and isinstance(self.start, Iterable) else []
        if len(values) != self.features:
            got = self.start if shape is None else f"shape {tuple(shape)}"
            raise ValueError(
                f"start of {self.name} must be None, 'zero', or a number for each of its {self.features} channels, "
                f"got {got!r}"
            )
        return tuple(finite(float(value), f"start of {self.name}") for value in values)

    @property
    def asks(self) -> frozenset[str]:
        """The further parameters of the update, in addition to the sum of the inputs: names in `ASKED`."""
        return asked_by(self.update)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in units."""
        return (self.height, self.width)


def asked_by(update: Callable[..., Any] | None) -> frozenset[str]:
    """Return the names in `ASKED` that are parameters of the `forward` of a module or module class."""
    made = update.func if isinstance(update, partial) else update
    forward = getattr(made, "forward", None)
    return frozenset(ASKED) & set(inspect.signature(forward).parameters) if forward is not None else frozenset()
