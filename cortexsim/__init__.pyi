from . import analyse, brains, datasets, explore, plot, protocols, zoo
from .analyse._tidy import tidy
from .brains import human
from .brains.milliseconds import Milliseconds
from .graph._schedule import schedule
from .graph.builders import adjacent, fully_recurrent, resnet
from .graph.cortex_graph import CortexGraph
from .graph.states import State
from .graph.transitions import Transition
from .model._calibrate import calibrate
from .model.checkpoint import load, save
from .model.cortex import Cortex
from .model.costs import multiply_adds
from .model.shortcut import with_shortcut
from .paper import experiments, predictions
from .recording._simulate import estimate, simulate
from .recording._verify import verify
from .recording.description import summary
from .recording.estimates import estimate_seconds
from .recording.io import open_recording, save_recording
from .stimuli.presentation import Mixture, Presentation, flash, masked, mixture, sequence, sustained
from .sweeps.running import sweep
from .training._train import fit, train
from .training.recipe import Recipe
from .training.records import Progress, TrainingDivergedError

__version__: str

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
    "estimate_seconds",
    "experiments",
    "explore",
    "fit",
    "flash",
    "fully_recurrent",
    "human",
    "load",
    "masked",
    "mixture",
    "multiply_adds",
    "open_recording",
    "plot",
    "predictions",
    "protocols",
    "resnet",
    "save",
    "save_recording",
    "schedule",
    "sequence",
    "simulate",
    "summary",
    "sustained",
    "sweep",
    "tidy",
    "train",
    "verify",
    "with_shortcut",
    "zoo",
]
