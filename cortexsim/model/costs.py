"""Estimates of the cost of a run: multiplications, and memory for each stimulus."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from cortexsim._support.checks import is_several, whole
from cortexsim._support.memory import available
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.modes import undisturbed
from cortexsim.model.moments import Normalize, not_at_all
from cortexsim.model.plan import plan_readouts, resolve
from cortexsim.stimuli.presentation import AnyPresentation


def multiply_adds(
    model: Cortex, readout_time: int | Sequence[int] | None = None, presentation: AnyPresentation | None = None
) -> int:
    """Count the multiplications (each with an addition) of a readout, for one stimulus.

    Includes all convolutions and linear layers that run: in transitions, pre-net, post-net and your own modules. The
    model runs on the device "meta", without data, so counting is fast.

    Parameters
    ----------
    model : Cortex
    readout_time : int or sequence of int, optional
        By default the model's own.
    presentation : Presentation, optional
        By default `flash(1)`.

    Raises
    ------
    EmptyStateError
        If the last state is empty at a readout time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.load("ventral-stream")
    >>> cs.multiply_adds(model, readout_time=3), cs.multiply_adds(model, readout_time=8)
    (1364032, 43941952)
    """
    from torch.utils.flop_counter import FlopCounterMode

    model = the_cortex(model, "multiply_adds")
    given = model.readout_time if readout_time is None else readout_time
    several: Any = given if is_several(given) else [given]
    times = [whole(time, "readout_time", 0) for time in several]
    image = torch.zeros(1, 3, *model.image_size)
    pixels, shown = resolve(model, image, presentation)
    plan = plan_readouts(model, pixels, shown, times)
    frames = plan.frames(torch.zeros(1, dtype=torch.int64))
    without = copy.copy(model)
    without.statistics, without._stored = {}, None
    abstract = copy.deepcopy(without).to("meta")
    with undisturbed(abstract), torch.no_grad(), FlopCounterMode(display=False) as counted:
        normalize: Normalize = not_at_all if abstract.norm is None else abstract.norm
        abstract.read(replace(frames, images=frames.images.to("meta")), plan.schedule, times, normalize)
    return counted.get_total_flops() // 2


def bytes_running(model: Cortex) -> int:
    """Estimate the memory that one stimulus takes during a run, in bytes.

    Includes the states of two times; copies of the largest state for its inputs, sum, normalization and update; and, if
    the image is larger than the first state, the layers of the pre-net.
    """
    units = [state.features * math.prod(state.size) for state in model.graph.states]
    height, width = model.image_size
    larger = height * width > math.prod(model.graph.states[0].size)
    n = 3 * height * width + 2 * sum(units) + 10 * max(units) + (24 * units[0] if larger else 0)
    return n * next(model.parameters()).element_size()


def batch_in_memory(model: Cortex, most: int) -> int:
    """Return how many stimuli, at most `most`, can run at once in half of the free memory."""
    return int(max(1, min(most, available() / 2 / bytes_running(model))))
