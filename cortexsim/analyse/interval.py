"""Confidence intervals, and their storage together with the values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim._support.checks import seed_of

Z_95 = 1.96
N_GROUPS = 20
MOST_RESAMPLES = 1_000_000

Variable = tuple[str | tuple[str, ...], np.ndarray, dict[str, Any]]


def wilson(successes: ArrayLike, n: ArrayLike, z: float = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's (1927) interval of a fraction: 95 % at z = 1.96.

    Parameters
    ----------
    successes, n : int or array
        The number of successes and of trials.
    z : float
        The standard score of the interval's ends.

    Returns
    -------
    tuple of float or array
        The lower and the upper end, between 0 and 1; NaN if n is 0.
    """
    successes, n = np.asarray(successes, float), np.asarray(n, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = successes / n
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        return np.maximum(0.0, middle - half), np.minimum(1.0, middle + half)


def fraction(successes: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Return a fraction and the ends of Wilson's 95 % interval, (3, ...); NaN if n is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(successes, float) / np.asarray(n, float)
    return np.array([share, *wilson(successes, n)])


def with_interval(array: xr.DataArray, low: np.ndarray, high: np.ndarray, text: str, n: int) -> xr.DataArray:
    """Add the coordinates `low` and `high` to an array, and attributes with the kind of interval and the number `n`."""
    around = array.assign_coords(low=(array.dims, low), high=(array.dims, high))
    return around.assign_attrs(interval=text, n=n)


def interval_variables(
    name: str, dims: str | tuple[str, ...], values: np.ndarray | Sequence[np.ndarray], attributes: dict[str, Any]
) -> dict[str, Variable]:
    """Return the variables `name`, `name_low` and `name_high` of a Dataset, from values of shape (3, ...).

    A Dataset shares its coordinates between its variables, so `low` and `high` cannot be coordinates there.
    """
    names = (name, f"{name}_low", f"{name}_high")
    return {one: (dims, series, attributes) for one, series in zip(names, values, strict=True)}


def student(df: ArrayLike) -> np.ndarray:
    """Return the 97.5 % quantile of Student's t: half the width of a 95 % interval in standard errors; NaN below 1."""
    # called by scipy.stats, whose import takes seconds
    from scipy.special import stdtrit

    df = np.asarray(df, float)
    return np.where(df >= 1, stdtrit(np.maximum(df, 1), 0.975), np.nan)


def mean_interval(values: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean along an axis and its 95 % interval by Student's t; NaN is ignored.

    With a single value the interval is NaN.
    """
    known = np.isfinite(values)
    n = known.sum(axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0).sum(axis) / n
        away = np.where(known, values - np.expand_dims(mean, axis), 0)
        half = student(n - 1) * np.sqrt((away**2).sum(axis) / (n - 1) / n)
    return mean, mean - half, mean + half


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation; NaN if one of the two does not vary."""
    if (x == x[0]).all() or (y == y[0]).all():
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def jackknife_groups(
    n: int, seed: int = 0, n_groups: int = N_GROUPS, strata: np.ndarray | None = None
) -> list[np.ndarray]:
    """Split stimuli at random into up to 20 groups of similar size, each to be left out once.

    With `strata`, a class for each stimulus, the stimuli of each class are divided evenly between the groups.
    """
    order = np.random.default_rng(seed_of(seed)).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
        return [order[first :: min(n_groups, n)] for first in range(min(n_groups, n))]
    return np.array_split(order, min(n_groups, n))


def jackknife(
    n: int,
    measure: Callable[[np.ndarray], ArrayLike],
    seed: int = 0,
    strata: np.ndarray | None = None,
    of: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute a measure, and its 95 % interval by leaving out one group of stimuli at a time.

    The interval describes how much the value varies over samples of stimuli. It does not include a bias: the measure
    must be unbiased.

    Parameters
    ----------
    n : int
        Number of stimuli.
    measure : callable
        Takes the indices of the stimuli to use; returns a number or an array.
    seed : int
        Seed of the groups.
    strata : ndarray, (stimulus,), optional
        A class for each stimulus; each group leaves out classes evenly.
    of : ndarray, (row,), optional
        The stimulus of each row, from 0 to n - 1, if a stimulus has several rows: `measure` then takes the indices of
        rows, and all rows of a stimulus are left out together.

    Returns
    -------
    tuple
        The value with all stimuli, and the ends of the interval by Student's t with the standard error of the
        delete-a-group jackknife; these are NaN with a single stimulus.

    References
    ----------
    Kott, P. S. (2001). The delete-a-group jackknife. Journal of Official Statistics 17.
    """
    of = np.arange(n) if of is None else of
    everything = np.arange(len(of))
    value = np.asarray(measure(everything))
    if n < 2:
        unknown = np.full(value.shape, np.nan)
        return value, unknown, unknown
    groups = jackknife_groups(n, seed, strata=strata)
    without = np.asarray([measure(everything[~np.isin(of, group)]) for group in groups])
    variance = ((without - without.mean(0)) ** 2).sum(0) * (len(groups) - 1) / len(groups)
    half = student(len(groups) - 1) * np.sqrt(variance)
    return value, value - half, value + half


def jackknife_text(n: int, stimuli: str = "") -> str:
    """Describe the interval of `jackknife`, for the attribute `interval`; `stimuli` are the stimuli in words."""
    return f"95 % jackknife interval over {stimuli or f'{n} stimuli'}, left out in {min(N_GROUPS, n)} groups"
