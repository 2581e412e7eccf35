"""The recurrent model of visual cortex: pre-net, transitions, post-net, and one `step`.

h_j(t) = Σ_i f_ij,t(h_i(t-1)) + [j is first] pre_net(frame t)        (Liao & Poggio 2016, section 3)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from cortexsim._support.checks import unknown, whole
from cortexsim.graph._schedule import Schedule, populate, schedule
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.transitions import Kind, Transition, module_name
from cortexsim.model.activity import Activity, entering, total
from cortexsim.model.hooks import Hook
from cortexsim.model.kernels import Kernels, Pair
from cortexsim.model.moments import (
    NORMALIZATIONS,
    Normalize,
    Statistics,
    Stored,
    by_batch,
    choose,
    not_at_all,
)
from cortexsim.model.nets import DeepPreNet, PostNet, convolve, count_parameters, module_of
from cortexsim.stimuli.images import as_float, check_images
from cortexsim.stimuli.presentation import AnyPresentation, Frames, checked, flash, sustained


class Cortex(nn.Module):
    """A recurrent model of the ventral stream.

    Parameters
    ----------
    graph : CortexGraph
    n_classes : int
    readout_time : int
        When the post-net reads the last state; weights exist for what contributes to readouts up to this time.
    pre_net : "conv", "deep" or Module
        One 3x3 convolution; three with BN-ReLU between them; or a module of images to (stimulus, channel, y, x) of the
        first state, which owns its normalization.
    input_gain : float
        A fixed factor on what the pre-net delivers; the paper's is 1.
    sharing : "time", "none", "all", mapping or callable
        From (transition name, time, which convolution: 0 or 1) to the key of the kernel: pairs of one key are tied, the
        paper's set S. "time" ties all times, "none" nothing, "all" every convolution of every transition.
    normalization : "time-specific", "shared" or "none"

    Raises
    ------
    ValueError
        If an argument is not allowed, or tied convolutions differ in shape; the message says why.
    EmptyStateError
        If nothing can reach the last state at the readout time.
    """

    def __init__(
        self,
        graph: CortexGraph,
        n_classes: int = 10,
        readout_time: int = 5,
        pre_net: str | nn.Module = "conv",
        input_gain: float = 1.0,
        sharing: str | Mapping[Pair, Hashable] | Callable[[str, int, int], Hashable] = "time",
        normalization: str = "time-specific",
    ) -> None:
        super().__init__()
        n_classes = whole(n_classes, "n_classes", 1)
        readout_time = whole(readout_time, "readout_time", 1, unit="steps")
        if normalization not in NORMALIZATIONS:
            raise ValueError(unknown("normalization", normalization, NORMALIZATIONS))
        if not math.isfinite(input_gain) or input_gain <= 0:
            raise ValueError(f"input_gain must be a positive number, got {input_gain!r}")
        self.graph, self.n_classes, self.readout_time = graph, n_classes, readout_time
        self.input_gain, self.normalization = float(input_gain), normalization
        self.statistics: dict[AnyPresentation, Statistics] = {}
        self.classes: list[str] | None = None
        self.about: dict[str, Any] = {}

        first, last = graph.states[0], graph.states[-1]
        self.pre: nn.Module
        self.has_own_pre_net = isinstance(pre_net, nn.Module)
        if isinstance(pre_net, nn.Module):
            self.pre, self.pre_net_name = pre_net, module_name(pre_net)
        elif pre_net == "conv":
            self.pre, self.pre_net_name = nn.Conv2d(3, first.features, 3, padding=1, bias=False), pre_net
        elif pre_net == "deep":
            self.pre, self.pre_net_name = DeepPreNet(first.features), pre_net
        else:
            raise ValueError(unknown("pre_net", pre_net, ("conv", "deep", "or a torch.nn.Module")))
        self.post = PostNet(last.features, n_classes)

        # an image at every time populates all that any presentation can, so these are the pairs that may ever matter
        front = populate(graph, sustained(), readout_time)
        readable = [time for time, states in enumerate(front) if graph.last in states and time < readout_time]
        own = schedule(graph, [*readable, readout_time], sustained())
        self.weights = Kernels(own, sharing)
        self.functions = nn.ModuleDict(
            {
                t.name: t.kind(graph.state(t.source), graph.state(t.target))
                for t in graph.transitions
                if not isinstance(t.kind, str)
            }
        )
        self.updates = nn.ModuleDict({s.name: module_of(s.update, s) for s in graph.states if s.update is not None})
        for module in (self.pre, self.post):
            for convolution in module.modules():
                if isinstance(convolution, nn.Conv2d) and not self.has_own_pre_net:
                    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        self.to(memory_format=torch.channels_last)

    # --- weights -------------------------------------------------------------------------------------------------

    @property
    def sharing(self) -> str | dict[Pair, str]:
        """The rule of sharing, or the table from (transition, time, which convolution) to a key."""
        return self.weights.sharing

    def kernels(self, name: str, time: int) -> tuple[Tensor, ...]:
        """Return the kernels that a transition uses at a time, in order.

        Raises
        ------
        KeyError
            If it uses none then; the message says why.
        ValueError
            If the graph has no such transition.
        """
        transition = self.graph.transition(name)
        convolutions = self.graph.convolutions(name)
        if not convolutions:
            raise KeyError(f"{name} ({transition.kind_name}) has no convolutions of the model's own")
        if time not in transition.times:
            raise KeyError(f"{name} is closed at time {time}: it delivers {transition.times}")
        if not self.weights.has(name, time):
            raise KeyError(
                f"{name} has no weights at time {time}: it does not contribute to any readout up to time "
                f"{self.readout_time}, for which this model was made"
            )
        return tuple(self.weights.of(name, time))

    def computable(self, presentation: AnyPresentation, until: int) -> dict[str, set[int]]:
        """Return, for each state, the times at which it is populated and all that leads there has weights."""
        known: set[tuple[str, int]] = set()
        union = [populate(self.graph, component, until) for component in presentation.components]
        for time in range(until + 1):
            before = frozenset().union(*(front[time - 1] for front in union)) if time else frozenset()
            now: frozenset[str] = frozenset().union(*(front[time] for front in union))
            delivering = [t for t in self.graph.transitions if t.source in before and time in t.times]
            for state in now:
                incoming = [t for t in delivering if t.target == state]
                if all((t.source, time - 1) in known and self.weights.has(t.name, time) for t in incoming):
                    known.add((state, time))
        return {s: {time for name, time in known if name == s} for s in self.graph.state_names}

    def readable(self, presentation: AnyPresentation, until: int) -> list[int]:
        """Return the times at which the last state can be read for every stimulus, whatever the mixture draws."""
        fronts = [populate(self.graph, component, until) for component in presentation.components]
        known = self.computable(presentation, until)[self.graph.last]
        return [time for time in sorted(known) if all(self.graph.last in front[time] for front in fronts)]

    def n_parameters(self, readout_time: int | None = None, presentation: AnyPresentation | None = None) -> int:
        """Count the weights that contribute to a readout: convolutions and the final layer; BN is not counted.

        Parameters
        ----------
        readout_time : int, optional
            By default the model's own.
        presentation : Presentation, optional
            By default `flash(1)`.
        """
        time = self.readout_time if readout_time is None else readout_time
        planned = _plan(self.graph, (time,), presentation or flash(1))
        self.check_weights(planned)
        keys = {key for name, when in planned for key in self.weights.used_by(name, when)}
        modules = [self.functions[name] for name in {name for name, _ in planned} if name in self.functions]
        reached = set().union(*planned.states_at)
        modules += [self.pre, self.post.linear, *(m for name, m in self.updates.items() if name in reached)]
        return sum(self.weights[key].numel() for key in keys) + sum(count_parameters(module) for module in modules)

    def checksum(self) -> str:
        """Return a checksum of weights, buffers and input gain, which statistics and recordings belong to.

        Worked out anew each time: a lesion by `kernel.data` leaves no trace that a stored one could be trusted by.
        """
        digest = hashlib.sha256(repr(self.input_gain).encode())
        for name, value in self.state_dict().items():
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    # --- one step ------------------------------------------------------------------------------------------------

    def step(
        self,
        h: Mapping[str, Activity],
        time: int,
        transitions: Iterable[Transition],
        frame: Activity | None,
        normalize: Normalize,
        hook: Hook | None = None,
    ) -> dict[str, Activity]:
        """Advance every state by one time: h_j(t) = Σ_i f_ij,t(h_i(t-1)) + [j is first] pre_net(frame t).

        Parameters
        ----------
        h : mapping of state name to Activity
            The populated states at `time` - 1.
        time : int
            The time that is computed.
        transitions : iterable of Transition
            Those that deliver at `time`.
        frame : Activity or None
            What the pre-net delivers at `time`; None where nothing is shown.
        normalize : callable
            See `statistics.Normalize`.
        hook : Hook, optional
            Changes what is delivered and held.

        Returns
        -------
        dict of str to Activity
            The populated states at `time`; others are absent.
        """
        # a step reads only the previous step, so one step is one synapse; what leaves a state is computed once for all
        rates: dict[str, Tensor] = {}
        terms: dict[str, list[Activity]] = {}
        for transition in transitions:
            source = transition.source
            if source not in h:
                continue
            if source not in rates and transition.reads_rate:
                rates[source] = F.relu(normalize(h[source].values, source, time - 1))
            delivered = self.deliver(transition, time, h[source].values, rates.get(source), normalize)
            arriving = Activity(delivered, h[source].rows)
            if hook is not None:
                arriving = hook.on_delivery(arriving, transition.name, time)
            terms.setdefault(transition.target, []).append(arriving)
        if frame is not None:
            terms.setdefault(self.graph.first, []).append(frame)
        states = {state: self._update(state, total(arriving)) for state, arriving in terms.items()}
        return states if hook is None else {name: hook.on_state(held, name, time) for name, held in states.items()}

    def deliver(
        self, transition: Transition, time: int, h: Tensor, rate: Tensor | None, normalize: Normalize
    ) -> Tensor:
        """Compute one transition function f_ij,t.

        Parameters
        ----------
        h, rate : Tensor, shape (row, channel, y, x)
            The source at `time` - 1, and relu(BN(h)), which the kinds BRC and BRD read.
        """
        if not isinstance(transition.kind, str):
            return self.functions[transition.name](h, time)
        kind = Kind.parse(transition.kind)
        if kind.family == "Pool":
            return F.max_pool2d(h, 2)
        convolutions = self.graph.convolutions(transition.name)
        kernels = self.weights.of(transition.name, time)
        x = convolve(rate if kind.normalized and rate is not None else h, kernels[0], convolutions[0])
        if len(kernels) == 2:
            x = F.relu(normalize(x, transition.name, time))
            x = convolve(x, kernels[1], convolutions[1])
        return x if kind.shortcut == 0 else torch.add(x, h, alpha=kind.shortcut)

    def first_convolution(self, transition: Transition, time: int, h: Tensor, normalize: Normalize) -> Tensor:
        """Compute what the inner BN of a transition of two convolutions normalizes."""
        convolution = self.graph.convolutions(transition.name)[0]
        kernel = self.weights.of(transition.name, time)[0]
        return convolve(F.relu(normalize(h, transition.source, time - 1)), kernel, convolution)

    def _update(self, state: str, activity: Activity) -> Activity:
        if state not in self.updates:
            return activity
        return activity._replace(values=self.updates[state](activity.values))

    # --- through time --------------------------------------------------------------------------------------------

    def unroll(
        self,
        frames: Frames,
        planned: Schedule,
        normalize: Normalize,
        hook: Hook | None = None,
        *,
        checkpointed: bool = False,
    ) -> Iterator[dict[str, Activity]]:
        """Run the model through time; the only time loop.

        Parameters
        ----------
        frames : Frames
            What is shown when.
        planned : Schedule
        normalize : callable
        hook : Hook, optional
            Changes what is delivered and held.
        checkpointed : bool
            For gradients keep the states alone, and compute again what happens within a step: less memory, more time.

        Yields
        ------
        dict of str to Activity
            The computed states at time 0, 1, ..., `planned.until`.
        """
        entered = self._enter(frames.images, normalize)
        again = partial(checkpoint, self.step, use_reentrant=False)
        advance: Callable[..., dict[str, Activity]] = again if checkpointed else self.step
        h: dict[str, Activity] = {}
        for time in range(planned.until + 1):
            h = advance(h, time, planned.at(time), entering(entered, frames.lookup[time]), normalize, hook)
            yield h

    def _enter(self, images: Tensor, normalize: Normalize) -> Tensor:
        """Apply the pre-net to every distinct picture, once."""
        weight = next(self.parameters())
        images = images.to(weight.device, weight.dtype).contiguous(memory_format=torch.channels_last)
        x = self.pre(images, normalize) if isinstance(self.pre, DeepPreNet) else self.pre(images)
        first = self.graph.states[0]
        # training may shrink the images, and with them every state; a module of the user's must hit the size itself
        size = first.size if self.has_own_pre_net else images.shape[-2:]
        if isinstance(x, Tensor) and tuple(x.shape[1:]) == (first.features, *size):
            return x if self.input_gain == 1 else x * self.input_gain
        got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(
            f"the pre-net must deliver (stimulus, {first.features}, {first.height}, {first.width}) to {first.name}, "
            f"got {got}"
        )

    def forward(self, images: Tensor, presentation: AnyPresentation | None = None) -> Tensor:
        """Return the logits at the readout time, shape (stimulus, class); see `readouts`."""
        return self.readouts(images, [self.readout_time], presentation)[0]

    def readouts(
        self,
        images: Tensor,
        times: Sequence[int],
        presentation: AnyPresentation | None = None,
        *,
        statistics: Statistics | AnyPresentation | None = None,
        seed: int = 0,
        index: Tensor | None = None,
        others: Tensor | None = None,
        checkpointed: bool = False,
    ) -> Tensor:
        """Run one trajectory and read it out at several times.

        In training mode the batch's own moments normalize, else stored statistics.

        Parameters
        ----------
        images : Tensor, shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence
            RGB, float in [0, 1] or uint8.
        times : sequence of int
            Readout times.
        presentation : Presentation or Mixture, optional
            By default `flash(1)`.
        statistics : Statistics or Presentation, optional
            Stored statistics to use on purpose, in place of those of the presentation.
        seed, index, others
            What masks and mixtures draw on; see `Presentation.frames`.
        checkpointed : bool
            For gradients keep the states alone, and compute again what happens within a step: less memory, more time.

        Returns
        -------
        Tensor, shape (time, stimulus, class)
            Logits, in the order of `times`.

        Raises
        ------
        EmptyStateError
            If the last state is empty at one of the times.
        MissingStatisticsError
            If no stored statistics fit.
        ValueError
            If the images or times are not allowed.
        """
        self.check_images(images)
        presentation = checked(presentation or flash(1)).for_images(images)
        planned = _plan(self.graph, tuple(times), presentation)
        self.check_weights(planned)
        normalize = self.normalizer(presentation, statistics)
        if isinstance(normalize, Stored):
            normalize.statistics.check(planned)
        frames = presentation.frames(images, planned.until, seed=seed, index=index, others=others)
        return self.read(frames, planned, times, normalize, checkpointed=checkpointed)

    def read(
        self,
        frames: Frames,
        planned: Schedule,
        times: Sequence[int],
        normalize: Normalize,
        *,
        checkpointed: bool = False,
    ) -> Tensor:
        """Run one trajectory over laid-out frames, shape (time, stimulus, class); see `unroll`; nothing is checked."""
        if not times:
            raise ValueError("times must name at least one readout time, got none")
        logits = {}
        for time, h in enumerate(self.unroll(frames, planned, normalize, checkpointed=checkpointed)):
            if time in times:
                logits[time] = self.post(h[self.graph.last].values, self.graph.last, time, normalize)
        return torch.stack([logits[time] for time in times])

    def pre_net(self, images: Tensor, *, statistics: Statistics | AnyPresentation | None = None) -> Tensor:
        """Return what enters the first state, shape (stimulus, channel, y, x)."""
        self.check_images(images)
        normalize = self.normalizer(None, statistics) if isinstance(self.pre, DeepPreNet) else not_at_all
        return self._enter(as_float(images), normalize)

    def post_net(self, h: Tensor, time: int, *, statistics: Statistics | AnyPresentation | None = None) -> Tensor:
        """Return the logits that the post-net reads from the last state at a time.

        Parameters
        ----------
        h : Tensor, shape (stimulus, channel, y, x)
        time : int
            Chooses the moments.
        """
        return self.post(h, self.graph.last, time, self.normalizer(None, statistics))

    def normalizer(
        self, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None = None
    ) -> Normalize:
        """Choose what normalizes: the batch in training mode, else `find_statistics`."""
        if self.normalization == "none":
            return not_at_all
        return by_batch if self.training else self.normalized_by(self.find_statistics(presentation, statistics))

    def normalized_by(self, statistics: Statistics | None) -> Normalize:
        """Normalize by these, which `find_statistics` found; None is without any."""
        weight = next(self.parameters())
        return not_at_all if statistics is None else Stored(statistics, weight.device, weight.dtype)

    def find_statistics(
        self, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None = None
    ) -> Statistics:
        """Find the stored statistics for a presentation; see `statistics.choose`."""
        return choose(self.statistics.values(), presentation, statistics, self.checksum())

    # --- checks --------------------------------------------------------------------------------------------------

    def check_images(self, images: Tensor) -> None:
        """Refuse what is no batch of images for this model.

        Raises
        ------
        TypeError
            If it is no Tensor, or of another dtype than float or uint8.
        ValueError
            If the shape, the range or the size is wrong, it is empty, or not finite.
        """
        if not isinstance(images, Tensor):
            raise TypeError(f"images must be a torch.Tensor, got {type(images).__name__}")
        check_images(images, None if self.has_own_pre_net else self.graph.states[0].size)

    def check_weights(self, planned: Schedule) -> None:
        """Refuse a schedule for part of which the model has no weights.

        Raises
        ------
        ValueError
            Naming the first such transition and time.
        """
        for name, time in planned:
            if not self.weights.has(name, time):
                raise ValueError(
                    f"{name} has no weights at time {time}: it contributes to no readout up to time "
                    f"{self.readout_time}, for which this model was made; read out or record only what leads to such a "
                    "readout, or make the model with a later readout_time"
                )

    def __repr__(self) -> str:
        n = self.n_parameters() if self.graph.last in populate(self.graph, None, self.readout_time)[-1] else None
        sharing = self.sharing if isinstance(self.sharing, str) else "by a table"
        return (
            f"Cortex({' → '.join(self.graph.state_names)}, readout time {self.readout_time}, {self.n_classes} classes, "
            f"pre-net {self.pre_net_name}, sharing {sharing}, {self.normalization} normalization"
            + (f", {n:,} parameters)" if n else ")")
        )


@lru_cache(maxsize=256)
def _plan(graph: CortexGraph, times: tuple[int, ...], presentation: AnyPresentation) -> Schedule:
    return schedule(graph, times, presentation)
