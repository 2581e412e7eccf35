from .anatomy.panel import Anatomy
from .changes.panel import Changes
from .masking_trials.panel import MaskingTrials
from .panel.reopening import reopen
from .studies.drift import Drift
from .studies.each_lesion import EachLesion
from .studies.experiment import Experiment
from .studies.folding import Folding
from .studies.how_long import HowLong
from .studies.interruption import Interruption
from .studies.lesions import Lesions
from .studies.longer import Longer
from .studies.masking import Masking
from .studies.own_brains import Brains
from .studies.recorder import Recorder
from .studies.returning import Returning
from .studies.sequences import Sequences
from .studies.timeline import Timeline
from .sweep.panel import Sweep
from .tour.panel import Tour
from .tracer.panel import Tracer
from .training.lesson import Lesson
from .training.panel import Training

__all__ = [
    "Anatomy",
    "Brains",
    "Changes",
    "Drift",
    "EachLesion",
    "Experiment",
    "Folding",
    "HowLong",
    "Interruption",
    "Lesions",
    "Lesson",
    "Longer",
    "Masking",
    "MaskingTrials",
    "Recorder",
    "Returning",
    "Sequences",
    "Sweep",
    "Timeline",
    "Tour",
    "Tracer",
    "Training",
    "reopen",
]
