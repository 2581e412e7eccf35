"""Train the models that ship, test them, and write a record of each run.

    uv run python tools/train_zoo.py contours
    uv run python tools/train_zoo.py contours --control feedforward --seed 3
    uv run python tools/train_zoo.py digits
    uv run python tools/train_zoo.py cifar10-jpeg --data ~/cifar10

Each run writes its record to data/models/runs/; seed 0 also writes the model. Settings were chosen on held-out training
images (held out by the recipe, or drawn with another seed); the test part is read once, at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.lab.doctor import known_number
from cortexsim.paper.experiments.result import machine
from cortexsim.stimuli.text import read_presentation
from cortexsim.training.evaluate import measure

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models"
AREAS = ("V1", "V2", "V4", "IT")
EVERY = 50  # steps between the records of a training
MOST_ATTEMPTS = 5  # a model that stays at chance is trained again from other weights

# the recurrent model and its control models, each without some of its connections
MODELS: dict[str, dict[str, bool]] = {
    "recurrent": {},
    "lateral": {"feedback": False},
    "feedback": {"lateral": False},
    "feedforward": {"lateral": False, "feedback": False},
    "feedforward-wide": {"lateral": False, "feedback": False},
    "feedforward-deep": {"lateral": False, "feedback": False},
}

# a mask at every onset that can affect the readout, and the target as its own mask as a control
MASKS = "+".join([f"masked:1:{soa}" for soa in (1, 2, 3, 4, 6)] + [f"masked:1:{soa}:target" for soa in (1, 2, 4)])
SHOWN = f"6*sustained+2*flash:1+2*flash:2+2*flash:4+{MASKS}"
# for a readout time of 5: a mask reaches IT three steps after its onset
BRIEF_SHOWN = "4*sustained+2*flash:1+flash:2+masked:1:1+masked:1:2+masked:1:4"


@dataclass(frozen=True)
class Stage:
    """A part of a training: images of one size and the recipe for them.

    A feedforward model takes a fraction of the time. It is trained for more epochs, so that it is not worse merely
    because it was trained too briefly.
    """

    size: int
    n: int
    recipe: cs.Recipe
    feedforward_epochs: int


@dataclass(frozen=True)
class Task:
    """A task: images, models, recipes and tests.

    The features of a control model are such that it has as many parameters as the recurrent model; those of the wide
    one, such that it makes as many multiplications as the recurrent model up to its readout time.
    """

    make: Callable[..., xr.Dataset]
    features: dict[str, tuple[int, ...]]
    readout_time: int
    convolutions: dict[str, int]
    stages: tuple[Stage, ...]
    factor: str
    edges: tuple[float, ...]
    input_gain: float
    shortcut: float
    shown: str = SHOWN
    n_test: int = 1000
    in_folder: bool = False  # the images are read from a folder, which is an argument of `make`

    @property
    def calibrated_until(self) -> int:
        """The last time that is calibrated and tested."""
        return 3 * self.readout_time


def half_occluded_digits(n: int, *, seed: int, **settings: Any) -> xr.Dataset:
    """Draw digits: every second one is not occluded, the others by up to a half."""
    free = cs.datasets.digits(n - n // 2, seed=2 * seed, occlusion="none", **settings)
    occluded = cs.datasets.digits(n // 2, seed=2 * seed + 1, occlusion=(0.05, 0.5), **settings)
    both = xr.concat([free, occluded], "stimulus", combine_attrs="override")
    both.attrs["name"] = "digits in debris, half of them occluded"
    return both.isel(stimulus=np.argsort(np.r_[0:n:2, 1:n:2]))


def cifar10_jpeg(n: int, *, folder: Path, part: str = "train", size: int | None = None, seed: int = 0) -> xr.Dataset:
    """Read CIFAR-10 (JPEG), a folder with train/ and test/: the first images of each class, equally many."""
    images = cs.datasets.folder(folder, part=part, size=size)
    labels = images["label"].values
    each = n // len(cs.datasets.classes(images))
    first = np.concatenate([np.flatnonzero(labels == label)[:each] for label in np.unique(labels)])
    if len(first) != n:
        raise SystemExit(f"{folder / part} has too few images: this task needs {each:,} of each class")
    return images.isel(stimulus=first).assign_attrs(name="CIFAR-10 (JPEG)")


TASKS = {
    "contours": Task(
        make=cs.datasets.contours,
        features={
            "recurrent": (16, 16, 24, 32),
            "lateral": (16, 16, 28, 36),
            "feedback": (16, 28, 40, 48),
            "feedforward": (16, 36, 56, 80),
            "feedforward-wide": (112, 136, 96, 96),
            "feedforward-deep": (16, 24, 44, 48),
        },
        readout_time=8,
        # between areas; with two, depth replaces time
        convolutions={"feedforward-deep": 2},
        stages=(
            Stage(16, 40_000, cs.Recipe.contours(validation=0.01), feedforward_epochs=4),
            Stage(
                32,
                30_000,
                cs.Recipe.contours(
                    epochs=1,
                    batch_size=32,
                    learning_rate=3e-3,
                    unfolding=((0.0, None),),
                    curriculum=((0.0, 1.0),),
                    presentation=read_presentation(SHOWN),
                ),
                feedforward_epochs=3,
            ),
        ),
        factor="curve_length",
        edges=(8, 14, 21, 28),
        input_gain=16.0,
        shortcut=0.5,
    ),
    "digits": Task(
        make=half_occluded_digits,
        features={
            "recurrent": (16, 24, 32, 48),
            "lateral": (16, 24, 40, 56),
            "feedback": (16, 24, 48, 64),
            "feedforward": (16, 32, 64, 96),
            "feedforward-wide": (72, 80, 72, 80),
        },
        readout_time=5,
        convolutions=dict.fromkeys(MODELS, 2),
        stages=(
            Stage(
                32,
                40_000,
                cs.Recipe.digits(
                    epochs=5,
                    growth=((0.0, 0.5), (0.55, 1.0)),
                    presentation=read_presentation(BRIEF_SHOWN),
                    calibration_images=1000,
                ),
                feedforward_epochs=5,
            ),
        ),
        factor="visible_fraction",
        # the last bin is for digits without occluders
        edges=(0.45, 0.65, 0.8, 0.999, 1.0),
        input_gain=16.0,
        shortcut=0.5,
        shown=BRIEF_SHOWN,
    ),
    "cifar10-jpeg": Task(
        make=cifar10_jpeg,
        in_folder=True,
        features={
            "recurrent": (16, 32, 64, 96),
            "lateral": (16, 32, 80, 112),
            "feedback": (16, 48, 88, 120),
            "feedforward": (16, 64, 128, 176),
            "feedforward-wide": (86, 114, 128, 172),
        },
        readout_time=5,
        convolutions=dict.fromkeys(MODELS, 2),
        stages=(
            Stage(
                32,
                50_000,
                # the feedforward sweep costs a tenth of all readout times, so most epochs are spent on it
                cs.Recipe.quick(
                    epochs=24,
                    growth=((0.0, 0.5), (0.3, 1.0), (0.6, 0.75), (0.8, 1.0)),
                    unfolding=((0.0, 3), (0.6, None)),
                    presentation=read_presentation(BRIEF_SHOWN),
                ),
                feedforward_epochs=24,
            ),
        ),
        # every class is a bin
        factor="label",
        edges=tuple(range(11)),
        input_gain=16.0,
        shortcut=0.5,
        shown=BRIEF_SHOWN,
        n_test=2_000,
    ),
}


# --- training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """A model, the recipe of each of its stages, the records of its training, and the number of attempts."""

    model: cs.Cortex
    recipes: list[cs.Recipe]
    records: list[dict[str, Any]]
    attempts: int


def trained(task: Task, name: str, seed: int, precision: str) -> Trained:
    """Train a model through the stages; try again from other weights if it stays at chance."""
    recipes = [recipe_of(task, stage, name, seed, precision) for stage in task.stages]
    for attempt in range(1, MOST_ATTEMPTS + 1):
        # the data keep their seed; the initial weights change
        torch.manual_seed(seed + 1000 * (attempt - 1))
        records: list[dict[str, Any]] = []
        model = through_the_stages(task, name, seed, recipes, records, f"{name} seed {seed}, attempt {attempt}")
        if model is not None:
            return Trained(model, recipes, records, attempt)
    raise RuntimeError(f"{name} seed {seed} stayed at chance in {MOST_ATTEMPTS} attempts")


def recipe_of(task: Task, stage: Stage, name: str, seed: int, precision: str = "auto") -> cs.Recipe:
    """Return the recipe of a model in a stage."""
    recipe = replace(stage.recipe, seed=seed, calibrate_until=task.calibrated_until, precision=precision)
    return replace(recipe, epochs=stage.feedforward_epochs) if "feedforward" in name else recipe


def through_the_stages(
    task: Task, name: str, seed: int, recipes: list[cs.Recipe], records: list[dict[str, Any]], title: str
) -> cs.Cortex | None:
    """Train a model in every stage, and add to its records; return None if it stays at chance."""
    model = None
    for number, (stage, recipe) in enumerate(zip(task.stages, recipes, strict=True), 1):
        data = task.make(stage.n, size=stage.size, seed=seed)
        smaller, model = model, built(task, name, stage.size, len(cs.datasets.classes(data)))
        if smaller is not None:
            copy_weights(smaller, model)
        for progress in cs.train(model, data, recipe, report_every=EVERY):
            print(f"{title}, stage {number}: {progress}", flush=True)
            records.append(noted(number, progress))
            if stays_at_chance(progress, recipe, model.n_classes):
                return None
    assert model is not None
    if "feedforward" in name:
        # at later times half of the mixture shows masks, which change the moments; a sustained image is tested with
        # separate moments
        n = recipe.calibration_images
        some = cs.datasets.spread(data, n) if task.in_folder else data.isel(stimulus=slice(0, n))
        cs.calibrate(model, some, cs.sustained(), until=task.calibrated_until, seed=seed)
    return model


def copy_weights(smaller: cs.Cortex, model: cs.Cortex) -> None:
    """Copy all weights, which do not depend on the size of the images."""
    weights = dict(smaller.named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])


def built(task: Task, name: str, size: int, n_classes: int) -> cs.Cortex:
    """Build a model, untrained, for images of a size."""
    if name not in task.features:
        raise SystemExit(f"this task has no model {name!r}: it has {', '.join(task.features)}")
    graph = cs.adjacent(
        dict(zip(AREAS, task.features[name], strict=True)),
        size=size,
        shortcut=task.shortcut,
        convolutions=task.convolutions.get(name, 1),
        **MODELS[name],
    )
    readout_time = task.readout_time
    if "feedforward" in name:
        # without feedback, a flash has left the last area one step after its arrival
        readout_time = len(AREAS) - 1
    elif name == "feedback":
        # without lateral connections, a flash is in the last area at odd times only
        readout_time -= 1 - readout_time % 2
    return cs.Cortex(graph, n_classes=n_classes, readout_time=readout_time, input_gain=task.input_gain)


def noted(stage: int, progress: cs.Progress) -> dict[str, Any]:
    """Return what is recorded of a training's progress."""

    def rounded(values: dict[int, float] | None) -> dict[int, float] | None:
        return values and {time: round(value, 4) for time, value in values.items()}

    return {
        "stage": stage,
        "step": progress.step,
        "loss": round(progress.loss, 4),
        "accuracy": rounded(progress.accuracy),
        "validation": rounded(progress.validation),
    }


