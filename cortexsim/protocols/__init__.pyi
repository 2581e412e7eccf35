from ._masking import masking
from .degraded import contrast, noise, occlusion
from .durations import flash_duration
from .lesions import lesion
from .rsvp import rapid_sequence

__all__ = [
    "contrast",
    "flash_duration",
    "lesion",
    "masking",
    "noise",
    "occlusion",
    "rapid_sequence",
]
