"""Panels: controls, an analysis and its plot, in a notebook."""

import lazy_loader as _lazy

from cortexsim._support.extras import check_extra as _check_extra

_check_extra("lab", "panels")
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
