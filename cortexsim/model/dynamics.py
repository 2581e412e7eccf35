"""The dynamics of the model: the paper's equation as one `step`, and the only loop over time.

h_j(t) = Σ_i f_ij,t(h_i(t-1)) + [j is first] pre_net(frame t)        (Liao & Poggio 2016, section 3)

A state may have an update, which is applied to this sum, and a start, which is added to it at time 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from cortexsim.graph import computable as within
from cortexsim.graph._schedule import Schedule
from cortexsim.graph.states import asked_by
from cortexsim.graph.transitions import Convolution, Kind, Transition
from cortexsim.model.activity import Activity, Entrance, entering, entrances, in_rows, total
from cortexsim.model.calibrated import Calibrated
from cortexsim.model.hooks import Hook
from cortexsim.model.kernels import Affine, Kernels
from cortexsim.model.modes import undisturbed
from cortexsim.model.moments import Normalize, not_at_all
from cortexsim.model.nets import (
    DeepPreNet,
    MapPostNet,
    OwnPostNet,
    PostNet,
    channels_last,
    check_delivered,
    convolve,
)
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.presentation import AnyPresentation

Shape = tuple[int, int, int]
"""Channels, height and width of a state, for one stimulus."""


class Dynamics(Calibrated):
    """The computation of a graph with weights from one time to the next; `Cortex` adds weights.

    Attributes
    ----------
    weights : Kernels
        The kernels of the convolutions.
    affine : Affine
        The gains and biases of the normalizations of affine transitions.
    functions, updates : ModuleDict
        The user's own modules, by transition and by state.
    pre, post : Module
        The pre-net and the post-net.
    has_own_pre_net : bool
    input_gain : float
    n_classes, readout_time : int
    """

    weights: Kernels
    affine: Affine
    functions: nn.ModuleDict
    updates: nn.ModuleDict
    pre: nn.Module
    post: PostNet | MapPostNet | OwnPostNet
    n_classes: int
    readout_time: int
    has_own_pre_net: bool
    input_gain: float
    _asks: dict[str, frozenset[str]]
    _kinds: dict[str, Kind]
    _convolutions: dict[str, tuple[Convolution, ...]]

    def _read_graph(self) -> None:
        """Cache the properties of the graph that every step needs."""
        self._kinds = {t.name: Kind.parse(t.kind) for t in self.graph.transitions if isinstance(t.kind, str)}
        self._convolutions = {name: self.graph.convolutions(name) for name in self.graph.transition_names}
        self._asks = {name: asked_by(update) for name, update in self.updates.items()}
        for name, asked in self._asks.items():
            # the schedule knows only the graph, and must keep the previous state
            if "previous" in asked - self.graph.state(name).asks:
                raise ValueError(
                    f"the update of {name} uses its previous state, which a graph can detect only in a class or a "
                    "module: give State(update=...) the class itself, a module, or functools.partial of a class"
                )

    def _normalized_places(self) -> dict[str, int]:
        """Return the channels of each normalized place with no gain and bias of a post-net or a transition."""
        common = [t for t in self.graph.transitions if not t.affine]
        places = {t.source: self.graph.state(t.source).features for t in common if t.reads_rate}
        for name in (t.name for t in common):
            first, *others = self.graph.convolutions(name) or [None]
            if first is not None and others:
                places[name] = first.out_channels
        if isinstance(self.pre, DeepPreNet):
            places |= {f"pre_net:{k}": self.graph.states[0].features for k in range(len(self.pre.layers) - 1)}
        return places

    def computable(self, presentation: AnyPresentation, until: int) -> dict[str, set[int]]:
        """Return, for each state, the times at which it is populated and everything leading to it has weights."""
        return within.computable(self.graph, presentation, until, self.weights.has)

    def readable(self, presentation: AnyPresentation, until: int) -> list[int]:
        """Return the times at which the last state can be read for every stimulus, under every component."""
        return within.readable(self.graph, presentation, until, self.weights.has)

    def check_weights(self, planned: Schedule) -> None:
        """Raise an error if the model has no weights for a part of a schedule.

        Raises
        ------
        ValueError
            With the first such transition and time.
        """
        for name, time in planned:
            if not self.weights.has(name, time):
                raise ValueError(
                    f"{name} has no weights at time {time}: it contributes to no readout up to time "
                    f"{self.readout_time}, for which this model was made; read out or record only what leads to such a "
                    "readout, or make the model with a later readout_time"
                )

    def step(
        self,
        h: Mapping[str, Activity],
        time: int,
        transitions: Iterable[Transition],
        frame: Activity | None,
        normalize: Normalize,
        hook: Hook | None = None,
        resting: Mapping[str, Activity] | None = None,
        shapes: Mapping[str, Shape] | None = None,
    ) -> dict[str, Activity]:
        """Advance every state by one time: h_j(t) = Σ_i f_ij,t(h_i(t-1)) + [j is first] pre_net(frame t).

        Parameters
        ----------
        h : mapping of state name to Activity
            The populated states at `time` - 1.
        time : int
            The time that is computed.
        transitions : iterable of Transition
            The transitions that deliver at `time`.
        frame : Activity or None
            The output of the pre-net at `time`; None if nothing is shown.
        normalize : callable
            See `moments.Normalize`.
        hook : Hook, optional
            Changes the output of transitions and the activity of states.
        resting : mapping of state name to Activity, optional
            The content, without input, of the states that have a start.
        shapes : mapping of state name to (int, int, int), optional
            The shape of each state for one stimulus, which a user's modules must deliver; by default it is not checked.

        Returns
        -------
        dict of str to Activity
            The populated states at `time`; others are absent.
        """
        # a step reads only the previous step, so one step is one synapse; the output of a state is computed once for
        # all transitions without a gain and bias of their own
        rates: dict[str, Tensor] = {}
        terms: dict[str, dict[str, Activity]] = {}
        shapes = shapes or {}
        for transition in transitions:
            source = transition.source
            if source not in h:
                continue
            if source not in rates and self._reads_rate(transition.name) and not transition.affine:
                rates[source] = F.relu(normalize(h[source].values, source, time - 1))
            shape = shapes.get(transition.target)
            delivered = self.deliver(transition, time, h[source].values, rates.get(source), normalize, shape)
            arriving = Activity(delivered, h[source].rows)
            if hook is not None:
                arriving = hook.on_delivery(arriving, transition.name, time)
            terms.setdefault(transition.target, {})[transition.name] = arriving
        if frame is not None:
            terms.setdefault(self.graph.first, {})["pre_net"] = frame
        for state, rest in (resting or {}).items():
            arriving_there = terms.setdefault(state, {})
            # after time 0 these are zeros, which matter only for stimuli without input
            if time == 0 or all(part.rows is not None for part in arriving_there.values()):
                arriving_there["start"] = rest
        states = {
            state: self._update(state, time, arriving, h.get(state), shapes.get(state))
            for state, arriving in terms.items()
        }
        return states if hook is None else {name: hook.on_state(state, name, time) for name, state in states.items()}

    def deliver(
        self,
        transition: Transition,
        time: int,
        h: Tensor,
        rate: Tensor | None,
        normalize: Normalize,
        shape: Shape | None = None,
    ) -> Tensor:
        """Compute one transition function f_ij,t.

        Parameters
        ----------
        h, rate : Tensor, shape (row, channel, y, x)
            The source at `time` - 1, and relu(BN(h)), the input of the kinds BRC and BRD; None if an affine transition
            normalizes h with its own gain and bias.
        shape : (int, int, int), optional
            The shape of the target for one stimulus, which a user's module must deliver.
        """
        name = transition.name
        if name in self.functions:
            # a copy, because other transitions read h too, and a user's module may work in place
            return self._delivered(transition, self.functions[name](h.clone(), time), h, shape)
        kind, convolutions = self._kinds[name], self._convolutions[name]
        if kind.function.pools:
            return F.max_pool2d(h, 2)
        kernels = self.weights.of(name, time)
        if not kind.normalized:
            x = h
        elif rate is not None and not transition.affine:
            x = rate
        else:
            x = F.relu(normalize(h, transition.source, time - 1, *self._gain_and_bias(transition, time, 0)))
        x = convolve(x, kernels[0], convolutions[0])
        if len(kernels) == 2:
            x = F.relu(normalize(x, name, time, *self._gain_and_bias(transition, time, 1)))
            x = convolve(x, kernels[1], convolutions[1])
        return x if kind.shortcut == 0 else torch.add(x, h, alpha=kind.shortcut)

    def _delivered(self, transition: Transition, delivered: Tensor, h: Tensor, shape: Shape | None) -> Tensor:
        """Check the output of a user's transition, and return a copy, because the module may keep it and change it."""
        target = transition.target
        # the update of an area makes of what arrives what has the area's shape
        expected = None if target in self.updates else shape
        check_delivered(
            delivered,
            h,
            f"the transition {transition.name}",
            f"(stimulus, {', '.join(map(str, expected or ('channel', 'y', 'x')))}) to {target}",
            lambda one: len(one) == 3 and expected in (None, one),
        )
        return delivered.clone()

    def _gain_and_bias(self, transition: Transition, time: int, which: int) -> tuple[Tensor, ...]:
        """Return the gain and bias of the normalization before a convolution; nothing unless the transition is affine.

        The normalization then uses its own, if it has any.
        """
        if not transition.affine:
            return ()
        return self.affine.of(self.weights.key(transition.name, time, which))

    def first_convolution(self, transition: Transition, time: int, h: Tensor, normalize: Normalize) -> Tensor:
        """Compute the input of the inner BN of a transition with two convolutions."""
        convolution = self._convolutions[transition.name][0]
        kernel = self.weights.of(transition.name, time)[0]
        gain_and_bias = self._gain_and_bias(transition, time, 0)
        return convolve(F.relu(normalize(h, transition.source, time - 1, *gain_and_bias)), kernel, convolution)

    def _reads_rate(self, name: str) -> bool:
        """Return True if a transition reads relu(BN(h)) of its source rather than h."""
        return name in self._kinds and self._kinds[name].normalized

    def _update(
        self, state: str, time: int, arriving: Mapping[str, Activity], before: Activity | None, shape: Shape | None
    ) -> Activity:
        """Add up the inputs to a state, and apply its update."""
        if state not in self.updates:
            return total(list(arriving.values()))
        _refuse_different_sizes(state, arriving)
        activity = total(list(arriving.values()))
        # a sum is a new tensor; a single term may be the pre-net's output for all times, which must not change
        values = activity.values.clone() if len(arriving) == 1 else activity.values
        more: dict[str, Any] = {"time": time}
        asked = self._asks[state]
        if "arrivals" in asked:
            more["arrivals"] = {
                name: in_rows(part, activity).clone() for name, part in arriving.items() if name != "start"
            }
        if "previous" in asked:
            more["previous"] = None if before is None else in_rows(before, activity).clone()
        updated = self.updates[state](values, **{name: more[name] for name in asked})
        expected = shape or tuple(activity.values.shape[1:])
        wanted = f"(stimulus, {', '.join(map(str, expected))})"
        check_delivered(updated, activity.values, f"the update of {state}", wanted, lambda one: one == expected)
        # the module may keep its output and change it
        return activity._replace(values=updated.clone())

    def _present_shapes(self, entered: Tensor) -> dict[str, Shape]:
        """Return the shape of each state for one stimulus: training may shrink the images, and all states with them."""
        first = self.graph.states[0]
        found = {}
        for state in self.graph.states:
            height, width = (
                -(-side * now // full)
                for side, now, full in zip(state.size, entered.shape[-2:], first.size, strict=True)
            )
            found[state.name] = (state.features, height, width)
        return found

    def _resting(
        self, planned: Schedule, time: int, entered: Tensor, n: int, shapes: Mapping[str, Shape]
    ) -> dict[str, Activity]:
        """Return the content, without input, of the needed states with a start, for n stimuli."""
        found = {}
        for state in self.graph.states:
            if state.start is None or state.name not in planned.needed_at[time]:
                continue
            given = time == 0 and state.start != "zero"
            start = entered.new_tensor(state.start) if given else entered.new_zeros(1)
            found[state.name] = Activity(start.view(1, -1, 1, 1).expand(n, *shapes[state.name]))
        return found

    # --- through time --------------------------------------------------------------------------------------------

    def unroll(
        self,
        frames: Frames,
        planned: Schedule,
        normalize: Normalize,
        hook: Hook | None = None,
        *,
        recompute: bool = False,
        warmup: int = 0,
    ) -> Iterator[dict[str, Activity]]:
        """Run the model through time; the only time loop.

        Parameters
        ----------
        frames : Frames
            The pictures shown at each time.
        planned : Schedule
        normalize : callable
        hook : Hook, optional
            Changes the output of transitions and the activity of states.
        recompute : bool
            For gradients, store only the states and recompute the rest of each step: less memory, more time.
        warmup : int
            Last time that is computed without gradients: they reach back only to the state at this time.

        Yields
        ------
        dict of str to Activity
            The computed states at time 0, 1, ..., `planned.until`.
        """
        n = frames.lookup.shape[1]
        return self._unroll(frames.images, n, entrances(frames.lookup), planned, normalize, hook, recompute, warmup)

    def _unroll(
        self,
        images: Tensor,
        n: int,
        enters: Sequence[Entrance | None],
        planned: Schedule,
        normalize: Normalize,
        hook: Hook | None,
        recompute: bool,
        warmup: int,
    ) -> Iterator[dict[str, Activity]]:
        entered = self._enter(images, normalize)
        shapes = self._present_shapes(entered)
        again = partial(checkpoint, self.step, use_reentrant=False)
        advance: Callable[..., dict[str, Activity]] = again if recompute else self.step
        h: dict[str, Activity] = {}
        for time in range(planned.until + 1):
            with torch.set_grad_enabled(torch.is_grad_enabled() and (time > warmup or not warmup)):
                resting = self._resting(planned, time, entered, n, shapes)
                frame = entering(entered, enters[time])
                h = advance(h, time, planned.at(time), frame, normalize, hook, resting, shapes)
            yield h

    def read(
        self,
        frames: Frames,
        planned: Schedule,
        times: Sequence[int],
        normalize: Normalize,
        *,
        recompute: bool = False,
        warmup: int = 0,
    ) -> Tensor:
        """Run one trajectory over the given frames, without checks: logits (time, stimulus, class[, y, x])."""
        if not times:
            raise ValueError("times must name at least one readout time, got none")
        logits = {}
        # in two steps, so that torch.compile sees the whole time loop
        enters = entrances(frames.lookup)
        for time, h in enumerate(
            self._unroll(frames.images, frames.lookup.shape[1], enters, planned, normalize, None, recompute, warmup)
        ):
            if time in times:
                logits[time] = self.post(h[self.graph.last].values, self.graph.last, time, normalize)
        return torch.stack([logits[time] for time in times])

    @property
    def readout_shape(self) -> tuple[int, ...]:
        """Shape of the logits of one stimulus: (class,), or (class, y, x) of a map."""
        last, weight = self.graph.states[-1], next(self.parameters())
        with undisturbed(self), torch.no_grad():
            silent = torch.zeros((1, last.features, *last.size), device=weight.device, dtype=weight.dtype)
            logits = self.post(silent, last.name, self.readout_time, not_at_all)
        return tuple(logits.shape[1:])

    def _enter(self, images: Tensor, normalize: Normalize) -> Tensor:
        """Apply the pre-net to every distinct picture, once."""
        weight = next(self.parameters())
        images = channels_last(images.to(weight.device, weight.dtype))
        # a copy, because a user's module may work in place
        images = images.clone() if self.has_own_pre_net else images
        x = self.pre(images, normalize) if isinstance(self.pre, DeepPreNet) else self.pre(images)
        first = self.graph.states[0]
        if self.has_own_pre_net:
            stride = int(getattr(self.pre, "image_stride", 1))
            needed, given = [side * stride for side in first.size], list(images.shape[-2:])
            hint = (
                f"; that takes images of {_px(needed)}, and these have {_px(given)}: resize them, or use model.at_size"
            )
            one = (first.features, *first.size)
            check_delivered(
                x,
                images,
                "the pre-net",
                f"(stimulus, {', '.join(map(str, one))}) to {first.name}",
                lambda shape: shape == one,
                hint="" if needed == given else hint,
            )
            # the module may keep its output and change it
            x = x.clone()
        return x if self.input_gain == 1 else x * self.input_gain


def _refuse_different_sizes(state: str, arriving: Mapping[str, Activity]) -> None:
    """Refuse inputs that an area with an update would add up by broadcasting."""
    sizes = {name: tuple(part.values.shape[1:]) for name, part in arriving.items()}
    first, *others = sizes.values()
    if any(size != first for size in others):
        listed = ", ".join(f"{size} from {name}" for name, size in sizes.items())
        raise ValueError(f"what arrives at {state} is added up and must have one shape, got {listed}")


def _px(size: Sequence[int]) -> str:
    height, width = size
    return f"{height}x{width} px"
