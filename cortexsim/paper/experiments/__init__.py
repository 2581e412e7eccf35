"""Every experiment of Liao & Poggio (2016), by name and at the scale that a machine allows.

result = cortexsim.experiments.run("readout-time", scale="laptop", to="runs/readout-time")
cortexsim.plot.experiment(result)
"""

from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.result import open_result, over_seeds, shipped, shipped_names
from cortexsim.paper.experiments.running import EXPERIMENTS, run
from cortexsim.paper.experiments.scale import SCALES, Scale

__all__ = [
    "EXPERIMENTS",
    "SCALES",
    "Experiment",
    "Scale",
    "open_result",
    "over_seeds",
    "run",
    "shipped",
    "shipped_names",
]
