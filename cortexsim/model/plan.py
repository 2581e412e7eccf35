"""The plan of a run: everything that is decided before its first step, as one value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import is_several, whole
from cortexsim.graph._schedule import Schedule, check_readouts, populate, schedule, scheduled
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.interventions import Changes, changes, check_effect
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.activity import Activity
from cortexsim.model.hooks import Hook
from cortexsim.model.moments import MissingStatisticsError, Normalize, Statistics, check_kind
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation, checked, flash

if TYPE_CHECKING:
    from cortexsim.model.cortex import Cortex

Images = Tensor | np.ndarray | xr.DataArray | xr.Dataset
Front = tuple[frozenset[str], ...]
Amount = float | tuple[float, Any]


@dataclass(frozen=True, eq=False)
class RunPlan:
    """A run of a model: images, presentation, interventions, schedule and normalization.

    Create it with `plan_run` or `plan_readouts`.

    Parameters
    ----------
    model : Cortex
    images : Tensor, shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence
    presentation : Presentation or Mixture
    interventions : Changes
        The silenced, scaled and noisy transitions, with their times.
    schedule : Schedule
        The transitions that run, with their times.
    fronts : tuple of tuple of frozenset of str
        The populated states at each time, for each component of the presentation.
    seed : int
        Draws masks and the components of a mixture.
    statistics : Statistics or None
        See `normalized_by`.
    normalize : callable or None
        The normalization; None until it is chosen, before which the plan cannot run.
    """

    model: Cortex
    images: Tensor
    presentation: AnyPresentation
    interventions: Changes
    schedule: Schedule
    fronts: tuple[Front, ...]
    seed: int
    statistics: Statistics | None = None
    normalize: Normalize | None = None

    @property
    def until(self) -> int:
        """Last time."""
        return self.schedule.until

    def normalized_by(self, statistics: Statistics | None) -> RunPlan:
        """Return the plan with stored statistics; pass None for a model that needs none.

        Raises
        ------
        MissingStatisticsError
            If they end before the run, or lack a place and time that it needs.
        """
        if statistics is not None:
            check_until(statistics, self.until)
            statistics.check(self.schedule)
        return replace(self, statistics=statistics, normalize=self.model.normalized_by(statistics))

    def frames(self, index: Tensor) -> Frames:
        """Lay out the pictures shown at every time for the stimuli of these indices, shape (stimulus,)."""
        device = next(self.model.parameters()).device
        return self.lay_out(self.images[index.to(self.images.device)].to(device), index.to(device))

    def lay_out(self, images: Tensor, index: Tensor | None) -> Frames:
        """Lay out the pictures shown at every time for given pixels, such as augmented images.

        Parameters
        ----------
        images : Tensor, shape (stimulus, 3, height, width), or with frames
        index : Tensor, shape (stimulus,), optional
            Indices for the draws of masks and components; by default 0, 1, ...
        """
        return self.presentation.frames(images, self.until, seed=self.seed, index=index, others=self.images)

    def run(self, frames: Frames, hook: Hook | None = None) -> Iterator[dict[str, Activity]]:
        """Run the model through time, and yield the computed states at time 0, 1, ..., `until`.

        Raises
        ------
        MissingStatisticsError
            If the normalization has not been chosen yet.
        """
        return self.model.unroll(frames, self.schedule, self.chosen, hook)

    def read(self, frames: Frames, times: Sequence[int], *, recompute: bool = False, warmup: int = 0) -> Tensor:
        """Run the model and return its logits, shape (time, stimulus, class[, y, x]); see `Cortex.read`."""
        return self.model.read(frames, self.schedule, times, self.chosen, recompute=recompute, warmup=warmup)

    @property
    def chosen(self) -> Normalize:
        """The normalization.

        Raises
        ------
        MissingStatisticsError
            If it has not been chosen yet.
        """
        if self.normalize is None:
            raise MissingStatisticsError("this plan has no statistics yet; use plan.normalized_by(statistics)")
        return self.normalize


def plan_run(
    model: Cortex,
    images: Tensor,
    presentation: AnyPresentation,
    *,
    until: int,
    record: Mapping[str, Collection[int]],
    readout_times: Iterable[int] = (),
    silence: Mapping[str, Any] | None = None,
    gain: Mapping[str, Amount] | None = None,
    transition_noise: Mapping[str, Amount] | None = None,
    silence_runs: bool = False,
    refuse_no_effect: bool = False,
    seed: int = 0,
) -> RunPlan:
    """Plan a run.

    Parameters
    ----------
    model : Cortex
    images, presentation
        As `resolve` returns them.
    until : int
        Last time.
    record : mapping of str to times
        The times at which each state is needed; times at which it is empty are ignored.
    readout_times : iterable of int
        The times at which the post-net must be able to read the last state.
    silence, gain, transition_noise : mapping, optional
        As for `simulate`.
    silence_runs : bool
        Run silenced transitions, because a hook replaces their output.
    refuse_no_effect : bool
        Refuse an intervention that would change nothing.
    seed : int
        Draws masks and the components of a mixture.

    Returns
    -------
    RunPlan
        Without anything that normalizes: choose it by `RunPlan.normalized_by`.

    Raises
    ------
    EmptyStateError
        If the last state is empty at a readout time.
    ValueError, TypeError
        If an intervention is not allowed, or the model has no weights for a part of the run.
    """
    graph = model.graph
    interventions = changes(graph, silence, gain, transition_noise)
    intact = _fronts(graph, presentation, until, Changes())
    changed = _fronts(graph, presentation, until, interventions) if interventions.closed else intact
    if refuse_no_effect:
        check_effect(graph, silence, intact, "silencing")
        check_effect(graph, _times_of(gain), changed, "a gain on")
        check_effect(graph, _times_of(transition_noise), changed, "noise on")
    fronts, closed = (intact, {}) if silence_runs else (changed, interventions.closed)
    readout_times = list(readout_times)
    for front in fronts:
        check_readouts(graph, front, readout_times)
    wanted = {name: set(times) for name, times in record.items()}
    wanted[graph.last] = wanted.get(graph.last, set()) | set(readout_times)
    schedule = scheduled(graph, wanted, fronts, closed)
    model.check_weights(schedule)
    return RunPlan(model, images, presentation, interventions, schedule, fronts, seed)


def readout_times(times: int | Iterable[int]) -> list[int]:
    """Return readout times as a list of int: one time, or a sequence or 1-d array of them, of numpy or torch too.

    Raises
    ------
    ValueError
        If one is not a whole number of at least 0, or there are none or too many.
    """
    listed = islice(cast(Iterable[int], times), MOST_STEPS + 2) if is_several(times) else [times]
    found = [whole(time, "a readout time", 0, unit="steps", limit=MOST_STEPS) for time in listed]
    if not found:
        raise ValueError("times must name at least one readout time, got none")
    return found


def plan_readouts(
    model: Cortex, images: Tensor, presentation: AnyPresentation, times: Iterable[int], *, seed: int = 0
) -> RunPlan:
    """Plan readouts at some times, like `plan_run`; the schedule is cached by graph, presentation and times.

    Parameters
    ----------
    model, presentation, seed
        As for `plan_run`.
    images : Tensor, shape (stimulus, 3, height, width), or with frames
        Checked images, which are also the source of masks from other stimuli.
    times : iterable of int

    Returns
    -------
    RunPlan
        Not normalized yet.

    Raises
    ------
    EmptyStateError
        If the last state is empty at a readout time.
    ValueError
        If a time is not allowed, or the model has no weights for a part of the run.
    """
    planned, fronts = needed(model.graph, presentation, tuple(islice(times, MOST_STEPS + 2)))
    model.check_weights(planned)
    return RunPlan(model, images, presentation, Changes(), planned, fronts, seed)


@lru_cache(maxsize=256)
def needed(
    graph: CortexGraph, presentation: AnyPresentation, times: tuple[int, ...]
) -> tuple[Schedule, tuple[Front, ...]]:
    """Return the schedule of readouts at some times, and the populated states of each component."""
    planned = schedule(graph, times, presentation)
    # builds the table by time here, outside the code that torch.compile traces
    planned.at(0)
    return planned, _fronts(graph, presentation, planned.until, Changes())


def resolve(model: Cortex, images: Images, presentation: AnyPresentation | None) -> tuple[Tensor, AnyPresentation]:
    """Return images as a tensor for the model, and their presentation, by default `flash(1)`.

    Raises
    ------
    TypeError, ValueError
        If the images are not allowed, or the presentation cannot show them.
    """
    pixels = as_images(images)
    model.check_images(pixels)
    return pixels, checked(flash(1) if presentation is None else presentation).for_images(pixels)


def stored_statistics(
    model: Cortex, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None = None
) -> Statistics | None:
    """Find the statistics for a presentation; None for a model that needs none. See `Cortex.find_statistics`."""
    check_kind(statistics)
    return model.find_statistics(presentation, statistics) if model.needs_statistics else None


def check_until(statistics: Statistics, until: int) -> None:
    """Refuse statistics that end before a run.

    Raises
    ------
    MissingStatisticsError
        If they end too early.
    """
    if statistics.until < until:
        raise MissingStatisticsError(
            f"these statistics end at time {statistics.until} ({statistics}), before time {until}; "
            f"calibrate(model, images, presentation, until={until})"
        )


def _fronts(graph: CortexGraph, presentation: AnyPresentation, until: int, done: Changes) -> tuple[Front, ...]:
    return tuple(populate(graph, part, until, done.closed) for part in presentation.components)


def _times_of(amounts: Mapping[str, Amount] | None) -> dict[str, Any]:
    """Return the times at which each transition has its gain or noise; None means always."""
    return {word: value[1] if isinstance(value, tuple) else None for word, value in (amounts or {}).items()}
