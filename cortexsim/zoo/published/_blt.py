"""BLT: six areas with bottom-up, lateral and top-down connections (after Spoerer et al. 2017, 2020)."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim._support.checks import one_of
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Transition
from cortexsim.model.cortex import Cortex
from cortexsim.model.nets import seeded
from cortexsim.zoo.published.layers import IMAGENET, AverageAndLinear, FromPixels, areas
from cortexsim.zoo.published.weights import Weights, with_weights

FEATURES = {"L0": 64, "L1": 64, "L2": 128, "L3": 256, "L4": 512, "L5": 512}
SIDES = (56, 56, 28, 14, 7, 7)
# bottom-up, lateral, top-down; read out at the last of the published times 5 to 8 at which a flash leaves L5 populated
READOUT_TIMES = {"b": 5, "bl": 8, "bt": 7, "blt": 8}
KINDS = tuple(READOUT_TIMES)


class Convolution(nn.Module):
    """One connection: a 3x3 convolution, after pooling where the side halves, transposed where it doubles."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__()
        n, m = source.features, target.features
        self.halves = source.height > target.height
        self.conv: nn.Module = (
            nn.ConvTranspose2d(n, m, 3, stride=2, padding=1, output_padding=1)
            if source.height < target.height
            else nn.Conv2d(n, m, 3, padding=1)
        )

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return what the target receives, shape (stimulus, channel, y, x)."""
        return self.conv(F.max_pool2d(h, 3, stride=2, padding=1) if self.halves else h)


class Response(nn.Module):
    """Update of an area: relu(GN(sum of its inputs))."""

    def __init__(self, area: State) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, area.features)

    def forward(self, total: Tensor) -> Tensor:
        """Return the area's activity, shape (stimulus, channel, y, x)."""
        return F.relu(self.norm(total))


def blt(
    weights: Weights = None,
    *,
    kind: str = "blt",
    size: int = 224,
    n_classes: int = 20,
    normalize_images: bool = True,
    seed: int = 0,
) -> Cortex:
    """Make a BLT network: h_j(t) = relu(GN(Σ_i conv_ij h_i(t-1))), the sum over the area itself and its neighbours.

    Every connection takes one step, and an area is empty until the image arrives. The published model is read out at
    times 5 to 8 of an image that is sustained, always by the same linear layer. The readout time of this one is 8,
    or 5 ("b") and 7 ("bt"), because a flash has left the last area by then; `model.readouts(images, [8])` reads later.

    Parameters
    ----------
    weights : path or mapping of str to Tensor, optional
        As for `cornet_rt`.
    kind : "b", "bl", "bt" or "blt"
        Its connections: bottom-up, lateral, top-down.
    size, n_classes, normalize_images, seed
        As for `cornet_rt`.

    Returns
    -------
    Cortex
        In evaluation mode.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, its keys or shapes are not the model's, or the kind or the size is not allowed.

    References
    ----------
    Spoerer et al. (2017), Recurrent convolutional neural networks: a better model of biological object recognition,
    Frontiers in Psychology 8:1551. Spoerer et al. (2020), Recurrent neural networks can explain flexible trading of
    speed and accuracy in biological vision, PLoS Computational Biology 16:e1008215.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.blt(size=64, n_classes=10)
    >>> model.graph.state_names
    ['L0', 'L1', 'L2', 'L3', 'L4', 'L5']
    """
    kind = one_of(kind, "kind", KINDS)
    if isinstance(weights, str) and weights in KINDS:
        raise ValueError(
            f"weights must be a file or a state dict, got {weights!r}, which is a kind: write blt(kind={weights!r}), "
            f"or './{weights}' for a file of that name"
        )
    pairs = list(pairwise(FEATURES))
    pairs += [(area, area) for area in FEATURES] * ("l" in kind)
    pairs += [(after, before) for before, after in pairwise(FEATURES)] * ("t" in kind)
    states = areas(FEATURES, SIDES, size=size, at=224, update=Response)
    with seeded(seed):
        first = OrderedDict[str, nn.Module](
            conv=nn.Conv2d(3, 64, 7, stride=2, padding=3), pool=nn.MaxPool2d(3, stride=2, padding=1)
        )
        model = Cortex(
            CortexGraph(tuple(states), tuple(Transition(source, target, Convolution) for source, target in pairs)),
            n_classes=n_classes,
            readout_time=READOUT_TIMES[kind],
            pre_net=FromPixels(first, 4, IMAGENET, normalize_images),
            post_net=AverageAndLinear(FEATURES["L5"], n_classes),
            normalization="none",
        )
    return with_weights(model, weights, _keys(pairs), f"blt ({kind})")


def _keys(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return where the published checkpoint's tensors belong."""
    keys = {"conv_input": "pre.layers.conv", "read_out.linear": "post.module.linear"}
    side = dict(zip(FEATURES, SIDES, strict=True))
    for source, target in pairs:
        pooled = ".conv" * (side[source] > side[target])
        keys[f"conv_{source[1:]}_{target[1:]}{pooled}"] = f"functions.{source}->{target}.conv"
    return keys | {f"norm_{area[1:]}": f"updates.{area}.norm" for area in FEATURES}
