"""How sure a number is: intervals that travel on the array they belong to, and what they are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

Z_95 = 1.96
N_GROUPS = 20


def wilson(right: Any, n: Any, z: float = Z_95) -> tuple[Any, Any]:
    """Return Wilson's (1927) interval of a fraction: 95 % at z = 1.96.

    Parameters
    ----------
    right, n : int or array
        How many of how many; NaN where n is 0.
    z : float
        Standard scores on each side.

    Returns
    -------
    tuple of float or array
        The lower and the upper end, within 0 and 1.
    """
    right, n = np.asarray(right, float), np.asarray(n, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = right / n
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        low, high = np.maximum(0.0, middle - half), np.minimum(1.0, middle + half)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def with_interval(array: xr.DataArray, low: np.ndarray, high: np.ndarray, text: str, n: int) -> xr.DataArray:
    """Put an interval on an array, and say what it is over."""
    around = array.assign_coords(low=(array.dims, low), high=(array.dims, high))
    return around.assign_attrs(interval=text, n=n)


def mean_interval(values: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean along an axis and its 95 % interval, mean ± 1.96 standard errors; NaN is left out.

    With a single value the interval is NaN.
    """
    known = np.isfinite(values)
    n = known.sum(axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0).sum(axis) / n
        away = np.where(known, values - np.expand_dims(mean, axis), 0)
        half = Z_95 * np.sqrt((away**2).sum(axis) / (n - 1) / n)
    return mean, mean - half, mean + half


def jackknife_groups(n: int, seed: int = 0, n_groups: int = N_GROUPS) -> list[np.ndarray]:
    """Split stimuli at random into up to 20 groups of about the same size, each to be left out once."""
    order = np.random.default_rng(seed).permutation(n)
    return np.array_split(order, min(n_groups, n))


def jackknife(n: int, measure: Callable[[np.ndarray], Any], seed: int = 0) -> tuple[Any, Any, Any]:
    """Measure something, and its 95 % interval by leaving out one group of stimuli at a time.

    Parameters
    ----------
    n : int
        Number of stimuli.
    measure : callable
        Takes the indices of the stimuli to use; returns a number or an array.
    seed : int
        Draws the groups.

    Returns
    -------
    tuple
        The value with all stimuli, and value ± 1.96 standard errors of the delete-a-group jackknife.

    References
    ----------
    Kott, P. S. (2001). The delete-a-group jackknife. Journal of Official Statistics 17.
    """
    everything = np.arange(n)
    value = measure(everything)
    groups = jackknife_groups(n, seed)
    without = np.asarray([measure(np.delete(everything, group)) for group in groups])
    spread = ((without - without.mean(0)) ** 2).sum(0) * (len(groups) - 1) / len(groups)
    half = Z_95 * np.sqrt(spread)
    return value, value - half, value + half


def jackknife_text(n: int) -> str:
    """Say what `jackknife` is over."""
    return f"95 % jackknife interval over {n} stimuli, left out in {min(N_GROUPS, n)} groups"
