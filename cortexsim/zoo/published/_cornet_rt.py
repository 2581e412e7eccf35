"""CORnet-RT: four areas that each keep their activity, one step from area to area (Kubilius et al. 2018)."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Transition
from cortexsim.model.cortex import Cortex
from cortexsim.model.nets import seeded
from cortexsim.zoo.published.layers import IMAGENET, AverageAndLinear, FromPixels, Unchanged, areas
from cortexsim.zoo.published.weights import Weights, with_weights

FEATURES = {"V1": 64, "V2": 128, "V4": 256, "IT": 512}
# where the published checkpoint's tensors belong
KEYS = {
    "V1.conv_input": "pre.layers.conv",
    "V1.norm_input": "pre.layers.norm",
    **{f"{b}.conv_input": f"functions.{a}->{b}.conv" for a, b in pairwise(FEATURES)},
    **{f"{b}.norm_input": f"functions.{a}->{b}.norm" for a, b in pairwise(FEATURES)},
    **{f"{area}.conv1": f"updates.{area}.conv" for area in FEATURES},
    **{f"{area}.norm1": f"updates.{area}.norm" for area in FEATURES},
    "decoder.linear": "post.module.linear",
}


class Drive(nn.Module):
    """Connection from the previous area: relu(GN(conv(h))), at half the side."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__()
        self.conv = nn.Conv2d(source.features, target.features, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(32, target.features)

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return the drive, shape (stimulus, channel, y, x)."""
        return F.relu(self.norm(self.conv(h)))


class Recurrence(nn.Module):
    """Update of an area from its drive and its own previous activity: relu(GN(conv(drive + h)))."""

    def __init__(self, area: State) -> None:
        super().__init__()
        self.conv = nn.Conv2d(area.features, area.features, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(32, area.features)

    def forward(self, total: Tensor) -> Tensor:
        """Return the area's activity, shape (stimulus, channel, y, x)."""
        return F.relu(self.norm(self.conv(total)))


def cornet_rt(
    weights: Weights = None, *, size: int = 224, n_classes: int = 1000, normalize_images: bool = True, seed: int = 0
) -> Cortex:
    """Make CORnet-RT: h_j(t) = relu(GN(conv(relu(GN(conv h_{j-1}(t-1))) + h_j(t-1)))).

    Every area starts as zeros at time 0, so that the shifts of its normalization act before any signal arrives. The
    published model is read out at time 4, its fifth step, of an image that is sustained.

    Parameters
    ----------
    weights : path or mapping of str to Tensor, optional
        The published checkpoint, or a state dict with its keys; None draws the weights as torch does by default.
    size : int
        Side of the images, px: a multiple of 32.
    n_classes : int
    normalize_images : bool
        Subtract ImageNet's mean and divide by its standard deviation, as in training; False for images that are already
        normalized.
    seed : int
        Draws the weights.

    Returns
    -------
    Cortex
        In evaluation mode.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, its keys or shapes are not the model's, or the size is not allowed.

    References
    ----------
    Kubilius et al. (2018), CORnet: modeling the neural mechanisms of core object recognition, bioRxiv 408385.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.cornet_rt(size=64, n_classes=10)
    >>> model.graph.state_names, model.readout_time
    (['V1', 'V2', 'V4', 'IT'], 4)
    """
    states = areas(FEATURES, (56, 28, 14, 7), size=size, at=224, update=Recurrence, start="zero")
    transitions = [Transition(area, area, Unchanged) for area in FEATURES]
    transitions += [Transition(before, after, Drive) for before, after in pairwise(FEATURES)]
    with seeded(seed):
        first = OrderedDict(
            conv=nn.Conv2d(3, 64, 7, stride=4, padding=3), norm=nn.GroupNorm(32, 64), nonlinearity=nn.ReLU()
        )
        model = Cortex(
            CortexGraph(tuple(states), tuple(transitions)),
            n_classes=n_classes,
            readout_time=4,
            pre_net=FromPixels(first, 4, IMAGENET, normalize_images),
            post_net=AverageAndLinear(FEATURES["IT"], n_classes),
            normalization="none",
        )
    return with_weights(model, weights, KEYS, "cornet_rt")
