"""Analyses: labelled arrays in, labelled arrays out, each number with how sure it is."""

from cortexsim.analyse.accuracy import accuracy
from cortexsim.analyse.cka import cka
from cortexsim.analyse.compare_rdms import compare_rdms
from cortexsim.analyse.decode import decode
from cortexsim.analyse.dimensionality import dimensionality
from cortexsim.analyse.early_late import early_late
from cortexsim.analyse.effect import effect
from cortexsim.analyse.rdm import rdm
from cortexsim.analyse.reaction_time import reaction_time, speed_accuracy
from cortexsim.analyse.scale import spread, standardized
from cortexsim.analyse.selectivity import selectivity
from cortexsim.analyse.settling import settling
from cortexsim.analyse.temporal_generalization import temporal_generalization
from cortexsim.analyse.trajectory import trajectory

__all__ = [
    "accuracy",
    "cka",
    "compare_rdms",
    "decode",
    "dimensionality",
    "early_late",
    "effect",
    "rdm",
    "reaction_time",
    "selectivity",
    "settling",
    "speed_accuracy",
    "spread",
    "standardized",
    "temporal_generalization",
    "trajectory",
]
