"""Tests over time: cluster permutation tests, and the false discovery rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite, one_of, seed_of, shown, whole
from cortexsim.analyse.interval import MOST_RESAMPLES, student
from cortexsim.analyse.node import in_order_of_time

METHODS = ("cluster", "fdr")
TIMES = ("time", "train_time", "test_time", "brain_time", "reference_time")
TAILS = {"both": 0, "above": 1, "below": -1}


def significance(
    values: xr.DataArray,
    other: xr.DataArray | float | None = None,
    *,
    over: str = "seed",
    method: str = "cluster",
    tail: str = "both",
    level: float = 0.05,
    threshold: float | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Test at which times values differ from chance, or from those of another condition in the same observations.

    Parameters
    ----------
    values : DataArray
        One value for each observation at each time: the dimension `over`, one or two of time, train_time, test_time,
        brain_time and reference_time, and optional others, such as `state`, whose values are tested separately.
    other : DataArray or float, optional
        A number is the chance level; an array with the same observations is another condition, in a paired test. By
        default `values.attrs["chance"]`, or 0.
    over : str
        The dimension of the observations, which must be independent: "seed" for models trained from different initial
        weights, "stimulus", "subject".
    method : "cluster" or "fdr"
        "cluster": neighbouring times whose t passes the threshold form a cluster; its mass, the sum of its t values, is
        compared with the largest mass over all times when the signs of the observations are flipped at random. This
        controls the probability of a false cluster. It shows that there is an effect, not when it begins and ends.
        "fdr": a t-test at each time, corrected after Benjamini & Hochberg, which controls the share of false times.
    tail : "both", "above" or "below"
        The tested direction of `values` relative to `other`.
    level : float
        The significance level, between 0 and 1.
    threshold : float, optional
        The t value, above 0, at which a time joins a cluster; by default the value with p < 0.05 at a single time.
    n_permutations : int
        Number of random flips; all flips are used if there are no more than this.
    seed : int
        Seed of the flips.

    Returns
    -------
    Dataset
        With the dimensions of `values` except `over`: `t`, `p` (that of the cluster of a time, 1 outside clusters; or
        corrected), `significant`, and `cluster`, numbered in order from 1, 0 outside. NaN if any value is missing; such
        times belong to no cluster.

    Raises
    ------
    TypeError, ValueError
        If dimensions are missing, there are fewer than 3 observations, or those of the two conditions differ.

    References
    ----------
    Maris, E. & Oostenveld, R. (2007). Nonparametric statistical testing of EEG- and MEG-data. Journal of Neuroscience
    Methods 164. Sassenhagen, J. & Draschkow, D. (2019). Cluster-based permutation tests of MEG/EEG data do not
    establish significance of effect latency or location. Psychophysiology 56. Benjamini, Y. & Hochberg, Y. (1995).
    Controlling the false discovery rate. Journal of the Royal Statistical Society B 57.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import xarray as xr
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (8, 6))
    >>> values = xr.DataArray(np.linspace(0.5, 0.9, 6) + noise, dims=["seed", "time"])
    >>> found = cs.analyse.significance(values, 0.5, n_permutations=100)
    >>> found["significant"].values
    array([False,  True,  True,  True,  True,  True])
    """
    one_of(method, "method", METHODS)
    one_of(tail, "tail", TAILS)
    n_permutations = whole(n_permutations, "n_permutations", 1, unit="permutations", limit=MOST_RESAMPLES)
    level, seed = significance_level(level), seed_of(seed)
    if threshold is not None:
        threshold = finite(threshold, "threshold")
        if threshold <= 0:
            raise ValueError(f"threshold is a t value above 0, got {threshold}")
    differences, against = differences_of(values, other, over)
    times = [str(dim) for dim in differences.dims if dim in TIMES and dim != over]
    rest = [dim for dim in differences.dims if dim not in (over, *times)]
    stacked = differences.transpose(*rest, over, *times)
    n, shape = stacked.sizes[over], tuple(stacked.sizes[dim] for dim in times)
    if threshold is None:
        threshold = critical(n - 1, two_sided=tail == "both")
    tested = []
    for one in stacked.values.reshape(-1, n, *shape):
        if method == "cluster":
            tested.append(_by_clusters(one, threshold, tail, n_permutations, seed))
        else:
            tested.append(_by_rate(one, tail))
    t, p, cluster = (np.array(part).reshape(*stacked.shape[: len(rest)], *shape) for part in zip(*tested, strict=True))
    dims = (*rest, *times)
    attributes: dict[str, Any] = {"n": n, "over": over, "method": method, "tail": tail, "level": level}
    attributes["against"] = against
    if method == "cluster":
        n_flips = min(n_permutations, 2 ** (n - 1 if tail == "both" else n))
        attributes |= {"threshold": threshold, "n_permutations": n_flips}
    found = xr.Dataset(
        {
            "t": (dims, t, {"long_name": "Student's t", "units": "1"}),
            "p": (dims, p, {"long_name": "p of the cluster" if method == "cluster" else "p, corrected", "units": "1"}),
            "significant": (dims, p < level, {"long_name": f"significant at {level:g}"}),
        },
        {name: one for name, one in differences.coords.items() if over not in one.dims and set(one.dims) <= set(dims)},
        attributes,
    )
    return found.assign(cluster=(dims, cluster, {"long_name": "cluster"})) if method == "cluster" else found


