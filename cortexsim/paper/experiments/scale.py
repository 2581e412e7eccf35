"""How large an experiment is run: to see that it works, on a laptop, or as in the paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cortexsim._support.checks import unknown
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.training.recipe import Recipe


@dataclass(frozen=True)
class Scale:
    """The size of an experiment.

    Parameters
    ----------
    name : str
    width : int
        The paper's features are divided by this, down to 2.
    side : int
        Of the images, in pixels.
    n_train, n_test : int or None
        Images to train and to test on; None is all there are.
    recipe : Recipe
        How every model is trained.
    data : str
        What is shown where nothing else is said: "digits" or "cifar10".
    calibration : tuple of int
        How many images statistics are taken on, where that is what is asked.
    trained_at : tuple of int
        Readout times of the matrix trained at x tested at.
    until : int
        Last time that is tested.
    several_seeds : bool
        Whether experiments that ask for several seeds get them.
    """

    name: str
    width: int
    side: int
    n_train: int | None
    n_test: int | None
    recipe: Recipe
    data: str
    calibration: tuple[int, ...]
    trained_at: tuple[int, ...] = (1, 2, 3, 5, 10)
    until: int = 15
    several_seeds: bool = True

    def shrunk(self, graph: CortexGraph) -> CortexGraph:
        """Return a graph of the paper with fewer features and smaller maps; the transitions stay as they are."""
        by = graph.states[0].height // self.side
        states = tuple(
            replace(
                state,
                features=max(state.features // self.width, min(state.features, 2)),
                height=state.height // by,
                width=state.width // by,
            )
            for state in graph.states
        )
        return CortexGraph(states, graph.transitions)


SMOKE = Scale(
    "smoke",
    width=10,
    side=16,
    n_train=60,
    n_test=40,
    recipe=Recipe.paper(epochs=2, batch_size=16, augmentation="none", validation=1 / 6, calibration_images=20),
    data="digits",
    calibration=(10, 20, 50),
    trained_at=(2, 5),
    until=11,
    several_seeds=False,
)
LAPTOP = Scale(
    "laptop",
    width=8,
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
    calibration=(10, 30, 100, 300, 1_000),
    trained_at=(2, 5, 10),
)
PAPER = Scale(
    "paper",
    width=1,
    side=32,
    n_train=None,
    n_test=None,
    recipe=Recipe.paper(),
    data="cifar10",
    calibration=(10, 30, 100, 300, 1_000, 3_000),
)
SCALES = {scale.name: scale for scale in (SMOKE, LAPTOP, PAPER)}


def scale_named(name: str) -> Scale:
    """Return a scale by its name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in SCALES:
        raise ValueError(unknown("scale", name, SCALES))
    return SCALES[name]
