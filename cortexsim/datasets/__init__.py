"""Images to look at: digits in debris, contours, paths and mazes made on the spot; CIFAR-10; any folder of images.

Every function returns a plain `xarray.Dataset`: `image` (stimulus, channel, y, x), RGB, uint8; the coordinate `label`
(stimulus; `pictures` knows none) and, as further coordinates, what is known of each stimulus; `name`, `part`, `classes`
and what is needed to make the set again as attributes. Sets whose answer is a map (`paths`, `mazes`, and `contours`
with `targets`) have the variables `target`, `line` and `distance` (stimulus, y, x) in place of `label`.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
