"""Moments of normalization: of each time, of all times together, or none. Liao & Poggio (2016), and beyond."""

from __future__ import annotations

from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.part import Part, Training
from cortexsim.paper.experiments.scale import Scale

MODEL = "fully-recurrent-2-state"


def _plan(scale: Scale, seed: int) -> tuple[Part, ...]:
    return (
        Training(
            "batch normalization",
            MODEL,
            seed,
            until=scale.until,
            statistics=("calibrated", "held", "pooled"),
            vary_calibration=True,
        ),
        *(
            Training(
                f"no normalization{how}", MODEL, seed, normalization="none", until=scale.until, rate_divisor=divisor
            )
            for how, divisor in (("", 1.0), (", a tenth of the learning rate", 10.0))
        ),
    )


NORMALIZATION = Experiment(
    "normalization",
    "Batch normalization for each time, shared over time, or none",
    "Does every time need moments of its own, and on how many images must they be taken?",
    _plan,
    paper="The paper states that moments shared over time hurt (S); by how much is not known, so no value is drawn "
    "(U). In training every time is normalized by the batch's own moments; time-specific and shared moments differ "
    "when they are stored, so both are one training here, read out with one or the other. How many images "
    "calibration needs goes beyond the paper. Without normalization a network may need a lower learning rate: one is "
    "trained at a tenth of it.",
    figures=("time", "images", "epoch"),
)
