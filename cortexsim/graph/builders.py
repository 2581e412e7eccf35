"""Builders of the paper's graphs: fully recurrent, adjacent, and the residual network as a recurrent network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from cortexsim._support.checks import finite, is_whole, one_of, shown, truth, whole
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Kind, Times, Transition


def fully_recurrent(
    features: Mapping[str, int],
    *,
    size: int | Sequence[int | tuple[int, int]],
    shortcut: bool | float = True,
    lateral: bool = True,
    feedback: bool = True,
    convolutions: int = 2,
) -> CortexGraph:
    """Link every state with every state.

    Self-transitions are BRCx2 with the identity, forward transitions BRCx2, backward transitions BRDx2 (Liao & Poggio
    2016, figure 4). Between states of the same size, backward transitions are BRCx2, too.

    Parameters
    ----------
    features : mapping of str to int
        Channels of each state, e.g. {"V1": 8, "V2": 16}.
    size : int or sequence
        Side of the first state in pixels, halved from state to state; or the side (or (height, width)) of each state.
    shortcut : bool or float
        Weight of the identity: True is 1 (the paper), False is 0 (a plain RNN), in between is a leaky integrator.
    lateral, feedback : bool
        Include self-transitions, and backward transitions (B, BL, BT and BLT of Spoerer et al. 2017).
    convolutions : 1 or 2
        Convolutions of a transition between two states; 2 in the paper. With 1 (BRCx1, BRDx1) the receptive field grows
        more slowly, so that integration over space takes more time. Self-transitions, which carry the identity,
        always have 2 convolutions.

    Raises
    ------
    ValueError
        If the graph is impossible; the message says why.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.fully_recurrent({"V1": 8, "V2": 16}, size=32)
    >>> [(transition.name, transition.kind) for transition in graph.transitions]
    [('V1->V1', 'BRCx2+I'), ('V1->V2', 'BRCx2'), ('V2->V1', 'BRDx2'), ('V2->V2', 'BRCx2+I')]
    """
    return _linked(features, size, shortcut, lateral, feedback, convolutions, farthest=None)


def adjacent(
    features: Mapping[str, int],
    *,
    size: int | Sequence[int | tuple[int, int]],
    shortcut: bool | float = True,
    lateral: bool = True,
    feedback: bool = True,
    convolutions: int = 2,
    self_transitions: bool = True,
) -> CortexGraph:
    """Link every state with itself and its neighbours; otherwise like `fully_recurrent`.

    `self_transitions` is the paper's term for `lateral`: if either is False, they are left out.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.adjacent({"V1": 8, "V2": 16, "IT": 32}, size=32, self_transitions=False)
    >>> graph.transition_names
    ['V1->V2', 'V2->V1', 'V2->IT', 'IT->V2']
    """
    self_transitions = truth(self_transitions, "self_transitions")
    return _linked(features, size, shortcut, lateral if self_transitions else False, feedback, convolutions, farthest=1)


def _linked(
    features: Mapping[str, int],
    size: int | Sequence[int | tuple[int, int]],
    shortcut: bool | float,
    lateral: bool,
    feedback: bool,
    convolutions: int,
    farthest: int | None,
) -> CortexGraph:
    if not is_whole(convolutions) or convolutions not in (1, 2):
        raise ValueError(f"convolutions must be 1 or 2, got {shown(convolutions)}")
    lateral, feedback = truth(lateral, "lateral"), truth(feedback, "feedback")
    states = _areas(features, size)
    weight = _weight(shortcut)
    transitions = []
    for i, source in enumerate(states):
        for j, target in enumerate(states):
            if (farthest is not None and abs(i - j) > farthest) or (i == j and not lateral) or (j < i and not feedback):
                continue
            larger = target.height > source.height or target.width > source.width
            kind = Kind.carrying(weight) if i == j else f"{'BRD' if larger else 'BRC'}x{convolutions}"
            transitions.append(Transition(source.name, target.name, kind))
    return CortexGraph(tuple(states), tuple(transitions))


def _weight(shortcut: bool | float) -> float:
    if isinstance(shortcut, bool | np.bool_):
        return float(shortcut)
    return finite(shortcut, "shortcut", 0, 1)


def _areas(features: Mapping[str, int], size: int | Sequence[int | tuple[int, int]]) -> list[State]:
    if not isinstance(features, Mapping):
        raise TypeError(
            "features must map each state to its channels, such as {'V1': 8, 'IT': 16}, got "
            f"{type(features).__name__}"
        )
    if not features:
        raise ValueError("a graph needs at least one state, got none")
    if is_whole(size):
        size = whole(size, "size", 1)
        if size % 2 ** (len(features) - 1):
            raise ValueError(
                f"a side of {size} cannot halve {len(features) - 1} times; "
                f"give a multiple of {2 ** (len(features) - 1)}, or size=(...) with the side of each state"
            )
        size = [size >> k for k in range(len(features))]
    if not isinstance(size, Sequence):
        raise TypeError(
            f"size must be a side in pixels, or the side (or height and width) of each state, got {shown(size)}"
        )
    if len(size) != len(features):
        raise ValueError(f"size gives {len(size)} sides for {len(features)} states: {list(features)}")
    sides = [side if isinstance(side, tuple | list) else (side, side) for side in size]
    return [State(name, n, height, width) for (name, n), (height, width) in zip(features.items(), sides, strict=True)]


def resnet(
    features: Mapping[str, int],
    *,
    size: int | Sequence[int | tuple[int, int]],
    steps: int,
    between: Literal["Conv", "Pool"] = "Conv",
    shortcut: bool | float = True,
) -> CortexGraph:
    """Build the residual network as a recurrent network: each state runs alone, then passes its activity on once.

    A state runs its self-transition for `steps` steps, then one step of `between` leads to the next state. The last
    state's self-transition stays open, so the network can run for longer. Liao & Poggio (2016), section 3 and
    figure 4; the times of the transitions between states are inferred.

    Parameters
    ----------
    features : mapping of str to int
        Channels of each state.
    size : int or sequence
        As in `fully_recurrent`.
    steps : int
        Steps of each state's self-transition; the natural readout time is `steps * states + states - 1`.
    between : "Conv" or "Pool"
        A strided 3x3 convolution, or 2x2 max-pooling (for states with equal numbers of channels).
    shortcut : bool or float
        Weight of the identity in the self-transitions.

    Raises
    ------
    ValueError
        If the graph is impossible, or `steps` is below 1; the message says why.

    Examples
    --------
    >>> import cortexsim as cs
    >>> graph = cs.resnet({"h1": 16, "h2": 32}, size=32, steps=3)
    >>> [transition.name for transition in graph.transitions]
    ['h1->h1', 'h1->h2', 'h2->h2']
    >>> cs.schedule(graph, readout_time=7).pairs[:4]
    (('h1->h1', 1), ('h1->h1', 2), ('h1->h1', 3), ('h1->h2', 4))
    """
    steps = whole(steps, "steps", 1)
    one_of(between, "between", ("Conv", "Pool"))
    states, weight = _areas(features, size), _weight(shortcut)
    transitions = []
    for k, state in enumerate(states):
        begin = k * (steps + 1) + 1
        end = None if state is states[-1] else begin + steps
        transitions.append(Transition(state.name, state.name, Kind.carrying(weight), Times(((begin, end),))))
        if end is not None:
            transitions.append(Transition(state.name, states[k + 1].name, between, Times(((end, end + 1),))))
    return CortexGraph(tuple(states), tuple(transitions))
