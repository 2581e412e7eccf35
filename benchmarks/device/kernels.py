"""Where the time of a training step goes: steps of `cs.train` by settings, kernels by time, parts of a transition."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from typing import Any

import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

import cortexsim as cs
from benchmarks.alternate import Side, compare, print_rows
from benchmarks.device import images
from benchmarks.device.work import Work
from benchmarks.machine import FEATURES, Setting
from benchmarks.training import READOUT_TIME, training_step
from cortexsim.model.moments import EPSILON
from cortexsim.paper.experiments.part import built
from cortexsim.paper.experiments.scale import scale_named
from cortexsim.training.captured import Gradients

NEVER = 10**9
# by name: batches of a kind that run step by step before one is captured, and whether cuDNN tries all its algorithms
WAYS = {
    "one by one": (NEVER, False),
    "captured": (2, False),
    "one by one, cuDNN benchmark": (NEVER, True),
    "captured, cuDNN benchmark": (2, True),
}
# models by name in `zoo.PAPER`, and the scale of their features
TRAINED = {
    "fully-recurrent-3-state": "paper",
    "fully-recurrent-4-state": "paper",
    "resnet-3-state": "paper",
    "fully-recurrent-2-state": "workstation",
}
STEPS, REPORTED = 48, 8
N_KERNELS = 30


def run(work: Work) -> str:
    """Measure part by part; each is written at once."""
    setting = work.setting()
    size = setting.chosen_sizes[-1]
    work.write(kernels=(kernels := _kernels(setting, size)))
    for row in kernels:
        print(f"{row['ms']:9.3f} ms  {row['calls']:5d}  {row['kernel'][:110]}")
    parts: dict[str, Any] = {}
    for k in range(len(FEATURES[size])):
        title, sides = _parts(setting, size, k)
        parts[title] = compare(setting, sides)
        work.write(parts=parts)
        print_rows(title, parts[title])
    found: dict[str, Any] = {}
    for name, scale in list(TRAINED.items())[: 1 if work.quick else None]:
        for way, (plain, benchmark) in WAYS.items():
            if work.seconds_left < 10 and not work.quick:
                break
            found[f"{name}, {way}"] = _trained(work, name, scale, plain, benchmark)
            work.write(trained=found)
            print(f"{name}, {way}: {found[f'{name}, {way}']}", flush=True)
    return ""


def _trained(work: Work, name: str, scale: str, plain: int, benchmark: bool) -> dict[str, Any]:
    """Train for some steps; return milliseconds of a step, from record to record, and the memory."""
    size = 16 if work.quick else 512
    recipe = cs.Recipe.quick(
        epochs=1, batch_size=size, growth=((0.0, 1.0),), validation=0.0, loss_at="readout", calibration_images=size
    )
    model = built(name, scale_named("smoke" if work.quick else scale)).to(work.device)
    side = model.image_size[0]
    data = _made_up((4 if work.quick else STEPS) * size, side)
    before = Gradients.PLAIN, torch.backends.cudnn.benchmark
    Gradients.PLAIN, torch.backends.cudnn.benchmark = plain, benchmark
    if work.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        marks = []
        for progress in cs.train(model, data, recipe, report_every=2 if work.quick else REPORTED):
            marks.append((progress.step, time.perf_counter()))
            if progress.step == progress.steps:
                break
    finally:
        Gradients.PLAIN, torch.backends.cudnn.benchmark = before
    ms = [1e3 * (later - earlier) / (b - a) for (a, earlier), (b, later) in pairwise(marks) if b > a]
    memory = torch.cuda.max_memory_allocated() / 1e6 if work.device == "cuda" else None
    # the first steps prepare kernels and capture
    return {"ms_a_step": ms, "last_ms": ms[-1], "images_a_second": 1e3 * size / ms[-1], "mb": memory}


@cache
def _made_up(n: int, side: int) -> xr.Dataset:
    return images.made_up(n, side)


def _kernels(setting: Setting, size: str) -> list[dict[str, Any]]:
    """Profile a training step, and list its kernels by the time that they take together."""
    from torch.profiler import ProfilerActivity, profile

    on_gpu = setting.device == "cuda"
    model = setting.model(size, "full", READOUT_TIME).train()
    pixels = setting.images(setting.batch(size))
    labels = torch.arange(len(pixels), device=setting.device) % 10
    step = training_step(model, model, pixels, labels, torch.bfloat16 if on_gpu else None)
    for _ in range(3):
        step()
    with profile(activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]) as profiled:
        step()
        setting.clock()
    spent = {
        one: (one.self_device_time_total if on_gpu else one.self_cpu_time_total) for one in profiled.key_averages()
    }
    longest = sorted(spent, key=lambda one: -spent[one])[:N_KERNELS]
    return [{"kernel": one.key, "ms": spent[one] / 1e3, "calls": one.count} for one in longest]


def _parts(setting: Setting, size: str, k: int) -> tuple[str, list[Side]]:
    """Return the parts of a transition between states of one size, forward and backward, as sides."""
    n, features, side = setting.batch(size), FEATURES[size][k], setting.side >> k
    dtype = torch.bfloat16 if setting.device == "cuda" else torch.float32
    make = partial(_laid_out, setting, dtype)
    x, kernel = make(n, features, side, side), make(features, features, 3, 3)
    wider = make(2 * features, features, 3, 3)
    half = make(n, 2 * features, side // 2, side // 2)
    sides = [
        Side("convolution", _both_ways(lambda: F.conv2d(x, kernel, padding=1), x, kernel)),
        Side("BN-ReLU", _both_ways(lambda: _bn_relu(x), x)),
        Side("convolution with stride", _both_ways(lambda: F.conv2d(x, wider, stride=2, padding=1), x, wider)),
        Side("transposed convolution", _both_ways(lambda: _transposed(half, wider), half, wider)),
    ]
    if setting.device == "cuda":
        compiled = torch.compile(_bn_relu, dynamic=False)
        try:
            sides.append(Side("BN-ReLU, compiled", _both_ways(lambda: compiled(x), x)))
        except Exception as error:  # a compiler may be missing
            print(f"BN-ReLU is not compiled: {type(error).__name__}: {error}"[:500])
    return f"{n} x {features} channels, {side}x{side} px", [replace(one, run=partial(_often, one.run)) for one in sides]


def _laid_out(setting: Setting, dtype: torch.dtype, *shape: int) -> Tensor:
    values = torch.randn(shape, device=setting.device, dtype=dtype)
    return values.contiguous(memory_format=torch.channels_last).requires_grad_()


def _bn_relu(x: Tensor) -> Tensor:
    return F.relu(F.batch_norm(x, None, None, None, None, training=True, momentum=0.0, eps=EPSILON))


def _transposed(x: Tensor, kernel: Tensor) -> Tensor:
    return F.conv_transpose2d(x, kernel, stride=2, padding=1, output_padding=1)


def _both_ways(compute: Callable[[], Tensor], *inputs: Tensor) -> Callable[[], None]:
    gradient = torch.randn_like(compute().detach())

    def run() -> None:
        torch.autograd.grad(compute(), inputs, gradient)

    run()
    return run


def _often(run: Callable[[], None]) -> None:
    # several in a row, since a single one is too short for the clock of a GPU
    for _ in range(10):
        run()
