"""Lesions: an intervention that is acute, recalibrated or mean-replaced, and the statistics that each version uses."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim._support.checks import unknown
from cortexsim._support.hashing import checksum
from cortexsim.graph.interventions import Changes
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.costs import batch_in_memory
from cortexsim.model.hooks import Intervention, MeanDeliveries
from cortexsim.model.moments import PooledMoments, Statistics
from cortexsim.model.nets import undisturbed
from cortexsim.model.plan import Images, RunPlan, check_until, plan_run, stored_statistics
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation

LESIONS = ("acute", "recalibrated", "mean-replaced")
# images from which the batch normalizations of a user's modules learn at once; it changes the result a little
RECALIBRATED_AT_ONCE = 50


def check_lesion(
    lesion: str, done: Changes, calibrate_on: Images | None, statistics: Statistics | AnyPresentation | None
) -> None:
    """Refuse a lesion that is unknown, in which nothing is done, or that lacks images for its statistics or means.

    Raises
    ------
    ValueError
        The message says what is allowed.
    """
    if lesion not in LESIONS:
        raise ValueError(unknown("lesion", lesion, LESIONS))
    if lesion == "acute" and calibrate_on is not None:
        raise ValueError(
            "an acute lesion uses the intact model's statistics, so calibrate_on has no effect; set "
            "lesion='recalibrated' or lesion='mean-replaced'"
        )
    if lesion == "acute":
        return
    if not done:
        raise ValueError(
            f"lesion={lesion!r} is a version of an intervention, but nothing is silenced, scaled or noisy; give "
            "silence=..., gain=... or transition_noise=..."
        )
    own = lesion == "recalibrated" and isinstance(statistics, Statistics) and statistics.lesion == str(done)
    if calibrate_on is None and not own:
        raise ValueError(f"a {lesion} lesion needs images to take its statistics on; give calibrate_on=...")


def with_lesion(
    plan: RunPlan,
    lesion: str,
    statistics: Statistics | AnyPresentation | None,
    calibrate_on: Images | None,
    *,
    noisy: bool,
) -> tuple[RunPlan, Statistics | None]:
    """Choose the statistics of a run by the kind of lesion.

    Parameters
    ----------
    plan : RunPlan
        With the intervention.
    lesion : "acute", "recalibrated" or "mean-replaced"
    statistics : Statistics or Presentation, optional
        As for `simulate`.
    calibrate_on : Tensor or Dataset, optional
        The images on which a recalibrated lesion takes its statistics.
    noisy : bool
        There is noise, whose unit is the standard deviation in the intact model.

    Returns
    -------
    plan : RunPlan
        Normalized by these statistics.
    spread : Statistics or None
        The statistics in whose standard deviations noise is given; of a model without statistics, moments of its states
        over the stimuli of the run.

    Raises
    ------
    MissingStatisticsError
        If the model has none that fit.
    ValueError
        If the statistics are those of a lesion, and this lesion is a different one.
    """
    model = plan.model
    if not model.needs_statistics:
        spread = spread_over(plan) if noisy else None
        return _without_statistics(plan, lesion, calibrate_on, spread), spread
    found = stored_statistics(model, plan.presentation, statistics)
    assert found is not None
    if found.lesion and lesion != "recalibrated":
        raise ValueError(
            f"these statistics are of a lesion ({found}), but the lesion is {lesion!r}; "
            "set lesion='recalibrated', or give the intact model's"
        )
    if lesion != "recalibrated":
        return plan.normalized_by(found), found
    # noise is as strong as in the intact model, whatever the lesion does to the spread of a state
    spread = intact(model, found) if noisy else None
    # that these end too soon is said before a calibration that takes long
    check_until(found, plan.until)
    return plan.normalized_by(_recalibrated(plan, found, calibrate_on)), spread


def intact(model: Cortex, used: Statistics) -> Statistics:
    """Return the intact model's statistics that belong to those of a lesion; of an intact model the same.

    Raises
    ------
    MissingStatisticsError
        If the model has none for this presentation.
    """
    return model.find_statistics(used.presentation) if used.lesion else used


def lesions_of(model: Cortex) -> tuple[str, ...]:
    """Return the versions of a lesion that differ in a model: without anything to take again, not "recalibrated"."""
    takes = model.needs_statistics or _running(model)
    return tuple(lesion for lesion in LESIONS if lesion != "recalibrated" or takes)


def _running(model: Cortex) -> list[str]:
    """Name the batch normalizations of the user's own modules that contain moments of a training."""
    return [
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None
    ]


