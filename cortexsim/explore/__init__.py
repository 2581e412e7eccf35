"""Panels: controls, an analysis and its plot, in a notebook."""

from importlib import import_module

from cortexsim.explore.anatomy import Anatomy
from cortexsim.explore.tour import Tour

# their figures take seconds to import, and the first panel needs none
_LATE = {
    "Brains": "own_brains",
    "Changes": "changes",
    "Experiment": "experiment",
    "Folding": "folding",
    "HowLong": "how_long",
    "Lesions": "lesions",
    "Lesson": "lesson",
    "Masking": "masking",
    "Recorder": "recorder",
    "Sequences": "sequences",
    "Timeline": "timeline",
    "Training": "training",
    "reopen": "reopening",
}

__all__ = [
    "Anatomy",
    "Brains",
    "Changes",
    "Experiment",
    "Folding",
    "HowLong",
    "Lesions",
    "Lesson",
    "Masking",
    "Recorder",
    "Sequences",
    "Timeline",
    "Tour",
    "Training",
    "reopen",
]


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(f"cortexsim.explore.{_LATE[name]}"), name)
    raise AttributeError(f"module 'cortexsim.explore' has no attribute {name!r}")
