"""The lesson of the tracer: target maps of short curves, six longer test curves, and tests while it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
import xarray as xr

from cortexsim.datasets.registry import draw
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.lesson import Lesson
from cortexsim.explore.training.snapshot import Snapshot, kernels_of
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.tracing import exact_at
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation, sustained
from cortexsim.training.evaluate import predictions
from cortexsim.training.recipe import Recipe
from cortexsim.zoo.tracers import TRACERS

NAME = "tracer"
STEPS_A_PIXEL = 3
SIX = ((6, 0), (10, 1), (15, 2), (20, 3), (20, 4), (30, 5))  # length (px) and seed of each test curve
SIX_SIZE = 32  # px
SHORT, LONG = "new short curves", "new curves of 20 px"
SETS: Mapping[str, tuple[int, int, int]] = {SHORT: (10, 16, 50), LONG: (20, 32, 25)}  # length, size (px), number


@cache
def test_set(name: str) -> xr.Dataset:
    """Draw the test curves of `SETS`."""
    length, size, n = SETS[name]
    return draw({"name": "paths", "part": "test", "size": size, "length": (length, length), "seed": 1}, n)


@cache
def six_curves() -> xr.Dataset:
    """Draw the six test curves that are shown while a model learns."""
    drawn = [
        draw({"name": "paths", "part": "test", "size": SIX_SIZE, "length": (length, length), "seed": seed}, 1)
        for length, seed in SIX
    ]
    return xr.concat(drawn, "stimulus", combine_attrs="drop_conflicts")


def traced(model: Cortex, curves: xr.Dataset, time: int) -> xr.Dataset:
    """Show curves to a model, sustained, and return the pixels that it tags.

    Parameters
    ----------
    model : Cortex
        Its readout is a map.
    curves : Dataset
        As `cs.datasets.paths` draws them.
    time : int
        Readout time.

    Returns
    -------
    Dataset
        `tagged`, `line`, `target` (stimulus, y, x), bool; `length`, `reached`, px (stimulus,): how far the tag follows
        the curve from the cue without a gap; `exact` (stimulus,): every pixel of the lines is right.
    """
    named = predictions(model, as_images(curves), [time], sustained())[0].numpy() == 1
    return in_form(curves, named).assign_attrs(time=time)


def in_form(curves: xr.Dataset, named: np.ndarray) -> xr.Dataset:
    """Return which pixels are tagged, in the form of `traced`.

    Parameters
    ----------
    curves : Dataset
    named : array, (stimulus, y, x), bool
        Pixels that are said to lie on the dot's curve.
    """
    line, target = curves["line"].values.astype(bool), curves["target"].values == 1
    distance, dims = curves["distance"].values, ("stimulus", "y", "x")
    length, reached = distance.max((1, 2)) + 1, []
    for tag, steps, n in zip(named, distance, length, strict=True):
        holds = np.array([bool(tag[steps == k].all()) for k in range(n)])
        reached.append(int(n if holds.all() else np.flatnonzero(~holds)[0]))
    return xr.Dataset(
        {
            "tagged": (dims, named & line),
            "line": (dims, line),
            "target": (dims, target & line),
            "cue": (dims, distance == 0),
            "length": ("stimulus", length),
            "reached": ("stimulus", reached),
            "exact": ("stimulus", ((named == target) | ~line).all((1, 2))),
        }
    )


@dataclass(frozen=True)
class TracingLesson(Lesson):
    """A training of the model that traces; see `Lesson`."""

    offers: tuple[str, ...] = ("learning_rate", "progressive", "seed", "threads")
    tests_every: int = 50
    looks_every_s: float = 1.0

    @property
    def chance(self) -> float:
        """Of every line pixel right, by guessing."""
        return 0.0

    @property
    def default_choices(self) -> Choices:
        """The choices that the panel opens with."""
        return Choices(self.recipe.learning_rate, self.readout_time, seed=self.recipe.seed)

    def recipe_for(self, choices: Choices) -> Recipe:
        """Return the recipe of a run.

        Raises
        ------
        ValueError
            If the learning rate is not positive.
        """
        return replace(
            self.recipe,
            learning_rate=choices.learning_rate,
            seed=choices.seed,
            progressive=self.recipe.progressive if choices.progressive else None,
        )

    def graph_for(self, choices: Choices) -> CortexGraph:
        """Return the graph of the model that ships."""
        return TRACERS[NAME].build().graph

    def readable(self, choices: Choices) -> list[int]:
        """List the readout times that are trained: the last four."""
        n = int(self.recipe.loss_at)
        return list(range(self.readout_time - n + 1, self.readout_time + 1))

    def model_for(self, choices: Choices, n_classes: int) -> Cortex:
        """Make the untrained model; the seed draws its weights."""
        return TRACERS[NAME].build(choices.seed)

    def probe(self, held_out: xr.Dataset, names: list[str]) -> xr.Dataset:
        """Return the six curves on which the model is shown while it learns."""
        return six_curves()

    def look(self, model: Cortex, probe: xr.Dataset, presentation: AnyPresentation, step: int) -> Snapshot:
        """Take a snapshot: the kernels, and the tags on the six curves after three steps a pixel."""
        time = STEPS_A_PIXEL * (int(probe["distance"].max()) + 1)
        with torch.no_grad():
            maps = traced(model.at_size(probe.sizes["y"]).eval(), probe, time)
        return Snapshot(step, *kernels_of(model), {}, maps)

    def preview(self) -> xr.Dataset:
        """Return the six curves without tags."""
        return in_form(six_curves(), np.zeros((len(SIX), SIX_SIZE, SIX_SIZE), bool))

    def test(self, model: Cortex) -> dict[str, float]:
        """Return the fraction of new curves with every line pixel right, after three steps a pixel, by set."""
        found = {}
        for name, (length, size, _) in SETS.items():
            with torch.no_grad():
                found[name] = exact_at(
                    model.at_size(size).eval(), test_set(name), STEPS_A_PIXEL * length, self.recipe.presentation
                )
        return found

    def validate(self, model: Cortex, held_out: xr.Dataset, times: list[int]) -> dict[int, float]:
        """Return the fraction of held-out curves with every line pixel right, at each time."""
        return {time: exact_at(model.eval(), held_out, time, self.recipe.presentation) for time in times}


def tracing_lesson(**changes: Any) -> TracingLesson:
    """Return the training of the tracer, 1,600 batches of 32 short curves.

    Parameters
    ----------
    **changes
        Of the lesson.
    """
    about = TRACERS[NAME]
    given: dict[str, Any] = {
        "title": "the tracer: which pixels lie on the dot's curve?",
        "data": {"name": about.data, "part": "train", **about.shown},
        "n": 12_900,
        "n_held_out": 100,
        "features": {"V1": 16},
        "size": about.size,
        "n_classes": 2,
        "recipe": Recipe.tracing(epochs=about.epochs),
        "readout_time": about.readout_time,
    }
    return TracingLesson(**{**given, **changes})
