"""Figures: a labelled array in, a plotly figure out."""

from cortexsim.plot.activity import activity
from cortexsim.plot.dissimilarity import dissimilarity
from cortexsim.plot.kernels import kernels
from cortexsim.plot.learning import learning
from cortexsim.plot.probabilities import probabilities

__all__ = ["activity", "dissimilarity", "kernels", "learning", "probabilities"]
