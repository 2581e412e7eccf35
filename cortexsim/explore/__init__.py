"""Panels: controls, an analysis and its plot, in a notebook."""

from cortexsim.explore.timeline import Timeline

__all__ = ["Timeline"]
