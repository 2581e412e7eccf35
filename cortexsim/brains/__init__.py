"""A person's own brain data, beside a model: read dissimilarity matrices and their images, and compare."""

from cortexsim.brains.comparison import compare
from cortexsim.brains.read import read
from cortexsim.brains.stimuli import images

__all__ = ["compare", "images", "read"]
