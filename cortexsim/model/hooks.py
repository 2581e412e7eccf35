"""What is done to a running model besides showing it images: noise, gain, and a mean in place of what is delivered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from cortexsim._support import randomness
from cortexsim.graph.interventions import Amounts
from cortexsim.model.activity import Activity
from cortexsim.model.moments import Statistics


class Hook(Protocol):
    """Hook into a running model: changes what a transition delivers, or what a state represents."""

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        """Return what the target receives in place of what the transition delivers at a time."""

    def on_state(self, held: Activity, state: str, time: int) -> Activity:
        """Return what a state holds in place of what it would hold at a time."""


@dataclass(frozen=True)
class Intervention:
    """Noise on states and transitions, gains, and means; the same for a stimulus in whatever batch it runs.

    At each time, in this order: a transition delivers f = f_ij,t(h_i(t-1)); its gain g makes that g f, or g f +
    (1 - g) m where its mean m is put in place of what the gain takes away, and m alone where it is silenced; plus its
    noise. What arrives at a state is added up, and to the sum comes the noise of the state.

    Noise is Gaussian, drawn anew for each unit by (seed, stimulus, repeat, place, time) alone. Its standard deviation
    is given in units of the state at which it arrives: 1 is the standard deviation that this channel of the state has
    at this time over images and positions, by the intact model's statistics, so that a lesion has the same noise in
    all of its versions.

    Parameters
    ----------
    noise : float
        On every state at every time.
    gain, transition_noise : mapping of str to (float, Times)
        By transition: how much, and when it delivers so.
    means : mapping of (str, int) to Tensor of shape (channel, y, x)
        What a transition delivers on average, put in place of what it does not deliver.
    statistics : Statistics or None
        The intact model's; None where there is no noise.
    seed : int
    rows : Tensor, shape (stimulus,), int64
        What the noise of each stimulus of this batch depends on; see `of_batch`.
    """

    noise: float = 0.0
    gain: Amounts = field(default_factory=dict)
    transition_noise: Amounts = field(default_factory=dict)
    means: Mapping[tuple[str, int], Tensor] = field(default_factory=dict)
    statistics: Statistics | None = None
    seed: int = 0
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def of_batch(self, target: Tensor, repeat: Tensor) -> Intervention:
        """Return the intervention on a batch, for stimuli of these indices and repeats, each of shape (stimulus,)."""
        return replace(self, rows=target + (repeat << 32))

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        """Return what arrives of a transition's delivery: scaled, its mean in place of the rest, with noise."""
        values = delivered.values
        scaled, replaced = _now(self.gain, transition, time), (transition, time) in self.means
        if scaled:
            values = values * self.gain[transition][0]
        if replaced:
            mean = self.means[transition, time].to(values)
            values = values + (1 - self.gain[transition][0]) * mean if scaled else mean.expand_as(values)
        delivered = delivered._replace(values=values)
        if _now(self.transition_noise, transition, time):
            target = transition.partition("->")[2]
            return self._with_noise(delivered, self.transition_noise[transition][0], transition, target, time)
        return delivered

    def on_state(self, held: Activity, state: str, time: int) -> Activity:
        """Return what a state holds, with noise."""
        return self._with_noise(held, self.noise, state, state, time) if self.noise else held

    def _with_noise(self, activity: Activity, amount: float, place: str, state: str, time: int) -> Activity:
        assert self.statistics is not None
        values, rows = activity
        spread = self.statistics.at(state, time)[1].sqrt().to(values)[:, None, None]
        index = (self.rows if rows is None else self.rows[rows]).to(values.device)
        drawn = randomness.normal(self.seed, f"noise:{place}:{time}", index, values.shape[1:])
        return activity._replace(values=values + amount * spread * drawn.to(values))


def _now(amounts: Amounts, transition: str, time: int) -> bool:
    return transition in amounts and time in amounts[transition][1]


class MeanDeliveries:
    """Adds up what transitions deliver at each time, unit by unit, and changes nothing.

    Parameters
    ----------
    wanted : collection of (str, int)
        Transitions and times.
    """

    def __init__(self, wanted: Collection[tuple[str, int]]) -> None:
        self.wanted = wanted
        self._total: dict[tuple[str, int], Tensor] = {}
        self._n: dict[tuple[str, int], int] = {}

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        """Take in what a transition delivers, for the stimuli for which it does."""
        key = transition, time
        if key in self.wanted:
            total = delivered.values.double().sum(0)
            self._total[key] = self._total[key] + total if key in self._total else total
            self._n[key] = self._n.get(key, 0) + len(delivered.values)
        return delivered

    def on_state(self, held: Activity, state: str, time: int) -> Activity:
        """Return what is held, as it is."""
        return held

    def means(self) -> dict[tuple[str, int], Tensor]:
        """Return the mean delivery of each transition at each time, shape (channel, y, x), float64."""
        return {key: total / self._n[key] for key, total in self._total.items()}
