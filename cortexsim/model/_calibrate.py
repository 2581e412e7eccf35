"""Calibration: measuring the statistics of a model for a presentation, with all images advancing together."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from cortexsim._support.checks import is_whole, truth, whole
from cortexsim._support.hashing import checksum
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.graph.transitions import Kind
from cortexsim.model.activity import Activity
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.hooks import Intervention
from cortexsim.model.modes import own_modes, undisturbed
from cortexsim.model.moments import NORMALIZATIONS, Normalize, Place, PooledMoments, Statistics, Stored
from cortexsim.model.nets import DeepPreNet
from cortexsim.model.plan import Amount, Images, RunPlan, plan_run, resolve
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.presentation import AnyPresentation

BATCH_SIZE = 250

Moments = dict[Place, tuple[Tensor, Tensor]]
P = ParamSpec("P")
T = TypeVar("T")


def _either_order(function: Callable[P, T]) -> Callable[P, T]:
    """Accept the former order of arguments too: calibrate(model, images, until, presentation, batch_size)."""

    @wraps(function)
    def accepting(*args: P.args, **kwargs: P.kwargs) -> T:
        if len(args) < 3 or not is_whole(args[2]) or "until" in kwargs:
            return function(*args, **kwargs)
        warnings.warn(
            "calibrate(model, images, until, presentation) is deprecated; write "
            "calibrate(model, images, presentation, until=until), the order of simulate",
            DeprecationWarning,
            stacklevel=2,
        )
        former: Any = dict(zip(("until", "presentation", "batch_size"), args[2:], strict=False))
        return function(*args[:2], **former, **kwargs)  # type: ignore[arg-type]

    return accepting


@_either_order
@own_modes()
def calibrate(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation | None = None,
    *,
    until: int,
    batch_size: int | None = None,
    seed: int = 0,
    silence: Mapping[str, Any] | None = None,
    gain: Mapping[str, Amount] | None = None,
    transition_noise: Mapping[str, Amount] | None = None,
    intact: Statistics | AnyPresentation | None = None,
    keep: bool = True,
) -> Statistics:
    """Measure the moments of every place at every time, and store them on the model unless it is lesioned.

    All images advance together: at each time the moments are measured over all of them, and the next step uses those
    moments. Evaluation of these images therefore equals training mode with all of them as one batch.

    Parameters
    ----------
    model : Cortex
        Its `statistics[presentation]` is set, if `keep`. Nothing else changes.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
        Usually the training images. Their activity at one time must fit in memory.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time.
    batch_size : int, optional
        Images computed at once; it affects memory and speed, not the result.
    seed : int
        Seed of the masks and of the components of a mixture.
    silence : mapping of str to times, optional
        Transitions to silence, as for `simulate`, while the statistics are measured: a model of a brain that has had
        time to adapt to a lesion. Such statistics name their lesion and are not stored on the model, which keeps its
        intact ones; pass them to `simulate` with the same silence, gain and noise and lesion="recalibrated".
    gain, transition_noise : mapping of str to (float, times), optional
        Transitions to scale or to add noise to, as for `simulate`; treated like `silence`.
    intact : Statistics or Presentation, optional
        The statistics whose standard deviations are the unit of the noise; by default the model's for the presentation.
    keep : bool
        Store the statistics on the model, in addition to returning them.

    Returns
    -------
    Statistics

    Raises
    ------
    ValueError
        If `until`, `batch_size` or the images are not allowed, or nothing runs up to `until`.
    MissingStatisticsError
        If there is noise on a transition, and no statistics give its standard deviation.

    Notes
    -----
    The former order, `calibrate(model, images, until, presentation, batch_size)`, is accepted with a
    DeprecationWarning.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import torch
    >>> model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), readout_time=3)
    >>> statistics = cs.calibrate(model, torch.rand(20, 3, 16, 16), cs.flash(1), until=6)
    >>> model.statistics[cs.flash(1)] is statistics
    True
    """
    model = the_cortex(model, "calibrate")
    until, keep = whole(until, "until", 1, unit="steps", limit=MOST_STEPS), truth(keep, "keep")
    batch_size = BATCH_SIZE if batch_size is None else whole(batch_size, "batch_size", 1)
    pixels, presentation = resolve(model, images, presentation)
    if not model.needs_statistics:
        raise ValueError(f"a model with normalization {model.normalization!r} has no statistics to take")
    computable = model.computable(presentation, until)
    if not computable[model.graph.last] or max(computable[model.graph.last]) == 0:
        raise ValueError(f"nothing reaches {model.graph.last} up to time {until}; calibrate to a later time")
    plan = plan_run(
        model,
        pixels,
        presentation,
        until=until,
        record=computable,
        silence=silence,
        gain=gain,
        transition_noise=transition_noise,
        seed=seed,
    )
    hook = _hook(plan, intact)
    with undisturbed(model), torch.no_grad():
        taken = _take(plan, hook, batch_size)
    if NORMALIZATIONS[model.normalization].pooled:
        taken = taken.pooled(min(until, model.readout_time))
    if keep and not plan.interventions:
        model.statistics[presentation] = taken
    return taken


def _hook(plan: RunPlan, intact: Statistics | AnyPresentation | None) -> Intervention:
    """Return the gains and noise to apply while the statistics are measured."""
    done = plan.interventions
    if intact is not None and not done.noisy:
        raise ValueError(
            "intact= says in which standard deviations noise on a transition is given, but there is none; give "
            "transition_noise=..."
        )
    spread = plan.model.find_statistics(plan.presentation, intact) if done.noisy else None
    return Intervention(0.0, done.scaled, done.noisy, {}, spread, plan.seed)


def _take(plan: RunPlan, hook: Intervention, batch_size: int) -> Statistics:
    """Advance all images step by step, measuring the moments at each time."""
    model, weight = plan.model, next(plan.model.parameters())
    moments: Moments = {}
    taken = Statistics(
        moments,
        plan.presentation,
        plan.until,
        json.dumps(model.graph.to_dict()),
        model.checksum(),
        checksum(plan.images),
        len(plan.images),
        plan.seed,
        lesion=str(plan.interventions),
    )
    # each step uses the moments measured before it
    normalize = Stored(taken, weight.device, weight.dtype)
    plan = replace(plan, normalize=normalize)
    batches = torch.arange(len(plan.images)).split(min(batch_size, len(plan.images)))
    frames = [plan.frames(batch) for batch in batches]
    if isinstance(model.pre, DeepPreNet):
        _take_pre_net(model.pre, frames, moments, normalize, weight)
    runs = [
        plan.run(part, hook.of_batch(batch, torch.zeros_like(batch)))
        for part, batch in zip(frames, batches, strict=True)
    ]
    states: list[dict[str, Activity]] = [{} for _ in batches]
    for time in range(plan.until + 1):
        moments |= _between_convolutions(plan, states, time, normalize, weight.dtype)
        states = [next(run) for run in runs]
        for state in {name for h in states for name in h}:
            pooled = PooledMoments()
            for h in states:
                if state in h:
                    pooled.add(h[state].values)
            moments[state, time] = pooled.moments(weight.dtype)
    return replace(taken, moments=dict(moments))


def _between_convolutions(
    plan: RunPlan, states: list[dict[str, Activity]], time: int, normalize: Normalize, dtype: torch.dtype
) -> Moments:
    """Measure the moments between the two convolutions of each transition that delivers at a time."""
    moments: Moments = {}
    for transition in plan.schedule.at(time):
        if isinstance(transition.kind, str) and Kind.parse(transition.kind).n_convolutions == 2:
            pooled = PooledMoments()
            for h in states:
                if transition.source in h:
                    source = h[transition.source].values
                    pooled.add(plan.model.first_convolution(transition, time, source, normalize))
            moments[transition.name, time] = pooled.moments(dtype)
    return moments


def _take_pre_net(
    pre: DeepPreNet, frames: list[Frames], moments: Moments, normalize: Normalize, weight: Tensor
) -> None:
    """Add the moments of the deep pre-net, over each distinct picture once, however long it is shown."""
    for layer in range(2):
        pooled = PooledMoments()
        for part in frames:
            pooled.add(pre(part.images.to(weight), normalize, n_layers=layer + 1))
        # the second layer reads the output of the first, normalized with these moments
        moments[f"pre_net:{layer}", None] = pooled.moments(weight.dtype)
