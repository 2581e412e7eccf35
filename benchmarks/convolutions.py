"""The convolutions of a training step alone, forward and backward: what is left of it is the work of everything else.

A recurrent model with several areas has convolutions with stride, and transposed ones; a ResNet has hardly any. They
reach fewer FLOP/s, so no schedule of this graph can be as fast as the ResNet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, multiply_adds
from benchmarks.machine import FEATURES, Setting, peak
from benchmarks.training import PASSES, READOUT_TIME
from cortexsim.graph._schedule import Schedule
from cortexsim.graph.transitions import Convolution
from cortexsim.model.nets import convolve

# one convolution: its input, its kernel, and the function of both
Work = tuple[Tensor, Tensor, Callable[[Tensor, Tensor], Tensor]]


def measure(setting: Setting) -> dict[str, Any]:
    """Compare the convolutions of a model's schedule with those of a ResNet of the same FLOPs.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    return {
        f"convolutions alone, {size}, {links}, T = {READOUT_TIME}, {setting.batch(size)} images": compare(
            setting, sides(setting, size, links), peak(setting, size)
        )
        for size in setting.chosen_sizes
        for links in ("full", "adjacent")
    }


def sides(setting: Setting, size: str, links: str) -> list[Side]:
    """Return the competitors, ready to run."""
    model = setting.model(size, links, READOUT_TIME)
    planned = cs.schedule(model.graph, READOUT_TIME)
    own = multiply_adds(model, planned)
    resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device)
    without_stem = resnet.multiply_adds - (own - planned.multiply_adds)
    n, flops = setting.batch(size), 2 * PASSES * setting.batch(size)
    made = []
    for name, dtype in setting.precisions().items():
        ours = _prepared(of_schedule(model, planned, n), dtype)
        theirs = _prepared(of_layers(resnet, setting.images(n)), dtype)
        made.append(Side(f"cortexsim, {name}", partial(_run, ours), flops * planned.multiply_adds))
        made.append(Side(f"ResNet of the same FLOPs, {name}", partial(_run, theirs), flops * without_stem))
    return made


def of_schedule(model: cs.Cortex, planned: Schedule, n: int) -> list[Work]:
    """Return every convolution of a schedule, without the pre-net, with random inputs of n stimuli."""
    sizes = {state.name: (state.features, *state.size) for state in model.graph.states}
    sources = {t.name: t.source for t in model.graph.transitions}
    works: list[Work] = []
    for name, time in planned:
        x = torch.randn(n, *sizes[sources[name]], device=model.pre.weight.device)
        for convolution, kernel in zip(model.graph.convolutions(name), model.kernels(name, time), strict=True):
            run = partial(_convolved, convolution=convolution)
            works.append((x, kernel, run))
            x = torch.randn_like(run(x, kernel))
    return works


def of_layers(network: nn.Module, images: Tensor) -> list[Work]:
    """Return every convolution of a network but the first, with random inputs."""
    works: list[Work] = []

    def keep(layer: Any, inputs: tuple, output: Tensor) -> None:
        works.append((torch.randn_like(inputs[0]), layer.weight, partial(layer._conv_forward, bias=None)))

    handles = [one.register_forward_hook(keep) for one in network.modules() if isinstance(one, nn.Conv2d)]
    with torch.no_grad():
        network.eval()(images)
    for handle in handles:
        handle.remove()
    return works[1:]


def _convolved(x: Tensor, kernel: Tensor, convolution: Convolution) -> Tensor:
    return convolve(x, kernel, convolution)


def _prepared(works: list[Work], dtype: torch.dtype | None) -> list[tuple[Tensor, Tensor, Callable, Tensor]]:
    """Give inputs and kernels their precision and layout, and each convolution a gradient of its output."""
    prepared = []
    for x, kernel, run in works:
        x, kernel = (
            one.detach().to(dtype or one.dtype).contiguous(memory_format=torch.channels_last).requires_grad_()
            for one in (x, kernel)
        )
        prepared.append((x, kernel, run, torch.randn_like(run(x, kernel))))
    return prepared


def _run(prepared: list[tuple[Tensor, Tensor, Callable, Tensor]]) -> None:
    for x, kernel, run, gradient in prepared:
        torch.autograd.grad(run(x, kernel), (x, kernel), gradient)
