"""Panels: controls, an analysis and its plot, in a notebook."""

from cortexsim.explore.anatomy import Anatomy
from cortexsim.explore.tour import Tour

__all__ = ["Anatomy", "Timeline", "Tour"]


def __getattr__(name: str) -> object:
    # its figures take seconds to import, and the first panel needs none
    if name == "Timeline":
        from cortexsim.explore.timeline import Timeline

        return Timeline
    raise AttributeError(f"module 'cortexsim.explore' has no attribute {name!r}")
