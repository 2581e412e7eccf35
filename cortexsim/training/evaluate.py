"""Accuracy of a model at every readout time, for each presentation, by a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.labelled import refuse_missing
from cortexsim._support.progress import Report, silent
from cortexsim.datasets.labels import classes
from cortexsim.model.classes import labels_for, matched
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.modes import own_modes, undisturbed
from cortexsim.model.plan import plan_run, resolve, stored_statistics
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation
from cortexsim.training.target_maps import exactly_right


def accuracies(
    model: Cortex,
    images: Tensor,
    labels: Tensor,
    times: list[int],
    presentation: AnyPresentation,
    *,
    statistics: Any = None,
    seed: int = 0,
    batch_size: int = 500,
) -> dict[int, float]:
    """Return the fraction of images that are classified correctly at each readout time, with stored statistics.

    Labels may differ from time to time, shape (stimulus, time); see `labels_at`. A map, with labels (stimulus, y, x),
    is correct if every pixel of the line is.
    """
    model = the_cortex(model, "accuracies")
    named = predictions(model, images, times, presentation, statistics=statistics, seed=seed, batch_size=batch_size)
    if labels.ndim == 3:
        return dict(zip(times, exactly_right(named, labels).float().mean(1).tolist(), strict=True))
    wanted = labels_at(labels, times)
    right = (named == wanted).float().sum(1) / (wanted >= 0).sum(1)
    return dict(zip(times, right.tolist(), strict=True))


def asked_times(labels: Tensor) -> list[int] | None:
    """Return the times at which labels (stimulus, time) ask for an answer; None for labels that serve all times."""
    return (labels >= 0).any(0).nonzero()[:, 0].tolist() if labels.ndim == 2 else None


def labels_at(labels: Tensor, times: Sequence[int]) -> Tensor:
    """Return the correct class at each readout time, shape (time, stimulus); -1 where no answer is asked for.

    Parameters
    ----------
    labels : Tensor, shape (stimulus,) or (stimulus, time)
    times : sequence of int
    """
    if labels.ndim == 1:
        return labels.expand(len(times), -1)
    beyond = torch.full_like(labels[:, 0], -1)
    return torch.stack([labels[:, time] if time < labels.shape[1] else beyond for time in times])


@own_modes()
def predictions(
    model: Cortex,
    images: Tensor,
    times: list[int],
    presentation: AnyPresentation,
    *,
    statistics: Any = None,
    seed: int = 0,
    batch_size: int = 500,
    report: Report = silent,
) -> Tensor:
    """Return the class that is read out at each time, shape (time, stimulus[, y, x]), with stored statistics.

    Parameters
    ----------
    statistics, seed
        As for `simulate`.
    batch_size : int
        It changes memory and speed, not the result.
    report : callable, optional
        Called before each batch with the fraction that is done and a message; an exception from it stops the run.
    """
    model = the_cortex(model, "predictions")
    shape = (len(times), len(images), *model.readout_shape[1:])
    named = torch.zeros(shape, dtype=torch.long, device=images.device)
    if not times:
        return named
    images, presentation = resolve(model, images, presentation)
    plan = plan_run(model, images, presentation, until=max(times), record={}, readout_times=times, seed=seed)
    plan = plan.normalized_by(stored_statistics(model, presentation, statistics))
    with undisturbed(model), torch.no_grad():
        for index in torch.arange(len(images), device=images.device).split(min(batch_size, len(images))):
            done = int(index[0])
            report(done / len(images), f"{done:,} of {len(images):,} images")
            named[:, index] = plan.read(plan.frames(index), times).argmax(2).to(images.device)
    return named


def measure(
    model: Cortex,
    data: xr.Dataset,
    presentations: Mapping[str, AnyPresentation],
    *,
    factor: str,
    edges: Sequence[float],
    until: int,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure how often a model classifies stimuli correctly, as plain values for JSON.

    Parameters
    ----------
    model : Cortex
        Calibrated for these presentations up to `until`.
    data : Dataset
        Stimuli with `label` and the factor.
    presentations : mapping of str to Presentation
    factor : str
        A coordinate of the data, e.g. "curve_length".
    edges : sequence of float
        Edges of the factor's bins; the last bin includes its upper edge.
    until : int
        Last time.
    seed : int
        Draws the masks.

    Returns
    -------
    dict
        `n`, `classes`, `factor`, `edges`, `n_by_bin`; and for each presentation `times`, `accuracy` (time,), `by_bin`
        (time, bin) and `confusion` (class shown, class chosen) at `confusion_at`: the model's readout time, or the last
        time before it that can be read.

    Raises
    ------
    ValueError
        If the data lack the factor, or the model statistics.
    """
    model = the_cortex(model, "measure")
    if factor not in data.coords:
        raise ValueError(f"the data have no coordinate {factor!r}, only {sorted(map(str, data.coords))}")
    data = matched(model, data)
    images, labels, values = as_images(data), labels_for(model, data), data[factor].values
    refuse_missing(values, factor)
    within = [(values >= low) & (values < high) for low, high in pairwise(edges)]
    within[-1] |= values == edges[-1]
    measured: dict[str, Any] = {
        "n": len(labels),
        "classes": classes(data),
        "factor": factor,
        "edges": list(edges),
        "n_by_bin": [int(chosen.sum()) for chosen in within],
        "presentations": {},
    }
    for name, presentation in presentations.items():
        times = model.readable(presentation, until)
        named = predictions(model, images, times, presentation, seed=seed)
        right = (named == labels).numpy()
        last = [k for k, time in enumerate(times) if time <= model.readout_time][-1]
        pairs = labels * model.n_classes + named[last]
        measured["presentations"][name] = {
            "shown": presentation.to_dict(),
            "times": times,
            "accuracy": _rounded(right.mean(1)),
            "by_bin": [_rounded(np.array([at[chosen].mean() for chosen in within])) for at in right],
            "confusion_at": times[last],
            "confusion": torch.bincount(pairs, minlength=model.n_classes**2).view(-1, model.n_classes).tolist(),
        }
    return measured


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
