"""Parts of an experiment: each is one model, trained once and tested."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
import xarray as xr

from cortexsim import zoo
from cortexsim._support.progress import Report
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model._calibrate import calibrate
from cortexsim.model.checkpoint import load, read_tensors, save
from cortexsim.model.classes import labels_for
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.paper.experiments.folder import ExperimentFolder, Record
from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.scale import PAPER, Scale
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import flash, sustained
from cortexsim.training._train import train
from cortexsim.training.evaluate import accuracies
from cortexsim.training.recipe import Recipe
from cortexsim.training.records import Progress, TrainingDivergedError

T = TypeVar("T")

SHOWN = {"flash": flash(1), "sustained": sustained()}
ERROR = {"long_name": "error", "units": "1"}
TIME = {"long_name": "tested at", "units": "steps"}


@dataclass(frozen=True)
class Bench:
    """The circumstances of a part: its size, images, folder and device.

    Parameters
    ----------
    scale : Scale
    material : Material
    folder : ExperimentFolder or None
        None: records and models are not written.
    device : torch.device
    report : callable
        Called with the fraction of the part that is done and a message; an exception from it stops the run.
    """

    scale: Scale
    material: Material
    folder: ExperimentFolder | None
    device: torch.device
    report: Report


class Part(Protocol):
    """One piece of work of an experiment, done as a whole."""

    @property
    def label(self) -> str:
        """Name in the legend."""

    @property
    def seed(self) -> int:
        """Seed of weights, order and augmentation."""

    def recipe(self, scale: Scale, material: Material) -> Recipe | None:
        """Return the recipe of its training; None if `cs.train` trains nothing in it."""

    def do(self, bench: Bench) -> xr.Dataset:
        """Train and test it, and return what was measured."""


def file_name(part: Part) -> str:
    """Return the name of a part's files."""
    return f"{re.sub(r'[^a-z0-9]+', '-', part.label.lower()).strip('-')}-seed{part.seed}"


def _without_self_transitions(graph: CortexGraph) -> CortexGraph:
    for state in graph.state_names:
        graph = graph.without(f"{state}->{state}")
    return graph


def _without_shortcuts(graph: CortexGraph) -> CortexGraph:
    kinds = [replace(t, kind=t.kind.split("+")[0]) if isinstance(t.kind, str) else t for t in graph.transitions]
    return replace(graph, transitions=tuple(kinds))


CHANGES: dict[str, Callable[[CortexGraph], CortexGraph]] = {
    "": lambda graph: graph,
    "no self-transitions": _without_self_transitions,
    "no shortcuts": _without_shortcuts,
}


def built(
    name: str,
    scale: Scale,
    n_classes: int = 10,
    *,
    seed: int = 0,
    readout_time: int | None = None,
    change: str = "",
    normalization: str = "time-specific",
    features: int | None = None,
) -> Cortex:
    """Build a model of the paper at a scale, untrained; the same seed gives the same weights.

    Parameters
    ----------
    name : str
        Name in `zoo.PAPER`.
    scale : Scale
    n_classes : int
    seed : int
    readout_time : int, optional
        By default the paper's.
    change : str
        Change of the graph: one of `CHANGES`.
    normalization : str
    features : int, optional
        Of every state; by default the scale's.
    """
    paper = zoo.PAPER[name]
    return Cortex(
        scale.shrunk(CHANGES[change](paper.graph()), features or scale.features.get(name)),
        n_classes=n_classes,
        readout_time=readout_time or paper.readout_time,
        pre_net=paper.pre_net,
        sharing=paper.sharing,
        normalization=normalization,
        generator=torch.Generator().manual_seed(seed),
    )


