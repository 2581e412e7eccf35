from . import conditions
from .changes import contrast, flash_duration, lesion, masking, noise, occlusion
from .rsvp import rapid_sequence

__all__ = [
    "conditions",
    "contrast",
    "flash_duration",
    "lesion",
    "masking",
    "noise",
    "occlusion",
    "rapid_sequence",
]
