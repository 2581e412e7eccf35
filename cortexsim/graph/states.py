"""Cortical areas: the states of a graph."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cortexsim._support.checks import whole

RESERVED = ("time", "stimulus", "channel", "y", "x", "label", "readout")


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
        `update(state) -> torch.nn.Module`, or the module itself: applied to the sum of what arrives. None, as in
        the paper, leaves the sum as it is.
    """

    name: str
    features: int
    height: int
    width: int
    update: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier() or keyword.iskeyword(self.name):
            raise ValueError(f"a state's name must be a Python identifier such as 'V1', got {self.name!r}")
        if self.name in RESERVED:
            raise ValueError(f"a state cannot be named {self.name!r}: reserved are {list(RESERVED)}")
        for what in ("features", "height", "width"):
            object.__setattr__(self, what, whole(getattr(self, what), f"{what} of {self.name}", 1))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in units."""
        return (self.height, self.width)
