from . import human, milliseconds
from ._read import read
from ._responses import responses
from .comparison import compare
from .stimuli import images

__all__ = [
    "compare",
    "human",
    "images",
    "milliseconds",
    "read",
    "responses",
]
