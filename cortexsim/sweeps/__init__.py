"""Many models, seeds and presentations in one study, on this machine or on any dask cluster."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
