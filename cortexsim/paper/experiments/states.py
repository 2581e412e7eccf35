"""The graph: more states, all transitions or neighbours only, identity shortcuts. Liao & Poggio (2016)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cortexsim import zoo
from cortexsim.graph._schedule import schedule
from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.experiment import NOT_KNOWN, Experiment
from cortexsim.paper.experiments.part import Part, Training, built
from cortexsim.paper.experiments.scale import PAPER, Scale

MORE = {
    "fully-recurrent-3-state": "3-state fully recurrent",
    "adjacent-3-state": "3-state adjacent",
    "fully-recurrent-4-state": "4-state fully recurrent",
    "adjacent-4-state": "4-state adjacent",
}
SHORTCUTS = {"resnet-1-state": "1-state", "resnet-3-state": "3-state"}
# single-state networks are made as large as this network of several states
MATCHED = "adjacent-4-state"
SINGLE = "resnet-1-state-unshared"


def n_parameters(model: Cortex) -> int:
    """Count the parameters of a model."""
    return model.n_parameters()


def multiply_adds(model: Cortex) -> int:
    """Count the multiplications of a model for one image, without its pre-net."""
    return schedule(model.graph, model.readout_time).multiply_adds


@dataclass(frozen=True)
class Reference(Training):
    """An ordinary 1-state ResNet, as large as a network of several states. The paper has none of this size.

    Parameters
    ----------
    features : int
        Of its state.
    """

    features: int = 64

    @property
    def paper_confidence(self) -> str:
        """Certainty of the paper's number of parameters: its size is not in the paper."""
        return "U"

    def build(self, scale: Scale, n_classes: int = 10) -> Cortex:
        """Build the model, untrained."""
        return built(self.model, scale, n_classes, seed=self.seed, features=self.features)

    def _as_in_the_paper(self) -> Cortex:
        return built(self.model, PAPER)


def references(scale: Scale, seed: int) -> tuple[Reference, ...]:
    """Return the single-state networks with as many parameters, and as many multiplications, as `MATCHED`."""
    found = {"parameters": matched_features(n_parameters), "multiplications": matched_features(multiply_adds)}
    return tuple(
        Reference(f"1-state ResNet, as many {what} as {MORE[MATCHED]}", SINGLE, seed, features=features)
        for what, features in found.items()
    )


@lru_cache
def matched_features(count: Callable[[Cortex], int]) -> int:
    """Return the features of the 1-state ResNet whose count is nearest to that of `MATCHED`."""
    target = count(zoo.build(MATCHED))
    most = PAPER.shrunk(zoo.PAPER[SINGLE].graph()).states[0].features
    return min(range(2, most + 1), key=lambda features: abs(count(built(SINGLE, PAPER, features=features)) - target))


def _more_states(scale: Scale, seed: int) -> tuple[Part, ...]:
    several = tuple(Training(label, name, seed) for name, label in MORE.items())
    return (*several, *references(scale, seed)) if scale.references else several


def _plain_or_residual(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(
        Training(f"{label}, {how}", name, seed, change=change)
        for name, label in SHORTCUTS.items()
        for how, change in (("residual", ""), ("plain", "no shortcuts"))
    )


MORE_STATES = Experiment(
    "more-states",
    "Three and four states, fully recurrent and adjacent, deep pre-net",
    "Are more states, and transitions between all of them, worth their parameters?",
    _more_states,
    paper="The best 3-state model of the paper reaches 7.47 % validation error on CIFAR-10 (certainty R: recalled; "
    "which of the two it is, is not known). The other errors are curves whose values are not known (U).",
    paper_error=0.0747,
    paper_error_of="paper, best 3-state model on CIFAR-10 (R: recalled)",
)
PLAIN_OR_RESIDUAL = Experiment(
    "plain-or-residual",
    "With and without identity shortcuts",
    "What does the identity shortcut do for a network that shares its weights over time?",
    _plain_or_residual,
    paper=NOT_KNOWN,
)
