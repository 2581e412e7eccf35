"""The schedule: the transitions that run at each time, and why the others do not. No torch here."""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

from cortexsim._support.checks import is_several, unknown, whole
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.interventions import silenced
from cortexsim.graph.reach import MOST_STEPS, stretches
from cortexsim.graph.transitions import Times, Transition, When


class Component(Protocol):
    """The part of a presentation that a schedule depends on."""

    def shown(self, time: int) -> str:
        """Return "image", "mask" or "nothing"."""


class Shows(Protocol):
    """The part of a presentation or mixture that a schedule depends on."""

    @property
    def components(self) -> Sequence[Component]:
        """The possible presentations of a stimulus."""


class EmptyStateError(ValueError):
    """A readout is requested at a time at which the state is empty."""


@dataclass(frozen=True)
class Schedule:
    """The (transition name, time) pairs that run, in running order. Create it with `schedule`.

    Parameters
    ----------
    graph : CortexGraph
        The graph of the run.
    pairs : tuple of (str, int)
        The transitions that run, and the times at which they deliver.
    skipped : dict of (str, int) to str
        The transitions that do not run, by time, with the reason.
    states_at : tuple of frozenset of str
        The populated states at each time from 0.
    needed_at : tuple of frozenset of str
        The states, at each time from 0, that a readout or a recorded state depends on.
    """

    graph: CortexGraph
    pairs: tuple[tuple[str, int], ...]
    skipped: dict[tuple[str, int], str]
    states_at: tuple[frozenset[str], ...]
    needed_at: tuple[frozenset[str], ...]

    @property
    def until(self) -> int:
        """Last time."""
        return len(self.states_at) - 1

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __contains__(self, pair: object) -> bool:
        return pair in self.pairs

    @property
    def multiply_adds(self) -> int:
        """Multiplications (each with an addition) of all convolutions that run, for one stimulus.

        Raises
        ------
        ValueError
            If a callable runs; `cs.multiply_adds(model)` counts those too.
        """
        return sum(self.graph.multiply_adds(name) for name, _ in self.pairs)

    def n_parameters(self, n_classes: int, *, pre_net: str = "conv", shared: bool = True) -> int:
        """Count the weights that contribute: all convolutions that run, pre-net and final layer; BN is not counted.

        The count equals that of `Cortex.n_parameters`, but needs no model.

        Parameters
        ----------
        n_classes : int
        pre_net : "conv" or "deep"
        shared : bool
            True if a transition has the same weights at every time, False if it has different ones at each time.

        Raises
        ------
        ValueError
            If the pre-net is unknown, or a transition or update is a callable, whose weights only a model can count.
        """
        first, last = self.graph.states[0].features, self.graph.states[-1].features
        in_pre_net = {"conv": 27 * first, "deep": 27 * first + 18 * first**2}
        if pre_net not in in_pre_net:
            raise ValueError(unknown("pre_net", pre_net, in_pre_net))
        runs = [name for name, _ in self.pairs]
        reached = frozenset().union(*self.states_at)
        functions = [name for name in dict.fromkeys(runs) if not isinstance(self.graph.transition(name).kind, str)]
        functions += [state.name for state in self.graph.states if state.update and state.name in reached]
        if functions:
            raise ValueError(f"only a model can count the weights of {functions}: cs.Cortex(graph).n_parameters()")
        kernels = sum(
            math.prod(convolution.kernel_shape)
            for name in (dict.fromkeys(runs) if shared else runs)
            for convolution in self.graph.convolutions(name)
        )
        kernels += sum(
            2 * convolution.in_channels
            for name in (dict.fromkeys(runs) if shared else runs)
            for convolution in self.graph.affine(name).values()
        )
        return in_pre_net[pre_net] + kernels + last * n_classes + n_classes

    def populated(self, state: str) -> tuple[int, ...]:
        """Return the times at which a state is populated.

        Raises
        ------
        ValueError
            If the graph has no such state.
        """
        name = self.graph.state(state).name
        return tuple(time for time, states in enumerate(self.states_at) if name in states)

    def at(self, time: int) -> tuple[Transition, ...]:
        """Return the transitions that deliver at a time."""
        return self._by_time.get(time, ())

    @cached_property
    def _by_time(self) -> dict[int, tuple[Transition, ...]]:
        running: dict[int, tuple[Transition, ...]] = {}
        for name, time in self.pairs:
            running[time] = (*running.get(time, ()), self.graph.transition(name))
        return running

    def __str__(self) -> str:
        n = len(self.graph.transitions) * self.until
        lines = [f"schedule to time {self.until}: {len(self)} of {n} transition-times run"]
        for time in range(self.until + 1):
            states = [name for name in self.graph.state_names if name in self.states_at[time]]
            runs = [transition.name for transition in self.at(time)]
            lines.append(f"t = {time}: populated {', '.join(states) or 'nothing'}")
            if runs:
                lines.append(f"    runs {', '.join(runs)}")
            for reason in dict.fromkeys(self.skipped.values()):
                names = [name for (name, when), why in self.skipped.items() if when == time and why == reason]
                if names:
                    lines.append(f"    skips {', '.join(names)}: {reason}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{time}</th>" for time in range(1, self.until + 1))
        rows = []
        for name in self.graph.transition_names:
            cells = []
            for time in range(1, self.until + 1):
                reason = self.skipped.get((name, time), "runs")
                sign = "●" if reason == "runs" else "·"
                cells.append(f'<td style="text-align:center" title="{html.escape(reason)}">{sign}</td>')
            rows.append(f"<tr><th>{html.escape(name)}</th>{''.join(cells)}</tr>")
        return (
            "<table><caption>● runs at this time; · does not (hover for the reason)</caption>"
            f"<tr><th>time</th>{head}</tr>{''.join(rows)}</table>"
        )


