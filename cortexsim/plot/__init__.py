"""Figures: a labelled recording or result in, a plotly figure out."""

from cortexsim.plot.activity import activity
from cortexsim.plot.brain import brain
from cortexsim.plot.dissimilarity import dissimilarity
from cortexsim.plot.effect import effect
from cortexsim.plot.kernels import kernels
from cortexsim.plot.latencies import arrivals, latencies
from cortexsim.plot.learning import learning
from cortexsim.plot.masking_curve import masking_curve
from cortexsim.plot.occlusion_delay import occlusion_delay
from cortexsim.plot.probabilities import probabilities
from cortexsim.plot.rdm_movie import rdm_movie
from cortexsim.plot.speed_accuracy import speed_accuracy
from cortexsim.plot.temporal_generalization import temporal_generalization
from cortexsim.plot.time_course import time_course
from cortexsim.plot.trajectory import trajectory

__all__ = [
    "activity",
    "arrivals",
    "brain",
    "dissimilarity",
    "effect",
    "kernels",
    "latencies",
    "learning",
    "masking_curve",
    "occlusion_delay",
    "probabilities",
    "rdm_movie",
    "speed_accuracy",
    "temporal_generalization",
    "time_course",
    "trajectory",
]
