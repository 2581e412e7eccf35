"""Lesions: acute, recalibrated or mean-replaced interventions, and the statistics that each version uses."""

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
from cortexsim.model.modes import undisturbed
from cortexsim.model.moments import PooledMoments, Statistics
from cortexsim.model.plan import Images, RunPlan, check_until, plan_run, stored_statistics
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation

LESIONS = ("acute", "recalibrated", "mean-replaced")
# batch size for recalibrating the batch normalizations of a user's modules; it slightly affects the result
RECALIBRATED_AT_ONCE = 50


def check_lesion(
    lesion: str, done: Changes, calibrate_on: Images | None, statistics: Statistics | AnyPresentation | None
) -> None:
    """Refuse a lesion that is unknown, has no intervention, or lacks images for its statistics or means.

    Raises
    ------
    ValueError
        With the allowed values or the missing argument.
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
    """Choose the statistics of a run for a version of a lesion.

    Parameters
    ----------
    plan : RunPlan
        With the intervention.
    lesion : "acute", "recalibrated" or "mean-replaced"
    statistics : Statistics or Presentation, optional
        As for `simulate`.
    calibrate_on : Tensor or Dataset, optional
        The images on which a recalibrated lesion measures its statistics.
    noisy : bool
        Whether there is noise, which is given in standard deviations of the intact model.

    Returns
    -------
    plan : RunPlan
        The plan with these statistics.
    spread : Statistics or None
        The statistics whose standard deviations are the unit of noise; for a model without statistics, the moments of
        its states over the stimuli of the run.

    Raises
    ------
    MissingStatisticsError
        If the model has no matching statistics.
    ValueError
        If the statistics belong to a different lesion.
    """
    model = plan.model
    if not model.needs_statistics:
        stored_statistics(model, plan.presentation, statistics)  # refuses what is none
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
    # noise is as strong as in the intact model, even if the lesion changes the standard deviation of a state
    spread = intact(model, found) if noisy else None
    # report statistics that end too early before starting a long calibration
    check_until(found, plan.until)
    return plan.normalized_by(_recalibrated(plan, found, calibrate_on)), spread


def intact(model: Cortex, used: Statistics) -> Statistics:
    """Return the intact model's statistics that correspond to the given ones, which may be those of a lesion.

    Raises
    ------
    MissingStatisticsError
        If the model has no statistics for this presentation.
    """
    return model.find_statistics(used.presentation) if used.lesion else used


def lesions_of(model: Cortex) -> tuple[str, ...]:
    """Return the versions of a lesion that differ in a model: "recalibrated" only if it has statistics to update."""
    takes = model.needs_statistics or _running(model)
    return tuple(lesion for lesion in LESIONS if lesion != "recalibrated" or takes)


def _running(model: Cortex) -> list[str]:
    """Return the names of batch normalizations with running moments in the user's own modules."""
    return [
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None
    ]


def _without_statistics(plan: RunPlan, lesion: str, calibrate_on: Images | None, spread: Statistics | None) -> RunPlan:
    """Choose the normalization of a model without statistics; "recalibrated" updates its own batch normalizations.

    Their moments are measured on batches of 50 images, each normalized by its own moments, and averaged.
    """
    plan = plan.normalized_by(None)
    if lesion != "recalibrated":
        return plan
    names = _running(plan.model)
    if not names:
        raise ValueError(
            "this model cannot be recalibrated: its normalization uses the moments of each image, so the "
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
    """Measure the moments of every state at every time in the intact model, over the stimuli of a run.

    For a model that needs no statistics: they determine the strength of noise, and are not used for normalization.
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
    """Measure the statistics again with the lesion, under the presentation of the intact model's statistics."""
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
    """Measure the mean output, in the intact model, of the silenced or scaled transitions, unit by unit.

    Parameters
    ----------
    plan : RunPlan
        A plan in which these transitions run. For a mixture, the mean is over stimuli for which a transition delivers.
    images : Tensor, shape (stimulus, 3, height, width), or Dataset
    batch_size : int, optional
        By default up to 250, as memory allows. It affects memory and speed, not the result.

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
    """Describe the version of a lesion, and the images on which its statistics or means were measured."""
    if not done:
        return None
    if lesion == "recalibrated" and used is not None:
        return {"kind": lesion, "images": used.images, "n_images": used.n_images}
    if lesion != "acute" and calibrate_on is not None:
        pixels = as_images(calibrate_on)
        return {"kind": lesion, "images": checksum(pixels), "n_images": len(pixels)}
    return {"kind": lesion, "images": None, "n_images": 0}
