"""What matters to a unit, and what it matters to, by exact derivatives along a run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.autograd import forward_ad

from cortexsim._support.checks import is_several, shown, whole
from cortexsim.graph.fields import unit_of
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.activity import Activity
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.modes import own_modes, undisturbed
from cortexsim.model.moments import Statistics
from cortexsim.model.plan import Images, RunPlan, plan_run, resolve, stored_statistics
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.images import stimulus_coordinates
from cortexsim.stimuli.presentation import AnyPresentation, sustained

BATCH = 16


@own_modes()
def sensitivity(
    model: Cortex,
    images: Images,
    state: str,
    *,
    time: int,
    y: int | None = None,
    x: int | None = None,
    channels: Sequence[int] | None = None,
    presentation: AnyPresentation | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Return how much the activity of a unit changes with each pixel, by the time at which the pixel is shown.

    It is the gradient of the state h with respect to the pixels: the slope at these images, not what a larger change
    would do.

    Parameters
    ----------
    model : Cortex
    images : Tensor or Dataset
        The images at which the slope is taken.
    state : str
    time : int
        The time at which the unit is looked at, in steps.
    y, x : int, optional
        Position of the unit in the state's map; by default the middle.
    channels : sequence of int, optional
        Channels of the unit; by default all.
    presentation : Presentation or Mixture, optional
        By default sustained.
    statistics : Statistics or Presentation, optional
        To use instead of the model's own. They are constants: only the run itself is differentiated.
    seed : int
        Draws masks and the components of a mixture.

    Returns
    -------
    DataArray, (stimulus, time, y, x)
        Root mean square over the unit's channels and the colours of the pixel, in activity per unit of pixel value
        (images from 0 to 1); 0 at times at which nothing is shown. NaN if the unit is empty at `time`.

    Raises
    ------
    ValueError
        If there is no such state, unit, channel or time.
    MissingStatisticsError
        If the model has no statistics for the presentation.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> slope = cs.protocols.sensitivity(cs.zoo.load("ventral-stream"), curves, "IT", time=4)
    >>> dict(slope.sizes)
    {'stimulus': 4, 'time': 5, 'y': 32, 'x': 32}
    """
    model = the_cortex(model, "sensitivity")
    unit = _Unit.of(model, state, y, x, channels, time)
    plan, pixels = _planned(model, images, presentation, statistics, time, {state: [time]}, seed)
    squares = torch.full((len(pixels), time + 1, *pixels.shape[-2:]), torch.nan, dtype=torch.float64)
    with undisturbed(model), torch.enable_grad():
        for index in torch.arange(len(pixels)).split(BATCH):
            frames, places = _one_picture_a_time(plan.frames(index))
            leaf = frames.images.detach().requires_grad_()
            *_, last = plan.run(Frames(leaf, frames.lookup))
            if state not in last:
                continue
            reached = last[state]
            rows = torch.arange(len(index)) if reached.rows is None else reached.rows
            found = torch.zeros((len(index), time + 1, *pixels.shape[-2:]), dtype=torch.float64)
            for channel in unit.channels:
                total = reached.values[:, channel, unit.y, unit.x].sum()
                (slope,) = torch.autograd.grad(total, leaf, retain_graph=True, allow_unused=True)
                if slope is not None:
                    found[places] += slope.double().square().mean(1)
            squares[index[rows]] = found[rows] / len(unit.channels)
    about = {"long_name": "sensitivity to the pixel", "units": "a.u.", **unit.described()}
    return xr.DataArray(
        squares.sqrt().numpy(),
        {**stimulus_coordinates(images), **_axes(time, *pixels.shape[-2:])},
        ("stimulus", "time", "y", "x"),
        "sensitivity",
        about,
    )


