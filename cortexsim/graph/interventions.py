"""Silencing, gains and noise on transitions: by name, state or direction, and by time. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cortexsim._support.checks import finite, unknown
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.transitions import Times, When

DIRECTIONS = ("forward", "lateral", "feedback")

Amounts = Mapping[str, tuple[float, Times]]
Given = float | tuple[float, When]  # a gain or noise as a user gives it
Value = TypeVar("Value")


@dataclass(frozen=True)
class Changes:
    """Interventions on transitions over time; false if there are none.

    Parameters
    ----------
    closed : mapping of str to Times
        The times at which transitions are silenced, by transition name.
    scaled, noisy : mapping of str to (float, Times)
        The gain and noise of transitions, with their times.
    """

    closed: Mapping[str, Times] = field(default_factory=dict)
    scaled: Amounts = field(default_factory=dict)
    noisy: Amounts = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.closed or self.scaled or self.noisy)

    def __str__(self) -> str:
        """Describe them, such as "V2->V1 silenced (t = 3…20), IT->V2 times 0.5 (always)"."""
        texts = [f"{name} silenced ({times})" for name, times in self.closed.items()]
        for verb, given in (("times", self.scaled), ("noise of", self.noisy)):
            texts += [f"{name} {verb} {_number(amount)} ({times})" for name, (amount, times) in given.items()]
        return ", ".join(texts)


def direction(graph: CortexGraph, name: str) -> str:
    """Return the direction of a transition in the order of the states.

    Returns
    -------
    str
        "forward" from an earlier state to a later one, "lateral" from a state to itself, "feedback" from a later
        state to an earlier one.
    """
    transition, order = graph.transition(name), graph.state_names
    step = order.index(transition.target) - order.index(transition.source)
    return "forward" if step > 0 else "feedback" if step < 0 else "lateral"


def meant(graph: CortexGraph, word: str) -> list[str]:
    """Return the names of the transitions that a word selects.

    Parameters
    ----------
    graph : CortexGraph
    word : str
        The name of a transition; a state, for all transitions that leave it, including the lateral one; or a direction.

    Raises
    ------
    ValueError
        If it is none of these, or the graph has no such transition.
    """
    if word in graph.transition_names:
        return [word]
    if word in graph.state_names:
        names = [transition.name for transition in graph.transitions if transition.source == word]
        if not names:
            raise ValueError(f"no transition leaves {word}: the transitions are {graph.transition_names}")
        return names
    if word not in DIRECTIONS:
        raise ValueError(unknown("transition", word, [*graph.transition_names, *graph.state_names, *DIRECTIONS]))
    names = [name for name in graph.transition_names if direction(graph, name) == word]
    if not names:
        raise ValueError(f"there is no {word} transition to silence: the transitions are {graph.transition_names}")
    return names


def silenced(graph: CortexGraph, silence: Mapping[str, When] | None) -> dict[str, Times]:
    """Resolve a silencing to the closed transitions and their times.

    Parameters
    ----------
    graph : CortexGraph
    silence : mapping of str to times, or None
        From a word of `meant` to the times at which nothing is delivered; None means always. A silenced state delivers
        nothing, but still receives input and can be recorded; the last state can still be read out.

    Returns
    -------
    dict of str to Times
        By transition name, in the given order.

    Raises
    ------
    TypeError
        If it is not a mapping.
    ValueError
        If a word is unknown, selects no transition, or a transition is silenced twice.
    """
    if not isinstance(silence, Mapping | None):
        raise TypeError(
            "silence must map transitions to times, such as {'V2->V1': range(3, 21)} (None is always), got "
            f"{type(silence).__name__}"
        )
    return {name: Times.of(times) for name, times in _once(graph, silence or {}, "silenced").items()}


def amounts(graph: CortexGraph, given: Mapping[str, Given] | None, what: str) -> dict[str, tuple[float, Times]]:
    """Resolve gains or noise to transitions, amounts and times.

    Parameters
    ----------
    graph : CortexGraph
    given : mapping of str to (float, times), or None
        From a word of `meant` to an amount and times. None as times means always; a single number means (number, None).
    what : "gain" or "transition_noise"

    Returns
    -------
    dict of str to (float, Times)
        By transition name, in the given order.

    Raises
    ------
    TypeError
        If it is not a mapping, or an amount is not a number.
    ValueError
        If a word is unknown, a transition has two amounts, or an amount is negative, not finite, or would change
        nothing: a gain of 1, noise of 0.
    """
    if not isinstance(given, Mapping | None):
        raise TypeError(
            f"{what} must map transitions to an amount and times, such as {{'V2->V1': (0.5, range(3, 21))}} (None is "
            f"always), got {type(given).__name__}"
        )
    found = {}
    for name, value in _once(graph, given or {}, f"given a {what}").items():
        pair = value if isinstance(value, tuple) else (value, None)
        if len(pair) != 2:
            raise TypeError(f"{what} of {name} must be a number, or (number, times), got {value!r}")
        amount, nothing = finite(pair[0], f"{what} of {name}", 0), 1.0 if what == "gain" else 0.0
        if amount == nothing:
            raise ValueError(f"a {what} of {amount:g} on {name} would change nothing")
        found[name] = (amount, Times.of(pair[1]))
    return found


def _once(graph: CortexGraph, given: Mapping[str, Value], done: str) -> dict[str, Value]:
    """Resolve words to transitions, and refuse a transition that two words select, even at different times."""
    found: dict[str, Value] = {}
    by: dict[str, str] = {}
    for word, value in given.items():
        for name in meant(graph, word):
            if name in found:
                raise ValueError(f"{name} is {done} twice, by {by[name]!r} and by {word!r}; give it once")
            found[name], by[name] = value, word
    return found


def changes(
    graph: CortexGraph,
    silence: Mapping[str, When] | None,
    gain: Mapping[str, Given] | None,
    transition_noise: Mapping[str, Given] | None,
) -> Changes:
    """Resolve all interventions to transitions and times: see `silenced` and `amounts`.

    Raises
    ------
    TypeError, ValueError
        As for these; also if a transition has a gain or noise while it is silenced.
    """
    closed = silenced(graph, silence)
    scaled, noisy = amounts(graph, gain, "gain"), amounts(graph, transition_noise, "transition_noise")
    _check_apart(closed, scaled, "gain")
    _check_apart(closed, noisy, "transition_noise")
    return Changes(closed, scaled, noisy)


def _check_apart(closed: Mapping[str, Times], given: Amounts, what: str) -> None:
    for name, (_, times) in given.items():
        if name in closed and times.without(closed[name]) != times:
            raise ValueError(
                f"{name} is silenced ({closed[name]}) and has a {what} ({times}): the times must not overlap, since "
                "nothing is delivered then"
            )


def _number(amount: float) -> str:
    """Write a number in short form if that is exact, because these texts identify interventions."""
    short = f"{amount:g}"
    return short if float(short) == amount else repr(amount)


def check_effect(
    graph: CortexGraph, words: Mapping[str, When] | None, fronts: Iterable[tuple[frozenset[str], ...]], doing: str
) -> None:
    """Refuse an intervention that changes nothing, because its result could be mistaken for a finding.

    Parameters
    ----------
    graph : CortexGraph
    words : mapping of str to times, or None
        As for `silenced`. Empty times, such as an empty range, are allowed.
    fronts : iterable of tuple of frozenset of str
        The populated states at each time from 0, without the intervention, for each component of the presentation.
    doing : str
        For the message: "silencing", "a gain on", "noise on".

    Raises
    ------
    ValueError
        If no transition selected by a word would deliver at the given times; the message gives the times at which
        it would.
    """
    fronts = list(fronts)
    for word, given in (words or {}).items():
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
        raise ValueError(f"{doing} {word} ({times}) would change nothing: {why}")
