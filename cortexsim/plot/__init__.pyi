from ._activity import activity
from ._agreement import agreement
from ._any_time import any_time
from ._best_time import best_time
from ._brain import brain
from ._caption import caption
from ._cka import cka
from ._difference import difference
from ._dissimilarity import dissimilarity
from ._early_late import early_late
from ._effect import effect
from ._error_by_epoch import error_by_epoch
from ._error_by_images import error_by_images
from ._error_by_readout_time import error_by_readout_time
from ._error_by_time import error_by_time
from ._experiment import experiment
from ._extrapolation import (
    collapse,
    controls_by_length,
    controls_by_maze,
    latency_by_distance,
    over_time_by_length,
    over_time_by_maze,
    steps_by_length,
)
from ._field import field
from ._film import film, film_strip
from ._followed import followed
from ._kernels import kernels
from ._latencies import arrivals, latencies
from ._learning import learning
from ._masking_curve import masking_curve
from ._occlusion_delay import occlusion_delay
from ._parameters import parameters
from ._parameters_by_steps import parameters_by_steps
from ._probabilities import probabilities
from ._rdm_movie import rdm_movie
from ._reaction_times import reaction_times
from ._save import save
from ._speed_accuracy import speed_accuracy
from ._stream import stream
from ._sweep_grid import sweep_grid
from ._temporal_generalization import temporal_generalization
from ._time_course import time_course
from ._trained_tested import trained_tested
from ._trajectory import trajectory
from ._verdicts import verdicts
from .cursor import add_cursor, add_points, hide_cursor, move_cursor
from .theme import narrowed

__all__ = [
    "activity",
    "add_cursor",
    "add_points",
    "agreement",
    "any_time",
    "arrivals",
    "best_time",
    "brain",
    "caption",
    "cka",
    "collapse",
    "controls_by_length",
    "controls_by_maze",
    "difference",
    "dissimilarity",
    "early_late",
    "effect",
    "error_by_epoch",
    "error_by_images",
    "error_by_readout_time",
    "error_by_time",
    "experiment",
    "field",
    "film",
    "film_strip",
    "followed",
    "hide_cursor",
    "kernels",
    "latencies",
    "latency_by_distance",
    "learning",
    "masking_curve",
    "move_cursor",
    "narrowed",
    "occlusion_delay",
    "over_time_by_length",
    "over_time_by_maze",
    "parameters",
    "parameters_by_steps",
    "probabilities",
    "rdm_movie",
    "reaction_times",
    "save",
    "speed_accuracy",
    "steps_by_length",
    "stream",
    "sweep_grid",
    "temporal_generalization",
    "time_course",
    "trained_tested",
    "trajectory",
    "verdicts",
]
