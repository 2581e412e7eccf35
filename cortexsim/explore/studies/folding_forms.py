"""The two forms of a residual network: the loop, the stack, and the activity of both at every step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim import zoo
from cortexsim.datasets import digits
from cortexsim.graph.builders import resnet
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.equivalence import Unfolded
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_float, as_images
from cortexsim.stimuli.presentation import flash

FEATURES, N_IMAGES, N_CLASSES = 8, 20, 10
SIDE = 16  # px
MOST_STEPS = 12
TRAINED, RANDOM = "trained on digits", "random weights"
MODELS = {True: "residual-digits", False: "residual-digits-unshared"}
"""The trained models, by whether all steps have the same weights."""


def network(steps: int) -> CortexGraph:
    """Return the graph of one state that feeds itself."""
    return resnet({"h1": FEATURES}, size=SIDE, steps=steps)


def images_for(weights: str) -> xr.Dataset:
    """Draw the digits: for the trained models unseen ones, as they were trained on."""
    if weights == TRAINED:
        return digits(N_IMAGES, size=SIDE, part="test", debris="none")
    return digits(N_IMAGES, size=SIDE)


def loop_of(steps: int, *, shared: bool, weights: str, normalization: str) -> Cortex:
    """Make the recurrent form, in float64.

    Parameters
    ----------
    steps : int
    shared : bool
        Whether all steps have the same weights.
    weights : str
        `TRAINED` or `RANDOM`.
    normalization : str
        As for `Cortex`.
    """
    model = Cortex(network(steps), N_CLASSES, steps, sharing="time" if shared else "none", normalization=normalization)
    if weights == TRAINED:
        _copy(zoo.load(MODELS[shared]), model, {step: step for step in range(1, steps + 1)})
    else:
        _draw_weights(model)
    return model.double()


def both_logits(loop: Cortex, images: Tensor) -> np.ndarray:
    """Read out the loop and the stack of the same weights, with moments of these images: (form, stimulus, class)."""
    stack, has_own_moments = Unfolded(loop).train(), loop.normalization == "time-specific"
    if not has_own_moments:
        calibrate(loop, images, until=loop.readout_time)
    loop.train(has_own_moments)
    with torch.no_grad():
        return torch.stack([loop(images), stack(images)]).numpy()


def both_activities(loop: Cortex, images: Tensor, which: int) -> np.ndarray:
    """Return the activity of a loop with one set of weights, and of the stack, for one image.

    Parameters
    ----------
    loop : Cortex
        If its weights differ between steps, the loop that is run has those of the first step at every step; the stack
        has all of them.
    images : Tensor
        All of them give the moments.
    which : int
        The index of the image.

    Returns
    -------
    array, (form, time, channel, y, x)
        The loop at times 0 to the readout time; the stack's input, and the output of each layer.
    """
    until = loop.readout_time
    folded = Cortex(loop.graph, N_CLASSES, until, normalization=loop.normalization).double()
    _copy(loop, folded, dict.fromkeys(range(1, until + 1), 1))
    calibrate(folded, images, flash(1), until=until)
    recording = simulate(folded, images, flash(1), until=until, dtype="float64")
    stack = Unfolded(loop).train()
    with torch.no_grad():
        outputs = [stack.pre(images)]
        for layer in stack.layers:
            outputs.append(layer(outputs[-1]))
    layers = torch.stack([output[which] for output in outputs]).numpy()
    return np.stack([np.asarray(recording["h1"]["activation"])[which], layers])


def _copy(source: Cortex, target: Cortex, steps: Mapping[int, int]) -> None:
    """Copy all weights; the kernels at each step of the target from a step of the source."""
    with torch.no_grad():
        target.pre.load_state_dict(source.pre.state_dict())
        target.post.load_state_dict(source.post.state_dict())
        (name,) = target.graph.transition_names
        for step, other in steps.items():
            for kernel, known in zip(target.kernels(name, step), source.kernels(name, other), strict=True):
                kernel.copy_(known)


def _draw_weights(model: Cortex) -> None:
    """Draw all weights, also those of the readout, from a separate generator, in the order of earlier versions."""
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    torch.nn.init.zeros_(model.get_parameter("post.linear.bias"))


def as_tensor(drawn: xr.Dataset) -> Tensor:
    """Return images as numbers from 0 to 1, float64."""
    return as_float(as_images(drawn)).double()
