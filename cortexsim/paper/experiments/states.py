"""What the graph gives: more states, all transitions or neighbours only, identity shortcuts. Liao & Poggio (2016)."""

from __future__ import annotations

from cortexsim.paper.experiments.experiment import NOT_KNOWN, Experiment
from cortexsim.paper.experiments.part import Part, Training
from cortexsim.paper.experiments.scale import Scale

MORE = {
    "fully-recurrent-3-state": "3-state fully recurrent",
    "adjacent-3-state": "3-state adjacent",
    "fully-recurrent-4-state": "4-state fully recurrent",
    "adjacent-4-state": "4-state adjacent",
}
SHORTCUTS = {"resnet-1-state": "1-state", "resnet-3-state": "3-state"}


def _more_states(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(Training(label, name, seed) for name, label in MORE.items())


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
