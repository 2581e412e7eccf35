"""Times at which states can be computed and read, for a model with weights for only some times of its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cortexsim.graph._schedule import populate
from cortexsim.graph.cortex_graph import CortexGraph

HasWeights = Callable[[str, int], bool]


def computable(graph: CortexGraph, presentation: Any, until: int, has_weights: HasWeights) -> dict[str, set[int]]:
    """Return, for each state, the times at which it is populated and everything leading to it has weights.

    Parameters
    ----------
    graph : CortexGraph
    presentation : Presentation or Mixture
        For a mixture, a state counts as populated if any component populates it.
    until : int
        Last time.
    has_weights : callable
        Returns whether a transition (by name) has weights at a time.
    """
    known: set[tuple[str, int]] = set()
    before: frozenset[str] = frozenset()
    remembering = {state.name for state in graph.states if "previous" in state.asks}
    fronts = [populate(graph, component, until) for component in presentation.components]
    for time, states in enumerate(zip(*fronts, strict=True)):
        now: frozenset[str] = frozenset().union(*states)
        delivering = [t for t in graph.transitions if t.source in before and time in t.times]
        for state in now:
            incoming = [t for t in delivering if t.target == state]
            sources = {t.source for t in incoming} | ({state} & remembering & before)
            if all((source, time - 1) in known for source in sources) and all(
                has_weights(t.name, time) for t in incoming
            ):
                known.add((state, time))
        before = now
    return {state: {time for name, time in known if name == state} for state in graph.state_names}


def readable(graph: CortexGraph, presentation: Any, until: int, has_weights: HasWeights) -> list[int]:
    """Return the times at which the last state can be read for every stimulus, under every component of a mixture.

    Parameters
    ----------
    graph, presentation, until, has_weights
        See `computable`.
    """
    fronts = [populate(graph, component, until) for component in presentation.components]
    known = computable(graph, presentation, until, has_weights)[graph.last]
    return [time for time in sorted(known) if all(graph.last in front[time] for front in fronts)]
