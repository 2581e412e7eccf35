"""Time-specific normalization: moments for each place and time, as a value that says what it was taken on.

A place is a state ("V1": what leaves it and what the post-net reads), a transition ("V1->V2": between its two
convolutions) or a layer of the deep pre-net ("pre_net:0", independent of time).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from cortexsim.graph._schedule import Schedule
from cortexsim.stimuli.presentation import AnyPresentation

EPSILON = 1e-5
NORMALIZATIONS = ("time-specific", "shared", "none")
Place = tuple[str, int | None]


class MissingStatisticsError(ValueError):
    """No stored statistics fit what is to be run."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of each place at each time, and what they were taken on. Taken by `calibrate`.

    Parameters
    ----------
    moments : mapping of (place, time) to (mean, variance)
        Tensors of shape (channel,); the variance is the population's.
    presentation : Presentation or Mixture
        What was shown.
    until : int
        Last time that was calibrated.
    graph : str
        The graph, as JSON.
    weights : str
        Checksum of the model's weights.
    images : str
        Checksum of the calibration images.
    n_images : int
    seed : int
        Drew the masks and the components of a mixture.
    lesion : str
        What was done to the model while they were taken, as "V2->V1 silenced"; "" if nothing.
    change : str
        How they were changed since, as by `held` and `pooled`; "" if not.
    """

    moments: Mapping[Place, tuple[Tensor, Tensor]]
    presentation: AnyPresentation
    until: int
    graph: str
    weights: str
    images: str
    n_images: int
    seed: int = 0
    lesion: str = ""
    change: str = ""

    def at(self, place: str, time: int | None) -> tuple[Tensor, Tensor]:
        """Return mean and variance of a place at a time, each of shape (channel,).

        Raises
        ------
        MissingStatisticsError
            If there are none.
        """
        try:
            return self.moments[place, time]
        except KeyError:
            times = self.times(place)
            known = f"there are some for times {times[0]} to {times[-1]}" if times else "there are none for it at all"
            raise MissingStatisticsError(
                f"no statistics for {place} at time {time} ({known}, taken on «{self.presentation}»); "
                f"take them: calibrate(model, images, until={time}, presentation=...)"
            ) from None

    def times(self, place: str) -> list[int]:
        """Return the times for which a place has moments."""
        return sorted(time for name, time in self.moments if name == place and time is not None)

    def check(self, planned: Schedule) -> None:
        """Refuse a schedule for part of which there are no moments.

        Raises
        ------
        MissingStatisticsError
            Naming the first such place and time.
        """
        for name, time in planned:
            transition = planned.graph.transition(name)
            if transition.reads_rate:
                self.at(transition.source, time - 1)
                if len(planned.graph.convolutions(name)) == 2:
                    self.at(name, time)

    def held(self, time: int) -> Statistics:
        """Return statistics that stand still from a time on: later times reuse that time's moments.

        What a model does that was never calibrated for the times beyond its training.
        """
        moments = dict(self.moments)
        for place, when in self.moments:
            earlier = [known for known in self.times(place) if known <= time]
            if when is not None and when > time and earlier:
                moments[place, when] = self.moments[place, earlier[-1]]
        return replace(self, moments=moments, change=f"held from t = {time}")

    def pooled(self, until: int | None = None) -> Statistics:
        """Return statistics shared over time: a place has the same moments at every time.

        They are those of its times up to `until` (by default all) taken together, each time weighing the same: about
        what ordinary batch normalization, used again at every step, ends up with. Every time counts at which a place
        holds something, also the last ones, from which no signal reaches the readout any more; a training does not
        run those.

        Parameters
        ----------
        until : int, optional
            Last time that is taken in; for a place that is empty until later, its first time.
        """
        moments = dict(self.moments)
        for place in {place for place, when in self.moments if when is not None}:
            times = self.times(place)
            pooled = [time for time in times if until is None or time <= until] or times[:1]
            means = torch.stack([self.moments[place, time][0] for time in pooled])
            variances = torch.stack([self.moments[place, time][1] for time in pooled])
            mean = means.mean(0)
            variance = (variances + (means - mean).square()).mean(0)
            moments |= {(place, time): (mean, variance) for time in times}
        last = self.until if until is None else until
        return replace(self, moments=moments, change=f"pooled over times 0 to {last}")

    def __iter__(self) -> Iterator[Place]:
        return iter(self.moments)

    def __str__(self) -> str:
        told = [f"taken with {self.lesion}"] * bool(self.lesion) + [self.change] * bool(self.change)
        taken = f"statistics of {self.n_images} images, «{self.presentation}», times 0 to {self.until}"
        return ", ".join([taken, *told])

    __repr__ = __str__


def choose(
    sets: Iterable[Statistics],
    presentation: AnyPresentation | None,
    statistics: Statistics | AnyPresentation | None,
    weights: str,
) -> Statistics:
    """Find the statistics for a presentation: its own, or those of a mixture that contains it.

    Parameters
    ----------
    sets : iterable of Statistics
        Those that a model holds.
    presentation : Presentation, Mixture or None
        None takes the only set.
    statistics : Statistics, Presentation or None
        Another set, or the presentation of another set, on purpose.
    weights : str
        Checksum of the model's weights.

    Raises
    ------
    MissingStatisticsError
        If none fits, or the weights have changed since they were taken.
    """
    if isinstance(statistics, Statistics):
        found = statistics
    else:
        asked, held = statistics or presentation, list(sets)
        if asked is None and len(held) > 1:
            raise MissingStatisticsError(
                "the model holds several sets of statistics; choose one: statistics=... one of "
                f"{[str(one.presentation) for one in held]}"
            )
        fitting = [one for one in held if asked is None or one.presentation == asked]
        fitting += [one for one in held if asked is not None and one.presentation.contains(asked)]
        if not fitting:
            raise MissingStatisticsError(
                f"the model has no statistics for «{asked or 'any presentation'}»; it holds "
                f"{[str(one.presentation) for one in held] or 'none'}. Take them: calibrate(model, images, until=..., "
                "presentation=...), or reuse others on purpose: statistics=..."
            )
        found = fitting[0]
    if found.weights != weights:
        raise MissingStatisticsError(
            f"the weights have changed since these statistics were taken ({found}); calibrate again"
        )
    return found


class Normalize(Protocol):
    """Normalizes what is at a place at a time: (x, place, time) -> x, optionally with scale and shift."""

    def __call__(
        self,
        x: Tensor,
        place: str,
        time: int | None,
        scale: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> Tensor:
        """Return x normalized over stimuli and positions, channel by channel."""


def by_batch(
    x: Tensor, place: str, time: int | None, scale: Tensor | None = None, shift: Tensor | None = None
) -> Tensor:
    """Normalize with the batch's own moments, as in training."""
    return F.batch_norm(x, None, None, scale, shift, training=True, momentum=0.0, eps=EPSILON)


