"""Images to look at: digits in debris and contour tracing, made on the spot; CIFAR-10; any folder of images.

Every function returns a plain `xarray.Dataset`: `image` (stimulus, channel, y, x), RGB, uint8; the coordinate `label`
(stimulus; `pictures` knows none) and, as further coordinates, what is known of each stimulus; `name`, `part`, `classes`
and what is needed to make the set again as attributes.
"""

from cortexsim.datasets.cifar import cifar10
from cortexsim.datasets.contour_tracing import contours
from cortexsim.datasets.digits_in_debris import digits
from cortexsim.datasets.image_folder import folder, pictures
from cortexsim.datasets.labelled import classes, split, spread

__all__ = ["cifar10", "classes", "contours", "digits", "folder", "pictures", "split", "spread"]