@dataclass(frozen=True)
class Training:
    """One of the paper's models, trained once and tested.

    Parameters
    ----------
    label : str
        Name in the legend.
    model : str
        Name in `zoo.PAPER`.
    seed : int
    readout_time : int, optional
        By default the paper's.
    change : str
        Change of the graph: one of `CHANGES`.
    normalization : str
    shown : "flash" or "sustained"
        The image at time 0 only, or at every time.
    epochs_factor : float
        The recipe's number of epochs is multiplied by this.
    rate_divisor : float
        The recipe's learning rate is divided by this.
    until : int, optional
        Last time that is tested; by default only the readout time is.
    statistics : tuple of str
        "calibrated" (its own at each time), "held" (those of the readout time reused afterwards), "pooled" (shared
        over time).
    vary_calibration : bool
        Also test with statistics of few and of many images; see `Scale.calibration_sizes`.
    """

    label: str
    model: str
    seed: int = 0
    readout_time: int | None = None
    change: str = ""
    normalization: str = "time-specific"
    shown: str = "flash"
    epochs_factor: float = 1.0
    rate_divisor: float = 1.0
    until: int | None = None
    statistics: tuple[str, ...] = ("calibrated",)
    vary_calibration: bool = False

    @property
    def paper_confidence(self) -> str:
        """Certainty of the paper's number of parameters for this model; "U" where its size is not known."""
        if self.shown != "flash" or self.normalization != "time-specific" or self.change:
            return "U"
        paper = zoo.PAPER[self.model]
        return paper.count_confidence if self.readout_time in (None, paper.readout_time) else "I"

    def build(self, scale: Scale, n_classes: int = 10) -> Cortex:
        """Build the model, untrained."""
        return built(
            self.model,
            scale,
            n_classes,
            seed=self.seed,
            readout_time=self.readout_time,
            change=self.change,
            normalization=self.normalization,
        )

    def recipe(self, scale: Scale, material: Material) -> Recipe:
        """Return the recipe of its training."""
        return replace(
            scale.recipe,
            epochs=round(scale.recipe.epochs * self.epochs_factor),
            learning_rate=scale.recipe.learning_rate / self.rate_divisor,
            augmentation=material.augmentation,
            presentation=SHOWN[self.shown],
            calibrate_until=self.until or self.readout_time or zoo.PAPER[self.model].readout_time,
            seed=self.seed,
        )

    def do(self, bench: Bench) -> xr.Dataset:
        """Train it if it is not trained yet, and test it."""
        model = self.build(bench.scale, bench.material.n_classes).to(bench.device)
        recipe = self.recipe(bench.scale, bench.material)
        measured, model = fit(self, model, bench.material.train, recipe, bench)
        measured["n_parameters"] = model.n_parameters(presentation=recipe.presentation)
        measured["paper_parameters"] = self._as_in_the_paper().n_parameters(presentation=recipe.presentation)
        measured["readout_time"] = model.readout_time
        test = _Test.of(model, bench, recipe)
        # every error of a model that diverged is missing
        errors_at = _missing if bool(measured["diverged"]) else test.errors
        readable = model.readable(recipe.presentation, recipe.calibrate_until or model.readout_time)
        times = readable if self.until else [model.readout_time]
        kinds = self.statistics if self.normalization != "none" else ("none",)
        errors = np.array([errors_at(times, kind) for kind in kinds])
        measured["test_error"] = (("statistics", "time"), errors, ERROR)
        measured = measured.assign_coords(statistics=list(kinds), time=("time", times, TIME))
        measured["error"] = ((), errors[0, times.index(model.readout_time)], ERROR)
        if self.vary_calibration:
            training = as_images(bench.material.train)
            sizes = [n for n in bench.scale.calibration_sizes if n <= len(training)]
            found = (
                _missing(sizes) if bool(measured["diverged"]) else test.by_calibration_size(training, sizes, self.seed)
            )
            measured["error_by_images"] = ("images", found, ERROR)
            images = ("images", sizes, {"long_name": "images that statistics were taken on", "units": "1"})
            measured = measured.assign_coords(images=images)
        return measured

    def _as_in_the_paper(self) -> Cortex:
        return self.build(PAPER)


def _missing(values: Sequence[int], kind: str = "") -> list[float]:
    return [math.nan] * len(values)


class _Test:
    """A trained model with the images of the test part."""

    def __init__(self, model: Cortex, images: torch.Tensor, labels: torch.Tensor, recipe: Recipe) -> None:
        self.model, self.images, self.labels, self.recipe = model, images, labels, recipe

    @classmethod
    def of(cls, model: Cortex, bench: Bench, recipe: Recipe) -> _Test:
        """Move the images of the test part to the model's device."""
        test = bench.material.test
        labels = labels_for(model, test, device=bench.device)
        return cls(model, as_images(test).to(bench.device), labels, recipe)

    def errors(self, times: list[int], kind: str) -> list[float]:
        """Return the error at each time with one kind of statistics."""
        if kind == "none":
            return self._errors(times, None)
        used = self.model.find_statistics(self.recipe.presentation)
        at = self.model.readout_time
        return self._errors(times, {"calibrated": used, "held": used.held(at), "pooled": used.pooled(at)}[kind])

    def by_calibration_size(self, training: torch.Tensor, sizes: list[int], seed: int) -> list[float]:
        """Return the error at the readout time with statistics of these numbers of training images."""
        model, shown = self.model, self.recipe.presentation
        own = dict(model.statistics)
        order = torch.randperm(len(training), generator=torch.Generator().manual_seed(seed))
        errors = []
        for n in sizes:
            some = training[order[:n]].to(self.images.device)
            taken = calibrate(model, some, shown, until=model.readout_time, seed=seed)
            errors += self._errors([model.readout_time], taken)
        model.statistics = own
        return errors

    def _errors(self, times: list[int], statistics: Statistics | None) -> list[float]:
        found = accuracies(self.model, self.images, self.labels, times, self.recipe.presentation, statistics=statistics)
        return [1 - found[time] for time in times]


