"""Sizes of an experiment: a smoke test, a laptop, a workstation without a GPU, and the paper's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from cortexsim._support.checks import unknown
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.training.recipe import Recipe


@dataclass(frozen=True)
class Scale:
    """The size of an experiment.

    Parameters
    ----------
    name : str
    feature_divisor : int
        The paper's numbers of features are divided by this, down to 2.
    side : int
        Side of the images, in pixels.
    n_train, n_test : int or None
        Images to train and to test on; None: all.
    recipe : Recipe
        The training of every model.
    data : str
        The default data: "digits" or "cifar10".
    calibration_sizes : tuple of int
        Numbers of images for statistics, in the experiment that varies them.
    trained_times : tuple of int
        Readout times at which the networks of `generalization` are trained.
    until : int
        Last time that is tested.
    several_seeds : bool
        False: one seed, also in experiments that have several.
    least_seeds : int
        Smallest number of seeds of an experiment.
    features : mapping of str to int
        Features of every state of a model, where the paper's take too long; by name in `zoo.PAPER`.
    models : mapping of str to tuple of str, optional
        The models of each experiment that can be run at this scale, by name in `zoo.PAPER`. By default all models of
        all experiments.
    references : bool
        Add single-state networks of equal size to `more-states`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> from cortexsim.paper.experiments.scale import SCALES
    >>> SCALES["smoke"].side
    16
    """

    name: str
    feature_divisor: int
    side: int
    n_train: int | None
    n_test: int | None
    recipe: Recipe
    data: str
    calibration_sizes: tuple[int, ...]
    trained_times: tuple[int, ...] = (1, 2, 3, 5, 10)
    until: int = 15
    several_seeds: bool = True
    least_seeds: int = 1
    features: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, tuple[str, ...]] | None = None
    references: bool = False

    def shrunk(self, graph: CortexGraph, features: int | None = None) -> CortexGraph:
        """Return a graph of the paper with fewer features and smaller maps, and the same transitions.

        Parameters
        ----------
        graph : CortexGraph
        features : int, optional
            Of every state; by default the paper's, divided by `feature_divisor`.
        """
        by = graph.states[0].height // self.side
        states = tuple(
            replace(
                state,
                features=features or max(state.features // self.feature_divisor, min(state.features, 2)),
                height=state.height // by,
                width=state.width // by,
            )
            for state in graph.states
        )
        return CortexGraph(states, graph.transitions)

    def described(self, models: Collection[str]) -> str:
        """Return its name, and what differs from the paper in these models, which are names in `zoo.PAPER`."""
        texts = [self.name]
        if self.feature_divisor > 1:
            texts.append(f"the paper's features divided by {self.feature_divisor}, at least 2")
        texts += [f"{n} features in each state of {model}" for model, n in self.features.items() if model in models]
        usual = SCALES[self.name].recipe.epochs if self.name in SCALES else self.recipe.epochs
        if self.recipe.epochs != usual:
            texts.append(f"{self.recipe.epochs} epochs in place of {usual}")
        return ", ".join(texts)


SMOKE = Scale(
    "smoke",
    feature_divisor=10,
    side=16,
    n_train=60,
    n_test=40,
    recipe=Recipe.paper(epochs=2, batch_size=16, augmentation="none", validation=1 / 6, calibration_images=20),
    data="digits",
    calibration_sizes=(10, 20, 50),
    trained_times=(2, 5),
    until=11,
    several_seeds=False,
)
LAPTOP = Scale(
    "laptop",
    feature_divisor=8,
    side=16,
    n_train=5_000,
    n_test=1_000,
    recipe=Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.05,
        label_smoothing=0.0,
        loss_at="readout",
        precision="float32",
        validation=0.1,
        calibration_images=500,
    ),
    data="digits",
    calibration_sizes=(10, 30, 100, 300, 1_000),
    trained_times=(2, 5, 10),
)
# sizes that one core trains in hours: 50,000 images of 32x32 px, with the loss at the readout time, as in the paper
WORKSTATION = Scale(
    "workstation",
    feature_divisor=1,
    side=32,
    n_train=None,
    n_test=None,
    recipe=Recipe.quick(epochs=20, loss_at="readout"),
    data="cifar10",
    calibration_sizes=(10, 30, 100, 300, 1_000, 3_000),
    trained_times=(2, 5, 10),
    least_seeds=3,
    features={"fully-recurrent-2-state": 16},
    models={
        "weight-sharing": ("resnet-3-state", "resnet-3-state-unshared"),
        "more-states": ("fully-recurrent-4-state", "adjacent-4-state", "resnet-1-state-unshared"),
        "one-kernel": ("one-kernel-16",),
        "readout-time": ("fully-recurrent-2-state",),
        "generalization": ("fully-recurrent-2-state",),
    },
    references=True,
)
PAPER = Scale(
    "paper",
    feature_divisor=1,
    side=32,
    n_train=None,
    n_test=None,
    recipe=Recipe.paper(),
    data="cifar10",
    calibration_sizes=(10, 30, 100, 300, 1_000, 3_000),
)
SCALES = {scale.name: scale for scale in (SMOKE, LAPTOP, WORKSTATION, PAPER)}


def scale_named(name: str) -> Scale:
    """Return a scale by name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in SCALES:
        raise ValueError(unknown("scale", name, SCALES))
    return SCALES[name]
