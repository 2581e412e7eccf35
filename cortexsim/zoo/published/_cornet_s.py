"""CORnet-S: four areas, of which three run again before they pass their activity on (Kubilius et al. 2018, 2019)."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Times, Transition
from cortexsim.model.cortex import Cortex
from cortexsim.model.nets import seeded
from cortexsim.zoo.published.layers import IMAGENET, AverageAndLinear, FromPixels, Unchanged, areas
from cortexsim.zoo.published.weights import Weights, with_weights

FEATURES = {"V1": 64, "V2": 128, "V4": 256, "IT": 512}
# the times at which each area runs: V2 twice, V4 four times, IT twice
RUNS = {"V2": range(1, 3), "V4": range(3, 7), "IT": range(7, 9)}
WIDER = 4  # channels between the convolutions of an area, relative to the area's own
KEYS = {
    "V1": "pre.layers",
    **{f"{b}.conv_input": f"functions.{a}->{b}.conv" for a, b in pairwise(FEATURES)},
    **{area: f"updates.{area}" for area in RUNS},
    "decoder.linear": "post.module.linear",
}


class Channels(nn.Module):
    """Connection from the previous area: a 1x1 convolution, at the side of the source."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__()
        self.conv = nn.Conv2d(source.features, target.features, 1, bias=False)

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return the input, shape (stimulus, channel, y, x)."""
        return self.conv(h)


class Bottleneck(nn.Module):
    """Update of an area, from its input x at first and then from its own activity: relu(BN(conv(...(x))) + x).

    Three convolutions, to four times as many channels and back; normalized by moments of each run. The first run
    halves the side, and with it the shortcut has a convolution.
    """

    def __init__(self, area: State) -> None:
        super().__init__()
        n, between, self.runs = area.features, WIDER * area.features, RUNS[area.name]
        self.skip = nn.Conv2d(n, n, 1, stride=2, bias=False)
        self.norm_skip = nn.BatchNorm2d(n)
        self.conv1 = nn.Conv2d(n, between, 1, bias=False)
        self.conv2 = nn.Conv2d(between, between, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(between, n, 1, bias=False)
        for run in range(len(self.runs)):
            for k, features in enumerate((between, between, n), start=1):
                self.add_module(f"norm{k}_{run}", nn.BatchNorm2d(features))

    def forward(self, total: Tensor, time: int) -> Tensor:
        """Return the area's activity, shape (stimulus, channel, y, x)."""
        run = self.runs.index(time)
        norm = [self.get_submodule(f"norm{k}_{run}") for k in (1, 2, 3)]
        x = F.relu(norm[0](self.conv1(total)))
        x = F.relu(norm[1](F.conv2d(x, self.conv2.weight, stride=1 if run else 2, padding=1)))
        x = norm[2](self.conv3(x))
        return F.relu(x + (total if run else self.norm_skip(self.skip(total))))


def cornet_s(
    weights: Weights = None, *, size: int = 224, n_classes: int = 1000, normalize_images: bool = True, seed: int = 0
) -> Cortex:
    """Make CORnet-S: V1 runs once, V2, V4 and IT run 2, 4 and 2 times, one after the other.

    Time counts the runs: V1 at time 0, V2 at 1 and 2, V4 at 3 to 6, IT at 7 and 8, when it is read out. An area passes
    its activity on once, after its last run. So only what is shown at time 0 reaches the readout: in this model a mask
    at a later time has no effect, by construction.

    Parameters
    ----------
    weights, size, n_classes, normalize_images, seed
        As for `cornet_rt`.

    Returns
    -------
    Cortex
        In evaluation mode. Its batch normalization contains the moments of the training, one for each run.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, its keys or shapes are not the model's, or the size is not allowed.

    References
    ----------
    Kubilius et al. (2018), bioRxiv 408385. Kubilius et al. (2019), Brain-like object recognition with
    high-performing shallow recurrent ANNs, NeurIPS.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.cornet_s(size=64, n_classes=10)
    >>> model.readout_time
    8
    """
    v1, *others = areas(FEATURES, (56, 28, 14, 7), size=size, at=224)
    states = [v1, *(State(s.name, s.features, s.height, s.width, Bottleneck) for s in others)]
    transitions = [Transition(a, b, Channels, Times.of(RUNS[b][0])) for a, b in pairwise(FEATURES)]
    transitions += [Transition(area, area, Unchanged, Times.of(times[1:])) for area, times in RUNS.items()]
    with seeded(seed):
        first = OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            norm1=nn.BatchNorm2d(64),
            nonlinearity1=nn.ReLU(),
            pool=nn.MaxPool2d(3, stride=2, padding=1),
            conv2=nn.Conv2d(64, 64, 3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(64),
            nonlinearity2=nn.ReLU(),
        )
        model = Cortex(
            CortexGraph(tuple(states), tuple(transitions)),
            n_classes=n_classes,
            readout_time=RUNS["IT"][-1],
            pre_net=FromPixels(first, 4, IMAGENET, normalize_images),
            post_net=AverageAndLinear(FEATURES["IT"], n_classes),
            normalization="none",
        )
    return with_weights(model, weights, KEYS, "cornet_s")
