"""Predictions, numbers and verdicts, and how the numbers are read from the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
UNDECIDED = "cannot be decided from what ships"

# fewer seeds can contradict a claim about a model, but not support it
SEEDS = 3


@dataclass(frozen=True)
class Measured:
    """A number over seeds.

    Parameters
    ----------
    label : str
    mean, low, high : float
        Fractions: the mean over seeds, the lowest and the highest; NaN if there is none.
    seeds : int
        0 if there is no such readout or no such record.
    change : bool
        True for a difference of accuracies, False for an accuracy.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.predictions.Measured("recurrent", 0.8, 0.7, 0.9, seeds=3)
    Measured(label='recurrent', mean=0.8, low=0.7, high=0.9, seeds=3, change=False)
    """

    label: str
    mean: float
    low: float
    high: float
    seeds: int
    change: bool = False

    def __str__(self) -> str:
        if self.seeds == 0:
            return f"{self.label}: no readout"
        unit = "percentage points" if self.change else "% correct"
        low, mean, high = (without_sign(value, self.change) for value in (self.low, self.mean, self.high))
        over = "1 seed" if self.seeds == 1 else f"{low} to {high} over {self.seeds} seeds"
        return f"{self.label}: {mean} {unit} ({over})"


def without_sign(value: float, change: bool) -> str:
    """Write a fraction in percent without the sign of percent; a change has its plus or minus."""
    # differences that cancel leave -1e-18, which must read neither "-0.0" nor "+0.0"
    rounded = round(100 * value, 1)
    return "0.0" if rounded == 0 else f"{rounded:+.1f}" if change else f"{rounded:.1f}"


@dataclass(frozen=True)
class Records:
    """The measurements that the verdicts rest on.

    Parameters
    ----------
    cards : mapping of str to Dataset
        As `cards.card` returns them, by name of the model.
    results : mapping of str to Dataset
        Results of experiments, by name.

    Examples
    --------
    >>> import cortexsim as cs
    >>> records = cs.predictions.Records(cards={}, results={})
    >>> {one.verdict for one in cs.predictions.check(records)}
    {'cannot be decided from what ships'}
    """

    cards: Mapping[str, xr.Dataset]
    results: Mapping[str, xr.Dataset]


@dataclass(frozen=True)
class Finding:
    """The outcome of a criterion on the records."""

    verdict: str
    why: str
    numbers: tuple[Measured, ...] = ()
    controls: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """A prediction, and the criterion that decides it.

    Parameters
    ----------
    number : int
        Of the paper's predictions; several criteria may belong to one.
    name, statement, criterion : str
    faked_by : str
        How the criterion could be met, or not met, for another reason.
    decide : callable
        From records to a finding.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.predictions.PREDICTIONS[0].statement
    'Accuracy grows with time after a brief flash, even without a mask.'
    """

    number: int
    name: str
    statement: str
    criterion: str
    faked_by: str
    decide: Callable[[Records], Finding]


@dataclass(frozen=True)
class Verdict:
    """A prediction, judged: the fields of `Prediction` and of `Finding`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> verdict = cs.predictions.check(cs.predictions.Records(cards={}, results={}))[0]
    >>> verdict.name
    'growth, contours'
    """

    number: int
    name: str
    statement: str
    criterion: str
    verdict: str
    why: str
    numbers: tuple[Measured, ...]
    controls: tuple[Measured, ...]
    faked_by: str


class NoRecordError(Exception):
    """A number that a criterion needs is missing."""


def card_of(records: Records, model: str) -> xr.Dataset:
    """Return the card of a model."""
    if model not in records.cards:
        raise NoRecordError(f"No record of {model} ships.")
    return records.cards[model]


def accuracy_of(records: Records, model: str, shown: str, time: int) -> np.ndarray:
    """Return the accuracy of each seed."""
    accuracy = card_of(records, model)["accuracy"]
    if shown not in accuracy["presentation"] or time not in accuracy["time"]:
        raise NoRecordError(f"The record of {model} has no accuracy for {shown} at t = {time}.")
    values = accuracy.sel(presentation=shown, time=time).values
    if np.isnan(values).any():
        raise NoRecordError(f"{model} has no readout for {shown} at t = {time}.")
    return values


def own_time(records: Records, model: str) -> int:
    """Return the readout time that a model was trained to."""
    return int(card_of(records, model)["confusion_at"].values.flat[0])


def arrival_time(records: Records, model: str) -> int:
    """Return the first time at which a model has a readout."""
    accuracy = card_of(records, model)["accuracy"].dropna("time", how="all")
    return int(accuracy["time"].values[0])


def chance_of(records: Records, model: str) -> float:
    """Return the accuracy of the best constant answer."""
    shown = card_of(records, model)["confusion"].isel(seed=0, presentation=0).sum("named")
    return float(shown.max() / shown.sum())


def measured(label: str, values: np.ndarray, change: bool = False) -> Measured:
    """Summarise values, one for each seed."""
    return Measured(label, float(values.mean()), float(values.min()), float(values.max()), len(values), change)


def optional(records: Records, label: str, model: str, shown: str, time: int) -> Measured:
    """Measure a control that may be missing."""
    try:
        return measured(label, accuracy_of(records, model, shown, time))
    except NoRecordError:
        return Measured(label, np.nan, np.nan, np.nan, 0)


def decided(met: bool, seeds: int, yes: str, no: str) -> tuple[str, str]:
    """Return the verdict and why; too few seeds that meet a criterion leave the prediction open."""
    if not met:
        return DOES_NOT_HOLD, no
    if seeds < SEEDS:
        count = "one seed" if seeds == 1 else f"{seeds} seeds"
        return UNDECIDED, f"The criterion is met, but {count} cannot support a claim about the model. {yes}"
    return HOLDS, yes