def stays_at_chance(progress: cs.Progress, recipe: cs.Recipe, n_classes: int) -> bool:
    """Return True if nothing was learned on the feedforward sweep, just before later times are unfolded.

    A stage that unfolds all times at once is never judged: at its step 0, it has not seen any of its images.
    """
    begins = recipe.unfolding[-1][0] * progress.steps
    about_to = begins > 0 and progress.step <= begins < progress.step + EVERY
    return about_to and max(progress.accuracy.values()) < 1.2 / n_classes


# --- the record ------------------------------------------------------------------------------------------------------


def tested(task: Task, model: cs.Cortex) -> dict[str, Any]:
    """Measure accuracy on the test part: a sustained image to three times the readout time, the others half as long."""
    data = task.make(task.n_test, part="test", size=task.stages[-1].size, seed=0)
    bins = {"factor": task.factor, "edges": task.edges}
    found = measure(model, data, {"sustained": cs.sustained()}, **bins, until=task.calibrated_until)
    brief = {str(c): c for c in read_presentation(task.shown).components if c.kind != "sustained"}
    found["presentations"] |= measure(model, data, brief, **bins, until=task.calibrated_until // 2)["presentations"]
    return found


def record_of(
    task: Task, done: Trained, name: str, seed: int, threads: int, minutes: float, command: str
) -> dict[str, Any]:
    """Test a model, and return the record of its run."""
    model = done.model
    return {
        "model": name,
        "seed": seed,
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "minutes": round(minutes, 1),
        "beginnings": done.attempts,
        "threads": threads,
        "machine": processor_and_torch(threads) + f", {model.about['precision']}",
        "parameters": model.n_parameters(model.readout_time, cs.sustained()),
        "multiply_adds": cs.schedule(model.graph, model.readout_time, cs.sustained()).multiply_adds,
        "stages": [
            {"size": stage.size, "n": stage.n, "recipe": recipe.to_dict()}
            for stage, recipe in zip(task.stages, done.recipes, strict=True)
        ],
        "training": done.records,
        "test": {"data": name_of(task.make), **tested(task, model)},
    }


def processor_and_torch(threads: int) -> str:
    """Name the processor and the version of torch; the record has a separate entry for the threads."""
    processor, _, version = machine("cpu", threads).rsplit(", ", 2)
    return f"{processor}, {version.partition('+')[0]}"


def name_of(make: Callable[..., xr.Dataset]) -> str:
    """Return the name of a function, which may be a partial with its folder."""
    return (make.func if isinstance(make, partial) else make).__name__


def write_model(model: cs.Cortex, name: str, command: str) -> None:
    """Write a model that ships, and the number by which `cortexsim lab --check` checks it."""
    model.about["command"] = command
    path, known = FOLDER / f"{name}.safetensors", FOLDER / "known.json"
    cs.save(model, path, overwrite=True)
    numbers = {**json.loads(known.read_text(encoding="utf-8")), name: round(known_number(cs.load(path)), 4)}
    known.write_text(json.dumps(dict(sorted(numbers.items())), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Train one model, test it, and write the record and the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    # the commands in the first records say --sibling
    parser.add_argument("--control", "--sibling", choices=MODELS, default="recurrent", help="a control model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the images of cifar10-jpeg")
    options = parser.parse_args()
    task = TASKS[options.task]
    if task.in_folder != (options.data is not None):
        parser.error(f"{options.task} {'needs' if task.in_folder else 'takes no'} --data")
    if task.in_folder:
        task = replace(task, make=partial(task.make, folder=options.data))
    torch.set_num_threads(options.threads)

    started = time.perf_counter()
    done = trained(task, options.control, options.seed, options.precision)
    minutes = (time.perf_counter() - started) / 60

    name = f"ventral-stream-{options.task}" + ("" if options.control == "recurrent" else f"-{options.control}")
    # the folder of the images on this machine is not recorded
    arguments = ["~/cifar10" if argument == str(options.data) else argument for argument in sys.argv[1:]]
    command = f"uv run python tools/train_zoo.py {' '.join(arguments)}"
    record = record_of(task, done, name, options.seed, options.threads, minutes, command)
    (FOLDER / "runs").mkdir(exist_ok=True)
    path = FOLDER / "runs" / f"{name}-seed{options.seed}.json"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    if options.seed == 0:
        write_model(done.model, name, command)
    sustained = record["test"]["presentations"]["sustained"]
    accuracy = dict(zip(sustained["times"], sustained["accuracy"], strict=True))
    print(f"{name} seed {options.seed}: {minutes:.1f} minutes; sustained {accuracy}")


if __name__ == "__main__":
    main()
