"""The states that a signal reaches between two changes of the open transitions, after any number of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cortexsim.graph.transitions import Transition

MOST_STEPS = 10_000
"""The longest run that can be planned, in steps."""


def stretches(transitions: Sequence[Transition]) -> Iterator[tuple[int, int | None, Links]]:
    """Yield (start, stop, links) of the stretches of time, from time 1, in which the same transitions are open."""
    edges = {edge for t in transitions for interval in t.times.intervals for edge in interval if edge is not None}
    for start, stop in pairwise([*sorted({1, *edges}), None]):
        assert start is not None
        yield start, stop, Links(t for t in transitions if start in t.times)


class Links:
    """The transitions that are open in a stretch of time.

    Parameters
    ----------
    transitions : iterable of Transition
    """

    def __init__(self, transitions: Iterable[Transition]) -> None:
        pairs = [(t.source, t.target) for t in transitions]
        self._names = sorted({name for pair in pairs for name in pair})
        self._index = {name: k for k, name in enumerate(self._names)}
        # for each state, the states to which it delivers, as the bits of an integer
        self._rows = [0] * len(self._names)
        for source, target in pairs:
            self._rows[self._index[source]] |= 1 << self._index[target]

    def step(self, states: Iterable[str]) -> frozenset[str]:
        """Return the states to which the given states deliver in one step."""
        return self.after(states, 1)

    def after(self, states: Iterable[str], n_steps: int) -> frozenset[str]:
        """Return the states that a signal from the given states occupies after exactly n steps.

        Computed by repeated squaring: 10**12 steps take 40 doublings.
        """
        now, rows = self._bits(states), self._rows
        while n_steps:
            if n_steps & 1:
                now = _image(rows, now)
            n_steps >>= 1
            if n_steps:
                rows = [_image(rows, row) for row in rows]
        return frozenset(name for name, k in self._index.items() if now >> k & 1)

    def within(self, states: Iterable[str], n_steps: int | None) -> frozenset[str]:
        """Return the states that a signal from the given states visits in at most n steps; None means any number."""
        now, left = self._bits(states), len(self._names) if n_steps is None else min(n_steps, len(self._names))
        for _ in range(left):
            now |= _image(self._rows, now)
        return frozenset(name for name, k in self._index.items() if now >> k & 1)

    def _bits(self, states: Iterable[str]) -> int:
        return sum(1 << self._index[name] for name in set(states) if name in self._index)


def _image(rows: Sequence[int], states: int) -> int:
    found = 0
    while states:
        lowest = states & -states
        found |= rows[lowest.bit_length() - 1]
        states ^= lowest
    return found
