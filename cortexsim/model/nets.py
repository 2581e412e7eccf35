"""Parts of the model: pre-net between retina and first state, a convolution, post-net; and what any module has."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim.graph.transitions import Convolution
from cortexsim.model.moments import Normalize


class DeepPreNet(nn.Module):
    """The layers between retina and V1: conv-BN-ReLU-conv-BN-ReLU-conv, at the first state's width."""

    def __init__(self, features: int) -> None:
        super().__init__()
        widths = (3, features, features, features)
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=False) for before, after in pairwise(widths)
        )

    def forward(self, images: Tensor, normalize: Normalize, n_layers: int = 3) -> Tensor:
        """Run the first `n_layers` convolutions, with BN-ReLU between them."""
        x = self.layers[0](images)
        for k in range(1, n_layers):
            x = self.layers[k](F.relu(normalize(x, f"pre_net:{k - 1}", None)))
        return x


class PostNet(nn.Module):
    """BN (its scale and shift are one for all readout times), ReLU, average over positions, fully connected layer."""

    def __init__(self, features: int, n_classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.linear = nn.Linear(features, n_classes)

    def forward(self, h: Tensor, place: str, time: int, normalize: Normalize) -> Tensor:
        """Return logits, shape (stimulus, class)."""
        rate = F.relu(normalize(h, place, time, self.scale, self.shift))
        return self.linear(rate.mean((2, 3)))


def convolve(x: Tensor, kernel: Tensor, convolution: Convolution) -> Tensor:
    """Apply one convolution of a transition, or its transpose, to x of shape (row, channel, y, x)."""
    stride, padding, groups = convolution.stride, convolution.size // 2, convolution.groups
    if convolution.transposed:
        return F.conv_transpose2d(x, kernel, stride=stride, padding=padding, output_padding=stride - 1, groups=groups)
    return F.conv2d(x, kernel, stride=stride, padding=padding, groups=groups)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put a model and its parts in evaluation mode, and each back as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def count_parameters(module: nn.Module) -> int:
    """Count the parameters of a module, without those of its normalizations."""
    norms = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
    return sum(
        parameter.numel()
        for part in module.modules()
        if not isinstance(part, norms)
        for parameter in part.parameters(recurse=False)
    )


def module_of(update: Any, state: Any) -> nn.Module:
    """Return the module that updates a state: a copy of one that is given, or what a function of the state makes."""
    return copy.deepcopy(update) if isinstance(update, nn.Module) else update(state)
