"""Figures: a labelled recording or result in, a plotly figure out."""

from cortexsim.plot.activity import activity
from cortexsim.plot.difference import difference
from cortexsim.plot.error_by_epoch import error_by_epoch
from cortexsim.plot.error_by_images import error_by_images
from cortexsim.plot.error_by_time import error_by_readout_time, error_by_time
from cortexsim.plot.experiment import experiment
from cortexsim.plot.parameters import parameters
from cortexsim.plot.probabilities import probabilities
from cortexsim.plot.trained_tested import trained_tested

__all__ = [
    "activity",
    "difference",
    "error_by_epoch",
    "error_by_images",
    "error_by_readout_time",
    "error_by_time",
    "experiment",
    "parameters",
    "probabilities",
    "trained_tested",
]
