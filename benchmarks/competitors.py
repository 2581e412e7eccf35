"""Competitors, built as well as we can: the naive loop, a ResNet of the same FLOPs, hooks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.graph._schedule import Schedule
from cortexsim.graph.transitions import Kind
from cortexsim.model.moments import EPSILON, Statistics


class TimedNorm(nn.Module):
    """Normalization with the batch's moments in training, and with stored moments of each time in evaluation."""

    def __init__(self, place: str, statistics: Statistics | None) -> None:
        super().__init__()
        times = [] if statistics is None else statistics.times(place)
        self.moments = {time: statistics.at(place, time) for time in times if statistics is not None}

    def forward(self, x: Tensor, time: int, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """Return x normalized."""
        mean, variance = (None, None) if self.training else self.moments[time]
        return F.batch_norm(x, mean, variance, scale, shift, self.training, 0.0, EPSILON)


class NaiveTransition(nn.Module):
    """One transition as a separate module: (BN, ReLU, convolution) once or twice, and the identity."""

    def __init__(self, model: cs.Cortex, transition: cs.Transition, statistics: Statistics | None) -> None:
        super().__init__()
        if not isinstance(transition.kind, str) or not Kind.parse(transition.kind).normalized:
            raise ValueError(f"the naive loop supports BRC and BRD, got {transition.kind_name}")
        self.shortcut = Kind.parse(transition.kind).shortcut
        self.norms, self.convolutions = nn.ModuleList(), nn.ModuleList()
        kernels = model.kernels(transition.name, model.readout_time - 1)
        places = (transition.source, transition.name)
        for c, kernel, place in zip(model.graph.convolutions(transition.name), kernels, places, strict=False):
            shape = (c.in_channels, c.out_channels, 3, c.stride, 1)
            layer = (
                nn.ConvTranspose2d(*shape, output_padding=c.stride - 1, bias=False)
                if c.transposed
                else nn.Conv2d(*shape, bias=False)
            )
            layer.weight.data = kernel.detach().clone(memory_format=torch.contiguous_format)
            self.convolutions.append(layer)
            self.norms.append(TimedNorm(place, statistics))
        self.relu = nn.ReLU()

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return the input that it delivers at `time`."""
        x = h
        for k, (norm, layer) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            # the first reads the state, which has the moments of the time before
            x = layer(self.relu(norm(x, time - 1 if k == 0 else time)))
        return x + self.shortcut * h if self.shortcut else x


class NaiveLoop(nn.Module):
    """The model as one would first write it: every transition whose source is populated, at every time, NCHW.

    A flash of one step, weights shared over time, the weights and statistics of a model. It leaves out operations that
    would slow it further: empty states are skipped rather than computed as zeros, and there are no running averages.
    """

    def __init__(self, model: cs.Cortex) -> None:
        super().__init__()
        statistics = next(iter(model.statistics.values()), None)
        self.order = [(t.source, t.target, t.name.replace("->", "_")) for t in model.graph.transitions]
        self.transitions = nn.ModuleDict(
            {t.name.replace("->", "_"): NaiveTransition(model, t, statistics) for t in model.graph.transitions}
        )
        self.pre = nn.Conv2d(3, model.graph.states[0].features, 3, padding=1, bias=False)
        self.pre.weight.data = model.pre.weight.detach().clone(memory_format=torch.contiguous_format)
        self.norm = TimedNorm(model.graph.last, statistics)
        self.scale = nn.Parameter(model.post.scale.detach().clone())
        self.shift = nn.Parameter(model.post.shift.detach().clone())
        self.linear = copy.deepcopy(model.post.linear)
        # activity passes through a module, so that a hook can see it
        self.states = nn.ModuleDict({name: nn.Identity() for name in model.graph.state_names})
        self.first, self.last = model.graph.first, model.graph.last
        self.train(model.training)

    def forward(self, images: Tensor, times: Sequence[int]) -> Tensor:
        """Return logits, shape (time, stimulus, class)."""
        h = {self.first: self.states[self.first](self.pre(images))}
        logits = {}
        for time in range(1, max(times) + 1):
            arriving: dict[str, Tensor] = {}
            for source, target, name in self.order:
                if source in h:
                    delivered = self.transitions[name](h[source], time)
                    arriving[target] = arriving[target] + delivered if target in arriving else delivered
            h = {name: self.states[name](x) for name, x in arriving.items()}
            if time in times:
                rate = F.relu(self.norm(h[self.last], time, self.scale, self.shift))
                logits[time] = self.linear(rate.mean((2, 3)))
        return torch.stack([logits[time] for time in times])


@contextmanager
def hooked(network: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Add a forward hook to every module, and collect its outputs, call by call."""
    outputs: dict[str, list[Tensor]] = {}

    def keep(name: str):
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            outputs.setdefault(name, []).append(output.detach().cpu())

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in network.named_modules() if name]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


