from ._masking import masking
from ._sensitivity import influence, sensitivity
from .decoding import lesion_decoding
from .degraded import contrast, noise, occlusion
from .durations import flash_duration
from .feedback import shipped_feedback
from .lesions import each_lesion, lesion
from .rsvp import rapid_sequence

__all__ = [
    "contrast",
    "each_lesion",
    "flash_duration",
    "influence",
    "lesion",
    "lesion_decoding",
    "masking",
    "noise",
    "occlusion",
    "rapid_sequence",
    "sensitivity",
    "shipped_feedback",
]
