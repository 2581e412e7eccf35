"""Silencing, gains and noise on transitions, by name, state or direction, and over time. No torch here."""

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
        By the transitions' names: when they are silenced.
    scaled, noisy : mapping of str to (float, Times)
        Their gain and noise, and when they have it.
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
    """Return the direction of a transition, by the order of the states.

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
    """Name the transitions that a word stands for.

    Parameters
    ----------
    graph : CortexGraph
    word : str
        A transition's own name; a state, for all transitions that leave it, its lateral one among them; or a direction.

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
    """Work out which transitions are closed when.

    Parameters
    ----------
    graph : CortexGraph
    silence : mapping of str to times, or None
        By a word of `meant`; the times at which nothing is delivered, None is always. A silenced state delivers
        nothing: it still receives, and can be recorded, and the last one be read out.

    Returns
    -------
    dict of str to Times
        By the transitions' names, in the order given.

    Raises
    ------
    TypeError
        If it is no mapping.
    ValueError
        If a word is unknown, stands for no transition, or a transition is silenced twice.
    """
    if not isinstance(silence, Mapping | None):
        raise TypeError(
            "silence must map transitions to times, such as {'V2->V1': range(3, 21)} (None is always), got "
            f"{type(silence).__name__}"
        )
    return {name: Times.of(times) for name, times in _once(graph, silence or {}, "silenced").items()}


def amounts(graph: CortexGraph, given: Mapping[str, Given] | None, what: str) -> dict[str, tuple[float, Times]]:
    """Work out which transitions get how much of a gain or of noise, and when.

    Parameters
    ----------
    graph : CortexGraph
    given : mapping of str to (float, times), or None
        By a word of `meant`. Times None is always, and a number alone is (number, None).
    what : "gain" or "transition_noise"

    Returns
    -------
    dict of str to (float, Times)
        By the transitions' names, in the order given.

    Raises
    ------
    TypeError
        If it is no mapping, or an amount is no number.
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
    """Resolve words to transitions; a transition that two words stand for is refused, whatever their times."""
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
    """Work out what is done to which transitions when: see `silenced` and `amounts`.

    Raises
    ------
    TypeError, ValueError
        As theirs; also if a transition has a gain or noise while it is silenced.
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
    """Write a number in short form where that is exact: these words distinguish interventions."""
    short = f"{amount:g}"
    return short if float(short) == amount else repr(amount)


def check_effect(
    graph: CortexGraph, words: Mapping[str, When] | None, fronts: Iterable[tuple[frozenset[str], ...]], doing: str
) -> None:
    """Refuse an intervention that changes nothing, lest it be read as a finding.

    Parameters
    ----------
    graph : CortexGraph
    words : mapping of str to times, or None
        As for `silenced`. No times at all, such as an empty range, ask for nothing and pass.
    fronts : iterable of tuple of frozenset of str
        The populated states at each time from 0, without the intervention, for each component of the presentation.
    doing : str
        For the message: "silencing", "a gain on", "noise on".

    Raises
    ------
    ValueError
        If a word of it stands for nothing that would deliver then; the message says when it would.
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
