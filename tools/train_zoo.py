"""Train the models that ship and write down what they can do.

    uv run python tools/train_zoo.py contours
    uv run python tools/train_zoo.py contours --sibling feedforward --seed 3
    uv run python tools/train_zoo.py digits
    uv run python tools/train_zoo.py cifar10-jpeg --data ~/cifar10

Each run leaves its record in data/models/runs/; seed 0 also leaves the model. Settings were chosen on held-out training
images (held out by the recipe, or made from another seed); the test part is read once, at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.cli.arguments import read_presentation
from cortexsim.lab.doctor import known_number
from cortexsim.paper.experiments.result import machine
from cortexsim.training.evaluate import measure

HERE = Path(__file__).resolve().parents[1] / "data" / "models"
AREAS = ("V1", "V2", "V4", "IT")
EVERY = 50  # steps between the records of a training
MOST_BEGINNINGS = 5

# what each lacks
SIBLINGS: dict[str, dict[str, bool]] = {
    "recurrent": {},
    "lateral": {"feedback": False},
    "feedback": {"lateral": False},
    "feedforward": {"lateral": False, "feedback": False},
    "feedforward-wide": {"lateral": False, "feedback": False},
    "feedforward-deep": {"lateral": False, "feedback": False},
}

# a mask at every onset that can matter, and the target as its own mask, for control
MASKS = "+".join([f"masked:1:{soa}" for soa in (1, 2, 3, 4, 6)] + [f"masked:1:{soa}:target" for soa in (1, 2, 4)])
SHOWN = f"6*sustained+2*flash:1+2*flash:2+2*flash:4+{MASKS}"
# for a readout time of 5: a mask reaches IT three steps after its onset
BRIEF_SHOWN = "4*sustained+2*flash:1+flash:2+masked:1:1+masked:1:2+masked:1:4"


@dataclass(frozen=True)
class Stage:
    """A part of a training: images of one size and the recipe for them.

    What is feedforward takes a fraction of the time, so it is trained for more epochs: it shall not fall behind for
    want of training.
    """

    size: int
    n: int
    recipe: cs.Recipe
    feedforward_epochs: int


@dataclass(frozen=True)
class Task:
    """What is trained, and how it is tested.

    The channels of a sibling are such that its parameters match the recurrent one's; of the wide one, such that it
    makes as many multiplications as the recurrent one does up to its readout time.
    """

    make: Any
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
    in_folder: bool = False  # the images are not drawn: make also takes the folder where they lie

    @property
    def calibrated_until(self) -> int:
        """The last time that is calibrated and tested."""
        return 3 * self.readout_time


def half_occluded_digits(n: int, *, seed: int, **settings: Any) -> xr.Dataset:
    """Draw digits of which every other one is free, the others occluded by up to a half."""
    free = cs.datasets.digits(n - n // 2, seed=2 * seed, occlusion="none", **settings)
    occluded = cs.datasets.digits(n // 2, seed=2 * seed + 1, occlusion=(0.05, 0.5), **settings)
    both = xr.concat([free, occluded], "stimulus", combine_attrs="override")
    both.attrs["name"] = "digits in debris, half of them occluded"
    return both.isel(stimulus=np.argsort(np.r_[0:n:2, 1:n:2]))


def cifar10_jpeg(n: int, *, folder: Path, part: str = "train", size: int | None = None, seed: int = 0) -> xr.Dataset:
    """Read CIFAR-10 (JPEG), a folder of images with train/ and test/: of each class as many, the first ones."""
    images = cs.datasets.folder(folder, part=part, size=size)
    labels = images["label"].values
    each = n // len(cs.datasets.classes(images))
    first = np.concatenate([np.flatnonzero(labels == label)[:each] for label in np.unique(labels)])
    if len(first) != n:
        raise SystemExit(f"{folder / part} lacks images: this task takes {each:,} of each class")
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
        # between areas; with two, depth stands in for time
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
        convolutions=dict.fromkeys(SIBLINGS, 2),
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
        # the last bin holds what is not occluded at all
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
        convolutions=dict.fromkeys(SIBLINGS, 2),
        stages=(
            Stage(
                32,
                50_000,
                # the way up costs a tenth of all readout times: most epochs go there
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


def built(task: Task, sibling: str, size: int, n_classes: int) -> cs.Cortex:
    """Build a model, untrained, for images of a size."""
    if sibling not in task.features:
        raise SystemExit(f"this task has no sibling {sibling!r}: it has {', '.join(task.features)}")
    graph = cs.adjacent(
        dict(zip(AREAS, task.features[sibling], strict=True)),
        size=size,
        shortcut=task.shortcut,
        convolutions=task.convolutions.get(sibling, 1),
        **SIBLINGS[sibling],
    )
    readout_time = task.readout_time
    if "feedforward" in sibling:
        # nothing comes back: a flash is gone from the last area one step after it arrived
        readout_time = len(AREAS) - 1
    elif sibling == "feedback":
        # nothing stays: a flash is in the last area at odd times only
        readout_time -= 1 - readout_time % 2
    return cs.Cortex(graph, n_classes=n_classes, readout_time=readout_time, input_gain=task.input_gain)


@dataclass(frozen=True)
class Trained:
    """A model, the recipe of each of its stages as it was run, what was noted, and how many beginnings it took."""

    model: cs.Cortex
    recipes: list[cs.Recipe]
    records: list[dict[str, Any]]
    beginnings: int


def recipe_of(task: Task, stage: Stage, sibling: str, seed: int, precision: str = "auto") -> cs.Recipe:
    """Return the recipe by which a sibling is trained in a stage."""
    recipe = replace(stage.recipe, seed=seed, calibrate_until=task.calibrated_until, precision=precision)
    return replace(recipe, epochs=stage.feedforward_epochs) if "feedforward" in sibling else recipe


def trained(task: Task, sibling: str, seed: int, precision: str) -> Trained:
    """Train a model through the stages."""
    recipes = [recipe_of(task, stage, sibling, seed, precision) for stage in task.stages]
    for attempt in range(MOST_BEGINNINGS):
        # the seed of the data stays; another beginning has other first weights
        torch.manual_seed(seed + 1000 * attempt)
        weights: dict[str, torch.Tensor] = {}
        records: list[dict[str, Any]] = []
        for number, (stage, recipe) in enumerate(zip(task.stages, recipes, strict=True), 1):
            data = task.make(stage.n, size=stage.size, seed=seed)
            model = built(task, sibling, stage.size, len(cs.datasets.classes(data)))
            # kernels do not depend on the size of the images
            model.load_state_dict(weights or model.state_dict())
            for record in cs.train(model, data, recipe, report_every=EVERY):
                print(f"{sibling} seed {seed}, beginning {attempt + 1}, stage {number}: {record}", flush=True)
                records.append(_noted(number, record))
                if _stays_at_chance(record, recipe, model.n_classes):
                    break
            else:
                weights = model.state_dict()
                continue
            break
        else:
            if "feedforward" in sibling:
                # at later times half of the mixture shows masks, which move the moments; what stays on must be judged
                # without them
                n = recipe.calibration_images
                some = cs.datasets.spread(data, n) if task.in_folder else data.isel(stimulus=slice(0, n))
                cs.calibrate(model, some, cs.sustained(), until=task.calibrated_until, seed=seed)
            return Trained(model, recipes, records, attempt + 1)
    raise RuntimeError(f"{sibling} seed {seed} stayed at chance in {MOST_BEGINNINGS} beginnings")


def _noted(stage: int, record: cs.Progress) -> dict[str, Any]:
    def rounded(values: dict[int, float] | None) -> dict[int, float] | None:
        return values and {time: round(value, 4) for time, value in values.items()}

    return {
        "stage": stage,
        "step": record.step,
        "loss": round(record.loss, 4),
        "accuracy": rounded(record.accuracy),
        "validation": rounded(record.validation),
    }


def _stays_at_chance(record: cs.Progress, recipe: cs.Recipe, n_classes: int) -> bool:
    """Whether, when later times are about to be unfolded, the signal's first way up has learned nothing yet.

    A stage that unfolds all times at once has nothing to wait for: at its step 0 it has seen no image of its own.
    """
    begins = recipe.unfolding[-1][0] * record.steps
    about_to = begins > 0 and record.step <= begins < record.step + EVERY
    return about_to and max(record.accuracy.values()) < 1.2 / n_classes


def tested(task: Task, model: cs.Cortex) -> dict[str, Any]:
    """Measure on the test part: what stays on to three times the readout time, what is brief half as long."""
    data: xr.Dataset = task.make(task.n_test, part="test", size=task.stages[-1].size, seed=0)
    longest = measure(
        model,
        data,
        {"sustained": cs.sustained()},
        factor=task.factor,
        edges=task.edges,
        until=task.calibrated_until,
    )
    brief = {str(c): c for c in read_presentation(task.shown).components if c.kind != "sustained"}
    others = measure(model, data, brief, factor=task.factor, edges=task.edges, until=task.calibrated_until // 2)
    longest["presentations"] |= others["presentations"]
    return longest


def processor_and_torch(threads: int) -> str:
    """Name the processor and the version of torch; the threads stand in an entry of their own."""
    processor, _, version = machine("cpu", threads).rsplit(", ", 2)
    return f"{processor}, {version.partition('+')[0]}"


def main() -> None:
    """Train one model, test it, and write both down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--sibling", choices=SIBLINGS, default="recurrent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where the images of cifar10-jpeg lie")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task, begun = TASKS[options.task], time.perf_counter()
    called = task.make.__name__
    if task.in_folder != (options.data is not None):
        parser.error(f"{options.task} {'needs' if task.in_folder else 'takes no'} --data")
    if task.in_folder:
        task = replace(task, make=partial(task.make, folder=options.data))
    # where the images lie on this machine says nothing to others
    said = ["~/cifar10" if argument == str(options.data) else argument for argument in sys.argv[1:]]
    done = trained(task, options.sibling, options.seed, options.precision)
    model = done.model
    minutes = (time.perf_counter() - begun) / 60
    name = f"ventral-stream-{options.task}" + ("" if options.sibling == "recurrent" else f"-{options.sibling}")
    run = {
        "model": name,
        "seed": options.seed,
        "command": f"uv run python tools/train_zoo.py {' '.join(said)}",
        "date": datetime.now(UTC).date().isoformat(),
        "minutes": round(minutes, 1),
        "beginnings": done.beginnings,
        "threads": options.threads,
        "machine": processor_and_torch(options.threads) + f", {model.about['precision']}",
        "parameters": model.n_parameters(model.readout_time, cs.sustained()),
        "multiply_adds": cs.schedule(model.graph, model.readout_time, cs.sustained()).multiply_adds,
        "stages": [
            {"size": stage.size, "n": stage.n, "recipe": recipe.to_dict()}
            for stage, recipe in zip(task.stages, done.recipes, strict=True)
        ],
        "training": done.records,
        "test": {"data": called, **tested(task, model)},
    }
    (HERE / "runs").mkdir(exist_ok=True)
    path = HERE / "runs" / f"{name}-seed{options.seed}.json"
    path.write_text(json.dumps(run) + "\n", encoding="utf-8")
    if options.seed == 0:
        model.about["command"] = run["command"]
        shipped = HERE / f"{name}.safetensors"
        cs.save(model, shipped, overwrite=True)
        known = HERE / "known.json"
        numbers = {**json.loads(known.read_text(encoding="utf-8")), name: round(known_number(cs.load(shipped)), 4)}
        known.write_text(json.dumps(dict(sorted(numbers.items())), indent=1) + "\n", encoding="utf-8")
    sustained = run["test"]["presentations"]["sustained"]
    print(
        f"{name} seed {options.seed}: {minutes:.1f} minutes; sustained",
        dict(zip(sustained["times"], sustained["accuracy"], strict=True)),
    )


if __name__ == "__main__":
    main()
