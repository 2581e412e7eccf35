from ._masking import masking
from ._sensitivity import influence, sensitivity
from .degraded import contrast, noise, occlusion
from .durations import flash_duration
from .lesions import lesion
from .rsvp import rapid_sequence

__all__ = [
    "contrast",
    "flash_duration",
    "influence",
    "lesion",
    "masking",
    "noise",
    "occlusion",
    "rapid_sequence",
    "sensitivity",
]
