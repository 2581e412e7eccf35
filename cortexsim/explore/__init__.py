"""Panels: controls, an analysis and its plot, in a notebook."""

from cortexsim.explore.tour import Tour

__all__ = ["Experiment", "Folding", "Timeline", "Tour"]


def __getattr__(name: str) -> object:
    # their figures and experiments take seconds to import, and the first panel needs none
    if name == "Timeline":
        from cortexsim.explore.timeline import Timeline

        return Timeline
    if name == "Folding":
        from cortexsim.explore.folding import Folding

        return Folding
    if name == "Experiment":
        from cortexsim.explore.experiment import Experiment

        return Experiment
    raise AttributeError(f"module 'cortexsim.explore' has no attribute {name!r}")
