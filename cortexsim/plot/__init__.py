"""Figures: a labelled recording or result in, a plotly figure out."""

from cortexsim.plot.activity import activity
from cortexsim.plot.agreement import agreement
from cortexsim.plot.any_time import any_time
from cortexsim.plot.beside import narrowed
from cortexsim.plot.brain import brain
from cortexsim.plot.cursor import add_cursor, add_points, hide_cursor, move_cursor
from cortexsim.plot.difference import difference
from cortexsim.plot.dissimilarity import dissimilarity
from cortexsim.plot.early_late import early_late
from cortexsim.plot.effect import effect
from cortexsim.plot.error_by_epoch import error_by_epoch
from cortexsim.plot.error_by_images import error_by_images
from cortexsim.plot.error_by_time import error_by_readout_time, error_by_time
from cortexsim.plot.experiment import experiment
from cortexsim.plot.followed import followed
from cortexsim.plot.kernels import kernels
from cortexsim.plot.latencies import arrivals, latencies
from cortexsim.plot.learning import learning
from cortexsim.plot.masking_curve import masking_curve
from cortexsim.plot.occlusion_delay import occlusion_delay
from cortexsim.plot.parameters import parameters
from cortexsim.plot.parameters_by_steps import parameters_by_steps
from cortexsim.plot.probabilities import probabilities
from cortexsim.plot.rdm_movie import rdm_movie
from cortexsim.plot.reaction_times import reaction_times
from cortexsim.plot.speed_accuracy import speed_accuracy
from cortexsim.plot.stream import stream
from cortexsim.plot.temporal_generalization import temporal_generalization
from cortexsim.plot.time_course import time_course
from cortexsim.plot.trained_tested import trained_tested
from cortexsim.plot.trajectory import trajectory
from cortexsim.plot.verdicts import verdicts

__all__ = [
    "activity",
    "add_cursor",
    "add_points",
    "agreement",
    "any_time",
    "arrivals",
    "brain",
    "difference",
    "dissimilarity",
    "early_late",
    "effect",
    "error_by_epoch",
    "error_by_images",
    "error_by_readout_time",
    "error_by_time",
    "experiment",
    "followed",
    "hide_cursor",
    "kernels",
    "latencies",
    "learning",
    "masking_curve",
    "move_cursor",
    "narrowed",
    "occlusion_delay",
    "parameters",
    "parameters_by_steps",
    "probabilities",
    "rdm_movie",
    "reaction_times",
    "speed_accuracy",
    "stream",
    "temporal_generalization",
    "time_course",
    "trained_tested",
    "trajectory",
    "verdicts",
]
