"""The cost of weight sharing: over time, and of one kernel for everything. Liao & Poggio (2016)."""

from __future__ import annotations

from cortexsim import zoo
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.part import Part, Training
from cortexsim.paper.experiments.scale import Scale

SHARED = {
    "resnet-1-state": "1-state ResNet",
    "resnet-3-state": "3-state ResNet",
    "fully-recurrent-2-state": "2-state fully recurrent",
}
# smaller scales divide the features
ONE_KERNEL = {
    "one-kernel-16": "one kernel, the paper's 16 features",
    "one-kernel-32": "one kernel, the paper's 32 features",
}
EPOCHS_FACTOR = 2.0


def _weight_sharing(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(
        Training(f"{label}, {how}", f"{name}{suffix}", seed)
        for name, label in SHARED.items()
        for how, suffix in (("shared", ""), ("not shared", "-unshared"))
    )


def _one_kernel(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(Training(label, name, seed, epochs_factor=EPOCHS_FACTOR) for name, label in ONE_KERNEL.items())


WEIGHT_SHARING = Experiment(
    "weight-sharing",
    "Weights shared over time, or not",
    "How much accuracy is lost when a network uses the same weights at every time?",
    _weight_sharing,
    seeds=3,
)
ONE_KERNEL_FOR_ALL = Experiment(
    "one-kernel",
    "One set of weights for all convolutions",
    "How far does a single kernel get, used at every layer and time? (The paper's networks have "
    f"{zoo.PAPER['one-kernel-16'].n_parameters:,} and {zoo.PAPER['one-kernel-32'].n_parameters:,} parameters.)",
    _one_kernel,
    paper="The paper trains these for more epochs than the others (S); how many is not known, here it is twice as "
    "many. Its errors are curves whose values are not known, so none is drawn (certainty U).",
)
