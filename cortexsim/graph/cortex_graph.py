"""Cortical areas (states) and the transitions that link them: the transition matrix.

Liao & Poggio (2016), section 3. No torch here.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd

from cortexsim._support.checks import finite, shown, unknown, whole
from cortexsim.graph import saved as saved_as
from cortexsim.graph.linking import check_kind, check_link
from cortexsim.graph.reach import stretches
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Convolution, Kind, Times, Transition, When, module_name

Named = TypeVar("Named", State, Transition)


MOST_STATES = 1_000


@dataclass(frozen=True)
class CortexGraph:
    """States linked by transitions; the first state receives the image, the last one is read out.

    Parameters
    ----------
    states : sequence of State
        In anatomical order.
    transitions : sequence of Transition
        Transitions between the same pair of states need different labels.

    Raises
    ------
    ValueError
        If the graph is impossible; the message says why.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32)
    >>> graph.matrix(time=1)
    target       V1       V2       IT
    source
    V1      BRCx2+I    BRCx2
    V2        BRDx2  BRCx2+I    BRCx2
    IT                 BRDx2  BRCx2+I
    >>> graph.without("V2->V1").transition_names
    ['V1->V1', 'V1->V2', 'V2->V2', 'V2->IT', 'IT->V2', 'IT->IT']
    """

    states: tuple[State, ...]
    transitions: tuple[Transition, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", tuple(self.states))
        object.__setattr__(self, "transitions", tuple(self.transitions))
        if not self.states:
            raise ValueError("a graph needs at least one state, got none")
        if len(self.states) > MOST_STATES:
            raise ValueError(f"a graph may have up to {MOST_STATES:,} states, got {len(self.states):,}")
        for what, names in (("states", self.state_names), ("transitions", self.transition_names)):
            twice = sorted(name for name, n in Counter(names).items() if n > 1)
            if twice:
                raise ValueError(f"{what} must have different names, got {twice} more than once")
        for transition in self.transitions:
            for end in (transition.source, transition.target):
                if end not in self.state_names:
                    raise ValueError(f"transition {transition.name!r}: {unknown('state', end, self.state_names)}")
            self._check_link(transition)
        if self.states[-1].name not in self._ever_populated():
            raise ValueError(
                f"nothing ever reaches the last state {self.last!r}: no path of open transitions from {self.first!r}"
            )

    def _check_link(self, transition: Transition) -> None:
        named = check_kind(transition)
        if named:
            source, target = self.state(transition.source), self.state(transition.target)
            check_link(transition, source, target, self.doublings(transition))

    def _ever_populated(self) -> set[str]:
        """Return the states that a signal reaches at some time, in a run of any length."""
        # an image may be shown at any time, so the first state counts as populated throughout
        now, ever = frozenset({self.first}), {self.first}
        for start, stop, links in stretches(self.transitions):
            n_steps = None if stop is None else stop - start
            ever |= links.within(now, n_steps)
            if n_steps is not None:
                # a signal that left the first state at any time of the stretch is somewhere on the paths from there
                now = links.after(now, n_steps) | links.within({self.first}, n_steps) | {self.first}
        return ever

    @property
    def state_names(self) -> list[str]:
        """Names of the states, in anatomical order."""
        return [state.name for state in self.states]

    @property
    def transition_names(self) -> list[str]:
        """Names of the transitions, in running order."""
        return [transition.name for transition in self.transitions]

    @property
    def first(self) -> str:
        """Name of the state that the pre-net feeds."""
        return self.states[0].name

    @property
    def last(self) -> str:
        """Name of the state that the post-net reads."""
        return self.states[-1].name

    def state(self, name: str) -> State:
        """Return the state with this name.

        Raises
        ------
        ValueError
            If the graph has no such state; the message suggests the nearest name.
        """
        return _named("state", name, self.states)

    def transition(self, name: str) -> Transition:
        """Return the transition with this name.

        Raises
        ------
        ValueError
            If the graph has no such transition; the message suggests the nearest name.
        """
        return _named("transition", name, self.transitions)

    def doublings(self, transition: Transition) -> int:
        """Count how many times the side doubles from source to target; negative if it halves.

        Raises
        ------
        ValueError
            If the ratio of the sides is not a power of two, or differs between height and width.
        """
        source, target = self.state(transition.source), self.state(transition.target)
        steps = []
        for before, after in zip(source.size, target.size, strict=True):
            large, small = max(before, after), min(before, after)
            power = (large // small).bit_length() - 1
            if small << power != large:
                raise ValueError(
                    f"{transition.name}: the ratio of the sides {before} and {after} is not a power of two; "
                    f"{source.name} is {source.height}x{source.width}, {target.name} {target.height}x{target.width}"
                )
            steps.append(power if after > before else -power)
        if steps[0] != steps[1]:
            raise ValueError(
                f"{transition.name}: height and width change by different ratios, "
                f"{source.height}x{source.width} to {target.height}x{target.width}"
            )
        return steps[0]

    def convolutions(self, name: str) -> tuple[Convolution, ...]:
        """Return the convolutions of a transition, in order; none for Pool and for a callable."""
        return self._convolutions[self.transition(name).name]

    @cached_property
    def _convolutions(self) -> dict[str, tuple[Convolution, ...]]:
        # looked up at every step of every run, so computed once
        return {transition.name: self._bridge(transition) for transition in self.transitions}

    def _bridge(self, transition: Transition) -> tuple[Convolution, ...]:
        if not isinstance(transition.kind, str):
            return ()
        source, target = self.state(transition.source), self.state(transition.target)
        function = Kind.parse(transition.kind).function
        doublings = self.doublings(transition)
        return function.convolutions(source.features, target.features, doublings, transition.kernel_size)

    def affine(self, name: str) -> dict[int, Convolution]:
        """Return the convolutions of a transition whose input has a gain and a bias, by place; none if not affine."""
        transition = self.transition(name)
        if not transition.affine:
            return {}
        convolutions = self.convolutions(name)
        return {k: convolutions[k] for k in Kind.parse(str(transition.kind)).function.normalized_layers}

    def multiply_adds(self, name: str) -> int:
        """Count the multiplications (each with an addition) of a transition for one stimulus in one step.

        Raises
        ------
        ValueError
            If the transition is a callable, whose multiplications only a model can count.
        """
        transition = self.transition(name)
        if not isinstance(transition.kind, str):
            raise ValueError(
                f"{name} ({transition.kind_name}) is a callable, whose multiplications a graph cannot count; "
                "cs.multiply_adds(model) counts them"
            )
        height, width = self.state(transition.source).size
        count = 0
        for convolution in self.convolutions(name):
            # every kernel weight is applied at each position of the smaller map: the output, or the input if transposed
            if not convolution.transposed:
                height, width = -(-height // convolution.stride), -(-width // convolution.stride)
            count += math.prod(convolution.kernel_shape) * height * width
            if convolution.transposed:
                height, width = height * convolution.stride, width * convolution.stride
        return count

    def without(self, name: str, times: When = None) -> CortexGraph:
        """Return a graph in which a transition is closed at some times, or removed (times=None).

        Raises
        ------
        ValueError
            If the transition does not exist, or the last state can no longer be reached.
        """
        transition = self.transition(name)
        left = transition.times.without(Times.of(times))
        changed = [replace(t, times=left) if t is transition else t for t in self.transitions]
        return replace(self, transitions=tuple(t for t in changed if t.times))

    def with_transition(
        self,
        source: str,
        target: str,
        kind: str | Callable[..., Any],
        times: When = None,
        *,
        label: str = "",
        kernel_size: int | None = None,
        affine: bool = False,
    ) -> CortexGraph:
        """Return a graph with one more transition; the arguments are those of `Transition`.

        Raises
        ------
        ValueError
            If the two states are already linked under the same label, or the kind cannot link them.
        """
        added = Transition(source, target, kind, Times.of(times), label, kernel_size, affine)
        if added.name in self.transition_names:
            raise ValueError(
                f"{added.name} exists already ({self.transition(added.name).description}); "
                f"remove it first: graph.without({added.name!r}), or give the new one a different label"
            )
        order = {name: position for position, name in enumerate(self.state_names)}
        both = [*self.transitions, added]
        both.sort(key=lambda t: (order.get(t.source, len(order)), order.get(t.target, len(order))))
        return replace(self, transitions=tuple(both))

    @property
    def shortcut(self) -> float | None:
        """The weight λ of the identity shortcuts; None if no transition can carry one.

        Raises
        ------
        ValueError
            If the shortcuts have different weights.
        """
        weights = {Kind.parse(str(t.kind)).shortcut for t in self.transitions if _may_carry(t)}
        if len(weights) > 1:
            raise ValueError(f"the shortcuts have different weights: {sorted(weights)}")
        return next(iter(weights), None)

    def with_shortcut(self, weight: float) -> CortexGraph:
        """Return a graph whose self-transitions carry an identity shortcut of the given weight λ.

        Raises
        ------
        ValueError
            If the weight is not between 0 and 1, or the graph has no BRCx2 self-transition to carry it.
        """
        weight = finite(weight, "the weight of a shortcut", 0, 1)
        if not any(_may_carry(t) for t in self.transitions):
            raise ValueError(
                "no transition of this graph can carry an identity shortcut: there is no self-transition BRCx2"
            )
        kind = Kind.carrying(weight)
        return replace(self, transitions=tuple(replace(t, kind=kind) if _may_carry(t) else t for t in self.transitions))

    def at_size(self, size: int | tuple[int, int]) -> CortexGraph:
        """Return the same graph for a larger or smaller image.

        Parameters
        ----------
        size : int or (int, int)
            Size of the first state, px: a side, or height and width.

        Raises
        ------
        ValueError
            If the size of a state would not be a whole number of pixels.
        """
        pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
        if len(pair) != 2:
            raise ValueError(f"size must be a whole number of px, or height and width, got {shown(size)}")
        new = tuple(whole(side, "size", 1, unit="px") for side in pair)
        first = self.states[0]
        states = []
        for state in self.states:
            sides = [Fraction(side * to, was) for side, to, was in zip(state.size, new, first.size, strict=True)]
            if any(side.denominator > 1 for side in sides):
                step = [
                    math.lcm(*(Fraction(s.size[k], first.size[k]).denominator for s in self.states)) for k in (0, 1)
                ]
                allowed = f"multiples of {step[0]}" + (f" by multiples of {step[1]}" if step[0] != step[1] else "")
                raise ValueError(
                    f"an image of {new[0]}x{new[1]} px would make {state.name} "
                    f"{float(sides[0]):g}x{float(sides[1]):g} px: allowed are {allowed}"
                )
            states.append(replace(state, height=int(sides[0]), width=int(sides[1])))
        return replace(self, states=tuple(states))

    def with_update(self, name: str, update: Callable[..., Any] | None) -> CortexGraph:
        """Return a graph in which a state has an update: a module, or `update(state) -> Module`."""
        state = self.state(name)
        return replace(self, states=tuple(replace(s, update=update) if s is state else s for s in self.states))

    def matrix(self, time: int | None = None) -> pd.DataFrame:
        """Return the transition matrix of the paper.

        Parameters
        ----------
        time : int, optional
            Include only the transitions that may deliver at this time; None includes all, with their times if limited.

        Returns
        -------
        DataFrame
            Kinds as text: a row for each source, a column for each target, "" without a transition. Several
            transitions between one pair of states are separated by " | ".

        Raises
        ------
        ValueError
            If `time` is below 1.
        """
        time = None if time is None else whole(time, "time", 1)
        names = self.state_names
        table = pd.DataFrame("", index=pd.Index(names, name="source"), columns=pd.Index(names, name="target"))
        for transition in self.transitions:
            if time is not None and time not in transition.times:
                continue
            limited = time is None and not transition.times.always
            text = f"{transition.description} ({transition.times})" if limited else transition.description
            text = f"{transition.label}: {text}" if transition.label else text
            before = table.loc[transition.source, transition.target]
            table.loc[transition.source, transition.target] = f"{before} | {text}" if before else text
        return table

    def __str__(self) -> str:
        sizes = ", ".join(f"{s.name} {s.height}x{s.width}x{s.features}" for s in self.states)
        return f"CortexGraph: {sizes}\n{self.matrix().replace('', '·').to_string()}"

    def _repr_html_(self) -> str:
        order = {name: position for position, name in enumerate(self.state_names)}
        # blue, orange and purple of Okabe & Ito (2008), safe for colour-blind readers; translucent for both themes
        colours = {1: "rgba(0,114,178,.28)", 0: "rgba(204,121,167,.28)", -1: "rgba(230,159,0,.30)"}
        head = "".join(f"<th>{s.name}<br><small>{s.height}×{s.width}×{s.features}</small></th>" for s in self.states)
        rows = []
        table = self.matrix()
        for source in self.states:
            cells = []
            for target in self.states:
                step = order[target.name] - order[source.name]
                text = html.escape(str(table.loc[source.name, target.name]))
                colour = colours[(step > 0) - (step < 0)] if text else "transparent"
                cells.append(f'<td style="background:{colour};text-align:center">{text or "·"}</td>')
            rows.append(f"<tr><th>{source.name}</th>{''.join(cells)}</tr>")
        return (
            "<table><caption>Transition matrix: from the row's state to the column's. "
            "Blue feedforward, pink lateral, orange feedback.</caption>"
            f"<tr><th>from \\ to</th>{head}</tr>{''.join(rows)}</table>"
        )

    @property
    def has_callables(self) -> bool:
        """True if a transition or an update is a callable, which files contain only by name."""
        return any(not isinstance(t.kind, str) for t in self.transitions) or any(s.update for s in self.states)

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as plain lists and strings, for JSON; callables are given by name."""
        return {
            "states": [
                {
                    "name": s.name,
                    "features": s.features,
                    "size": list(s.size),
                    "update": None if s.update is None else module_name(s.update),
                    # only if there is one, because files and statistics of earlier versions have none
                    **({"start": s.start} if s.start is not None else {}),
                }
                for s in self.states
            ],
            "transitions": [
                {
                    "source": t.source,
                    "target": t.target,
                    "kind": t.kind_name,
                    "custom": not isinstance(t.kind, str),
                    "times": [list(interval) for interval in t.times.intervals],
                    **saved_as.chosen(t),
                }
                for t in self.transitions
            ],
        }

    @classmethod
    def from_dict(
        cls, saved: Mapping[str, Any], modules: Mapping[str, Callable[..., Any]] | None = None
    ) -> CortexGraph:
        """Build a graph from the plain values of `to_dict`; callables come from `modules`, by name.

        Raises
        ------
        ValueError, TypeError
            If `modules` lacks a callable, or a value is missing, unknown or of another type.
        """
        saved = saved_as.GRAPH.read(saved)
        read_states, read_transitions = (
            map(saved_as.STATE.read, saved["states"]),
            map(saved_as.TRANSITION.read, saved["transitions"]),
        )
        states = [
            State(
                s["name"],
                s["features"],
                s["size"][0],
                s["size"][1],
                given(modules, s["update"], f"update of {s['name']}"),
                s.get("start"),
            )
            for s in read_states
        ]
        transitions = [
            Transition(
                t["source"],
                t["target"],
                given(modules, t["kind"], f"transition {t['source']}->{t['target']}") if t["custom"] else t["kind"],
                Times(tuple((start, stop) for start, stop in t["times"])),
                **{name: t[name] for name in saved_as.CHOSEN if name in t},
            )
            for t in read_transitions
        ]
        return cls(tuple(states), tuple(transitions))


def _named(what: str, name: str, members: Sequence[Named]) -> Named:
    for member in members:
        if member.name == name:
            return member
    raise ValueError(unknown(what, name, [member.name for member in members]))


def _may_carry(transition: Transition) -> bool:
    return (
        transition.source == transition.target
        and isinstance(transition.kind, str)
        and Kind.parse(transition.kind).carries
    )


def given(modules: Mapping[str, Callable[..., Any]] | None, name: str | None, purpose: str) -> Any:
    """Look up a callable that was saved by name.

    Raises
    ------
    ValueError
        If `modules` lacks it.
    """
    if name is None:
        return None
    if name not in (modules or {}):
        raise ValueError(
            f"the {purpose} was saved by its name {name!r}, because files contain no code; "
            f"pass it again: modules={{{name!r}: ...}}; got {sorted(modules or {})}"
        )
    return (modules or {})[name]