@own_modes()
def influence(
    model: Cortex,
    images: Images,
    state: str,
    *,
    time: int,
    until: int,
    y: int | None = None,
    x: int | None = None,
    channels: Sequence[int] | None = None,
    presentation: AnyPresentation | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    seed: int = 0,
) -> xr.DataTree:
    """Return how much the activity of every state changes with that of a unit at an earlier time.

    Parameters
    ----------
    model, images, state, y, x, presentation, statistics, seed
        As for `sensitivity`.
    time : int
        The time at which the unit is changed, in steps.
    until : int
        Last time.
    channels : sequence of int, optional
        Channels of the unit; by default all, one after the other.

    Returns
    -------
    DataTree
        A node for each state, with `influence` (stimulus, time, y, x): root mean square over the channels of the
        state and those of the unit. NaN where the state is empty; 0 before `time`.

    Raises
    ------
    ValueError
        As for `sensitivity`, or if `until` is before `time`.
    MissingStatisticsError
        If the model has no statistics for the presentation.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> found = cs.protocols.influence(cs.zoo.load("ventral-stream"), curves, "V1", time=0, until=4, channels=[0])
    >>> found["IT"]["influence"].dims
    ('stimulus', 'time', 'y', 'x')
    """
    model = the_cortex(model, "influence")
    until = whole(until, "until", whole(time, "time", 0), unit="steps", limit=MOST_STEPS)
    unit = _Unit.of(model, state, y, x, channels, time)
    every = {name: range(until + 1) for name in model.graph.state_names}
    plan, pixels = _planned(model, images, presentation, statistics, until, every, seed)
    squares = {
        one.name: torch.full((len(pixels), until + 1, *one.size), torch.nan, dtype=torch.float64)
        for one in model.graph.states
    }
    with undisturbed(model), torch.no_grad(), warnings.catch_warnings():
        # torch compiles its rules with a function that it has deprecated itself
        warnings.simplefilter("ignore", FutureWarning)
        for index in torch.arange(len(pixels)).split(BATCH):
            frames = plan.frames(index)
            for channel in unit.channels:
                with forward_ad.dual_level():
                    for at, h in enumerate(plan.run(frames, _Nudge(unit, channel, time))):
                        for name, activity in h.items():
                            rows = index if activity.rows is None else index[activity.rows]
                            slope = forward_ad.unpack_dual(activity.values).tangent
                            shape = (len(rows), *squares[name].shape[2:])
                            square = torch.zeros(shape) if slope is None else slope.double().square().mean(1)
                            squares[name][rows, at] = squares[name][rows, at].nan_to_num(0.0) + square
    about = {"long_name": "influence of the unit", "units": "1", **unit.described()}
    shared = stimulus_coordinates(images)
    nodes = {}
    for name, found in squares.items():
        mean = (found / len(unit.channels)).sqrt().numpy()
        coordinates = {**shared, **_axes(until, *found.shape[-2:])}
        nodes[name] = xr.Dataset({"influence": (("stimulus", "time", "y", "x"), mean, about)}, coordinates)
    return xr.DataTree.from_dict(nodes)


@dataclass(frozen=True)
class _Unit:
    """A unit: a position of a state, with one or several of its channels."""

    state: str
    y: int
    x: int
    channels: tuple[int, ...]
    time: int

    @classmethod
    def of(
        cls, model: Cortex, state: str, y: int | None, x: int | None, channels: Sequence[int] | None, time: int
    ) -> _Unit:
        state, y, x, time = unit_of(model.graph, state, y, x, time)
        features = model.graph.state(state).features
        if channels is not None and not is_several(channels):
            raise TypeError(f"channels must be a list of numbers, got {shown(channels)}")
        listed = range(features) if channels is None else channels
        chosen = tuple(whole(channel, f"a channel of {state}", 0, features - 1) for channel in listed)
        if not chosen:
            raise ValueError(f"channels must name at least one channel of {state}, got none")
        return cls(state, y, x, chosen, time)

    def described(self) -> dict[str, Any]:
        return {"state": self.state, "y": self.y, "x": self.x, "channels": list(self.channels), "at": self.time}


@dataclass(frozen=True)
class _Nudge:
    """A hook that follows an infinitesimal change of one channel of a unit."""

    unit: _Unit
    channel: int
    time: int

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        return delivered

    def on_state(self, activity: Activity, state: str, time: int) -> Activity:
        if (state, time) != (self.unit.state, self.time):
            return activity
        change = torch.zeros_like(activity.values)
        change[:, self.channel, self.unit.y, self.unit.x] = 1.0
        return activity._replace(values=forward_ad.make_dual(activity.values.clone(), change))


def _planned(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation | None,
    statistics: Statistics | AnyPresentation | None,
    until: int,
    record: dict[str, Any],
    seed: int,
) -> tuple[RunPlan, Tensor]:
    pixels, shown = resolve(model, images, sustained() if presentation is None else presentation)
    plan = plan_run(model, pixels, shown, until=until, record=record, seed=seed)
    return plan.normalized_by(stored_statistics(model, shown, statistics)), pixels


def _one_picture_a_time(frames: Frames) -> tuple[Frames, tuple[Tensor, Tensor]]:
    """Return frames in which no picture is shown twice, with the stimulus and the time of each picture."""
    times, stimuli = torch.nonzero(frames.lookup >= 0, as_tuple=True)
    pictures = frames.images[frames.lookup[times, stimuli].to(frames.images.device)]
    lookup = torch.full_like(frames.lookup, -1)
    lookup[times, stimuli] = torch.arange(len(times))
    return Frames(pictures, lookup), (stimuli, times)


def _axes(until: int, height: int, width: int) -> dict[str, Any]:
    return {
        "time": ("time", np.arange(until + 1), {"long_name": "time", "units": "steps"}),
        "y": ("y", np.arange(height), {"units": "px"}),
        "x": ("x", np.arange(width), {"units": "px"}),
    }
