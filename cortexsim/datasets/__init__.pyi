from .cifar import cifar10
from .contour_tracing import contours
from .digits_in_debris import digits
from .image_folder import folder, pictures
from .labels import classes, split, spread
from .pixel_paths import paths
from .tree_mazes import mazes

__all__ = [
    "cifar10",
    "classes",
    "contours",
    "digits",
    "folder",
    "mazes",
    "paths",
    "pictures",
    "split",
    "spread",
]
