"""The form of a saved graph: its states and transitions."""

from __future__ import annotations

from typing import Any

from cortexsim._support.checks import is_whole, shown
from cortexsim._support.settings import Form, anything, listed, text, text_or_none, true_or_false, whole_number
from cortexsim.graph.transitions import Transition


def _size(value: Any, key: str) -> None:
    """Accept height and width, in units of the map."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(f"{key} must be height and width, got {shown(value)}")


def _intervals(value: Any, key: str) -> None:
    """Accept intervals of times: pairs of whole numbers, of which the second may be None."""
    listed(value, key)
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not is_whole(pair[0]):
            raise TypeError(f"{key} must be pairs (start, stop), got {shown(pair)}")
        if pair[1] is not None and not is_whole(pair[1]):
            raise TypeError(f"{key} must be pairs (start, stop), got {shown(pair)}")


GRAPH = Form({"states": listed, "transitions": listed}, what="the graph", versioned=False)
STATE = Form(
    {"name": text, "features": whole_number(1), "size": _size, "update": text_or_none},
    {"start": anything},
    what="a state",
    versioned=False,
)
TRANSITION = Form(
    {"source": text, "target": text, "kind": text, "custom": true_or_false, "times": _intervals},
    {"label": text, "kernel_size": whole_number(1), "affine": true_or_false},
    what="a transition",
    versioned=False,
)
CHOSEN = tuple(TRANSITION.optional)


def chosen(transition: Transition) -> dict[str, Any]:
    """Return the optional fields of a transition that are given; files and statistics of earlier versions have none."""
    values = {name: getattr(transition, name) for name in CHOSEN}
    return {name: value for name, value in values.items() if value}
