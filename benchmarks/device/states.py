"""The paper's experiments at sizes that take a CPU hours, several trainings at a time, for as long as time is left.

`python -m benchmarks.device.states STATES.JSON --data ARCHIVE --to FOLDER` makes, of what was measured, the folders of
runs, which `cortexsim experiment NAME --scale SCALE --data ... --to FOLDER/NAME --resume` completes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from benchmarks.device import images
from benchmarks.device.work import Work, end_with_parent, process_context
from cortexsim._support.percentages import percent
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.folder import ExperimentFolder
from cortexsim.paper.experiments.material import Material, prepare
from cortexsim.paper.experiments.part import Bench, Part, file_name
from cortexsim.paper.experiments.running import EXPERIMENTS, measure, run_settings
from cortexsim.paper.experiments.scale import Scale, scale_named

# experiments in order of priority: complete with all seeds, one after the other
ORDER = {
    "workstation": ("weight-sharing", "more-states", "readout-time", "generalization", "one-kernel"),
    "paper": ("more-states",),
}
N_SEEDS = 3
# small models leave most of a GPU idle
N_PROCESSES = 4
# seconds for which no training is started
LEAST_S = 10.0
# share of a training after which its length is estimated
ESTIMATED_AFTER = 0.1


class _TimeIsOver(Exception):
    """The step must end before the training does."""


def run(work: Work) -> str:
    """Train and test all parts that are not in the step's file yet."""
    parts = [one for one in work.read().get("parts", []) if one["status"] == "done"]
    known = {_key(one) for one in parts}
    tasks = [task for task in _tasks(work) if task not in known]
    images.of(work)  # decoded once, for all processes
    n = 1 if work.quick else N_PROCESSES
    with ProcessPoolExecutor(n, process_context(), initializer=end_with_parent) as pool:
        running = [pool.submit(_done, work, *task) for task in tasks]
        for future in as_completed(running):
            parts.append(future.result())
            work.write(parts=parts)
            print(f"{parts[-1]['part']}, seed {parts[-1]['seed']}: {parts[-1]['status']}", flush=True)
    work.write(data=_material(work, parts[0]["scale"]).identity())
    return "" if any(one["status"] == "done" for one in parts) else "no training fitted into the time left"


def _tasks(work: Work) -> Iterator[tuple[str, str, str, int]]:
    """List scale, experiment, part and seed of all trainings, in order of priority."""
    if work.quick:
        yield from (("smoke", "one-kernel", part.label, 0) for part in _parts("one-kernel", scale_named("smoke"), 0))
        return
    for scale, names in ORDER.items():
        for name in names:
            for seed in range(N_SEEDS if scale == "workstation" else 1):
                yield from ((scale, name, part.label, seed) for part in _parts(name, scale_named(scale), seed))


def _parts(name: str, scale: Scale, seed: int) -> Sequence[Part]:
    return EXPERIMENTS[name].parts(scale, seed)


def _key(done: dict[str, Any]) -> tuple[str, str, str, int]:
    return done["scale"], done["experiment"], done["part"], done["seed"]


@cache
def _material(work: Work, scale: str) -> Material:
    train, test = images.of(work)
    return prepare((train, test), scale_named(scale), train.attrs["name"])


def _done(work: Work, scale: str, name: str, label: str, seed: int) -> dict[str, Any]:
    """Train and test a part, in a process of the pool; its measurement is a plain Dataset (`Dataset.from_dict`)."""
    found: dict[str, Any] = {"scale": scale, "experiment": name, "part": label, "seed": seed}
    if work.seconds_left < LEAST_S and not work.quick:
        return {**found, "status": "skipped"}
    torch.set_num_threads(1)
    started = time.perf_counter()

    def report(fraction: float, message: str) -> None:
        passed = time.perf_counter() - started
        left = passed * (1 - fraction) / fraction if fraction > ESTIMATED_AFTER else 0.0
        if work.seconds_left < max(left, 5.0) and not work.quick:
            raise _TimeIsOver(f"{percent(fraction)} {message}")

    size = scale_named(scale)
    (part,) = [part for part in _parts(name, size, seed) if part.label == label]
    try:
        measured = measure(part, Bench(size, _material(work, scale), None, torch.device(work.device), report))
    except _TimeIsOver as error:
        return {**found, "status": "stopped", "seconds": time.perf_counter() - started, "last": str(error)}
    except Exception as error:  # the other trainings go on
        return {**found, "status": "failed", "why": f"{type(error).__name__}: {error}"[:500]}
    seconds = time.perf_counter() - started
    return {**found, "status": "done", "seconds": seconds, "measured": measured.to_dict()}


# --- results -------------------------------------------------------------------------------------------------------


def make_folders(file: Path, both: tuple[xr.Dataset, xr.Dataset], to: Path) -> list[Path]:
    """Make the folder of a run for each experiment all of whose parts are done; return the folders.

    Parameters
    ----------
    file : path
        The step's file.
    both : (Dataset, Dataset)
        The images that were shown; see `images.read`.
    to : path
        The folder of the folders.
    """
    done = {_key(one): one for one in json.loads(file.read_text())["parts"] if one["status"] == "done"}
    made: list[Path] = []
    for scale, name in dict.fromkeys(key[:2] for key in done):
        size, seeds = scale_named(scale), sorted({key[3] for key in done if key[:2] == (scale, name)})
        parts = [part for seed in seeds for part in _parts(name, size, seed)]
        if not all((scale, name, part.label, part.seed) in done for part in parts):
            print(f"{name} ({scale}) is not complete")
            continue
        material = prepare(both, size, both[0].attrs["name"])
        experiment: Experiment = EXPERIMENTS[name]
        path = to / f"{name}-{scale}"
        with ExperimentFolder(path, run_settings(experiment, size, material, parts), resume=False) as folder:
            for part in parts:
                folder.keep(file_name(part), _read(done[scale, name, part.label, part.seed]["measured"]))
        made.append(path)
        print(path)
    return made


def _read(plain: dict[str, Any]) -> xr.Dataset:
    """Read a measurement from JSON, which has no NaN."""
    found = xr.Dataset.from_dict(plain)
    for name, variable in found.data_vars.items():
        if variable.dtype == object:
            found[name] = variable.astype(np.float64)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    make_folders(given.file, images.read(given.data), given.to)
