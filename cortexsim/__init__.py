"""See a recurrent model of visual cortex think: flash an image, and hold time in your hand.

The science is Liao & Poggio (2016), "Bridging the Gaps Between Residual Learning, Recurrent Neural Networks and Visual
Cortex" (arXiv 1604.03640).
"""

__version__ = "0.1.0"

from cortexsim import analyse, brains, datasets, human, zoo
from cortexsim.builders import adjacent, fully_recurrent, resnet
from cortexsim.calibrate import calibrate
from cortexsim.checkpoint import load, save
from cortexsim.graph import CortexGraph, State
from cortexsim.milliseconds import Milliseconds
from cortexsim.model import Cortex
from cortexsim.presentation import Mixture, Presentation, flash, masked, mixture, sequence, sustained
from cortexsim.recipe import Recipe
from cortexsim.recording import open_recording, save_recording, summary
from cortexsim.schedule import schedule
from cortexsim.shortcut import with_shortcut
from cortexsim.simulate import estimate, simulate
from cortexsim.sweep import sweep
from cortexsim.train import Progress, TrainingDivergedError, train
from cortexsim.transition import Transition
from cortexsim.verify import verify

__all__ = [
    "Cortex",
    "CortexGraph",
    "Milliseconds",
    "Mixture",
    "Presentation",
    "Progress",
    "Recipe",
    "State",
    "TrainingDivergedError",
    "Transition",
    "adjacent",
    "analyse",
    "brains",
    "calibrate",
    "datasets",
    "estimate",
    "flash",
    "fully_recurrent",
    "human",
    "load",
    "masked",
    "mixture",
    "open_recording",
    "resnet",
    "save",
    "save_recording",
    "schedule",
    "sequence",
    "simulate",
    "summary",
    "sustained",
    "sweep",
    "train",
    "verify",
    "with_shortcut",
    "zoo",
]


def __getattr__(name: str) -> object:
    # figures and widgets take long to import, and a bare GPU node has neither
    if name in ("analyse", "experiments", "explore", "plot", "predictions", "protocols"):
        from importlib import import_module

        return import_module(f"cortexsim.{name}")
    raise AttributeError(f"module 'cortexsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "analyse", "experiments", "explore", "plot", "predictions", "protocols"])
