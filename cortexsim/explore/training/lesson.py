"""What can be trained in a panel: images, a model to start from, and how; and what a person changes about them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import torch
import xarray as xr

from cortexsim._support.checks import unknown, whole
from cortexsim.datasets.labels import classes
from cortexsim.datasets.registry import SOURCES, draw
from cortexsim.graph._schedule import populate, schedule
from cortexsim.graph.builders import adjacent
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import sustained
from cortexsim.training.recipe import Recipe

PIECE = 250  # images drawn at once: a cancel lands between two pieces
LONGEST_READOUT = 24  # later, an unrolled training outgrows a laptop's memory

_DRAWN: dict[Any, xr.Dataset] = {}
_DRAWING = threading.Lock()


@dataclass(frozen=True)
class Choices:
    """What a person changes before a run.

    Parameters
    ----------
    learning_rate : float
        The highest one.
    readout_time : int
    loss_at : "all" or "readout"
        Whether all readout times are trained, or the last only.
    lateral, feedback : bool
        Whether states are linked with themselves, and backwards.
    short_first : bool
        Whether the recipe's curriculum is kept: easy images and short paths first.
    seed : int
        Draws the first weights, and the order of the images.
    threads : int
        Of torch, in the thread that trains.

    Raises
    ------
    ValueError
        If a number or name is not allowed.
    """

    learning_rate: float
    readout_time: int
    loss_at: str = "all"
    lateral: bool = True
    feedback: bool = True
    short_first: bool = True
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, lowest, highest in (("readout_time", 1, LONGEST_READOUT), ("seed", 0, 2**31 - 1), ("threads", 1, 64)):
            object.__setattr__(self, name, whole(getattr(self, name), name, lowest, highest))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Choices:
        """Read `to_dict`'s form.

        Raises
        ------
        ValueError
            If a choice is unknown, missing or not allowed.
        """
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise ValueError(unknown("choice", name, known))
        missing = [name for name in ("learning_rate", "readout_time") if name not in given]
        if missing:
            raise ValueError(f"the settings lack {missing}: possible are {known}")
        return cls(**given)


@dataclass(frozen=True)
class Lesson:
    """A small training.

    Parameters
    ----------
    title : str
    data : mapping or Dataset
        `name` and arguments of a dataset of cortexsim, drawn on the spot; or images with the coordinate `label`.
    n : int
        Images; of a Dataset they are taken from all over it, in an order of chance that is always the same.
    held : int
        How many of them are held out.
    features : mapping of str to int
        Channels of each state, as for `cortexsim.adjacent`.
    size : int
        Side of the images in px.
    n_classes : int
    recipe : Recipe
    readout_time : int
    convolutions : int
        Of a transition.
    input_gain : float
    n_probe : int
        Stimuli of each class in the RDM.
    """

    title: str
    data: Mapping[str, Any] | xr.Dataset
    n: int
    held: int
    features: Mapping[str, int]
    size: int
    n_classes: int
    recipe: Recipe
    readout_time: int
    convolutions: int = 1
    input_gain: float = 1.0
    n_probe: int = 12

    @property
    def has_curriculum(self) -> bool:
        """Whether easy images or short paths come first."""
        return len(self.recipe.curriculum) > 1 or len(self.recipe.unfolding) > 1

    @property
    def usual(self) -> Choices:
        """The choices that it opens with."""
        return Choices(self.recipe.learning_rate, self.readout_time, str(self.recipe.loss_at), seed=self.recipe.seed)

    def recipe_for(self, choices: Choices) -> Recipe:
        """Return the recipe of a run; validation is the panel's, on images that it holds out itself.

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
        """Link the states as chosen."""
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
        """How many steps a run takes."""
        return self.recipe.epochs * ((self.n - self.held) // self.recipe.batch_size)

    def model_for(self, choices: Choices, n_classes: int) -> Cortex:
        """Make the model of a run; its first weights are drawn from the seed.

        Raises
        ------
        EmptyStateError
            If nothing reaches the last state by the readout time.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(choices.seed)
            return Cortex(self.graph_for(choices), n_classes, choices.readout_time, input_gain=self.input_gain)

    def images(self, told: Callable[[int, float], None], wanted: Callable[[], bool]) -> xr.Dataset:
        """Draw the images, or return those that were drawn before.

        Parameters
        ----------
        told : callable
            Called with the number of images drawn and the seconds left.
        wanted : callable
            Asked between pieces.

        Raises
        ------
        InterruptedError
            If they are wanted no longer.
        ValueError
            If there are fewer than `n`.
        """
        if isinstance(self.data, xr.Dataset):
            if len(as_images(self.data)) < self.n:
                raise ValueError(f"the lesson wants {self.n} images, but the data hold {len(as_images(self.data))}")
            # those that are held out, and those that statistics are taken on, are taken from the ends
            order = torch.randperm(len(as_images(self.data)), generator=torch.Generator().manual_seed(0))
            return self.data.isel(stimulus=order[: self.n].numpy())
        key = (repr(sorted(self.data.items())), self.n)
        while not _DRAWING.acquire(timeout=0.1):
            # another panel draws, perhaps the same images
            if not wanted():
                raise InterruptedError("no longer wanted")
        try:
            if key not in _DRAWN:
                pieces, started = [], time.perf_counter()
                for start in range(0, self.n, PIECE):
                    if not wanted():
                        raise InterruptedError("no longer wanted")
                    told(start, (time.perf_counter() - started) * (self.n - start) / start if start else float("nan"))
                    # a seed for each piece: the images of a dataset cannot be drawn from the middle
                    pieces.append(draw({**self.data, "seed": start // PIECE}, min(PIECE, self.n - start)))
                _DRAWN[key] = xr.concat(pieces, "stimulus", combine_attrs="override")
            return _DRAWN[key]
        finally:
            _DRAWING.release()


def split(images: xr.Dataset, held: int) -> tuple[xr.Dataset, xr.Dataset, list[str]]:
    """Split off the last images, and name the classes."""
    n = len(as_images(images))
    return (
        images.isel(stimulus=slice(0, n - held)),
        images.isel(stimulus=slice(n - held, None)),
        [str(name) for name in classes(images)],
    )


def _quick(**changes: Any) -> Recipe:
    return Recipe.quick(augmentation="none", growth=((0.0, 1.0),), presentation=sustained(), **changes)


LESSONS: dict[str, Lesson] = {
    "contours": Lesson(
        title="contours: are both dots on one curve?",
        data={"name": "contours", "part": "train", "size": 16},
        n=6400,
        held=400,
        features={"V1": 16, "V2": 16, "V4": 24, "IT": 32},
        size=16,
        n_classes=len(SOURCES["contours"].classes),
        # as many steps as three epochs of 40,000 images
        recipe=Recipe.contours(epochs=20, calibration_images=500),
        readout_time=8,
        input_gain=16.0,
    ),
    "digits": Lesson(
        title="digits: which one is it?",
        data={"name": "digits", "part": "train", "size": 16, "debris": "none", "occlusion": "none"},
        n=4400,
        held=400,
        features={"V1": 8, "V2": 16, "IT": 32},
        size=16,
        n_classes=len(SOURCES["digits"].classes),
        recipe=_quick(epochs=5, batch_size=64, learning_rate=0.1, calibration_images=500),
        readout_time=5,
        n_probe=3,
    ),
}
