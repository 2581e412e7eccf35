"""Train the models that trace curves and mazes, and their controls, and write their results on larger ones.

    uv run python tools/train_tracer.py --seed 0
    uv run python tools/train_tracer.py --seed 0 --quick
    uv run python tools/train_tracer.py --model tracer-deep --seed 3

Each run leaves its record and its model in data/models/tracing/ (or in the folder --to); the bundled models are those
of seed 0, copied to data/models. Sets and criteria are in cortexsim/paper/experiments/tracing.py. The settings come
from training curves and curves of 20 px that were drawn with another seed; the test part is read once, at the end.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
import xarray as xr

import cortexsim as cs
from cortexsim.paper.experiments.result import machine
from cortexsim.paper.experiments.tracing import N_TRAINING, measured, recipe_of, training_images, verdict
from cortexsim.zoo.tracers import TRACERS, Tracer

HERE = Path(__file__).resolve().parents[1] / "data" / "models"


def trained(tracer: Tracer, seed: int, epochs: int | None) -> tuple[cs.Cortex, dict[str, Any]]:
    """Train a model; return it with the time of its training."""
    model, recipe = tracer.build(seed), recipe_of(tracer, seed, epochs)
    data = training_images(tracer, seed=seed)
    started, used = time.perf_counter(), time.process_time()
    for progress in cs.train(model, data, recipe, report_every=100):
        print(progress, flush=True)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
    print(f"{progress.steps} batches in {seconds:.0f} s: {progress.steps / seconds:.1f} batches a second", flush=True)
    took = {"batches": progress.steps, "seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1)}
    return model, {**took, "recipe": recipe.to_dict(), "n_images": N_TRAINING}


def as_record(found: xr.Dataset) -> dict[str, Any]:
    """Return the measurements as plain values, fractions in percent."""
    by, prefix = ("cells", "maze_") if "cells" in found.dims else ("length", "")
    growth, rows = {}, {}
    for value in found[by].values.tolist():
        rows[str(value)] = {
            str(name).removeprefix(prefix): _plain(one.sel({by: value}))
            for name, one in found.data_vars.items()
            if by in one.dims and "distance" not in one.dims
        }
    for name, one in found.data_vars.items():
        if not one.dims:
            growth[str(name).removeprefix(prefix)] = round(float(one), 4)
    return {f"by_{by}": rows, "growth": growth}


def _plain(values: xr.DataArray) -> Any:
    percent = str(values.name).removeprefix("maze_").startswith(("yes_no", "exact"))
    known = values.dropna("time") if "time" in values.dims else values
    listed = (known * (100 if percent else 1)).round(2).values.tolist()
    return int(listed) if values.name in ("n", "size", "until") else listed


def main() -> None:
    """Train, save, measure, compare with the criteria, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=TRACERS, default="tracer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, default=HERE / "tracing", help="folder of the record and the model")
    parser.add_argument("--quick", action="store_true", help="half of the batches, and no record")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tracer = TRACERS[options.model]
    model, training = trained(tracer, options.seed, 2 if options.quick else None)
    options.to.mkdir(parents=True, exist_ok=True)
    saved = options.to / f"{options.model}-seed{options.seed}.safetensors"
    if not options.quick:
        cs.save(model, saved, overwrite=True, about={**model.about, "training": training})
    found = measured(model, tracer)
    record = as_record(found)
    for value, row in (record.get("by_length") or record["by_cells"]).items():
        print(value, {name: one for name, one in row.items() if not isinstance(one, list)}, flush=True)
    met = verdict(options.model, found)
    for criterion, holds in met.items():
        print("met    " if holds else "NOT MET", criterion, flush=True)
    if options.quick:
        return
    record = {
        "model": options.model,
        "seed": options.seed,
        "task": tracer.data,
        "training": training,
        **record,
        "criteria": met,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "machine": machine("cpu", 1),
    }
    (options.to / f"{options.model}-seed{options.seed}.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    cs.save(model, saved, overwrite=True, about=record)


if __name__ == "__main__":
    main()
