"""Speed: training steps and recordings next to a ResNet, the naive loop and hooks; memory against time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import cortexsim as cs
from benchmarks import interactive, recording
from benchmarks.alternate import Side, compare, print_rows
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.device.work import Work
from benchmarks.inference import calibrated
from benchmarks.machine import FEATURES, Setting, peak
from benchmarks.memory import risen
from benchmarks.training import PASSES, READOUT_TIME, training_step

TIMES = (5, 10, 20, 40)
BATCHES = (512, 64)
Rows = list[dict[str, Any]]
DTYPES = {"float32": None, "bfloat16": torch.bfloat16}


def run(work: Work) -> str:
    """Measure table by table, in order of priority; return the tables that failed."""
    setting = work.setting()
    tables: dict[str, Rows] = {}
    failed, left_out = [], []
    for title, seconds, measure in _tables(setting):
        if work.seconds_left < seconds and not work.quick:
            left_out.append(title)
            continue
        try:
            tables[title] = measure()
        except Exception as error:
            failed.append(title)
            tables[title] = [{"side": "failed", "note": f"{type(error).__name__}: {error}"[:500]}]
            _release(setting)
        work.write(tables=tables, left_out=left_out)
        print_rows(title, tables[title])
    return f"these tables failed: {'; '.join(failed)}" if failed else ""


def _tables(setting: Setting) -> Iterator[tuple[str, float, Callable[[], Rows]]]:
    """List the tables: the title, the most seconds that it takes, and a function that measures it."""
    large, *smaller = reversed(setting.chosen_sizes)
    yield "convolution peak", 5, partial(_peaks, setting)
    yield f"training step, {large}, full", 15, partial(_training, setting, large, "full")
    for size in (large, *smaller):
        yield f"recording, {size}, full", 8, partial(_recording, setting, size)
    yield f"64 images, T = {interactive.UNTIL}, recorded", 8, partial(_interactive, setting)
    yield f"training step, {large}, full, two batch sizes", 8, partial(_two_batches, setting, large)
    yield f"memory against T, {large}, full", 12, partial(_memory, setting, large)
    for size in smaller:
        yield f"training step, {size}, full", 12, partial(_training, setting, size, "full")
    for size in (large, *smaller):
        yield f"training step, {size}, adjacent", 12, partial(_training, setting, size, "adjacent")
    yield f"recording with hooks, {setting.chosen_sizes[0]}, full", 10, partial(_hooks, setting)
    if setting.device == "cuda":
        # last, because compiling takes long
        for size in (large, *smaller):
            yield f"training step, {size}, full, compiled", 60, partial(_compiled, setting, size)


def _peaks(setting: Setting) -> Rows:
    rows: Rows = []
    for size in setting.chosen_sizes:
        for name, dtype in _precisions(setting).items():
            gflop_s = peak(setting, size, dtype) / 1e9
            note = f"{gflop_s:,.0f} GFLOP/s"
            rows.append({"side": f"{size}, {name}", "gflop_s": gflop_s, "note": note})
    return rows


def _precisions(setting: Setting) -> dict[str, torch.dtype | None]:
    return {"bfloat16": torch.bfloat16, "float32": None} if setting.device == "cuda" else {"float32": None}


def _training(setting: Setting, size: str, links: str) -> Rows:
    """Compare a training step with the ResNet's, eager and as a CUDA graph, and with the naive loop's."""
    n = setting.batch(size)
    model = setting.model(size, links, READOUT_TIME).train()
    own = multiply_adds(model, cs.schedule(model.graph, READOUT_TIME))
    resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device).train()
    images, labels = _batch(setting, n)
    flops = 2 * PASSES * n
    rows: Rows = []
    for name, dtype in _precisions(setting).items():
        sides, notes = [], []
        for who, network, work in (("cortexsim", model, own), ("ResNet", resnet, resnet.multiply_adds)):
            step = training_step(network, network, images, labels, dtype)
            sides.append(Side(f"{who}, {name}", step, flops * work))
            if setting.device == "cuda":
                replay, difference = graphed(step, network)
                sides.append(Side(f"{who}, {name}, CUDA graph", replay, flops * work))
                notes.append({"side": f"{who}, {name}, CUDA graph: gradient", "note": f"differs by {difference:.1e}"})
        if dtype is None:
            naive = NaiveLoop(model)
            step = training_step(naive, lambda x, naive=naive: naive(x, [READOUT_TIME])[0], images, labels, None)
            sides.append(Side("naive loop, float32", step, flops * multiply_adds(model, until=READOUT_TIME)))
        rows += [*compare(setting, sides, peak(setting, size, dtype)), *notes]
        _release(setting)
    return rows


def graphed(step: Callable[[], None], network: nn.Module) -> tuple[Callable[[], None], float]:
    """Capture a training step as a CUDA graph.

    Returns
    -------
    replay : callable
        Runs the step again, on the same images, without launching its kernels one by one.
    difference : float
        The largest difference of its gradients from the plain step's, relative to the largest gradient.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    plain = _gradients(network, copy=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    captured = _gradients(network, copy=False)
    graph.replay()
    torch.cuda.synchronize()
    largest = max(float(gradient.abs().max()) for gradient in plain)
    apart = max(float((a - b).abs().max()) for a, b in zip(plain, captured, strict=True))
    return graph.replay, apart / largest


