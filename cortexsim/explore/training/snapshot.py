"""A model during its training: its kernels, and the dissimilarities of a few stimuli."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr

from cortexsim.analyse.distances import correlation_distance
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import NORMALIZATIONS
from cortexsim.model.plan import plan_run, resolve
from cortexsim.stimuli.presentation import AnyPresentation


class Snapshot(NamedTuple):
    """A model at a step of its training.

    Parameters
    ----------
    step : int
    first : DataArray, (filter, channel, y, x)
        The kernels of the pre-net.
    kernels : dict of str to DataArray, (target, source, y, x)
        The first kernels of each transition that has any.
    rdms : dict of str to DataArray, (stimulus, other_stimulus)
        Of each state, at the last time at which it contributes to the readout; `time` says which that is.
    maps : Dataset, optional
        Of a model whose readout is a map: what it tags on some curves, as `tracing.traced` returns it.
    """

    step: int
    first: xr.DataArray
    kernels: dict[str, xr.DataArray]
    rdms: dict[str, xr.DataArray]
    maps: xr.Dataset | None = None


def probe_of(images: xr.Dataset, classes: list[str], n_each: int) -> xr.Dataset:
    """Choose the first stimuli of each class, class by class, with their names as the coordinate `class_name`.

    Raises
    ------
    ValueError
        If a class has fewer.
    """
    label = images["label"].values
    rows = [np.flatnonzero(label == k)[:n_each] for k in range(len(classes))]
    short = [name for name, found in zip(classes, rows, strict=True) if len(found) < n_each]
    if short:
        raise ValueError(f"the probe needs {n_each} stimuli of each class, but there are fewer of {short}")
    chosen = images.isel(stimulus=np.concatenate(rows))
    return chosen.assign_coords({"class_name": ("stimulus", [classes[k] for k in chosen["label"].values])})


def take(model: Cortex, probe: xr.Dataset, presentation: AnyPresentation, step: int) -> Snapshot:
    """Take a snapshot of a model, which is not changed.

    A model in training has no stored statistics yet, so the probe is normalized by its own moments, as a training
    batch of these stimuli would be.

    Parameters
    ----------
    model : Cortex
    probe : Dataset
        As `probe_of` returns it.
    presentation : Presentation or Mixture
    step : int
        The training step.
    """
    until = model.readout_time
    pixels, presentation = resolve(model, probe, presentation)
    last = {name: max(times, default=None) for name, times in model.computable(presentation, until).items()}
    when = {name: [time] for name, time in last.items() if time is not None}
    plan = plan_run(model, pixels, presentation, until=until, record=when)
    plan = replace(plan, normalize=NORMALIZATIONS[model.normalization].in_training)
    rdms = {}
    with torch.no_grad():
        for time, h in enumerate(plan.run(plan.frames(torch.arange(len(pixels))))):
            for name in (name for name, times in when.items() if times == [time]):
                distances = correlation_distance(h[name].values.flatten(1).double().numpy())
                rdms[name] = xr.DataArray(
                    distances,
                    dims=("stimulus", "other_stimulus"),
                    coords={"class_name": ("stimulus", probe["class_name"].values), "time": time},
                    attrs={"long_name": "correlation distance", "units": "1"},
                )
    return Snapshot(step, *kernels_of(model), {name: rdms[name] for name in model.graph.state_names if name in rdms})


def kernels_of(model: Cortex) -> tuple[xr.DataArray, dict[str, xr.DataArray]]:
    """Return the kernels of the pre-net, (filter, channel, y, x), and the first ones of each transition."""
    kernels = {}
    for name in model.graph.transition_names:
        used = next((time for time in range(1, model.readout_time + 1) if model.weights.has(name, time)), None)
        if used is not None and model.graph.convolutions(name):
            weights = model.kernels(name, used)[0].detach().cpu().numpy().copy()
            kernels[name] = xr.DataArray(weights, dims=("target", "source", "y", "x"), name=name)
    (pre,) = (part for part in model.pre.modules() if isinstance(part, torch.nn.Conv2d))
    first = xr.DataArray(
        pre.weight.detach().cpu().numpy().copy(), dims=("filter", "channel", "y", "x"), name=model.graph.first
    )
    return first, kernels
