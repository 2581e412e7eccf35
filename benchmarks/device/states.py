"""The paper's experiments at the paper's scale, in a given time: a training that cannot be finished is not started."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

import torch

import cortexsim as cs
from benchmarks.device import images
from benchmarks.device.work import Work
from cortexsim._support.percentages import percent
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.material import Material, prepare
from cortexsim.paper.experiments.part import Bench, Training
from cortexsim.paper.experiments.running import EXPERIMENTS, measure
from cortexsim.paper.experiments.scale import Scale, scale_named

ORDER = ("more-states", "generalization", "weight-sharing")
# steps of training after which its length is estimated
STEPS_TO_ESTIMATE = 40


class _TimeIsOver(Exception):
    """The step must end before the training does."""


def run(work: Work) -> str:
    """Train and test part after part."""
    scale = scale_named("smoke" if work.quick else "paper")
    material = prepare(images.of(work), scale)
    device = torch.device(work.device)
    parts: list[dict[str, Any]] = []
    for experiment, part in islice(_parts(scale), 1 if work.quick else None):
        found: dict[str, Any] = {"experiment": experiment.name, "part": part.label, "seed": part.seed}
        parts.append(found)
        estimate = _seconds(part, scale, material, device)
        found["estimated_seconds"] = estimate
        if estimate > work.seconds_left and not work.quick:
            found["status"] = "skipped"
            work.write(parts=parts)
            continue
        found["status"] = "running"
        work.write(scale=scale.name, data=material.identity(), parts=parts)
        found |= _measured(part, scale, material, device, work)
        work.write(parts=parts)
    return "" if any(one["status"] == "done" for one in parts) else "no training fitted into the time left"


def _parts(scale: Scale) -> Iterator[tuple[Experiment, Training]]:
    for name in ORDER:
        for part in EXPERIMENTS[name].plan(scale, 0):
            if isinstance(part, Training):
                yield EXPERIMENTS[name], part


def _seconds(part: Training, scale: Scale, material: Material, device: torch.device) -> float:
    """Estimate how long a part takes, from its first steps."""
    model = part.build(scale, material.n_classes).to(device)
    recipe = replace(part.recipe(scale, material), validation=0.0)
    with closing(cs.train(model, material.train, recipe, report_every=STEPS_TO_ESTIMATE)) as training:
        for progress in training:
            if progress.step:
                return progress.seconds_left
    return 0.0


def _measured(part: Training, scale: Scale, material: Material, device: torch.device, work: Work) -> dict[str, Any]:
    """Train and test a part; its measurement is a plain Dataset (`xarray.Dataset.from_dict`)."""
    lines: list[str] = []

    def report(fraction: float, message: str) -> None:
        lines.append(f"{percent(fraction)} {message}")
        if work.seconds_left < 5 and not work.quick:
            raise _TimeIsOver

    started = time.perf_counter()
    try:
        measured = measure(part, Bench(scale, material, None, device, report))
    except _TimeIsOver:
        return {"status": "stopped", "seconds": time.perf_counter() - started, "last": lines[-1]}
    return {"status": "done", "seconds": time.perf_counter() - started, "measured": measured.to_dict()}
