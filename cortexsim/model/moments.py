"""Normalizations, and the statistics of time-specific normalization: moments for each place and time.

A place is a state ("V1": the input of its outgoing transitions and of the post-net), a transition ("V1->V2": between
its two convolutions) or a layer of the deep pre-net ("pre_net:0", independent of time).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim._support.checks import shown
from cortexsim.graph._schedule import Schedule
from cortexsim.stimuli.presentation import AnyPresentation
from cortexsim.stimuli.text import from_dict

EPSILON = 1e-5
CHANNEL_EPSILON = 1e-2  # large enough not to amplify the noise of an almost silent pixel
Place = tuple[str, int | None]


class MissingStatisticsError(ValueError):
    """The model has no statistics for this run."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of each place at each time, and the conditions of their measurement. Created by `calibrate`.

    Parameters
    ----------
    moments : mapping of (place, time) to (mean, variance)
        Tensors of shape (channel,), with the population variance.
    presentation : Presentation or Mixture
        The presentation during calibration.
    until : int
        Last calibrated time.
    graph : str
        The graph, as JSON.
    weights : str
        Checksum of the model (`Cortex.checksum`) to which they belong; updated when the model changes its dtype.
    images : str
        Checksum of the calibration images.
    n_images : int
    seed : int
        Seed of the masks and of the components of a mixture.
    lesion : str
        The lesion during calibration, such as "V2->V1 silenced"; "" for the intact model.
    change : str
        The change made by `held` or `pooled`; "" for none.
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
            If they are missing.
        """
        try:
            return self.moments[place, time]
        except KeyError:
            times = self.times(place)
            known = f"only for times {times[0]} to {times[-1]}" if times else "nor for any other time"
            raise MissingStatisticsError(
                f"no statistics for {place} at time {time} ({known}, taken on «{self.presentation}»); "
                f"take them: calibrate(model, images, presentation, until={time})"
            ) from None

    def times(self, place: str) -> list[int]:
        """Return the times for which a place has moments."""
        return sorted(time for name, time in self.moments if name == place and time is not None)

    def check(self, planned: Schedule) -> None:
        """Raise an error if moments are missing for a part of a schedule.

        Raises
        ------
        MissingStatisticsError
            With the first such place and time.
        """
        for name, time in planned:
            transition = planned.graph.transition(name)
            if transition.reads_rate:
                self.at(transition.source, time - 1)
                if len(planned.graph.convolutions(name)) == 2:
                    self.at(name, time)

    def held(self, time: int) -> Statistics:
        """Return a copy that reuses the moments of a time at all later times.

        A model that was not calibrated beyond its training times would do this.
        """
        moments = dict(self.moments)
        for place, when in self.moments:
            earlier = [known for known in self.times(place) if known <= time]
            if when is not None and when > time and earlier:
                moments[place, when] = self.moments[place, earlier[-1]]
        return replace(self, moments=moments, change=self._and(f"held from t = {time}"))

    def pooled(self, until: int | None = None) -> Statistics:
        """Return a copy in which each place has the same moments at all times.

        The times up to `until` (by default all) are pooled with equal weight, which approximates ordinary batch
        normalization that is reused at every step. All times count at which a place is populated, even late times from
        which no signal reaches the readout; training does not run those.

        Parameters
        ----------
        until : int, optional
            Last pooled time; for a place that is empty until later, its first time is used.
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
        return replace(self, moments=moments, change=self._and(f"pooled over times 0 to {last}"))

    def _and(self, change: str) -> str:
        """Describe a change of statistics that may have been changed before."""
        return f"{self.change}, then {change}" if self.change else change

    def __iter__(self) -> Iterator[Place]:
        return iter(self.moments)

    def packed(self, prefix: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return the statistics as plain values for JSON, and as tensors: the moments of a place stacked over time.

        Parameters
        ----------
        prefix : str
            Prefix of the tensor names.
        """
        places: dict[str, list[int | None]] = {}
        for place, time in self:
            places.setdefault(place, []).append(time)
        tensors = {
            f"{prefix}/{place}/{moment}": torch.stack([self.moments[place, time][k].cpu() for time in times])
            for place, times in places.items()
            for k, moment in enumerate(("mean", "variance"))
        }
        described = {
            "places": places,
            "presentation": self.presentation.to_dict(),
            "until": self.until,
            "graph": self.graph,
            "weights": self.weights,
            "images": self.images,
            "n_images": self.n_images,
            "seed": self.seed,
            "lesion": self.lesion,
            "change": self.change,
        }
        return described, tensors

    @classmethod
    def unpacked(cls, described: Mapping[str, Any], tensors: Mapping[str, Tensor], prefix: str) -> Statistics:
        """Build statistics from what `packed` returned.

        Raises
        ------
        ValueError
            If the moments of a place are missing, or their number differs from that of its times.
        """
        moments: dict[Place, tuple[Tensor, Tensor]] = {}
        for place, times in described["places"].items():
            mean, variance = (tensors.get(f"{prefix}/{place}/{moment}") for moment in ("mean", "variance"))
            if mean is None or variance is None or not len(mean) == len(variance) == len(times):
                raise ValueError(f"the moments of {place} do not match its {len(times)} times")
            moments |= {(place, time): (mean[k], variance[k]) for k, time in enumerate(times)}
        own = {key: value for key, value in described.items() if key not in ("places", "presentation")}
        return cls(moments, from_dict(described["presentation"]), **own)

    def __str__(self) -> str:
        notes = [f"taken with {self.lesion}"] * bool(self.lesion) + [self.change] * bool(self.change)
        taken = f"statistics of {self.n_images} images, «{self.presentation}», times 0 to {self.until}"
        return ", ".join([taken, *notes])

    __repr__ = __str__


def check_kind(statistics: Any) -> None:
    """Refuse what is neither statistics, nor the presentation of a set of statistics, nor None.

    Raises
    ------
    TypeError
        With what is allowed.
    """
    if not isinstance(statistics, Statistics | AnyPresentation | None):
        raise TypeError(
            "statistics must be what calibrate() returns, or a presentation, such as flash(1), of which the model has "
            f"statistics, got {shown(statistics)}"
        )


def choose(
    sets: Iterable[Statistics],
    presentation: AnyPresentation | None,
    statistics: Statistics | AnyPresentation | None,
    weights: str,
) -> Statistics:
    """Find the statistics for a presentation: those of the presentation, or of a mixture that contains it.

    Parameters
    ----------
    sets : iterable of Statistics
        The statistics of a model.
    presentation : Presentation, Mixture or None
        None selects the only set.
    statistics : Statistics, Presentation or None
        A set to use instead, or the presentation of a set to use instead.
    weights : str
        Checksum of the model.

    Raises
    ------
    TypeError
        If `statistics` is none of these.
    MissingStatisticsError
        If no set matches, or the weights have changed since calibration.
    """
    check_kind(statistics)
    if isinstance(statistics, Statistics):
        found = statistics
    else:
        wanted, known = presentation if statistics is None else statistics, list(sets)
        if wanted is None and len(known) > 1:
            raise MissingStatisticsError(
                "the model has several sets of statistics; choose one: statistics=... one of "
                f"{[str(one.presentation) for one in known]}"
            )
        fitting = [one for one in known if wanted is None or one.presentation == wanted]
        fitting += [one for one in known if wanted is not None and one.presentation.contains(wanted)]
        if not fitting:
            raise MissingStatisticsError(
                f"the model has no statistics for «{wanted or 'any presentation'}»; it has "
                f"{[str(one.presentation) for one in known] or 'none'}. Take them: calibrate(model, images, "
                "presentation, until=...), or reuse others on purpose: statistics=..."
            )
        found = fitting[0]
    if found.weights != weights:
        raise MissingStatisticsError(
            f"the weights have changed since these statistics were taken ({found}); calibrate again"
        )
    return found


class Normalize(Protocol):
    """Normalizes the values of a place at a time: (x, place, time) -> x, optionally with scale and shift."""

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
    """Return x without normalization, scaled and shifted."""
    if scale is None or shift is None:
        return x
    return x * scale[:, None, None] + shift[:, None, None]


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel, with a scale and a shift for each channel of each place.

    It is local: other positions, times and stimuli do not affect the result. It therefore needs no statistics, and
    works with images of any size.

    Parameters
    ----------
    places : mapping of str to int
        Channels of each place.
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__()
        self.scale = nn.ParameterDict({place: nn.Parameter(torch.ones(n)) for place, n in places.items()})
        self.shift = nn.ParameterDict({place: nn.Parameter(torch.zeros(n)) for place, n in places.items()})

    def forward(
        self, x: Tensor, place: str, time: int | None, scale: Tensor | None = None, shift: Tensor | None = None
    ) -> Tensor:
        """Return x normalized pixel by pixel; scale and shift are by default those of the place."""
        if scale is None and place in self.scale:
            scale, shift = self.scale[place], self.shift[place]
        return F.layer_norm(x.movedim(1, -1), x.shape[1:2], scale, shift, CHANNEL_EPSILON).movedim(-1, 1)


@dataclass(frozen=True)
class Normalization:
    """An entry of `NORMALIZATIONS`: how a model normalizes.

    Parameters
    ----------
    description : str
    in_training : Normalize
        The normalization in training mode.
    needs_statistics : bool
        Whether evaluation normalizes with stored statistics, which `calibrate` measures.
    pooled : bool
        Whether the statistics are pooled over time.
    module : callable, optional
        Creates a part of the model that normalizes, in training and evaluation, instead of `in_training`. It takes the
        number of channels of each normalized place.
    """

    description: str
    in_training: Normalize
    needs_statistics: bool = True
    pooled: bool = False
    module: Callable[[Mapping[str, int]], nn.Module] | None = None


NORMALIZATIONS = {
    "time-specific": Normalization("moments for each place and time, as in the paper", by_batch),
    "shared": Normalization("moments for each place, pooled over time", by_batch, pooled=True),
    "channel": Normalization(
        "layer norm over the channels of each pixel", not_at_all, needs_statistics=False, module=ChannelNorm
    ),
    "none": Normalization("no normalization", not_at_all, needs_statistics=False),
}


class Stored:
    """Normalize with stored statistics.

    Parameters
    ----------
    statistics : Statistics
    device : torch.device
        Device of the activity.
    dtype : torch.dtype
        The dtype of the model. Half precision uses moments in float32, because a variance may exceed its range.
    """

    def __init__(self, statistics: Statistics, device: torch.device, dtype: torch.dtype) -> None:
        self.statistics = statistics
        self.device, self.dtype = device, torch.promote_types(dtype, torch.float32)
        self._placed: dict[Place, tuple[Tensor, Tensor]] = {}

    def serves(self, statistics: Statistics, device: torch.device, dtype: torch.dtype) -> bool:
        """Return True if it uses these statistics, on this device and for this dtype."""
        wanted = device, torch.promote_types(dtype, torch.float32)
        return self.statistics is statistics and (self.device, self.dtype) == wanted

    def __call__(
        self,
        x: Tensor,
        place: str,
        time: int | None,
        scale: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> Tensor:
        """Return x normalized with the moments of this place and time."""
        moments = self._placed.get((place, time))
        if moments is None:
            mean, variance = self.statistics.at(place, time)
            # later calls use them too, and tensors of inference mode do not support gradients
            with torch.inference_mode(False):
                moments = mean.to(self.device, self.dtype), variance.to(self.device, self.dtype)
            self._placed[place, time] = moments
        if scale is not None and shift is not None:
            scale, shift = scale.to(self.dtype), shift.to(self.dtype)
        return F.batch_norm(x, *moments, scale, shift, training=False, eps=EPSILON)


class PooledMoments:
    """Sums of the activity of a place over batches, in float64, so that the result does not depend on the batches."""

    def __init__(self) -> None:
        self.n = 0
        self.total: Tensor | None = None
        self.squares: Tensor | None = None

    def add(self, x: Tensor) -> None:
        """Add activity of shape (stimulus, channel, y, x)."""
        wide = x.double()
        total, squares = wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))
        self.n += x.shape[0] * x.shape[2] * x.shape[3]
        self.total = total if self.total is None else self.total + total
        self.squares = squares if self.squares is None else self.squares + squares

    def moments(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return mean and population variance of all added activity, each of shape (channel,).

        Parameters
        ----------
        dtype : torch.dtype
            The dtype of the model; half precision gives float32.
        """
        assert self.total is not None
        assert self.squares is not None
        dtype = torch.promote_types(dtype, torch.float32)
        # they outlive the call, and tensors of inference mode do not support gradients
        with torch.inference_mode(False):
            total, squares = self.total.clone(), self.squares.clone()
            mean = total / self.n
            return mean.to(dtype), (squares / self.n - mean.square()).clamp_min(0).to(dtype)
