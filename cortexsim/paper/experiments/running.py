"""Runs of experiments: part after part, each written as soon as it is done, then one result."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
import xarray as xr

from cortexsim import __version__
from cortexsim._support.checks import unknown, whole
from cortexsim._support.files import as_path
from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report, silent
from cortexsim._support.progress import part as part_of
from cortexsim._support.renamed import formerly
from cortexsim._support.run_folder import already_there
from cortexsim.model.devices import checked_device
from cortexsim.paper.experiments.equivalence import EQUIVALENCE
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.extrapolation import EXTRAPOLATION
from cortexsim.paper.experiments.folder import ExperimentFolder
from cortexsim.paper.experiments.inhomogeneous import INHOMOGENEOUS
from cortexsim.paper.experiments.material import Material, prepare
from cortexsim.paper.experiments.normalizing import NORMALIZATION
from cortexsim.paper.experiments.part import Bench, Part, file_name
from cortexsim.paper.experiments.readout import GENERALIZATION, READOUT_TIME
from cortexsim.paper.experiments.result import combined, commit, machine, plain
from cortexsim.paper.experiments.scale import Scale, scale_named
from cortexsim.paper.experiments.sequences import SEQUENCES
from cortexsim.paper.experiments.states import MORE_STATES, PLAIN_OR_RESIDUAL
from cortexsim.paper.experiments.weights import ONE_KERNEL_FOR_ALL, WEIGHT_SHARING
from cortexsim.training.recipe import Recipe

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        EQUIVALENCE,
        WEIGHT_SHARING,
        ONE_KERNEL_FOR_ALL,
        READOUT_TIME,
        MORE_STATES,
        GENERALIZATION,
        NORMALIZATION,
        INHOMOGENEOUS,
        PLAIN_OR_RESIDUAL,
        SEQUENCES,
        EXTRAPOLATION,
    )
}

# settings files are compared with those of older runs
NAMES_ON_DISK = {"epochs_factor": "longer", "rate_divisor": "gentler", "vary_calibration": "counted"}


@formerly(told="report")
def run(
    name: str,
    *,
    scale: str = "smoke",
    data: str | Path | Sequence[xr.Dataset] | None = None,
    data_name: str | None = None,
    to: str | Path | None = None,
    resume: bool = False,
    seeds: int | None = None,
    epochs: int | None = None,
    device: str | torch.device = "cpu",
    report: Report = silent,
) -> xr.Dataset:
    """Run an experiment of Liao & Poggio (2016).

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    scale : "smoke", "laptop", "workstation" or "paper"
        A test, in seconds; small models, in minutes; the paper's features where they fit and 20 epochs, in hours on one
        core; the paper's sizes and recipe, for a GPU.
    data : str, path or pair of Datasets, optional
        A name of `datasets.SOURCES`, a folder of images with train/ and test/, or (train, test). By default the
        scale's.
    data_name : str, optional
        Name of a folder's images in the result; by default the folder's name.
    to : path, optional
        The folder of the run: settings, training records, models and result.nc. Without it nothing is written.
    resume : bool
        Continue a run that was stopped in that folder; finished parts are not repeated.
    seeds : int, optional
        Number of seeds; each draws other weights, another order and other held-out images. By default the experiment's
        own.
    epochs : int, optional
        Of every training, in place of the scale's; the result says so.
    device : str
        Where to compute.
    report : callable, optional
        Called with the fraction of the run that is done and a message. An exception from it stops the run; finished
        parts are kept.

    Returns
    -------
    Dataset
        Dimensions `model` and `seed` first; errors are fractions. `cs.plot.experiment` draws it, and
        `open_result` reads it again from the folder.

    Raises
    ------
    ValueError
        If name, scale, data or device is not allowed, the experiment cannot be run at this scale, or the folder belongs
        to another run or is damaged.
    FileExistsError
        If the folder exists and `resume` is False.
    FileNotFoundError
        If the data are missing.
    OSError
        If something cannot be written, as on a full disk; what was finished before is complete.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.run("equivalence", scale="smoke")
    >>> float(result["difference"].max()) < 1e-3
    True
    """
    if name not in EXPERIMENTS:
        raise ValueError(unknown("experiment", name, EXPERIMENTS))
    experiment, size, where = EXPERIMENTS[name], scale_named(scale), checked_device(device)
    seeds = None if seeds is None else whole(seeds, "seeds", 1)
    epochs = None if epochs is None else whole(epochs, "epochs", 1)
    if epochs is not None:
        size = replace(size, recipe=replace(size.recipe, epochs=epochs))
    if experiment.most_stimuli is not None:
        n_train, n_test = (
            min(n or experiment.most_stimuli, experiment.most_stimuli) for n in (size.n_train, size.n_test)
        )
        size = replace(size, n_train=n_train, n_test=n_test)
    if experiment.own_data and data not in (None, experiment.own_data):
        raise ValueError(f"{name} makes its own data ({experiment.own_data}); leave data out")
    to = None if to is None else as_path(to, "to")
    if to is not None and to.exists() and not resume:
        raise FileExistsError(already_there(to))
    n_seeds = seeds or (max(experiment.seeds, size.least_seeds) if size.several_seeds else 1)
    parts = [part for seed in range(n_seeds) for part in experiment.parts(size, seed)]
    if experiment.own_material is not None and data is not None:
        raise ValueError(f"{name} draws its own data; leave data out")
    material = (
        prepare(experiment.own_data or data, size, data_name)
        if experiment.own_material is None
        else experiment.own_material(size)
    )
    if epochs is not None and all(part.recipe(size, material) is None for part in parts):
        raise ValueError(f"{name} trains by steps, not by epochs; leave epochs out")
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) if to is None else to
        described = run_settings(experiment, size, material, parts)
        folder = stack.enter_context(ExperimentFolder(path if to else path / name, described, resume=resume))
        done: dict[tuple[str, int], xr.Dataset] = {}
        for k, part in enumerate(parts, 1):
            what = f"{k}/{len(parts)} {part.label}" + (f", seed {part.seed}" if n_seeds > 1 else "")
            reported = part_of(report, (k - 1) / len(parts), k / len(parts), f"{what}: ")
            done[part.label, part.seed] = _finished(part, Bench(size, material, folder, where, reported), folder)
        result = _result(experiment, size, material, parts, done)
        folder.finish(result)
        return result


def _finished(part: Part, bench: Bench, folder: ExperimentFolder) -> xr.Dataset:
    """Return the measurements of a part; run it first if it is not finished."""
    found = folder.part(file_name(part))
    if found is not None:
        return found
    measured = measure(part, bench)
    folder.keep(file_name(part), measured)
    bench.report(1.0, "done")
    return measured


def measure(part: Part, bench: Bench) -> xr.Dataset:
    """Run a part; add its date, machine and version."""
    started = time.perf_counter()
    # layers of torch draw initial weights from its generator, which belongs to the caller
    with torch.random.fork_rng(devices=[]):
        measured = part.do(bench)
    measured["seconds"] = measured.get("training_seconds", time.perf_counter() - started)
    measured.attrs = {
        "hardware": machine(bench.device, torch.get_num_threads()),
        "commit": commit(),
        "version": __version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    return measured


def recipes(parts: Sequence[Part], scale: Scale, material: Material) -> dict[str, str]:
    """Describe the training of the parts, as attributes of the result.

    Returns
    -------
    dict
        `recipe`: the settings that all have in common, as JSON; `recipe_of_each`: by the model's label, the others.
        Seeds are a dimension of the result, and left out. Empty if no part is trained by a recipe.
    """
    found = {part.label: part.recipe(scale, material) for part in parts}
    settings = {label: recipe.to_dict() for label, recipe in found.items() if recipe is not None}
    if not settings:
        return {}
    first = next(iter(settings.values()))
    common = {name: value for name, value in first.items() if all(one.get(name) == value for one in settings.values())}
    common.pop("seed", None)
    own = {
        label: {name: value for name, value in one.items() if name not in common and name != "seed"}
        for label, one in settings.items()
    }
    return {"recipe": plain(common), "recipe_of_each": plain(own)}


def _validated_on(recipe: Recipe, n_train: int) -> str:
    n = min(recipe.brief_calibration_images, round(n_train * (1 - recipe.validation)))
    return (
        f"validation error: {percent(recipe.validation)} of the training images, held out, with statistics of {n:,} "
        "others; test error: the test part, read once; nothing was chosen on either"
    )


def run_settings(experiment: Experiment, scale: Scale, material: Material, parts: Sequence[Part]) -> dict[str, object]:
    """Return all that determines the numbers of a run, as plain values."""
    return {
        "experiment": experiment.name,
        "scale": scale.name,
        "seeds": len({part.seed for part in parts}),
        "data": material.identity(),
        "recipe": scale.recipe.to_dict(),
        "sizes": {"width": scale.feature_divisor, "side": scale.side, "calibration": list(scale.calibration_sizes)},
        "parts": [_part_on_disk(part) for part in parts],
    }


def _part_on_disk(part: Part) -> dict[str, object]:
    """Return a part as it is stored in the settings file, with the keys of the first run folders."""
    fields = asdict(part)  # type: ignore[call-overload]
    return {"kind": type(part).__name__, **{NAMES_ON_DISK.get(name, name): value for name, value in fields.items()}}


def _result(
    experiment: Experiment,
    scale: Scale,
    material: Material,
    parts: Sequence[Part],
    done: dict[tuple[str, int], xr.Dataset],
) -> xr.Dataset:
    """Label the result: data, recipe, hardware, and the paper's own numbers as far as these are known."""
    measured = list(done.values())
    confidence = {part.label: getattr(part, "paper_confidence", "U") for part in parts}
    result = combined(done)
    result = result.assign_coords(
        paper_confidence=("model", [confidence[str(label)] for label in result["model"].values])
    )
    n_test, n_train = material.n("test"), material.n("train")
    n_held = max(round(n_train * scale.recipe.validation), 1)
    over = {"validation_error": n_held, "training_error": n_train - n_held}
    for name, variable in result.data_vars.items():
        if "error" in str(name):
            variable.attrs["n"] = over.get(str(name), n_test)
    result["model"].attrs["long_name"] = experiment.title
    result["seed"].attrs["long_name"] = "seed"

    def of_all(attribute: str) -> str:
        # parts of a resumed run may come from several machines or commits
        return "; ".join(dict.fromkeys(str(data.attrs[attribute]) for data in measured))

    trained = recipes(parts, scale, material)
    result.attrs = {
        "experiment": experiment.name,
        "title": experiment.title,
        "question": experiment.question,
        "paper": experiment.paper,
        "figures": ",".join(experiment.figures),
        "data": experiment.about_data
        or f"{experiment.own_name or material.name}, {scale.side}x{scale.side} px, {n_train:,} training and "
        f"{n_test:,} test images",
        "not_drawn": experiment.not_drawn,
        # models that are not the paper's differ in size
        "scale": scale.described({getattr(part, "model", "") for part in parts})
        if experiment.own_material is None
        else scale.name,
        **(
            {"validated_on": experiment.validated_on or _validated_on(scale.recipe, n_train)} | trained
            if trained
            else {}
        ),
        "seconds": float(sum(float(data["seconds"]) for data in measured)),
        **{attribute: of_all(attribute) for attribute in ("hardware", "commit", "version", "date")},
    }
    if experiment.chance_error is not None:
        result.attrs["chance_error"] = experiment.chance_error
    if experiment.paper_error is not None:
        result.attrs |= {"paper_error": experiment.paper_error, "paper_error_of": experiment.paper_error_of}
    return result