def schedule(
    graph: CortexGraph,
    readout_time: int | Iterable[int] = (),
    presentation: Shows | None = None,
    *,
    record: Iterable[str] | Mapping[str, Iterable[int]] = (),
    until: int | None = None,
    silence: Mapping[str, When] | None = None,
) -> Schedule:
    """Determine the transitions that must run to read the last state, or to record states, at given times.

    A transition delivers at t if it is open at t, its source is populated at t - 1, and its target is needed at t.

    Parameters
    ----------
    graph : CortexGraph
    readout_time : int or iterable of int
        When the post-net reads the last state.
    presentation : Presentation or Mixture, optional
        The presentation; None means an image at time 0 only. For a mixture, everything that any component needs is run.
    record : iterable of str, or mapping of str to times
        States to record at every time up to `until`, or at the given times.
    until : int, optional
        Last time; by default the last requested time.
    silence : mapping of str to times, optional
        Additional closed transitions, by name or direction, as for `simulate`.

    Returns
    -------
    Schedule

    Raises
    ------
    EmptyStateError
        If the last state is empty at a readout time; the message names the times at which it is populated.
    ValueError
        If a time is negative or after `until`, or a state or transition is unknown.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32)
    >>> runs = cs.schedule(graph, readout_time=3, presentation=cs.flash(1))
    >>> len(runs.pairs)
    7
    """
    if not isinstance(graph, CortexGraph):
        raise TypeError(f"schedule needs a graph, such as model.graph, got {type(graph).__name__}")
    several: Any = readout_time if is_several(readout_time) else [readout_time]
    readouts = sorted({whole(time, "a readout time", 0, limit=MOST_STEPS) for time in several})
    until = until if until is None else whole(until, "until", limit=MOST_STEPS)
    end = max([*readouts, 0]) if until is None else until
    times = record if isinstance(record, Mapping) else {name: range(end + 1) for name in record}
    wanted = {graph.state(name).name: _listed(when, name) for name, when in times.items()}
    wanted[graph.last] = wanted.get(graph.last, set()) | set(readouts)
    asked = sorted(set().union(*wanted.values()))
    if asked and asked[0] < 0:
        raise ValueError(f"a time must be at least 0, got {asked[0]}")
    until = max([*asked, end]) if until is None else until
    if until < 0 or (asked and asked[-1] > until):
        raise ValueError(f"until must be at least the last time that is asked for, {max([*asked, 0])}, got {until}")
    closed = silenced(graph, silence)

    components = (None,) if presentation is None else presentation.components
    fronts = [populate(graph, component, until, closed) for component in components]
    for front in fronts:
        check_readouts(graph, front, readouts)
    return scheduled(graph, wanted, fronts, closed)


def _listed(times: Iterable[int], name: str) -> set[int]:
    """List the times at which a state is recorded."""
    listed = set(islice(times, MOST_STEPS + 2))
    if len(listed) > MOST_STEPS + 1:
        raise ValueError(f"{name} is recorded at more than {MOST_STEPS:,} times, which is the longest run")
    return listed