def _without_statistics(plan: RunPlan, lesion: str, calibrate_on: Images | None, spread: Statistics | None) -> RunPlan:
    """Choose what normalizes a model without statistics; recalibrated, its own batch normalizations learn again.

    Their moments are taken from 50 images at once, each batch normalized by its own, and averaged.
    """
    plan = plan.normalized_by(None)
    if lesion != "recalibrated":
        return plan
    names = _running(plan.model)
    if not names:
        raise ValueError(
            "nothing of this model can be recalibrated: its normalization takes its moments from each image, so the "
            f"recalibrated lesion is the acute one; the lesions are {list(lesions_of(plan.model))}"
        )
    assert calibrate_on is not None, "check_lesion refuses a recalibrated lesion without images"
    pixels = as_images(calibrate_on)
    plan.model.check_images(pixels)
    model = copy.deepcopy(plan.model).eval()
    for norm in map(model.get_submodule, names):
        assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
        norm.reset_running_stats()
        norm.momentum = None  # the average over batches
        norm.train()
    taking = replace(plan, model=model, images=pixels)
    done = plan.interventions
    hook = Intervention(0.0, done.scaled, done.noisy, {}, spread, plan.seed)
    with torch.no_grad():
        for index in torch.arange(len(pixels)).split(RECALIBRATED_AT_ONCE):
            for _ in taking.run(taking.frames(index), hook.of_batch(index, torch.zeros_like(index))):
                pass
    return replace(plan, model=model.eval())


def spread_over(plan: RunPlan) -> Statistics:
    """Take the moments of every state at every time in the intact model, over the stimuli of a run.

    For a model that needs no statistics: they say how strong noise is, and normalize nothing.
    """
    model, until = plan.model, plan.until
    intact = plan_run(
        model,
        plan.images,
        plan.presentation,
        until=until,
        record=model.computable(plan.presentation, until),
        seed=plan.seed,
    ).normalized_by(None)
    pooled: dict[tuple[str, int], PooledMoments] = {}
    with undisturbed(model), torch.no_grad():
        for index in torch.arange(len(plan.images)).split(batch_in_memory(model, 250)):
            for time, h in enumerate(intact.run(intact.frames(index))):
                for state, activity in h.items():
                    pooled.setdefault((state, time), PooledMoments()).add(activity.values)
    return Statistics(
        {place: sums.moments(next(model.parameters()).dtype) for place, sums in pooled.items()},
        plan.presentation,
        until,
        json.dumps(model.graph.to_dict()),
        model.checksum(),
        checksum(plan.images),
        len(plan.images),
        plan.seed,
    )


def _recalibrated(plan: RunPlan, found: Statistics, calibrate_on: Images | None) -> Statistics:
    """Take the statistics again, with the lesion in place and shown as the intact model's were."""
    done = plan.interventions
    if found.lesion == str(done):
        return found
    assert calibrate_on is not None, "check_lesion refuses a recalibrated lesion without images"
    return calibrate(
        plan.model,
        calibrate_on,
        found.presentation,
        until=plan.until,
        seed=found.seed,
        silence=done.closed,
        gain=done.scaled,
        transition_noise=done.noisy,
        intact=found if done.noisy else None,
    )


def mean_deliveries(plan: RunPlan, images: Images, *, batch_size: int | None = None) -> dict[tuple[str, int], Tensor]:
    """Take the mean of what the transitions that are silenced or scaled deliver in the intact model, unit by unit.

    Parameters
    ----------
    plan : RunPlan
        In which these transitions run. Of a mixture, a mean is over the stimuli for which the transition delivers.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
    batch_size : int, optional
        By default up to 250, as memory allows. It changes memory and speed, not the result.

    Returns
    -------
    dict of (str, int) to Tensor of shape (channel, y, x), float64
        By transition and time.
    """
    pixels, done = as_images(images), plan.interventions
    plan.model.check_images(pixels)
    plan = replace(plan, images=pixels)
    hook = MeanDeliveries(
        {
            (name, time)
            for name, time in plan.schedule
            if time in done.closed.get(name, ()) or (name in done.scaled and time in done.scaled[name][1])
        }
    )
    with torch.no_grad():
        for index in torch.arange(len(pixels)).split(batch_size or batch_in_memory(plan.model, 250)):
            for _ in plan.run(plan.frames(index), hook):
                pass
    return hook.means()


def describe_lesion(
    lesion: str, done: Changes, used: Statistics | None, calibrate_on: Images | None
) -> dict[str, Any] | None:
    """Describe which lesion it is, and on which images its statistics or means were taken."""
    if not done:
        return None
    if lesion == "recalibrated" and used is not None:
        return {"kind": lesion, "images": used.images, "n_images": used.n_images}
    if lesion != "acute" and calibrate_on is not None:
        pixels = as_images(calibrate_on)
        return {"kind": lesion, "images": checksum(pixels), "n_images": len(pixels)}
    return {"kind": lesion, "images": None, "n_images": 0}
