"""Datasets of images: digits in debris, contours, paths and mazes made on the spot; CIFAR-10; folders of images.

Every function returns a plain `xarray.Dataset`: `image` (stimulus, channel, y, x), RGB, uint8; the coordinate `label`
(stimulus; `pictures` has none) and, as further coordinates, the factors of each stimulus; `name`, `part`, `classes` and
the arguments that make the set again as attributes. Sets whose answer is a map (`paths`, `mazes`, and `contours` with
`targets`) have the variables `target`, `line` and `distance` (stimulus, y, x) in place of `label`.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