def not_at_all(
    x: Tensor, place: str, time: int | None, scale: Tensor | None = None, shift: Tensor | None = None
) -> Tensor:
    """Leave x as it is, but for scale and shift."""
    if scale is None or shift is None:
        return x
    return x * scale[:, None, None] + shift[:, None, None]


class Stored:
    """Normalize with stored statistics.

    Parameters
    ----------
    statistics : Statistics
    device : torch.device
        Where the activity is.
    dtype : torch.dtype
        The model's.
    """

    def __init__(self, statistics: Statistics, device: torch.device, dtype: torch.dtype) -> None:
        self.statistics = statistics
        self.device, self.dtype = device, dtype
        self._ready: dict[Place, tuple[Tensor, Tensor]] = {}

    def __call__(
        self,
        x: Tensor,
        place: str,
        time: int | None,
        scale: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> Tensor:
        """Return x normalized with the moments of this place and time."""
        moments = self._ready.get((place, time))
        if moments is None:
            mean, variance = self.statistics.at(place, time)
            moments = mean.to(self.device, self.dtype), variance.to(self.device, self.dtype)
            self._ready[place, time] = moments
        return F.batch_norm(x, *moments, scale, shift, training=False, eps=EPSILON)


class PooledMoments:
    """Adds up the moments of a place over batches, in float64, so that the split into batches does not matter."""

    def __init__(self) -> None:
        self.n = 0
        self.total: Tensor | None = None
        self.squares: Tensor | None = None

    def add(self, x: Tensor) -> None:
        """Take in activity of shape (stimulus, channel, y, x)."""
        wide = x.double()
        total, squares = wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))
        self.n += x.shape[0] * x.shape[2] * x.shape[3]
        self.total = total if self.total is None else self.total + total
        self.squares = squares if self.squares is None else self.squares + squares

    def moments(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return mean and population variance over all that was added, each of shape (channel,)."""
        assert self.total is not None
        assert self.squares is not None
        mean = self.total / self.n
        return mean.to(dtype), (self.squares / self.n - mean.square()).clamp_min(0).to(dtype)
