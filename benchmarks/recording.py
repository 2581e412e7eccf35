"""Cost of recording every state, relative to the same schedule unrecorded, and with hooks instead."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import NaiveLoop, hooked
from benchmarks.inference import calibrated, inferring
from benchmarks.machine import Setting
from cortexsim.model.plan import plan_run, stored_statistics

UNTIL = 5


def measure(setting: Setting) -> dict[str, Any]:
    """Compare a recording in memory with the same schedule unrecorded, and hooks with the naive loop without them.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`. If torchlens is not installed, a row says so.
    """
    tables = {}
    for size in setting.chosen_sizes:
        model, images = calibrated(setting, size, "full", UNTIL)
        title = f"recording all states, {size}, full, T = {UNTIL}, {len(images)} images"
        tables[title] = compare(setting, recordings(model, images))
        title = f"recording with hooks, {size}, full, T = {UNTIL}, {len(images)} images"
        tables[title] = compare(setting, hooks(setting, model, images))
        if torchlens(NaiveLoop(model), images, [UNTIL]) is None:
            note = "not installed (uv run --with torchlens python -m benchmarks recording)"
            tables[title].append({"side": "naive loop, torchlens", "note": note})
    return tables


def recordings(model: cs.Cortex, images: Tensor) -> list[Side]:
    """Return the schedule without and with a recording."""
    return [
        Side("schedule unrecorded", unrecorded(model, images, UNTIL)),
        Side("recorded in memory, float16", recorded(model, images, UNTIL, "float16")),
        Side("recorded in memory, float32", recorded(model, images, UNTIL, "float32")),
    ]


def hooks(setting: Setting, model: cs.Cortex, images: Tensor) -> list[Side]:
    """Return the naive loop without and with hooks, and a recording."""
    naive = NaiveLoop(model)
    times = model.readable(cs.flash(1), UNTIL)
    sides = [
        Side("naive loop, nothing recorded", inferring(setting, None, lambda: naive(images, times))),
        Side("naive loop, hooks on every module", lambda: with_hooks(naive, images, times)),
        Side("cortexsim, recorded in memory, float32", recorded(model, images, UNTIL, "float32")),
    ]
    tracing = torchlens(naive, images, times)
    return sides if tracing is None else [*sides, Side("naive loop, torchlens", tracing)]


def unrecorded(model: cs.Cortex, images: Tensor, until: int) -> Callable[[], None]:
    """Return a function that runs the schedule of a recording of all states and readouts, and records nothing."""
    last = model.graph.last
    wanted = {name: range(until + 1) for name in model.graph.state_names}
    plan = plan_run(model, images, cs.flash(1), until=until, record=wanted)
    plan = plan.normalized_by(stored_statistics(model, plan.presentation))

    def run() -> None:
        with torch.no_grad():
            for time, h in enumerate(plan.run(plan.frames(torch.arange(len(images))))):
                if last in h:
                    model.post(h[last].values, last, time, plan.chosen)

    return run


def recorded(model: cs.Cortex, images: Tensor, until: int, dtype: str) -> Callable[[], Any]:
    """Return a function that records every state at every time."""
    n = len(images)
    return lambda: cs.simulate(model, images, until=until, dtype=dtype, batch_size=n)


def with_hooks(network: NaiveLoop, images: Tensor, times: list[int]) -> dict[str, np.ndarray]:
    """Run under hooks on every module, and combine the states that they collected.

    Returns
    -------
    dict of str to array
        (call, stimulus, channel, y, x): the calls of a state; hooks do not know their times.
    """
    with torch.no_grad(), hooked(network) as outputs:
        network(images, times)
    return {name: torch.stack(outputs[f"states.{name}"]).numpy() for name in network.states}


def torchlens(network: nn.Module, images: Tensor, times: list[int]) -> Callable[[], Any] | None:
    """Return a function that traces a forward pass with torchlens; None if it is not installed."""
    try:
        lens = importlib.import_module("torchlens")
    except ImportError:
        return None
    # the name of older versions
    trace = getattr(lens, "trace", None) or lens.log_forward_pass

    def run() -> Any:
        with torch.no_grad():
            return trace(network, [images, times])

    return run