def fit(part: Part, model: Cortex, data: xr.Dataset, recipe: Recipe, bench: Bench) -> tuple[xr.Dataset, Cortex]:
    """Train a model, resuming where an earlier run stopped; write the records and the model.

    Returns
    -------
    measured : Dataset
        `training_error` (epoch,): over the epoch's images, as they were shown in training; `validation_error` (epoch,):
        of the held-out training images at the epoch's end; both at the readout time. `diverged`, `training_seconds`.
    model : Cortex
        On the bench's device, in evaluation mode.

    Notes
    -----
    A loss that is no longer finite ends the training: the errors are NaN from there on, and `diverged` is 1.
    """
    name, folder = file_name(part), bench.folder
    records = [] if folder is None else folder.records(name)
    diverged = False
    if folder is not None and folder.model(name).is_file() and records and records[-1]["done"]:
        model = _trained(folder.model(name), model, recipe).to(bench.device)
    else:
        diverged = _train(name, model, data, recipe, bench, records)
        if folder is not None and not diverged:
            save(model, folder.model(name), overwrite=True)
    return _by_epoch(records, recipe, model.readout_time, diverged), model.eval()


def _train(name: str, model: Cortex, data: xr.Dataset, recipe: Recipe, bench: Bench, records: list[Record]) -> bool:
    """Train a model and add to its records; return True if it diverged."""
    folder = bench.folder
    checkpoint = None if folder is None else folder.checkpoint(name)
    if checkpoint is not None and checkpoint.is_file():
        _read(read_tensors, checkpoint)
    first = True
    with closing(train(model, data, recipe, checkpoint=checkpoint)) as training:
        try:
            for progress in training:
                if first:
                    # steps after the last saved state are repeated
                    reached = progress.step + progress.done
                    records[:] = [old for old in records if not old["done"] and old["step"] < reached]
                    first = False
                record = _plain(progress)
                if progress.done and record["loss"] is None and records:
                    # the run was stopped between the last step and the end: the last record is of that step
                    record |= {key: records[-1][key] for key in ("loss", "accuracy")}
                records.append(record)
                # `train` writes its state at the same moments
                if folder is not None and (progress.validation or progress.done):
                    folder.write_records(name, records)
                bench.report(progress.step / progress.steps, str(progress))
        except TrainingDivergedError as error:
            bench.report(1.0, str(error))
            return True
        finally:
            if folder is not None:
                folder.write_records(name, records)
    return False


def _read(read: Callable[[Path], T], path: Path) -> T:
    """Read a file of the run's folder; the error of a damaged file contains the remedy."""
    try:
        return read(path)
    except ValueError as error:
        raise ValueError(f"{error}; remove {path} to train this part again") from error


def _trained(path: Path, untrained: Cortex, recipe: Recipe) -> Cortex:
    """Load the model of a part that was trained before; refuse the model of another part."""
    model = _read(load, path)
    # through JSON, where tuples become lists
    same = model.about.get("recipe") == json.loads(json.dumps(recipe.to_dict()))
    named = ("readout_time", "sharing", "normalization", "pre_net_name")
    same &= all(getattr(model, name) == getattr(untrained, name) for name in named)
    if not same or model.graph.to_dict() != untrained.graph.to_dict():
        raise ValueError(f"{path} is not the model of this part; remove it to train this part again")
    return model


def _plain(progress: Progress) -> Record:
    record = asdict(progress)
    # JSON has no NaN
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in record.items()}


def _by_epoch(records: Sequence[Record], recipe: Recipe, readout_time: int, diverged: bool) -> xr.Dataset:
    """Average the records of each epoch, weighted by their numbers of steps."""
    training = np.full(recipe.epochs, np.nan)
    validation = np.full(recipe.epochs, np.nan)
    right, steps, before = 0.0, 0, 0
    for record in records:
        if record["step"] == before or record["done"]:
            continue
        at_readout = _at(record["accuracy"], readout_time)
        right += (record["step"] - before) * at_readout
        steps += record["step"] - before
        before = record["step"]
        per_epoch = record["steps"] // recipe.epochs
        if record["step"] % per_epoch == 0:
            training[record["epoch"] - 1] = 1 - right / steps
            right, steps = 0.0, 0
            if record["validation"]:
                validation[record["epoch"] - 1] = 1 - _at(record["validation"], readout_time)
    return xr.Dataset(
        {
            "training_error": ("epoch", training, ERROR),
            "validation_error": ("epoch", validation, ERROR),
            "diverged": int(diverged),
            "training_seconds": records[-1]["seconds"] if records else 0.0,
        },
        coords={"epoch": ("epoch", np.arange(1, recipe.epochs + 1), {"long_name": "epoch", "units": "1"})},
    )


def _at(by_time: Mapping[int | str, float], time: int) -> float:
    # keys in JSON are strings
    return by_time.get(time, by_time.get(str(time), math.nan))
