from .cifar import cifar10
from .contour_tracing import contours
from .digits_in_debris import digits
from .image_folder import folder, pictures
from .labels import classes, sample, split, spread
from .pixel_paths import paths
from .registry import SOURCES, Source, get
from .tree_mazes import mazes

__all__ = [
    "SOURCES",
    "Source",
    "cifar10",
    "classes",
    "contours",
    "digits",
    "folder",
    "get",
    "mazes",
    "paths",
    "pictures",
    "sample",
    "split",
    "spread",
]
