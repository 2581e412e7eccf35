"""Graphs under construction, which may be impossible; the reason is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from cortexsim import zoo
from cortexsim.graph.builders import adjacent, fully_recurrent
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.saved import CHOSEN, chosen
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Times, Transition, kind_names

_KEYS = {"source", "target", "kind", "times"}


@lru_cache(maxsize=256)
def allowed(source: State, target: State) -> tuple[str, ...]:
    """List the kinds of transition that can connect two states, the usual one first.

    An identity links a state to itself, Pool halves the side and keeps the features, BRD leads to larger states only.
    """
    states = (source,) if source is target else (source, target)
    fitting = []
    for kind in kind_names():
        if "+I" in kind and source is not target:
            continue
        try:
            CortexGraph(states, (Transition(source.name, target.name, kind),))
        except ValueError:
            continue
        fitting.append(kind)
    return tuple(fitting)


@dataclass(frozen=True)
class Draft:
    """States, and transitions that need not reach every state yet.

    Parameters
    ----------
    states : sequence of State
        In anatomical order.
    transitions : sequence of Transition
        At most one for each pair of states; sorted as in the matrix, row by row.

    Raises
    ------
    TypeError
        If a transition or an update is a function: only kinds that have a name can be edited.
    ValueError
        If a kind does not fit its states, a state is unknown, or two transitions connect the same states.
    """

    states: tuple[State, ...]
    transitions: tuple[Transition, ...]

    def __post_init__(self) -> None:
        order = {state.name: place for place, state in enumerate(self.states)}
        given = [transition for transition in self.transitions if transition.times]
        given.sort(key=lambda t: (order.get(t.source, len(order)), order.get(t.target, len(order))))
        object.__setattr__(self, "states", tuple(self.states))
        object.__setattr__(self, "transitions", tuple(given))
        functions = [t.name for t in given if not isinstance(t.kind, str)]
        functions += [state.name for state in self.states if state.update is not None]
        if functions:
            raise TypeError(
                f"{functions} have functions of their own; only kinds with a name can be edited: {kind_names()}"
            )
        # only one error is allowed: the last state may be out of reach
        self._without_readout()

    @classmethod
    def of(cls, graph: CortexGraph) -> Draft:
        """Make a draft of a graph."""
        return cls(graph.states, graph.transitions)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Draft:
        """Make a draft of what `to_dict` of a draft or a graph returned.

        Raises
        ------
        ValueError
            If it is neither.
        """
        try:
            states = tuple(
                State(one["name"], one["features"], one["size"][0], one["size"][1], start=one.get("start"))
                for one in saved["states"]
            )
            return cls(states, as_transitions(saved["transitions"]))
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"a graph needs states (name, features, size) and transitions ({_KEYS}): {error}"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the draft as plain lists and texts, for JSON."""
        return {
            "states": [
                {"name": s.name, "features": s.features, "size": list(s.size)}
                | ({"start": s.start} if s.start is not None else {})
                for s in self.states
            ],
            "transitions": self.listed(),
        }

    def listed(self) -> list[dict[str, Any]]:
        """List the transitions as plain values."""
        return [
            {"source": t.source, "target": t.target, "kind": t.kind, "times": [list(i) for i in t.times.intervals]}
            | chosen(t)
            for t in self.transitions
        ]

    def linked(self, source: str, target: str, kind: str, times: Any = None) -> Draft:
        """Return a draft in which this transition replaces the one between two states.

        Parameters
        ----------
        source, target : str
        kind : str
        times : Times, iterable of int or int, optional
            The times at which it is open; None for always.
        """
        added = Transition(source, target, kind, Times.of(times))
        return replace(self, transitions=(*self.cut(source, target).transitions, added))

    def cut(self, source: str, target: str) -> Draft:
        """Return a draft without a transition from one state to another."""
        others = tuple(t for t in self.transitions if (t.source, t.target) != (source, target))
        return replace(self, transitions=others)

    @property
    def graph(self) -> CortexGraph:
        """The graph.

        Raises
        ------
        ValueError
            If it is impossible: nothing ever reaches the last state.
        """
        return CortexGraph(self.states, self.transitions)

    @property
    def last_change(self) -> int:
        """The last time at which a transition opens or closes."""
        return max((transition.times.last_change for transition in self.transitions), default=1)

    @cached_property
    def reachable(self) -> CortexGraph:
        """The graph without the last states that nothing ever reaches, so that the rest can be drawn.

        Nothing is lost: a state that is never reached delivers nothing.
        """
        for n in range(len(self.states), 1, -1):
            names = {state.name for state in self.states[:n]}
            inside = tuple(t for t in self.transitions if {t.source, t.target} <= names)
            try:
                return CortexGraph(self.states[:n], inside)
            except ValueError:
                continue
        only = self.states[0].name
        return CortexGraph(self.states[:1], tuple(t for t in self.transitions if t.source == t.target == only))

    def _without_readout(self) -> None:
        # with a path to every state, only errors in the transitions are raised
        first, *others = self.states
        paths = [Transition(first.name, other.name, _any_function) for other in others]
        mine = {(t.source, t.target) for t in self.transitions}
        CortexGraph(self.states, (*self.transitions, *(p for p in paths if (p.source, p.target) not in mine)))


def as_transitions(listed: Sequence[Mapping[str, Any]]) -> tuple[Transition, ...]:
    """Read transitions from plain values.

    Raises
    ------
    ValueError
        If a key is missing, or its times are not allowed.
    """
    read = []
    for one in listed:
        missing = sorted(_KEYS - set(one))
        if missing:
            raise ValueError(f"a transition needs {sorted(_KEYS)}, and {dict(one)} lacks {missing}")
        times = Times(tuple((start, stop) for start, stop in one["times"]))
        optional = {name: one[name] for name in CHOSEN if name in one}
        read.append(Transition(one["source"], one["target"], one["kind"], times, **optional))
    return tuple(read)


def _three_without_self() -> CortexGraph:
    return adjacent({"h1": 64, "h2": 128, "h3": 256}, size=32, self_transitions=False)


def _any_function(source: State, target: State) -> None:
    """Represent a path between two states that is never made."""


class Start(NamedTuple):
    """A start graph: its title, the function that builds it, and a suitable readout time."""

    title: str
    graph: Callable[[], CortexGraph]
    readout_time: int


AREAS = {"V1": 8, "V2": 16, "V4": 32, "IT": 64}
STARTS = {
    "adjacent": Start("adjacent areas", lambda: adjacent(AREAS, size=32), 5),
    "no-self": Start("adjacent areas, no self-transitions", lambda: adjacent(AREAS, size=32, lateral=False), 5),
    "feedforward": Start("feedforward", lambda: adjacent(AREAS, size=32, lateral=False, feedback=False), 3),
    "full": Start("fully recurrent", lambda: fully_recurrent(AREAS, size=32), 5),
    "resnet": Start("3-state ResNet of the paper", zoo.PAPER["resnet-3-state"].graph, 11),
    "three-no-self": Start("3 areas, no self-transitions", _three_without_self, 10),
}
