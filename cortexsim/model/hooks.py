"""Hooks into a running model: noise, gains, and means that replace the output of transitions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from cortexsim._support import randomness
from cortexsim.graph._schedule import Schedule
from cortexsim.graph.interventions import Amounts
from cortexsim.model.activity import Activity
from cortexsim.model.moments import Statistics


class Hook(Protocol):
    """Changes a running model: the output of a transition, or the activity of a state."""

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        """Return the input of the target that replaces the output of the transition at a time."""

    def on_state(self, activity: Activity, state: str, time: int) -> Activity:
        """Return the activity that replaces that of a state at a time."""


@dataclass(frozen=True)
class Intervention:
    """Noise on states and transitions, gains, and means; independent of the split into batches.

    At each time, in this order: a transition delivers f = f_ij,t(h_i(t-1)); its gain g turns that into g f, or, if
    its mean m replaces the removed part, into g f + (1 - g) m; a silenced transition with a mean delivers only m; then
    its noise is added. The state sums its inputs, and its own noise is added to the sum.

    Noise is Gaussian; the value for each unit depends only on (seed, stimulus, repeat, place, time). Its unit is the
    standard deviation of the receiving state: that of the channel at this time over images and positions, in the
    statistics of the intact model. All versions of a lesion therefore have the same noise.

    Parameters
    ----------
    noise : float
        Noise on every state at every time.
    gain, transition_noise : mapping of str to (float, Times)
        Amount and times, by transition.
    means : mapping of (str, int) to Tensor of shape (channel, y, x)
        The mean output of transitions, which replaces the removed output.
    statistics : Statistics or None
        Statistics of the intact model; None without noise.
    seed : int
    rows : Tensor, shape (stimulus,), int64
        Index of the noise of each stimulus in this batch; see `of_batch`.
    """

    noise: float = 0.0
    gain: Amounts = field(default_factory=dict)
    transition_noise: Amounts = field(default_factory=dict)
    means: Mapping[tuple[str, int], Tensor] = field(default_factory=dict)
    statistics: Statistics | None = None
    seed: int = 0
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def check(self, planned: Schedule) -> None:
        """Refuse noise on a state whose standard deviation is unknown at a time of the run.

        Raises
        ------
        MissingStatisticsError
            With the first such state and time.
        """
        for name, time in planned:
            if self.noise or _applies(self.transition_noise, name, time):
                self._spread(planned.graph.transition(name).target, time)

    def of_batch(self, target: Tensor, repeat: Tensor) -> Intervention:
        """Return the intervention on a batch of stimuli with these indices and repeats, each of shape (stimulus,)."""
        return replace(self, rows=target + (repeat << 32))

    def on_delivery(self, delivered: Activity, transition: str, time: int) -> Activity:
        """Return the output of a transition after scaling, replacement by its mean, and noise."""
        values = delivered.values
        scaled, replaced = _applies(self.gain, transition, time), (transition, time) in self.means
        if scaled:
            values = values * self.gain[transition][0]
        if replaced:
            mean = self.means[transition, time].to(values)
            values = values + (1 - self.gain[transition][0]) * mean if scaled else mean.expand_as(values)
        delivered = delivered._replace(values=values)
        if _applies(self.transition_noise, transition, time):
            target = transition.partition("->")[2].partition(":")[0]
            return self._with_noise(delivered, self.transition_noise[transition][0], transition, target, time)
        return delivered

    def on_state(self, activity: Activity, state: str, time: int) -> Activity:
        """Return the activity of a state, with noise."""
        return self._with_noise(activity, self.noise, state, state, time) if self.noise else activity

    def _with_noise(self, activity: Activity, amount: float, place: str, state: str, time: int) -> Activity:
        values, rows = activity
        spread = self._spread(state, time).to(values)[:, None, None]
        index = (self.rows if rows is None else self.rows[rows]).to(values.device)
        drawn = randomness.normal(self.seed, f"noise:{place}:{time}", index, values.shape[1:])
        return activity._replace(values=values + amount * spread * drawn.to(values))

    def _spread(self, state: str, time: int) -> Tensor:
        """Return the standard deviation of each channel of a state at a time."""
        assert self.statistics is not None
        return self.statistics.at(state, time)[1].sqrt()


def _applies(amounts: Amounts, transition: str, time: int) -> bool:
    return transition in amounts and time in amounts[transition][1]


class MeanDeliveries:
    """Sums the output of transitions at each time over stimuli, unit by unit, and changes nothing.

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
        """Add the output of a transition to its sum over stimuli, and return it unchanged."""
        key = transition, time
        if key in self.wanted:
            total = delivered.values.double().sum(0)
            self._total[key] = self._total[key] + total if key in self._total else total
            self._n[key] = self._n.get(key, 0) + len(delivered.values)
        return delivered

    def on_state(self, activity: Activity, state: str, time: int) -> Activity:
        """Return the activity unchanged."""
        return activity

    def means(self) -> dict[tuple[str, int], Tensor]:
        """Return the mean delivery of each transition at each time, shape (channel, y, x), float64."""
        return {key: total / self._n[key] for key, total in self._total.items()}
