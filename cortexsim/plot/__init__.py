"""Figures: a labelled recording in, a plotly figure out."""

from cortexsim.plot.activity import activity
from cortexsim.plot.probabilities import probabilities

__all__ = ["activity", "probabilities"]
