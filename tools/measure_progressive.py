"""Train the tracer as the panel of notebook 03 does, with and without the progressive loss, and test what it solves.

    uv run python tools/measure_progressive.py

Each seed is trained twice, with the settings of `cs.explore.Training("tracer")`, in the panel's own thread with its
tests and snapshots. The record is written after every run to data/models/tracing/progressive.json (or --to); runs that
it contains are not repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cortexsim.datasets.registry import draw
from cortexsim.explore.training.lessons import LESSONS
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.trainer import Trainer
from cortexsim.paper.experiments.result import machine
from cortexsim.paper.experiments.tracing import exact_at

HERE = Path(__file__).resolve().parents[1] / "data" / "models" / "tracing" / "progressive.json"
SIZES = {10: 16, 20: 32, 30: 32}  # length of the curves and side of the image, px
STEPS_A_PIXEL = (3, 9)
N_CURVES = 50


def run_once(seed: int, *, progressive: bool) -> dict[str, Any]:
    """Train once; return its time and the percentage of test curves with every line pixel right."""
    lesson = LESSONS["tracer"]
    trainer = Trainer(lesson, replace(lesson.default_choices, seed=seed, progressive=progressive), Run("run", {}))
    started, used = time.perf_counter(), time.process_time()
    trainer.start()
    trainer.wait()
    if trainer.error is not None:
        raise trainer.error
    took = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - used}
    assert trainer.model is not None
    solved: dict[str, dict[str, float]] = {}
    for length, size in SIZES.items():
        curves = draw({"name": "paths", "part": "test", "size": size, "length": (length, length), "seed": 1}, N_CURVES)
        model = trainer.model.at_size(size).eval()
        with torch.no_grad():
            found = {
                str(steps): 100 * exact_at(model, curves, steps * length, lesson.recipe.presentation)
                for steps in STEPS_A_PIXEL
            }
        solved[str(length)] = {steps: round(value, 1) for steps, value in found.items()}
    return {
        "seed": seed,
        "progressive": progressive,
        "batches": lesson.steps,
        **{name: round(value, 1) for name, value in took.items()},
        "exact_by_length_and_steps_a_pixel": solved,
        "n_curves": N_CURVES,
        "machine": machine("cpu", 1),
    }


def main() -> None:
    """Run what the record lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--to", type=Path, default=HERE)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs = json.loads(asked.to.read_text(encoding="utf-8")) if asked.to.exists() else []
    for seed in asked.seeds:
        for progressive in (False, True):
            if any((one["seed"], one["progressive"]) == (seed, progressive) for one in runs):
                continue
            runs.append(run_once(seed, progressive=progressive))
            print(runs[-1], flush=True)
            asked.to.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
