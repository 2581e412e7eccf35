"""A person's own brain data, beside a model: read dissimilarity matrices and their images, and compare."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
