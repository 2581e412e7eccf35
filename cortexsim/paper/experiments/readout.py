"""Readout times: trained at one time, tested at the same or at others. Liao & Poggio (2016)."""

from __future__ import annotations

from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.part import Part, Training
from cortexsim.paper.experiments.scale import Scale

TIMES = (1, 2, 5, 10)
CURVE = "3-state adjacent, no self-transitions"
# the models of the matrix, and the time at which the image first reaches the last state
MATRIX = {"2-state fully recurrent": ("fully-recurrent-2-state", 1), "3-state adjacent": ("adjacent-3-state", 2)}


def _readout_time(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(Training(f"t = {time}", "fully-recurrent-2-state", seed, readout_time=time) for time in TIMES)


def _generalization(scale: Scale, seed: int) -> tuple[Part, ...]:
    kinds = ("calibrated", "held")
    curve = Training(
        f"{CURVE}, t = 10",
        "adjacent-3-state",
        seed,
        readout_time=10,
        change="no self-transitions",
        until=scale.until,
        statistics=kinds,
    )
    matrix = (
        Training(f"{label}, t = {time}", name, seed, readout_time=time, until=scale.until, statistics=kinds)
        for label, (name, arrival) in MATRIX.items()
        for time in scale.trained_times
        if time >= arrival
    )
    return (curve, *matrix)


READOUT_TIME = Experiment(
    "readout-time",
    "Trained and tested at one readout time",
    "Does a recurrent network get better when it is given more time, trained for that time?",
    _readout_time,
    paper="The paper's curve has values that are not known here, so none is drawn (certainty U). Its parameters grow "
    "from t = 1 to 3 (76,106; 223,562; 297,290), so a better result at t = 2 than at 1 is not due to time alone.",
    figures=("readout", "epoch", "parameters"),
    seeds=3,
)
GENERALIZATION = Experiment(
    "generalization",
    "Trained at one readout time, tested at others",
    "Does a network that learned to answer at one time answer at others?",
    _generalization,
    paper=f"The paper shows one curve ({CURVE}, trained at t = 10; I), whose values are not known (U). At odd times "
    "the last state of that network is empty and nothing can be read. The matrices go beyond the paper.",
    figures=("time", "trained-tested"),
)
