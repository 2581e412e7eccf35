"""Calibration: taking the statistics of a model on a presentation, all images advancing together."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from cortexsim._support.checks import is_whole, whole
from cortexsim._support.hashing import checksum
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.graph.transitions import Kind
from cortexsim.model.activity import Activity
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.hooks import Intervention
from cortexsim.model.moments import NORMALIZATIONS, Normalize, Place, PooledMoments, Statistics, Stored
from cortexsim.model.nets import DeepPreNet, own_modes, undisturbed
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
        if len(args) < 3 or not is_whole(args[2]):
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
    """Take the moments of every place at every time, and store them on the model, unless a lesion is in place.

    All images advance together: at each time the moments are taken over all of them, then the step is made with those
    moments. So evaluation of the same images equals training mode on them as one batch, whatever the batch size.

    Parameters
    ----------
    model : Cortex
        Its `statistics[presentation]` is set, if `keep`. Nothing else of it changes.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
        Training images, usually; the activity of all of them at one time must fit in memory.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time.
    batch_size : int, optional
        Images that advance at once; it changes memory and speed, not the result.
    seed : int
        Draws masks and the components of a mixture.
    silence : mapping of str to times, optional
        Transitions that are silenced, as for `simulate`, while the statistics are taken: those of a brain that has had
        time to adapt to a lesion. Their `lesion` says so, and they are not stored on the model, whose intact statistics
        stay; pass them to `simulate` with the same silence, gain and noise and lesion="recalibrated".
    gain, transition_noise : mapping of str to (float, times), optional
        Transitions that are scaled or noisy, as for `simulate`, in the same way.
    intact : Statistics or Presentation, optional
        The statistics in whose standard deviations the noise is given; by default the model's for the presentation.
    keep : bool
        Store the statistics on the model; otherwise they are only returned.

    Returns
    -------
    Statistics

    Raises
    ------
    ValueError
        If `until` or `batch_size` is not allowed, the images are not, or the model has nothing to run to `until`.
    MissingStatisticsError
        If there is noise on a transition, and no statistics say how strong a standard deviation is.

    Notes
    -----
    The former order, `calibrate(model, images, until, presentation, batch_size)`, is accepted with a
    DeprecationWarning.
    """
    model = the_cortex(model, "calibrate")
    until = whole(until, "until", 1, unit="steps", limit=MOST_STEPS)
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
    """Return what gains and noise change while the statistics are taken."""
    done = plan.interventions
    if intact is not None and not done.noisy:
        raise ValueError(
            "intact= says in which standard deviations noise on a transition is given, but there is none; give "
            "transition_noise=..."
        )
    spread = plan.model.find_statistics(plan.presentation, intact) if done.noisy else None
    return Intervention(0.0, done.scaled, done.noisy, {}, spread, plan.seed)


def _take(plan: RunPlan, hook: Intervention, batch_size: int) -> Statistics:
    """Advance all images by one time, take the moments there, and so on to the end."""
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
    # each step reads the moments that were taken before it
    normalize = Stored(taken, weight.device, weight.dtype)
    plan = replace(plan, normalize=normalize)
    batches = torch.arange(len(plan.images)).split(batch_size)
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
    """Take the moments between the two convolutions of each transition that delivers at a time."""
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
    """Add the deep pre-net's moments: over every distinct picture once, however long it is shown."""
    for layer in range(2):
        pooled = PooledMoments()
        for part in frames:
            pooled.add(pre(part.images.to(weight), normalize, n_layers=layer + 1))
        # the second layer reads what the first one's moments normalize
        moments[f"pre_net:{layer}", None] = pooled.moments(weight.dtype)
