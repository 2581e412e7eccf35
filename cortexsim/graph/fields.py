"""Fields of a unit by construction: the pixels that can reach it, and the units that it can reach. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortexsim._support.checks import one_of, whole
from cortexsim.graph._schedule import populate
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.graph.transitions import Convolution, Kind

Mask = NDArray[np.bool_]

PRE_NET_REACH: Mapping[str, int] = {"conv": 1, "deep": 3, "dilated": 46}
"""How far each pre-net reaches in every direction, in px; all at the resolution of the image."""


class Sustained:
    """A presentation that shows the image at every time, for a graph without a model."""

    @property
    def components(self) -> tuple[Sustained, ...]:
        """The presentation itself."""
        return (self,)

    def shown(self, time: int) -> str:
        """Return "image"."""
        return "image"


class Fields:
    """The links between positions of a graph, one time step apart.

    A normalization does not link positions: its moments are stored, or taken over the channels of a pixel.

    Parameters
    ----------
    graph : CortexGraph
        Without callables, whose reach is unknown.
    presentation : Presentation or Mixture
        The pixels of a picture enter when it is shown under any component.
    pre_net : str
        A name of `PRE_NET_REACH`.

    Raises
    ------
    ValueError
        If the graph has callables, or the reach of the pre-net is unknown.
    """

    def __init__(self, graph: CortexGraph, presentation: Any, pre_net: str) -> None:
        own = [t.name for t in graph.transitions if not isinstance(t.kind, str)]
        own += [f"the update of {state.name}" for state in graph.states if state.update is not None]
        if own:
            raise ValueError(
                f"how far {', '.join(own[:3])} can reach is not known from the graph; cs.protocols.sensitivity "
                "measures it with gradients"
            )
        one_of(pre_net, "pre_net with a known reach", PRE_NET_REACH)
        self.graph, self.presentation, self.reach = graph, presentation, PRE_NET_REACH[pre_net]

    def receptive(self, state: str, y: int, x: int, time: int) -> Mask:
        """Return the pixels, (time, y, x), that can reach a unit at a time, by the time at which they are shown."""
        front = self._front(time)
        first = self.graph.state(self.graph.first)
        found = np.zeros((time + 1, *first.size), dtype=bool)
        now = {state: _point(self.graph.state(state).size, y, x)} if state in front[time] else {}
        entering = [_near(side, self.reach) for side in first.size]
        for at in range(time, -1, -1):
            if self.graph.first in now and self._shows(at):
                found[at] = _through(now[self.graph.first], entering, backward=True)
            before: dict[str, Mask] = {}
            for transition in self.graph.transitions:
                source, target = transition.source, transition.target
                if target in now and at in transition.times and at > 0 and source in front[at - 1]:
                    sent = _through(now[target], self._links[transition.name], backward=True)
                    before[source] = before[source] | sent if source in before else sent
            now = before
        return found

    def projective(self, state: str, y: int, x: int, time: int, until: int) -> dict[str, Mask]:
        """Return the units of every state, (time, y, x) from 0 to `until`, that a unit at a time can reach."""
        front = self._front(until)
        found = {one.name: np.zeros((until + 1, *one.size), dtype=bool) for one in self.graph.states}
        if state in front[time]:
            found[state][time, y, x] = True
        for at in range(time + 1, until + 1):
            for transition in self.graph.transitions:
                source, target = transition.source, transition.target
                if at in transition.times and source in front[at - 1] and found[source][at - 1].any():
                    links = self._links[transition.name]
                    found[target][at] |= _through(found[source][at - 1], links, backward=False)
        return found

    def _front(self, until: int) -> tuple[frozenset[str], ...]:
        """Return the states that are populated at each time under any component."""
        fronts = [populate(self.graph, component, until) for component in self.presentation.components]
        return tuple(frozenset().union(*states) for states in zip(*fronts, strict=True))

    def _shows(self, time: int) -> bool:
        return any(component.shown(time) != "nothing" for component in self.presentation.components)

    @cached_property
    def _links(self) -> dict[str, list[Mask]]:
        """The positions that each transition links, along y and along x: each (target position, source position)."""
        links = {}
        for transition in self.graph.transitions:
            source = self.graph.state(transition.source)
            kind = Kind.parse(str(transition.kind))
            links[transition.name] = [
                _halved(side) if kind.function.pools else _convolved(side, self.graph.convolutions(transition.name))
                for side in source.size
            ]
        return links


def unit_of(graph: CortexGraph, state: str, y: int | None, x: int | None, time: int) -> tuple[str, int, int, int]:
    """Return a unit and a time; by default the unit in the middle of the state.

    Raises
    ------
    ValueError
        If there is no such state, unit or time.
    """
    height, width = graph.state(one_of(state, "state", graph.state_names)).size
    time = whole(time, "time", unit="steps", limit=MOST_STEPS)
    places = []
    for name, at, side in (("y", y, height), ("x", x, width)):
        middle = side // 2
        places.append(middle if at is None else whole(at, f"{name} in {state}", 0, side - 1))
    return state, places[0], places[1], time


def _convolved(side: int, convolutions: tuple[Convolution, ...]) -> Mask:
    """Return the positions that convolutions in a row link along one dimension, (output, input)."""
    # an identity shortcut needs no entry: at stride 1 kernels are odd, and include the position itself
    linked = np.eye(side, dtype=bool)
    for one in convolutions:
        linked = _product(_kernel(len(linked), one), linked)
    return linked


def _kernel(side: int, one: Convolution) -> Mask:
    """Return the positions that one convolution links along one dimension, (output, input)."""
    n_out = side * one.stride if one.transposed else -(-side // one.stride)
    linked = np.zeros((n_out, side), dtype=bool)
    near, far = np.arange(n_out)[:, None], np.arange(side)[None]
    # place of the weight that links an output with an input, as in torch
    place = near - far * one.stride if one.transposed else far - near * one.stride
    linked[(place >= -one.padding) & (place < one.size - one.padding)] = True
    return linked


def _halved(side: int) -> Mask:
    """Return the positions that 2x2 max-pooling links along one dimension, (output, input)."""
    halved: Mask = np.arange(side)[None] // 2 == np.arange(side // 2)[:, None]
    return halved


def _near(side: int, reach: int) -> Mask:
    places = np.arange(side)
    return abs(places[:, None] - places[None]) <= reach


def _point(size: tuple[int, int], y: int, x: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[y, x] = True
    return mask


def _through(mask: Mask, links: list[Mask], *, backward: bool) -> Mask:
    """Return the positions that those of a mask are linked with: square kernels act along y and x separately."""
    along_y, along_x = (link.T for link in links) if backward else links
    return _product(_product(along_y, mask), along_x.T)


def _product(a: Mask, b: Mask) -> Mask:
    """Return the product of two boolean matrices; floats, because BLAS multiplies no integers."""
    linked: Mask = (a.astype(np.float32) @ b.astype(np.float32)) > 0
    return linked
