"""Take the statistics of a model on a presentation: all images advance together, one time after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cortexsim._support.checks import whole
from cortexsim.graph._schedule import Schedule, schedule
from cortexsim.graph.interventions import Changes, changes
from cortexsim.graph.transitions import Kind
from cortexsim.model.activity import Activity
from cortexsim.model.cortex import Cortex
from cortexsim.model.hooks import Intervention, MeanDeliveries
from cortexsim.model.moments import Normalize, PooledMoments, Statistics, Stored
from cortexsim.model.nets import DeepPreNet, undisturbed
from cortexsim.stimuli.images import as_images, checksum
from cortexsim.stimuli.presentation import AnyPresentation, Frames, checked, flash


def calibrate(
    model: Cortex,
    images: Any,
    until: int,
    presentation: AnyPresentation | None = None,
    batch_size: int | None = None,
    *,
    seed: int = 0,
    silence: Mapping[str, Any] | None = None,
    gain: Mapping[str, Any] | None = None,
    transition_noise: Mapping[str, Any] | None = None,
    intact: Statistics | AnyPresentation | None = None,
    keep: bool = True,
) -> Statistics:
    """Take the moments of every place at every time, and keep them on the model, unless a lesion is in place.

    All images advance together: at each time the moments are taken over all of them, then the step is made with those
    moments. So evaluation of the same images equals training mode on them as one batch, whatever the batch size.

    Parameters
    ----------
    model : Cortex
        Gets the statistics, if they are kept: `model.statistics[presentation]`. Nothing else of it changes.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
        Training images, usually; the activity of all of them at one time is kept in memory.
    until : int
        Last time.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    batch_size : int, optional
        How many images advance at once; it changes memory and speed, not the result.
    seed : int
        Draws masks and the components of a mixture.
    silence : mapping of str to times, optional
        What is silenced, as for `simulate`, while the statistics are taken: those of a brain that has had time to adapt
        to a lesion. Their `change` says so, and they are not kept on the model, whose intact statistics stay; give them
        to `simulate` with the same silence, gain and noise and lesion="recalibrated".
    gain, transition_noise : mapping of str to (float, times), optional
        What is weakened or noisy, as for `simulate`, in the same way.
    intact : Statistics or Presentation, optional
        Whose standard deviations the noise is given in; by default those that the model holds for the presentation.
    keep : bool
        Whether the model gets them; without, they are only returned.

    Returns
    -------
    Statistics

    Raises
    ------
    ValueError
        If `until` or `batch_size` is not allowed, the images are not, or the model has nothing to run to `until`.
    MissingStatisticsError
        If there is noise on a transition, and no statistics that say how much that is.
    """
    until = whole(until, "until", 1, unit="steps")
    batch_size = None if batch_size is None else whole(batch_size, "batch_size", 1)
    pixels = as_images(images)
    model.check_images(pixels)
    presentation = checked(presentation or flash(1)).for_images(pixels)
    if model.normalization == "none":
        raise ValueError("this model has no normalization, so there are no statistics to take")
    known = model.computable(presentation, until)
    if not known[model.graph.last] or max(known[model.graph.last]) == 0:
        raise ValueError(f"nothing reaches {model.graph.last} up to time {until}; calibrate to a later time")
    done = changes(model.graph, silence, gain, transition_noise)
    planned = schedule(model.graph, record=known, until=until, presentation=presentation, silence=done.closed)
    if intact is not None and not done.noisy:
        raise ValueError("intact= says how much noise on a transition is, but there is none; give transition_noise=...")
    spread = model.find_statistics(presentation, intact) if done.noisy else None
    hook = Intervention(0.0, done.scaled, done.noisy, {}, spread, seed)

    weight = next(model.parameters())
    taken = Statistics(
        {},
        presentation,
        until,
        json.dumps(model.graph.to_dict()),
        model.checksum(),
        checksum(pixels),
        len(pixels),
        seed,
        lesion=str(done),
    )
    with undisturbed(model), torch.no_grad():
        _advance(model, pixels, planned, taken, hook, batch_size or 250, weight)
    if model.normalization == "shared":
        taken = taken.pooled(min(until, model.readout_time))
    if keep and not done:
        model.statistics[presentation] = taken
    return taken


def mean_deliveries(
    model: Cortex,
    images: Any,
    planned: Schedule,
    presentation: AnyPresentation,
    normalize: Normalize,
    done: Changes,
    *,
    seed: int = 0,
    batch_size: int = 250,
) -> dict[tuple[str, int], Tensor]:
    """Take the mean of what transitions of the intact model deliver, over images, unit by unit.

    Parameters
    ----------
    model : Cortex
        In evaluation mode.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
    planned : Schedule
        What runs.
    presentation : Presentation or Mixture
        How the images are shown; of a mixture, the mean is over the stimuli for which the transition delivers.
    normalize : callable
        See `statistics.Normalize`.
    done : Changes
        What is silenced or scaled has a mean; noise has none.
    seed : int
        Draws masks and the components of a mixture.
    batch_size : int
        It changes memory and speed, not the result.

    Returns
    -------
    dict of (str, int) to Tensor of shape (channel, y, x), float64
        By transition and time.
    """
    pixels = as_images(images)
    model.check_images(pixels)
    where = next(model.parameters()).device
    summed = MeanDeliveries(
        {
            (name, time)
            for name, time in planned
            if time in done.closed.get(name, ()) or (name in done.scaled and time in done.scaled[name][1])
        }
    )
    with torch.no_grad():
        for index in torch.arange(len(pixels)).split(batch_size):
            shown = presentation.frames(
                pixels[index].to(where), planned.until, seed=seed, index=index.to(where), others=pixels
            )
            for _ in model.unroll(shown, planned, normalize, summed):
                pass
    return summed.means()


def _advance(
    model: Cortex,
    images: Tensor,
    planned: Schedule,
    taken: Statistics,
    hook: Intervention,
    batch_size: int,
    weight: Tensor,
) -> None:
    moments: dict[Any, Any] = taken.moments  # type: ignore[assignment]
    batches = torch.arange(len(images)).split(batch_size)
    frames = [
        taken.presentation.frames(
            images[batch].to(weight.device), planned.until, seed=taken.seed, index=batch, others=images
        )
        for batch in batches
    ]
    normalize = Stored(taken, weight.device, weight.dtype)
    if isinstance(model.pre, DeepPreNet):
        _take_pre_net(model.pre, frames, moments, normalize, weight)
    hooks = [hook.of_batch(batch, torch.zeros_like(batch)) for batch in batches]
    runs = [model.unroll(part, planned, normalize, one) for part, one in zip(frames, hooks, strict=True)]
    states: list[dict[str, Activity]] = [{} for _ in batches]
    for time in range(planned.until + 1):
        for transition in planned.at(time):
            if isinstance(transition.kind, str) and Kind.parse(transition.kind).n_convolutions == 2:
                inner = PooledMoments()
                for h in states:
                    if transition.source in h:
                        inner.add(model.first_convolution(transition, time, h[transition.source].values, normalize))
                moments[transition.name, time] = inner.moments(weight.dtype)
        states = [next(run) for run in runs]
        for state in {name for h in states for name in h}:
            pooled = PooledMoments()
            for h in states:
                if state in h:
                    pooled.add(h[state].values)
            moments[state, time] = pooled.moments(weight.dtype)


def _take_pre_net(
    pre: DeepPreNet, frames: list[Frames], moments: dict[Any, Any], normalize: Stored, weight: Tensor
) -> None:
    """Take the deep pre-net's moments: over every distinct picture once, however long it is shown."""
    for k in range(2):
        pooled = PooledMoments()
        for part in frames:
            pooled.add(pre(part.images.to(weight), normalize, n_layers=k + 1))
        moments[f"pre_net:{k}", None] = pooled.moments(weight.dtype)
