"""Spoerer et al.'s (2020) BL network: seven layers with lateral connections, read out at each of eight steps."""

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
from cortexsim.zoo.published.layers import CENTRED, AverageAndLinear, FromPixels, areas
from cortexsim.zoo.published.weights import Weights, with_weights

FEATURES = {"L0": 96, "L1": 128, "L2": 192, "L3": 256, "L4": 512, "L5": 1024, "L6": 2048}
SIDES = (128, 64, 32, 16, 8, 4, 2)
KERNELS = dict(zip(FEATURES, (7, 5, 3, 3, 3, 3, 1), strict=True))  # side, px
STEPS = 8
KEYS = {
    "bottom_up_0": "pre.layers.conv",
    **{f"bottom_up_{b[1:]}": f"functions.{a}->{b}.conv" for a, b in pairwise(FEATURES)},
    **{f"lateral_{area[1:]}": f"functions.{area}->{area}.conv" for area in FEATURES},
    **{f"norm_{area[1:]}": f"updates.{area}.norms" for area in FEATURES},
    "readout": "post.module.linear",
}


class Convolution(nn.Module):
    """One connection: a convolution of the target's kernel size, after 2x2 max-pooling between layers."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__()
        size = KERNELS[target.name]
        self.pools = source.height > target.height
        self.conv = nn.Conv2d(source.features, target.features, size, padding=size // 2, bias=False)

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return what the target receives, shape (stimulus, channel, y, x)."""
        return self.conv(F.max_pool2d(h, 2) if self.pools else h)


class Response(nn.Module):
    """Update of a layer: relu(BN_t(sum of its inputs)), with moments and scale of each step."""

    def __init__(self, area: State) -> None:
        super().__init__()
        self.arrival = list(FEATURES).index(area.name)
        self.norms = nn.ModuleList(nn.BatchNorm2d(area.features, eps=1e-3) for _ in range(STEPS))

    def forward(self, total: Tensor, time: int) -> Tensor:
        """Return the layer's activity, shape (stimulus, channel, y, x)."""
        return F.relu(self.norms[min(time - self.arrival, STEPS - 1)](total))


def spoerer_bl(
    weights: Weights = None, *, size: int = 128, n_classes: int = 1000, normalize_images: bool = True, seed: int = 0
) -> Cortex:
    """Make the BL network of Spoerer et al.: h_j(t) = relu(BN_t(conv(pool h_{j-1}(t-1)) + conv h_j(t-1))).

    In the published program a step passes the image through all layers, and lateral connections reach back to the step
    before. Here every connection takes one step, and what layer k computes in the published step s is its activity at
    time s + k: with a sustained image these are the same numbers. The readout of step s, of 0 to 7, is at time s + 6.

    Parameters
    ----------
    weights : path or mapping of str to Tensor, optional
        A state dict with the keys bottom_up_0 to bottom_up_6 and lateral_0 to lateral_6 (`.weight`, (out, in, y, x)),
        norm_0.0 (layer and step) to norm_6.7, and readout. The published weights are those of a Keras model: transpose
        its kernels from (y, x, in, out).
    size : int
        Side of the images, px: a multiple of 64; the published one is 128.
    n_classes, seed
        As for `cornet_rt`.
    normalize_images : bool
        From [0, 1] to [-1, 1], as in training; False for images that are already normalized.

    Returns
    -------
    Cortex
        In evaluation mode. Longer than 8 steps it runs with the moments of the eighth.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, its keys or shapes are not the model's, or the size is not allowed.

    References
    ----------
    Spoerer, Kietzmann, Mehrer, Charest & Kriegeskorte (2020), Recurrent neural networks can explain flexible trading of
    speed and accuracy in biological vision, PLoS Computational Biology 16:e1008215.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.spoerer_bl(size=64, n_classes=10)
    >>> model.readout_time
    13
    """
    states = areas(FEATURES, SIDES, size=size, at=128, update=Response)
    pairs = [*pairwise(FEATURES), *((area, area) for area in FEATURES)]
    with seeded(seed):
        first = OrderedDict[str, nn.Module](conv=nn.Conv2d(3, FEATURES["L0"], 7, padding=3, bias=False))
        model = Cortex(
            CortexGraph(tuple(states), tuple(Transition(source, target, Convolution) for source, target in pairs)),
            n_classes=n_classes,
            readout_time=len(FEATURES) - 1 + STEPS - 1,
            pre_net=FromPixels(first, 1, CENTRED, normalize_images),
            post_net=AverageAndLinear(FEATURES["L6"], n_classes),
            normalization="none",
        )
    return with_weights(model, weights, KEYS, "spoerer_bl")