def scheduled(
    graph: CortexGraph,
    wanted: Mapping[str, Collection[int]],
    fronts: Sequence[tuple[frozenset[str], ...]],
    closed: Mapping[str, Times],
) -> Schedule:
    """Determine the transitions that must run, given the populated states at each time.

    Parameters
    ----------
    graph : CortexGraph
    wanted : mapping of str to times
        The times at which each state is needed.
    fronts : sequence of tuple of frozenset of str
        The populated states at each time, as `populate` returns them, for each component of the presentation.
    closed : mapping of str to Times
        The times at which transitions deliver nothing.
    """
    populated = tuple(frozenset().union(*states) for states in zip(*fronts, strict=True))
    until = len(populated) - 1
    remembering = {state.name for state in graph.states if "previous" in state.asks}
    needed = {name for name, when in wanted.items() if until in when}
    needed_at = [frozenset(needed)]
    backwards: list[list[tuple[str, int]]] = []
    skipped: dict[tuple[str, int], str] = {}
    for time in range(until, 0, -1):
        running = []
        for transition in graph.transitions:
            reason = _why_not(transition, time, populated, needed, closed)
            if reason:
                skipped[transition.name, time] = reason
            else:
                running.append(transition)
        backwards.append([(transition.name, time) for transition in running])
        asked = {name for name, when in wanted.items() if time - 1 in when}
        needed = {t.source for t in running} | asked | (needed & remembering)
        needed_at.insert(0, frozenset(needed))
    in_order = dict(sorted(skipped.items(), key=lambda item: item[0][1]))
    pairs = [pair for running_then in reversed(backwards) for pair in running_then]
    return Schedule(graph, tuple(pairs), in_order, populated, tuple(needed_at))


def populate(
    graph: CortexGraph, presentation: Component | None, until: int, closed: Mapping[str, Times] | None = None
) -> tuple[frozenset[str], ...]:
    """Return the populated states at each time from 0 to `until`, under one presentation.

    Raises
    ------
    ValueError
        If `until` is beyond the longest run that can be planned.
    """
    until = whole(until, "the last time", 0, unit="steps", limit=MOST_STEPS)
    started = frozenset(state.name for state in graph.states if state.start is not None)
    states: frozenset[str] = frozenset()
    front = []
    for time in range(until + 1):
        enters = time == 0 if presentation is None else presentation.shown(time) != "nothing"
        states = frozenset(
            t.target
            for t in graph.transitions
            if t.source in states and time in t.times and time not in (closed or {}).get(t.name, ())
        ) | (started | {graph.first} if enters else started)
        front.append(states)
    return tuple(front)


def arrival(graph: CortexGraph) -> int:
    """Return the time at which an image shown at time 0 first reaches the last state.

    A state that is populated earlier, because it starts as zeros, does not count as reached.

    Raises
    ------
    EmptyStateError
        If the image never reaches it, because a transition opens too late or closes too early.
    """
    now = frozenset({graph.first})
    if graph.last in now:
        return 0
    for start, stop, links in stretches(graph.transitions):
        # the shortest path visits no state twice
        n_steps = len(graph.states) if stop is None else min(stop - start, len(graph.states))
        passing = now
        for time in range(start, start + n_steps):
            passing = links.step(passing)
            if graph.last in passing:
                return time
        now = now if stop is None else links.after(now, stop - start)
    raise EmptyStateError(f"what is shown at time 0 never reaches {graph.last}; show the image for longer")


def check_readouts(graph: CortexGraph, front: tuple[frozenset[str], ...], readouts: Iterable[int]) -> None:
    """Refuse readout times at which the last state is empty.

    Raises
    ------
    EmptyStateError
        With the times at which it is populated.
    """
    reached = [time for time, states in enumerate(front) if graph.last in states]
    empty = [time for time in readouts if time not in reached]
    if empty:
        known = f"t = {', '.join(map(str, reached))}" if reached else "no time"
        raise EmptyStateError(
            f"nothing to read at time {empty[0]}: {graph.last} is empty then; "
            f"up to time {len(front) - 1} it is populated at {known}"
        )


def _why_not(
    transition: Transition,
    time: int,
    populated: tuple[frozenset[str], ...],
    needed: set[str],
    closed: Mapping[str, Times],
) -> str | None:
    if time not in transition.times:
        return "closed at this time"
    if time in closed.get(transition.name, ()):
        return "silenced"
    if transition.source not in populated[time - 1]:
        return "source empty"
    if transition.target not in needed:
        return "cannot reach the readout"
    return None