def significance_level(level: float) -> float:
    """Return a significance level as a float.

    Raises
    ------
    ValueError
        If it is not a number above 0 and below 1.
    """
    number = finite(level, "level", 0, 1)
    if not 0 < number < 1:
        raise ValueError(f"level must be above 0 and below 1, got {level}")
    return number


def differences_of(values: xr.DataArray, other: xr.DataArray | float | None, over: str) -> tuple[xr.DataArray, str]:
    """Return the differences that are tested against 0, and a description of the other condition."""
    if not isinstance(values, xr.DataArray):
        raise TypeError(f"a test over time takes a DataArray, got {type(values).__name__}")
    times = [dim for dim in values.dims if dim in TIMES and dim != over]
    if not isinstance(over, str):
        raise TypeError(f"over must be the name of a dimension, got {shown(over)}")
    if over not in values.dims or not 1 <= len(times) <= 2:
        raise ValueError(
            f"a test over time needs the dimension {over!r} and one or two of {', '.join(TIMES)}, got {values.dims}; "
            "name the dimension of the observations with over="
        )
    if values.sizes[over] < 3:
        raise ValueError(f"a test needs at least 3 observations along {over!r}, got {values.sizes[over]}")
    for array in (values, *([other] if isinstance(other, xr.DataArray) else [])):
        if array.dtype.kind not in "biuf" or not array.size or bool(np.isinf(array.values).any()):
            kind = "infinity" if array.dtype.kind == "f" and array.size else f"{array.size} values of {array.dtype}"
            raise ValueError(f"a test over time needs finite numbers, or NaN where a value is missing, got {kind}")
    for clock in times:
        # neighbours in a cluster are neighbours in time
        values = in_order_of_time(values, str(clock), "a test over time")
        other = in_order_of_time(other, str(clock), "a test over time") if isinstance(other, xr.DataArray) else other
    if not isinstance(other, xr.DataArray):
        chance = finite(values.attrs.get("chance", 0.0) if other is None else other, "the value to compare with")
        return (values - chance).assign_attrs(values.attrs), f"chance, {chance:g}"
    if set(other.dims) != set(values.dims):
        raise ValueError(f"two conditions must have the same dimensions, got {values.dims} and {other.dims}")
    for dim in values.dims:
        one, two = (
            array[dim].values if dim in array.coords else np.arange(array.sizes[dim]) for array in (values, other)
        )
        if len(one) != len(two) or (one != two).any():
            raise ValueError(f"two conditions must have the same values of {dim}, got {one} and {two}")
    return values - other, str(other.attrs.get("long_name", other.name or "the other condition"))


