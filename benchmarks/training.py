"""One training step: loss at the readout time, forward and backward; the optimizer is the same for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.machine import FEATURES, Setting, peak

READOUT_TIME, LONG = 5, 20
# forward pass, gradients of the kernels, gradients of the activity: each has the same cost
PASSES = 3


def measure(setting: Setting) -> dict[str, Any]:
    """Compare cortexsim with the naive loop and with a ResNet of the same FLOPs.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    tables = {}
    for size in setting.chosen_sizes:
        for links in ("full", "adjacent"):
            title = f"training step, {size}, {links}, T = {READOUT_TIME}, {setting.batch(size)} images"
            tables[title] = compare(setting, sides(setting, size, links), peak(setting, size))
    size = setting.chosen_sizes[0]
    title = f"training step, {size}, full, T = {LONG}, {setting.batch(size)} images: memory for time"
    tables[title] = compare(setting, for_memory(setting, size))
    return tables


def for_memory(setting: Setting, size: str) -> list[Side]:
    """Return a step that keeps everything for the gradients, and one that recomputes it; see `memory`."""
    model = setting.model(size, "full", LONG).train()
    images = setting.images(setting.batch(size))
    labels = torch.arange(len(images), device=setting.device) % 10
    keeping, recomputing = (
        training_step(model, lambda x, c=c: model.readouts(x, [LONG], recompute=c)[0], images, labels, None)
        for c in (False, True)
    )
    return [Side("everything kept", keeping), Side("recomputed", recomputing)]


def sides(setting: Setting, size: str, links: str) -> list[Side]:
    """Return the competitors, ready to run."""
    n = setting.batch(size)
    model = setting.model(size, links, READOUT_TIME).train()
    naive = NaiveLoop(model)
    planned = cs.schedule(model.graph, READOUT_TIME)
    own = multiply_adds(model, planned)
    resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device).train()
    images = setting.images(n)
    labels = torch.arange(n, device=setting.device) % 10
    flops = 2 * PASSES * n
    made = []
    for name, dtype in setting.precisions().items():
        step = training_step(model, model, images, labels, dtype)
        made.append(Side(f"cortexsim, {name}", step, flops * own))
        step = training_step(resnet, resnet, images, labels, dtype)
        made.append(Side(f"ResNet of the same FLOPs, {name}", step, flops * resnet.multiply_adds))
    # compared with the float32 of cortexsim, the first side
    run = training_step(naive, lambda x: naive(x, [READOUT_TIME])[0], images, labels, None)
    made.append(Side("naive loop, float32", run, flops * multiply_adds(model, until=READOUT_TIME)))
    return made


def training_step(
    network: nn.Module,
    classify: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    dtype: torch.dtype | None,
) -> Callable[[], None]:
    """Return a function that runs a batch forward and backward, with autocast to `dtype` unless it is None."""

    def step() -> None:
        network.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, dtype, enabled=dtype is not None):
            logits = classify(images)
        F.cross_entropy(logits.float(), labels).backward()

    return step
