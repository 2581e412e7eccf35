"""Panels: controls, an analysis and its plot, in a notebook."""

from cortexsim.explore.anatomy import Anatomy
from cortexsim.explore.tour import Tour

__all__ = [
    "Anatomy",
    "Lesson",
    "Timeline",
    "Tour",
    "Training",
]


def __getattr__(name: str) -> object:
    # its figures take seconds to import, and the first panel needs none
    if name == "Timeline":
        from cortexsim.explore.timeline import Timeline

        return Timeline
    if name in ("Lesson", "Training"):
        from cortexsim.explore import lesson, training

        return {"Lesson": lesson.Lesson, "Training": training.Training}[name]
    raise AttributeError(f"module 'cortexsim.explore' has no attribute {name!r}")
