"""See a recurrent model of visual cortex think: flash an image, and move through time.

The science is Liao & Poggio (2016), "Bridging the Gaps Between Residual Learning, Recurrent Neural Networks and Visual
Cortex" (arXiv 1604.03640).
"""

__version__ = "0.2.0"

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
