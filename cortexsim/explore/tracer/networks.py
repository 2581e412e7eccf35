"""Models as plain numbers, for the JavaScript that runs them in a browser."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cortexsim.datasets.target_maps import ORANGE, WHITE
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import CHANNEL_EPSILON, ChannelNorm
from cortexsim.model.nets import MapPostNet

COLOURS = {
    "background": [0.0, 0.0, 0.0],
    "line": [level / 255 for level in WHITE],
    "dot": [level / 255 for level in ORANGE],
}
"""What the page draws with, RGB in 0 to 1: the colours of `cs.datasets.paths`."""


def described(model: Cortex, *, halves: bool = False) -> dict[str, Any]:
    """Write a model of one state as plain numbers, as `Network` of the page reads them.

    Parameters
    ----------
    model : Cortex
        One state with one self-transition "BRCx1", pre-net "conv", normalization "channel" and post-net "map" for two
        classes. Weights are shared over all times, or differ from time to time (`sharing="none"`).
    halves : bool
        Write float16, half as long; the weights must be exact in it.

    Raises
    ------
    ValueError
        If the model differs from that; the message says in what.
    """
    _check(model)
    (transition,) = model.graph.transitions
    state, name = model.graph.first, transition.name
    # as checked
    assert isinstance(model.norm, ChannelNorm)
    assert isinstance(model.post, MapPostNet)
    kernels = [model.weights.of(name, time)[0] for time in range(1, model.readout_time + 1)]
    shared = all(kernel is kernels[0] for kernel in kernels)
    place = {
        "normalization": "channel",
        "epsilon": CHANNEL_EPSILON,
        "scale": packed(model.norm.scale[state], halves=halves),
        "shift": packed(model.norm.shift[state], halves=halves),
    }
    # two classes of softmax are one logit: that of "on the curve" minus that of "elsewhere"
    weight, bias = model.post.linear.weight, model.post.linear.bias
    assert bias is not None
    return {
        "channels": model.graph.state(state).features,
        "frameChannels": 3,
        "shared": shared,
        "residual": False,
        "halves": halves,
        "preNet": {"kernel": packed(_pre_kernel(model), halves=halves), "bias": None},
        "steps": [
            {**place, "kernel": packed(kernel, halves=halves), "bias": None}
            for kernel in (kernels[:1] if shared else kernels)
        ],
        "readout": {
            **place,
            "scale": packed(model.post.scale, halves=halves),
            "shift": packed(model.post.shift, halves=halves),
            "kernel": packed(weight[1] - weight[0], halves=halves),
            "bias": packed(bias[1:] - bias[:1], halves=halves),
        },
    }


def _pre_kernel(model: Cortex) -> Tensor:
    convolution = next(one for one in model.pre.modules() if isinstance(one, nn.Conv2d))
    return convolution.weight * model.input_gain


def _check(model: Cortex) -> None:
    graph = model.graph
    wanted = {
        "one state": len(graph.states) == 1,
        "one self-transition of kind BRCx1": [t.kind for t in graph.transitions] == ["BRCx1"],
        'the pre-net "conv"': model.pre_net_name == "conv",
        'the normalization "channel"': model.normalization == "channel",
        'the post-net "map"': model.post_net_name == "map",
        "two classes": model.n_classes == 2,
    }
    lacking = [what for what, there in wanted.items() if not there]
    if lacking:
        raise ValueError(f"the page runs models of one kind, and this one lacks: {', '.join(lacking)}")


def packed(values: Tensor, *, halves: bool) -> str:
    """Write a tensor as base64 of little-endian float32, or of float16 where that loses nothing.

    Raises
    ------
    ValueError
        If a number is not finite, or is not exact in float16.
    """
    full = values.detach().to("cpu", torch.float32).contiguous().numpy()
    stored = full.astype("<f2" if halves else "<f4")
    if not np.isfinite(stored).all():
        raise ValueError("a weight is not finite")
    if halves and not np.array_equal(stored.astype(np.float32), full):
        raise ValueError("the weights are not exact in float16: round them when the model is made")
    return base64.b64encode(stored.tobytes()).decode("ascii")
