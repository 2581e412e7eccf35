from ._accuracy import accuracy
from ._cka import cka
from ._compare_rdms import compare_rdms
from ._decode import decode
from ._decoding_patterns import decoding_patterns
from ._dimensionality import dimensionality
from ._early_late import early_late
from ._effect import effect
from ._fields import projective_field, receptive_field
from ._latched import cumulative, latched
from ._map_accuracy import map_accuracy
from ._model_against_model import best_time, similarity_difference
from ._onset import onset
from ._partial_similarity import partial_similarity
from ._rdm import rdm
from ._reaction_time import reaction_time, speed_accuracy
from ._selectivity import selectivity
from ._settling import settling
from ._significance import significance
from ._steps_needed import growth, steps_needed
from ._temporal_generalization import temporal_generalization
from ._tidy import tidy
from ._trajectory import trajectory
from ._wave import wave
from .scale import spread, standardized

__all__ = [
    "accuracy",
    "best_time",
    "cka",
    "compare_rdms",
    "cumulative",
    "decode",
    "decoding_patterns",
    "dimensionality",
    "early_late",
    "effect",
    "growth",
    "latched",
    "map_accuracy",
    "onset",
    "partial_similarity",
    "projective_field",
    "rdm",
    "reaction_time",
    "receptive_field",
    "selectivity",
    "settling",
    "significance",
    "similarity_difference",
    "speed_accuracy",
    "spread",
    "standardized",
    "steps_needed",
    "temporal_generalization",
    "tidy",
    "trajectory",
    "wave",
]