def _gradients(network: nn.Module, *, copy: bool) -> list[Tensor]:
    found = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return [gradient.clone() for gradient in found] if copy else found


def _recording(setting: Setting, size: str) -> Rows:
    """Compare recordings with the same schedule unrecorded."""
    model, images = calibrated(setting, size, "full", recording.UNTIL)
    return compare(setting, recording.recordings(model, images))


def _interactive(setting: Setting) -> Rows:
    """Time the interactive case."""
    n = 4 if setting.quick else interactive.N_IMAGES
    size = setting.chosen_sizes[0]
    return compare(setting, interactive.sides(setting, size, n), peak(setting, size))


def _two_batches(setting: Setting, size: str) -> Rows:
    """Compare a training step on a large batch with one on a small batch."""
    model = setting.model(size, "full", READOUT_TIME).train()
    flops = 2 * PASSES * multiply_adds(model, cs.schedule(model.graph, READOUT_TIME))
    dtype = next(iter(_precisions(setting).values()))
    sides = []
    for n in (8, 4) if setting.quick else BATCHES:
        step = training_step(model, model, *_batch(setting, n), dtype)
        sides.append(Side(f"{n} images", step, flops * n))
        if setting.device == "cuda":
            sides.append(Side(f"{n} images, CUDA graph", graphed(step, model)[0], flops * n))
    return compare(setting, sides)


def _memory(setting: Setting, size: str) -> Rows:
    """Take the peak memory of a training step, by readout time, with and without recomputation."""
    dtype = next(iter(_precisions(setting).values()))
    images, labels = _batch(setting, 4 if setting.quick else 128)
    rows: Rows = []
    for time in TIMES[:2] if setting.quick else TIMES:
        model = setting.model(size, "full", time).train()
        for how, again in (("everything kept", False), ("recomputed", True)):
            step = training_step(model, _reading(model, time, again), images, labels, dtype)
            step()
            mb = risen(setting.device, step)
            rows.append({"side": f"T = {time}, {how}", "mb": mb, "note": f"{mb:,.0f} MB"})
        _release(setting)
    return rows


def _reading(model: cs.Cortex, time: int, again: bool) -> Callable[[Tensor], Tensor]:
    return lambda images: model.readouts(images, [time], checkpointed=again)[0]


def _hooks(setting: Setting) -> Rows:
    """Compare a collection by hooks with a recording."""
    model, images = calibrated(setting, setting.chosen_sizes[0], "full", recording.UNTIL)
    return compare(setting, recording.hooks(setting, model, images))


def _compiled(setting: Setting, size: str) -> Rows:
    """Compare a compiled training step with a plain one."""
    model = setting.model(size, "full", READOUT_TIME).train()
    images, labels = _batch(setting, setting.batch(size))
    flops = 2 * PASSES * len(images) * multiply_adds(model, cs.schedule(model.graph, READOUT_TIME))
    plain = training_step(model, model, images, labels, torch.bfloat16)
    compiled = training_step(model, torch.compile(model), images, labels, torch.bfloat16)
    sides: Sequence[Side] = [Side("eager, bfloat16", plain, flops), Side("compiled, bfloat16", compiled, flops)]
    return compare(setting, sides, peak(setting, size, torch.bfloat16))


def _batch(setting: Setting, n: int) -> tuple[Tensor, Tensor]:
    return setting.images(n), torch.arange(n, device=setting.device) % 10


def _release(setting: Setting) -> None:
    gc.collect()
    if setting.device == "cuda":
        torch.cuda.empty_cache()
