"""Add a second area to the tracer that is to hold the answer when the picture is gone, and measure how long it does.

    uv run python tools/measure_holding.py --seed 0
    uv run python tools/measure_holding.py --seed 0 --together

V2 has few features, and a self-transition with an identity shortcut of weight 1; the map is read from V2. V1 is that of
the tracer of the same seed, and stays as it is or is trained together with V2. In training the picture stays for 12 to
20 steps, then there is nothing for up to 24. The record is written to data/models/tracing/holding.json (or --to); a run
that it contains is replaced. Settings are chosen with --held-out, which reads training curves of another seed, of 10
and 20 px only; the test part is read without it. The criteria were written before the first run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from second_area import FOLDER, alone, grown, keep

import cortexsim as cs
from cortexsim.paper.experiments.result import machine
from cortexsim.paper.experiments.tracing import N_TRAINING, training_images
from cortexsim.zoo.tracers import FEATURES, TRACERS

SIZES = {10: 16, 20: 32, 30: 32}  # length of the curves and side of the image, px
CHOOSING = (10, 20)  # lengths, px, on which settings are chosen
STEPS_A_PIXEL = 3  # for which the picture stays
AFTER = (0, 5, 10, 20, 40)  # steps after its last time
N_CURVES, CHUNK = 50, 25
DURATIONS = (12, 16, 20)  # in training
KIND = "BRCx2+I"

# criteria; fractions, for each length
RIGHT_AT_OFFSET = 0.95  # yes/no, at the last time of the picture, at least
HELD_AT_LEAST = 0.90  # yes/no, 20 steps after it
ALONE_AT_MOST = 0.60  # the same, read from the tracer without a second area


def with_second_area(seed: int, features: int, *, together: bool) -> cs.Cortex:
    """Make the model with the V1 of the tracer of the same seed, frozen unless both are trained together."""
    side = TRACERS["tracer"].size
    graph = cs.CortexGraph(
        (cs.State("V1", FEATURES, side, side), cs.State("V2", features, side, side)),
        (cs.Transition("V1", "V1", "BRCx1"), cs.Transition("V1", "V2", "BRCx1"), cs.Transition("V2", "V2", KIND)),
    )
    return grown(graph, TRACERS["tracer"].readout_time, seed, frozen=not together)


def held(
    model: cs.Cortex, data: xr.Dataset, *, mask: str | None = None, silence: Mapping[str, Any] | None = None
) -> dict[str, list[float]]:
    """Measure a model after the end of the picture, at each of `AFTER`, in percent.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Curves of one length.
    mask : str, optional
        What follows the picture; by default nothing.
    silence : mapping of str to times, optional
        As for `simulate`.

    Returns
    -------
    dict of str to list of float
        "yes/no" and "exact".
    """
    duration = STEPS_A_PIXEL * int(data["length"][0])
    shown = cs.flash(duration) if mask is None else cs.masked(duration, duration, mask)
    times = [duration - 1 + after for after in AFTER]
    large, found = model.at_size(data.sizes["y"]).eval(), []
    for start in range(0, data.sizes["stimulus"], CHUNK):
        some = data.isel(stimulus=slice(start, start + CHUNK))
        recording = cs.simulate(large, some, shown, until=times[-1], record=[], silence=silence)
        readout = recording["readout"].to_dataset().sel(time=times)
        both = [cs.analyse.map_accuracy(readout, some, measure) for measure in ("yes/no", "exact")]
        found.append(some.sizes["stimulus"] * np.array(both))
    percent = 100 * sum(found) / data.sizes["stimulus"]
    return {name: np.round(row, 1).tolist() for name, row in zip(("yes/no", "exact"), percent, strict=True)}


def measured(model: cs.Cortex, seed: int, *, held_out: bool) -> dict[str, Any]:
    """Measure a model, the tracer alone, and what the second area does without one of its inputs."""
    found: dict[str, Any] = {}
    for length in CHOOSING if held_out else SIZES:
        drawn = {"part": "train", "seed": 1000} if held_out else {"part": "test"}
        curves = cs.datasets.paths(N_CURVES, size=SIZES[length], length=(length, length), **drawn)
        offset = STEPS_A_PIXEL * length
        found[str(length)] = {
            "nothing follows": held(model, curves),
            "the tracer alone": held(alone(seed), curves),
        }
        if not held_out:
            found[str(length)] |= {
                "noise follows": held(model, curves, mask="noise"),
                "V1 to V2 cut at the end of the picture": held(
                    model, curves, silence={"V1->V2": range(offset, offset + AFTER[-1] + 1)}
                ),
                "V2 to V2 cut": held(model, curves, silence={"V2->V2": None}),
            }
        print(length, found[str(length)], flush=True)
    return found


def verdict(found: Mapping[str, Any]) -> dict[str, bool]:
    """Compare what was measured with the criteria."""
    at_20 = AFTER.index(20)
    met = {}
    for length, rows in found.items():
        with_v2, tracer = rows["nothing follows"]["yes/no"], rows["the tracer alone"]["yes/no"]
        met |= {
            f"{length} px: right at the end of the picture": with_v2[0] >= 100 * RIGHT_AT_OFFSET,
            f"{length} px: held 20 steps later": with_v2[at_20] >= 100 * HELD_AT_LEAST,
            f"{length} px: not held by the tracer alone": tracer[at_20] <= 100 * ALONE_AT_MOST,
        }
    return met


def main() -> None:
    """Train, measure, compare with the criteria, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--together", action="store_true", help="train V1, too")
    parser.add_argument("--features", type=int, default=4, help="of V2")
    parser.add_argument("--images", type=int, default=N_TRAINING // 2, help="number of training images")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="read no test curves, and write no record")
    parser.add_argument("--to", type=Path, default=FOLDER / "holding.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = with_second_area(asked.seed, asked.features, together=asked.together)
    shown = cs.mixture(*(cs.flash(duration) for duration in DURATIONS))
    recipe = cs.Recipe.tracing(epochs=asked.epochs, seed=asked.seed, presentation=shown)
    started, used = time.perf_counter(), time.process_time()
    for progress in cs.train(
        model, training_images(TRACERS["tracer"], asked.images, asked.seed), recipe, report_every=50
    ):
        print(progress, flush=True)
    took = {"seconds": round(time.perf_counter() - started), "cpu_seconds": round(time.process_time() - used)}
    found = measured(model, asked.seed, held_out=asked.held_out)
    met = verdict(found)
    for criterion, holds in met.items():
        print("met    " if holds else "NOT MET", criterion, flush=True)
    if asked.held_out:
        return
    run = {
        "seed": asked.seed,
        "together": asked.together,
        "features": asked.features,
        "training": {"batches": progress.steps, **took, "n_images": asked.images, "recipe": recipe.to_dict()},
        "after": list(AFTER),
        "n_curves": N_CURVES,
        "by_length": found,
        "criteria": met,
        "machine": machine("cpu", 1),
    }
    keep(run, asked.to, "seed", "together")


if __name__ == "__main__":
    main()
