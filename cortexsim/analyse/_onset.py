"""Onset latency: the time from which values differ from chance."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, seed_of, share, whole
from cortexsim._support.percentages import percent
from cortexsim.analyse._significance import TIMES, critical, differences_of, significance_level, significant_from
from cortexsim.analyse.interval import MOST_RESAMPLES, student, with_interval

BY = ("criterion", "cluster")


def onset(
    values: xr.DataArray,
    other: xr.DataArray | float | None = None,
    *,
    over: str = "seed",
    by: str = "criterion",
    criterion: float = 0.5,
    level: float = 0.05,
    n_permutations: int = 200,
    n_bootstrap: int = 500,
    seed: int = 0,
) -> xr.DataArray:
    """Return the time from which values lie above chance, or above another condition, with a bootstrap interval.

    Parameters
    ----------
    values, other, over
        As for `significance`, with one time.
    by : "criterion" or "cluster"
        "criterion": the time at which the mean over observations first reaches a fraction of the way from chance to its
        peak, interpolated between the two times around it, or the first time if it is reached there already. It does
        not depend on the number of observations. Noise that is independent between times makes the peak too high, the
        onset late and the interval too narrow. "cluster": the first time in a significant cluster above chance. It is
        earlier with more observations, and the test controls errors of the cluster, not of its first time: use it to
        describe, not to compare conditions.
    criterion : float
        The fraction of the peak, above 0 and at most 1.
    level : float
        The significance level for the cluster's p, between 0 and 1.
    n_permutations : int
        Number of permutations in each resample, as for `significance`.
    n_bootstrap : int
        Resamples of the observations; 0 omits the interval.
    seed : int
        Seed of the resamples and the flips.

    Returns
    -------
    DataArray
        In the units of time, with the dimensions of `values` except `over` and the time; NaN without an onset. `low`
        and `high`: 95 % interval over observations, by Student's t with the standard error of the bootstrap; NaN if
        more than 2.5 % of the resamples have no onset. `without` is the fraction of such resamples.

    Raises
    ------
    TypeError, ValueError
        As for `significance`; also if there are two time dimensions, or the criterion is not above 0 and at most 1.

    References
    ----------
    Liesefeld, H. (2018). Estimating the timing of cognitive operations with MEG/EEG latency measures. Frontiers in
    Neuroscience 12. Sassenhagen, J. & Draschkow, D. (2019). Cluster-based permutation tests of MEG/EEG data do not
    establish significance of effect latency or location. Psychophysiology 56.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (8, 6))
    >>> values = xr.DataArray(np.linspace(0.5, 0.9, 6) + noise, dims=["seed", "time"])
    >>> onset = cs.analyse.onset(values.assign_coords(time=range(6)), 0.5, n_bootstrap=20)
    >>> round(onset.item(), 1)
    2.6
    """
    one_of(by, "by", BY)
    n_bootstrap = whole(n_bootstrap, "n_bootstrap", 0, unit="resamples", limit=MOST_RESAMPLES)
    n_permutations = whole(n_permutations, "n_permutations", 1, unit="permutations", limit=MOST_RESAMPLES)
    criterion = share(criterion, "criterion")
    level, seed = significance_level(level), seed_of(seed)
    differences, against = differences_of(values, other, over)
    clocks = [str(dim) for dim in differences.dims if dim in TIMES]
    if len(clocks) != 1:
        raise ValueError(f"an onset needs one time, got {values.dims}")
    (clock,) = clocks
    rest = [dim for dim in differences.dims if dim not in (over, clock)]
    _refuse_gaps(differences, over)
    stacked = differences.transpose(*rest, over, clock)
    n, n_times = stacked.sizes[over], stacked.sizes[clock]
    times = stacked[clock].values.astype(float) if clock in stacked.coords else np.arange(float(n_times))
    threshold = critical(n - 1, two_sided=False)

    def onset_of(observations: np.ndarray) -> float:
        if by == "criterion":
            return _crossing(observations.mean(0), times, criterion)
        first = significant_from(observations, threshold, n_permutations, level, seed)
        return float(times[first]) if first >= 0 else np.nan

    generator = np.random.default_rng(seed)
    resamples = generator.integers(n, size=(n_bootstrap, n))
    found = []
    for one in stacked.values.reshape(-1, n, n_times):
        again = np.array([onset_of(one[chosen]) for chosen in resamples])
        whole_sample = onset_of(one)
        found.append([whole_sample, *_ends(whole_sample, again, n)])
    value, low, high, without = np.array(found).reshape(*stacked.shape[: len(rest)], 4).transpose(-1, *range(len(rest)))
    how = f"{percent(criterion)} of the peak" if by == "criterion" else f"a cluster with p < {level:g}"
    result = xr.DataArray(
        value,
        {name: one for name, one in differences.coords.items() if set(one.dims) <= set(rest)},
        rest,
        "onset",
        {
            "long_name": f"onset, by {how}",
            "units": str(stacked[clock].attrs.get("units", "steps")) if clock in stacked.coords else "steps",
            "against": against,
            "over": over,
        },
    ).assign_coords(without=(rest, without))
    text = (
        f"95 % Student's t interval over {n} {over}s, standard error from {n_bootstrap} resamples"
        if n_bootstrap
        else "none"
    )
    return with_interval(result, low, high, text, n)


def _refuse_gaps(differences: xr.DataArray, over: str) -> None:
    """Raise a ValueError if a value is missing for some observations, and not for others, at the same place."""
    lacking = differences.isnull()
    n = (lacking.sum(over) * ~lacking.all(over)).values
    if n.any():
        raise ValueError(
            f"values are missing (NaN) for up to {int(n.max())} of {differences.sizes[over]} observations along "
            f"{over!r} at {int((n > 0).sum())} places, but not for the others: leave these observations out"
        )


def _crossing(mean: np.ndarray, times: np.ndarray, criterion: float) -> float:
    """Return the time at which a time course first reaches a fraction of its peak; NaN if it never exceeds 0."""
    known = np.isfinite(mean)
    mean, times = mean[known], times[known]
    if not len(mean) or mean.max() <= 0:
        return float("nan")
    wanted = criterion * mean.max()
    first = int((mean >= wanted).argmax())
    if first == 0:
        return float(times[0])
    part = (wanted - mean[first - 1]) / (mean[first] - mean[first - 1])
    return float(times[first - 1] + part * (times[first] - times[first - 1]))


def _ends(value: float, onsets: np.ndarray, n: int) -> tuple[float, float, float]:
    """Return the ends of the interval, and the fraction of the resamples without an onset."""
    if not len(onsets):
        return np.nan, np.nan, np.nan
    without = float(np.isnan(onsets).mean())
    if without > 0.025 or np.isnan(value):
        return np.nan, np.nan, without
    half = float(student(n - 1)) * float(np.nanstd(onsets)) * np.sqrt(n / (n - 1))
    return value - half, value + half, without
