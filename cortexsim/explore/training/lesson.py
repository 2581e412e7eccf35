"""Small trainings for a panel: images, a model, and a recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report, silent
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.images import drawn, shuffled
from cortexsim.explore.training.snapshot import Snapshot, probe_of, take
from cortexsim.graph._schedule import populate, schedule
from cortexsim.graph.builders import adjacent
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.classes import labels_for
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation
from cortexsim.training.evaluate import accuracies
from cortexsim.training.recipe import Recipe


@dataclass(frozen=True)
class Lesson:
    """A small training.

    Parameters
    ----------
    title : str
    data : mapping or Dataset
        `name` and arguments of a dataset, drawn when the first run starts; or images with the coordinate `label`.
    n : int
        Number of images; those of a Dataset are drawn at random, always the same.
    n_held_out : int
        Number of them that are held out.
    features : mapping of str to int
        Channels of each state, as for `cortexsim.adjacent`.
    size : int
        Side of the images in px.
    n_classes : int
    recipe : Recipe
    readout_time : int
    convolutions : int
        Of each transition.
    input_gain : float
    n_probe : int
        Number of stimuli of each class in the RDM.
    offers : tuple of str
        The names of the choices that apply.
    tests_every : int
        Steps between two tests while it learns; 0 for none.
    looks_every_s : float
        Seconds between two snapshots, at least.

    Examples
    --------
    >>> import cortexsim as cs
    >>> from cortexsim.explore.training.lessons import LESSONS
    >>> LESSONS["contours"].features
    {'V1': 16, 'V2': 16, 'V4': 24, 'IT': 32}
    """

    title: str
    data: Mapping[str, Any] | xr.Dataset
    n: int
    n_held_out: int
    features: Mapping[str, int]
    size: int
    n_classes: int
    recipe: Recipe
    readout_time: int
    convolutions: int = 1
    input_gain: float = 1.0
    n_probe: int = 12
    offers: tuple[str, ...] = (
        "learning_rate",
        "readout_time",
        "loss_at",
        "lateral",
        "feedback",
        "short_first",
        "seed",
        "threads",
    )
    tests_every: int = 0
    looks_every_s: float = 0.5

    @property
    def has_curriculum(self) -> bool:
        """True if easy images or short paths come first."""
        return len(self.recipe.curriculum) > 1 or len(self.recipe.unfolding) > 1

    @property
    def chance(self) -> float:
        """Accuracy by guessing."""
        return 1 / self.n_classes

    def recipe_changes(self, choices: Choices) -> list[tuple[int, str]]:
        """List the steps at which the recipe of a run changes, each with a few words."""
        recipe, changes = self.recipe_for(choices), dict[float, list[str]]()
        for start, share in recipe.curriculum[1:]:
            changes.setdefault(start, []).append("all images" if share == 1 else f"the easiest {percent(share)}")
        for start, time in recipe.unfolding[1:]:
            changes.setdefault(start, []).append("all readout times" if time is None else f"readouts up to t = {time}")
        return [(math.ceil(start * self.steps), ", ".join(words)) for start, words in sorted(changes.items())]

    def probe(self, held_out: xr.Dataset, names: list[str]) -> xr.Dataset:
        """Choose the stimuli on which the model is shown while it learns."""
        return probe_of(held_out, names, self.n_probe)

    def look(self, model: Cortex, probe: xr.Dataset, presentation: AnyPresentation, step: int) -> Snapshot:
        """Take a snapshot of the model, which is not changed."""
        return take(model, probe, presentation, step)

    def preview(self) -> xr.Dataset | None:
        """Return what is shown before a run, in the form of `Snapshot.maps`; None for nothing."""
        return None

    def test(self, model: Cortex) -> dict[str, float]:
        """Return accuracies of a model that still learns, by the name of their images."""
        return {}

    def validate(self, model: Cortex, held_out: xr.Dataset, times: list[int]) -> dict[int, float]:
        """Return the accuracy on held-out images at each readout time, at the end."""
        labels = labels_for(model, held_out)
        return accuracies(model, as_images(held_out), labels, times, self.recipe.presentation)

    @property
    def default_choices(self) -> Choices:
        """The choices that the panel opens with."""
        return Choices(self.recipe.learning_rate, self.readout_time, str(self.recipe.loss_at), seed=self.recipe.seed)

    def recipe_for(self, choices: Choices) -> Recipe:
        """Return the recipe of a run, without validation: the panel tests on its own held-out images.

        Raises
        ------
        ValueError
            If the learning rate is not positive.
        """
        changes: dict[str, Any] = {
            "learning_rate": choices.learning_rate,
            "loss_at": choices.loss_at,
            "seed": choices.seed,
            "validation": 0.0,
        }
        if not choices.short_first:
            changes |= {"curriculum": ((0.0, 1.0),), "unfolding": ((0.0, None),)}
        return replace(self.recipe, **changes)

    def graph_for(self, choices: Choices) -> CortexGraph:
        """Return the graph with the chosen connections."""
        return adjacent(
            dict(self.features),
            size=self.size,
            shortcut=0.5,
            lateral=choices.lateral,
            feedback=choices.feedback,
            convolutions=self.convolutions,
        )

    def readable(self, choices: Choices) -> list[int]:
        """List the readout times up to the last one.

        Raises
        ------
        EmptyStateError
            If nothing reaches the last state by then.
        """
        graph = self.graph_for(choices)
        until, presentation = choices.readout_time, self.recipe.presentation
        schedule(graph, until, presentation)
        fronts = [populate(graph, component, until) for component in presentation.components]
        return [time for time in range(until + 1) if all(graph.last in front[time] for front in fronts)]

    @property
    def steps(self) -> int:
        """The number of training steps of a run."""
        return self.recipe.epochs * ((self.n - self.n_held_out) // self.recipe.batch_size)

    def model_for(self, choices: Choices, n_classes: int) -> Cortex:
        """Make the model of a run; the seed draws its initial weights.

        Raises
        ------
        EmptyStateError
            If nothing reaches the last state by the readout time.
        """
        return Cortex(
            self.graph_for(choices),
            n_classes,
            choices.readout_time,
            input_gain=self.input_gain,
            # a separate generator, because other threads use the global one
            generator=torch.Generator().manual_seed(choices.seed),
        )

    def images(self, report: Report = silent) -> xr.Dataset:
        """Draw the images, or return those that were drawn before.

        Parameters
        ----------
        report : callable, optional
            Called before each piece; an exception that it raises stops the drawing.

        Raises
        ------
        ValueError
            If there are fewer than `n`.
        """
        # of given images, the last are held out and the first serve for statistics, so their order must be random
        return shuffled(self.data, self.n) if isinstance(self.data, xr.Dataset) else drawn(self.data, self.n, report)