def significant_from(observations: np.ndarray, threshold: float, n_permutations: int, level: float, seed: int) -> int:
    """Return the first time of (observation, time) in a significant cluster above 0; -1 if there is none."""
    _, p, _ = _by_clusters(observations, threshold, "above", n_permutations, seed)
    return int((p < level).argmax()) if (p < level).any() else -1


def critical(df: int, *, two_sided: bool) -> float:
    """Return the t value with p < 0.05 at a single time."""
    from scipy.special import stdtrit

    return float(student(df)) if two_sided else float(stdtrit(df, 0.95))


def _t(means: np.ndarray, mean_squares: np.ndarray, n: int) -> np.ndarray:
    """Return Student's t of n observations with these means and mean squares; 0 if all are 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(mean_squares - means**2, 0) / (n - 1)
        return np.where(means == 0, 0.0, means / np.sqrt(variance))


def _by_clusters(
    observations: np.ndarray, threshold: float, tail: str, n_permutations: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return t, p and the clusters of observations (observation, time) or (observation, time, other time)."""
    n, shape = len(observations), observations.shape[1:]
    known = np.isfinite(observations).all(0)
    flat = np.where(known, observations, 0).reshape(n, -1)
    squares = (flat**2).mean(0)
    t = _t(flat.mean(0), squares, n).reshape(shape)
    cluster, masses = _clusters(np.where(known, t, 0), threshold, tail)
    flipped = _t(_flips(n, n_permutations, tail, seed) @ flat / n, squares, n)
    largest = np.array([np.abs(_clusters(one.reshape(shape), threshold, tail)[1]).max(initial=0) for one in flipped])
    # flips that give the same mass, up to rounding, count
    of_clusters = np.array([(largest >= abs(mass) * (1 - 1e-9)).mean() for mass in masses])
    p = np.concatenate([[1.0], of_clusters])[cluster]
    return np.where(known, t, np.nan), np.where(known, p, np.nan), cluster


def _flips(n: int, n_permutations: int, tail: str, seed: int) -> np.ndarray:
    """Return the signs of the observations, (flip, observation); the first flip changes nothing."""
    # with two tails, opposite signs give the same result
    bits = n - 1 if tail == "both" else n
    if bits < 62 and 2**bits <= n_permutations:
        places = np.arange(2**bits)
        flipped = (places[:, None] >> np.arange(bits)) & 1
        flipped = np.concatenate([flipped, np.zeros((len(places), n - bits), int)], 1)
    else:
        flipped = np.random.default_rng(seed).integers(2, size=(n_permutations, n))
        flipped[0] = 0
    signs: np.ndarray = 1.0 - 2.0 * flipped
    return signs


def _clusters(t: np.ndarray, threshold: float, tail: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of each time, in order of onset, and the mass of each cluster."""
    from scipy.ndimage import label

    numbers, n_found = np.zeros(t.shape, int), 0
    for sign in (1, -1):
        if TAILS[tail] == -sign:
            continue
        labelled, n_more = label(sign * t > threshold)
        numbers = np.where(labelled > 0, labelled + n_found, numbers)
        n_found += n_more
    masses = np.bincount(numbers.ravel(), t.ravel(), minlength=n_found + 1)[1:]
    first = np.array([np.argmax(numbers.ravel() == number) for number in range(1, n_found + 1)], int)
    order = np.argsort(first)
    new_number = np.zeros(n_found + 1, int)
    new_number[order + 1] = np.arange(1, n_found + 1)
    return new_number[numbers], masses[order]


def _by_rate(observations: np.ndarray, tail: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return t and Benjamini and Hochberg's corrected p."""
    from scipy.special import stdtr

    n, known = len(observations), np.isfinite(observations).all(0)
    filled = np.where(known, observations, 0)
    t = _t(filled.mean(0), (filled**2).mean(0), n)
    above, below = stdtr(n - 1, -t), stdtr(n - 1, t)
    single = {"both": 2 * np.minimum(above, below), "above": above, "below": below}[tail]
    p = np.full(t.shape, np.nan)
    p[known] = benjamini_hochberg(single[known])
    return np.where(known, t, np.nan), p, np.zeros(t.shape, int)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number, so that p < level controls the false discovery rate."""
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return corrected
