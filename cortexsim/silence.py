"""Silencing: which transitions deliver nothing at which times, by name or by direction. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cortexsim.graph import CortexGraph
from cortexsim.suggest import unknown
from cortexsim.transition import Times

DIRECTIONS = ("forward", "lateral", "feedback")


def direction(graph: CortexGraph, name: str) -> str:
    """Tell which way a transition goes, by the order of the states.

    Returns
    -------
    str
        "forward" from an earlier state to a later one, "lateral" from a state to itself, "feedback" from a later one
        to an earlier.
    """
    transition, order = graph.transition(name), graph.state_names
    step = order.index(transition.target) - order.index(transition.source)
    return "forward" if step > 0 else "feedback" if step < 0 else "lateral"


def meant(graph: CortexGraph, word: str) -> list[str]:
    """Name the transitions that a word stands for: a transition's own name, or a direction.

    Raises
    ------
    ValueError
        If it is neither, or the graph has no transition of that direction.
    """
    if word not in DIRECTIONS:
        if word not in graph.transition_names:
            raise ValueError(unknown("transition", word, [*graph.transition_names, *DIRECTIONS]))
        return [word]
    names = [name for name in graph.transition_names if direction(graph, name) == word]
    if not names:
        raise ValueError(f"there is no {word} transition to silence: the transitions are {graph.transition_names}")
    return names


def silenced(graph: CortexGraph, silence: Mapping[str, Any] | None) -> dict[str, Times]:
    """Work out which transitions are closed when.

    Parameters
    ----------
    graph : CortexGraph
    silence : mapping of str to times, or None
        By the transition's name, or "forward", "lateral" or "feedback" for all that go this way; None as times is
        always.

    Returns
    -------
    dict of str to Times
        By the transitions' names, in the order given.

    Raises
    ------
    TypeError
        If it is no mapping.
    ValueError
        If a word is unknown, a direction has no transition, or a transition is silenced twice.
    """
    if not isinstance(silence, Mapping | None):
        raise TypeError(
            "silence must map transitions to times, such as {'V2->V1': range(3, 21)} (None is always), got "
            f"{type(silence).__name__}"
        )
    closed: dict[str, Times] = {}
    by: dict[str, str] = {}
    for word, times in (silence or {}).items():
        for name in meant(graph, word):
            if name in closed:
                raise ValueError(f"{name} is silenced twice, by {by[name]!r} and by {word!r}; give it once")
            closed[name], by[name] = Times.of(times), word
    return closed


def check_effect(
    graph: CortexGraph, silence: Mapping[str, Any] | None, fronts: Iterable[tuple[frozenset[str], ...]]
) -> None:
    """Refuse a silence that changes nothing, lest it be read as a finding.

    Parameters
    ----------
    graph : CortexGraph
    silence : mapping of str to times, or None
        As for `silenced`. No times at all, such as an empty range, ask for nothing and pass.
    fronts : iterable of tuple of frozenset of str
        The populated states at each time from 0, of the intact graph, for each way in which images are shown.

    Raises
    ------
    ValueError
        If a word of it closes nothing that would deliver; the message says when it would.
    """
    fronts = list(fronts)
    for word, given in (silence or {}).items():
        times, until = Times.of(given), len(fronts[0]) - 1
        if not times:
            continue
        delivers = {
            time
            for transition in map(graph.transition, meant(graph, word))
            for time in range(1, until + 1)
            if time in transition.times and any(transition.source in front[time - 1] for front in fronts)
        }
        if any(time in times for time in delivers):
            continue
        if times.intervals[0][0] > until:
            why = f"the recording ends at time {until}"
        else:
            when = Times.of(sorted(delivers))
            why = f"up to time {until} it delivers {f'only at {when}' if when else 'at no time'}"
        raise ValueError(f"silencing {word} ({times}) would change nothing: {why}")
