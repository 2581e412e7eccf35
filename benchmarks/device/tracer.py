"""The model that traces curves: seconds of its training, and 1,000 steps on canvases of up to 128x128 px."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

import cortexsim as cs
from benchmarks.device.work import Work
from cortexsim.paper.experiments.tracing import N_TRAINING, STEPS_A_PIXEL, recipe_of, training_images
from cortexsim.stimuli.images import as_images
from cortexsim.training.evaluate import predictions
from cortexsim.zoo.tracers import TRACERS

NAME = "tracer"
STEPS = 1_000
# length of the curves, side of the canvas, number of images; px
CANVASES = ((10, 16, 200), (40, 48, 200), (60, 64, 200), (200, 128, 100))


def run(work: Work) -> str:
    """Train the tracer, then run it for as long as time is left."""
    model, training = _trained(work)
    work.write(training=training)
    if training["status"] != "done":
        return "the training was not finished in time"
    canvases: list[dict[str, Any]] = []
    for length, size, n in CANVASES[:2] if work.quick else CANVASES:
        if work.seconds_left < 10 and not work.quick:
            break
        canvases.append(_traced(model, work, length, size, 2 if work.quick else n))
        work.write(canvases=canvases)
    return ""


def _trained(work: Work) -> tuple[cs.Cortex, dict[str, Any]]:
    """Train the tracer on short curves; return it with the time that this took."""
    tracer = TRACERS[NAME]
    model, recipe = tracer.build().to(work.device), recipe_of(tracer, epochs=1 if work.quick else None)
    images = training_images(tracer, 64 if work.quick else N_TRAINING)
    started, progress = time.perf_counter(), None
    for progress in cs.train(model, images, recipe, report_every=100):
        if work.seconds_left < 5 and not work.quick and not progress.done:
            return model, {"status": "stopped", "last": asdict(progress)}
    return model.eval(), {
        "status": "done",
        "seconds": time.perf_counter() - started,
        "batches": progress.steps,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "recipe": recipe.to_dict(),
    }


def _traced(model: cs.Cortex, work: Work, length: int, size: int, n: int) -> dict[str, Any]:
    """Run a model on curves of one length; return what it answers after three steps a pixel, and at the end."""
    data = cs.datasets.paths(n, part="test", size=size, length=(length, length))
    large, images = model.at_size(size), as_images(data).to(work.device)
    times = [STEPS_A_PIXEL * length, 4 * length if work.quick else STEPS]
    predictions(large, images[:1], [1], cs.sustained())  # the first call prepares what later ones use
    started = time.perf_counter()
    # the move to the host waits for the device
    maps = predictions(large, images, times, cs.sustained(), batch_size=n).cpu().numpy()
    seconds = time.perf_counter() - started
    return {
        "length": length,
        "size": size,
        "n": n,
        "steps": times[-1],
        "seconds": seconds,
        "ms_a_step": 1e3 * seconds / times[-1],
        "correct": [{"time": at, **_correct(one, data)} for at, one in zip(times, maps, strict=True)],
    }


def _correct(maps: np.ndarray, data: xr.Dataset) -> dict[str, float]:
    """Return the fraction of maps that are correct on the whole line, and of answers at the far point and the foil."""
    stimulus = np.arange(len(maps))
    yes, no = (maps[stimulus, data[f"{at}_y"].values, data[f"{at}_x"].values] for at in ("end", "foil"))
    exact = ((maps == data["target"].values) | ~data["line"].values).all((1, 2))
    return {"exact": float(exact.mean()), "yes_no": float(((yes == 1).mean() + (no == 0).mean()) / 2)}