class Block(nn.Module):
    """A pre-activation residual block (He et al. 2016)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = 1 if before == after else 2
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.project = None if before == after else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus the output of the block."""
        rate = F.relu(self.norm1(x), inplace=True)
        shortcut = x if self.project is None else self.project(rate)
        return self.conv2(F.relu(self.norm2(self.conv1(rate)), inplace=True)).add_(shortcut)


class MatchedResNet(nn.Module):
    """A pre-activation ResNet with a stage for each width, of about a given number of multiplications; channels-last.

    Parameters
    ----------
    features : sequence of int
        Width of each stage; the side halves from one to the next.
    side : int
        Of the images, in pixels.
    multiply_adds : int
        Target for its convolutions on one image. The attribute `multiply_adds` is their actual number.
    """

    def __init__(self, features: Sequence[int], side: int, multiply_adds: int, n_classes: int = 10) -> None:
        super().__init__()
        sides = [side >> k for k in range(len(features))]
        costs = [2 * 9 * f * f * s * s for f, s in zip(features, sides, strict=True)]
        n_blocks = [1] * len(features)
        while True:
            total = sum(n * cost for n, cost in zip(n_blocks, costs, strict=True))
            # the stage with the fewest blocks grows, the first of them first
            k = min(range(len(features)), key=lambda k: n_blocks[k])
            if abs(total + costs[k] - multiply_adds) >= abs(total - multiply_adds):
                break
            n_blocks[k] += 1
        self.stem = nn.Conv2d(3, features[0], 3, padding=1, bias=False)
        widths = [f for f, n in zip(features, n_blocks, strict=True) for _ in range(n)]
        self.blocks = nn.Sequential(*(Block(b, a) for b, a in zip([features[0], *widths], widths, strict=False)))
        self.norm = nn.BatchNorm2d(features[-1])
        self.linear = nn.Linear(features[-1], n_classes)
        self.to(memory_format=torch.channels_last)
        self.multiply_adds = self._count(side)

    def _count(self, side: int) -> int:
        counted = 0

        def count(layer: Any, inputs: tuple, output: Tensor) -> None:
            nonlocal counted
            counted += output[0].numel() * layer.weight[0].numel()

        layers = [module for module in self.modules() if isinstance(module, nn.Conv2d)]
        handles = [layer.register_forward_hook(count) for layer in layers]
        with torch.no_grad():
            self.eval()(torch.zeros(1, 3, side, side))
        for handle in handles:
            handle.remove()
        return counted

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape (stimulus, class)."""
        x = self.blocks(self.stem(images.contiguous(memory_format=torch.channels_last)))
        return self.linear(F.relu(self.norm(x), inplace=True).mean((2, 3)))


def multiply_adds(model: cs.Cortex, planned: Schedule | None = None, until: int | None = None) -> int:
    """Count the multiplications of a model's convolutions for one image, its pre-net included.

    Parameters
    ----------
    model : Cortex
        With a pre-net of one convolution.
    planned : Schedule, optional
        The operations that run; by default every transition whose source is populated, as in the naive loop.
    until : int, optional
        Last time, without a schedule.
    """
    first = model.graph.states[0]
    pre_net = 27 * first.features * first.height * first.width
    if planned is not None:
        return pre_net + planned.multiply_adds
    assert until is not None
    populated, total = {model.graph.first}, pre_net
    for _ in range(until):
        running = [t for t in model.graph.transitions if t.source in populated]
        total += sum(model.graph.multiply_adds(t.name) for t in running)
        populated = {t.target for t in running}
    return total
