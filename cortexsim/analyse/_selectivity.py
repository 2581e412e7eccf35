"""Selectivity of channels for classes, at every time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of
from cortexsim.analyse.interval import jackknife, jackknife_text, with_interval
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
    all_equal,
    labels_of,
    name_of,
    patterns,
    refuse_constant,
    time_coordinate,
    time_of,
    times_to_read,
)
from cortexsim.analyse.repeats import are_repeated, originals, stimuli_text
from cortexsim.analyse.runs import of_each_run

MEASURES = {
    "omega_squared": "omega squared",
    "eta_squared": "eta squared",
    "d_prime": "d' of the preferred class",
    "sparseness": "lifetime sparseness over classes",
}


@of_each_run
def selectivity(
    node: Node,
    labels: Labels = None,
    *,
    measure: str = "omega_squared",
    units: str = "channel",
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Measure how selective each channel is for a class, at every time.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, channel, y, x).
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or a value for each stimulus.
    measure : "omega_squared", "eta_squared", "d_prime" or "sparseness"
        "omega_squared": the fraction of the variance over stimuli that lies between classes, estimated for the
        population of stimuli: noise alone gives 0 on average, and may give negative values. "eta_squared": the same
        fraction in the sample; with c classes and n stimuli, noise alone gives (c - 1) / (n - 1) on average
        (`attrs["chance"]`), and there is no interval. "d_prime": the difference between the mean for a class and the
        mean for all others, in units of their root mean variance, for the class with the largest difference (the
        coordinate `preferred`). This choice biases it upwards if classes hardly differ: noise alone does not give 0.
        "sparseness": (1 - (Σ r / c)² / (Σ r² / c)) / (1 - 1 / c) over the classes' mean rates r, which is 0 if all
        rates are equal and 1 if only one class drives the channel; the contribution of noise to the squared means is
        subtracted.
    units : "channel" or "unit"
        Spatial means of channels, or single units.
    seed : int
        Draws the groups of the jackknife.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time, channel) or (time, channel, y, x)
        `low` and `high`: 95 % interval over stimuli. For omega squared, the fractions of variance under which the F
        ratio of the sample is neither among the 2.5 % lowest nor the 2.5 % highest, assuming normally distributed
        stimuli with the same variance in each class; NaN if stimuli are repeated. For d' and sparseness, by the
        jackknife, for the class preferred over all stimuli. NaN if any stimulus is empty, and for a channel that is the
        same for all stimuli.

    Raises
    ------
    TypeError, ValueError
        If it is not a node, labels are missing or of one class, a class has fewer than 2 stimuli, all stimuli have the
        same pattern at all times, or the activity is negative for a measure that needs rates.

    References
    ----------
    Hays, W. (1963). Statistics for psychologists (omega squared). Steiger, J. (2004). Beyond the F test. Psychological
    Methods 9 (its interval). Cohen, J. (1988). Statistical power analysis (eta squared). Green, D. & Swets, J. (1966).
    Signal detection theory and psychophysics (d'). Vinje, W. & Gallant, J. (2000). Sparse coding and decorrelation in
    primary visual cortex during natural vision. Science 287 (sparseness).

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> selective = cs.analyse.selectivity(recording["IT"], "label")
    >>> dict(selective.sizes)
    {'time': 9, 'channel': 32}
    """
    activity = activity_of(node)
    one_of(measure, "measure", MEASURES)
    one_of(units, "units", ("channel", "unit"))
    truth = labels_of(activity, labels)
    classes, members = np.unique(truth, return_inverse=True)
    alone = classes[np.bincount(members) < 2]
    if alone.size:
        raise ValueError(f"selectivity needs at least 2 stimuli of each class, but class {alone[0]} has 1")
    shape = activity.shape[2:]
    dims = activity.dims[2:] if units == "unit" else activity.dims[2:3]
    found = np.full((3, activity.sizes["time"], *(shape if units == "unit" else shape[:1])), np.nan)
    preferred = np.full(found.shape[1:], -1)
    n, of = activity.sizes["stimulus"], originals(activity)
    differs: list[bool] = []
    for index in times_to_read(activity, progress, "measuring"):
        responses = patterns(activity, index)
        differs.append(not all_equal(responses))
        if not differs[-1]:
            continue
        responses = responses.astype(np.float64)
        if measure == "sparseness" and (responses < 0).any():
            raise ValueError(
                f"sparseness is defined for rates, but {name_of(activity)} is negative at time "
                f"{time_of(activity, index)}; record with quantity='rate'"
            )
        if units == "channel":
            responses = responses.reshape(n, shape[0], -1).mean(2)

        if measure in ("omega_squared", "eta_squared"):
            of_units = _variance_between(responses, members, len(classes), measure)
        else:
            of_units, best = _jackknifed(responses, members, len(classes), measure, seed, of)
            preferred[index] = best.reshape(found.shape[2:])
        found[:, index] = of_units.reshape(3, *found.shape[2:])
    refuse_constant(activity, differs)
    value = xr.DataArray(
        found[0],
        {"time": time_coordinate(activity), **{dim: activity[dim] for dim in dims if dim in activity.coords}},
        ("time", *dims),
        "selectivity",
        {"long_name": MEASURES[measure], "units": "1", "of": name_of(activity), "measure": measure},
    )
    if measure == "eta_squared":
        value.attrs["chance"] = (len(classes) - 1) / (n - 1)
    if measure == "omega_squared":
        value.attrs["chance"] = 0.0
    if measure == "d_prime":
        names = classes.astype(object)[preferred]
        names[~np.isfinite(found[0])] = None
        value = value.assign_coords(preferred=(value.dims, names))
    if measure == "omega_squared" and are_repeated(of):
        found[1:] = np.nan
    return with_interval(value, found[1], found[2], _interval_text(measure, of), len(np.unique(of)))


def _interval_text(measure: str, of: np.ndarray) -> str:
    n = len(np.unique(of))
    if measure == "omega_squared" and are_repeated(of):
        return f"none: the trials of one stimulus are not independent, here {stimuli_text(of)}"
    if measure == "omega_squared":
        return f"95 % interval by the noncentral F distribution, over {n} stimuli that vary normally within a class"
    if measure == "eta_squared":
        return f"none: eta squared depends on the number of stimuli, here {n}"
    return jackknife_text(n, stimuli_text(of)) + (", given the preferred class" if measure == "d_prime" else "")


def _variance_between(responses: np.ndarray, members: np.ndarray, n_classes: int, measure: str) -> np.ndarray:
    """Return the fraction of each column's variance between classes, and the ends of its interval, (3, unit)."""
    from scipy.special import ncfdtr, ncfdtrinc

    n, n_stimuli = np.bincount(members, minlength=n_classes)[:, None], len(responses)
    means, whole = _moments(responses, members, n_classes)
    between = (n * (means - responses.mean(0)) ** 2).sum(0)
    df, rest = n_classes - 1, n_stimuli - n_classes
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure == "eta_squared":
            value = np.where(whole > 0, between / whole, np.nan)
            return np.array([value, np.full_like(value, np.nan), np.full_like(value, np.nan)])
        within = np.bincount(members, minlength=n_classes) @ _variances(responses, means, members, n_classes, ddof=0)
        noise = within / rest
        value = np.where(whole > 0, (between - df * noise) / (whole + noise), np.nan)
        ratio = between / df / noise
        found = [value]
        for level in (0.975, 0.025):
            # the noncentrality under which a smaller ratio has this probability; 0 if there is none
            far = np.where(ncfdtr(df, rest, 0.0, ratio) > level, ncfdtrinc(df, rest, level, ratio), 0.0)
            found.append(np.where(np.isfinite(ratio), far / (far + n_stimuli), value))
    return np.array(found)


def _jackknifed(
    responses: np.ndarray, members: np.ndarray, n_classes: int, measure: str, seed: int, of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return d' or sparseness of each column with its interval, (3, unit), and the class that each unit prefers."""
    units = np.arange(responses.shape[1])
    if measure == "sparseness":
        best = np.zeros(len(units), int)
    else:
        best = np.nan_to_num(_d_prime(responses, members, n_classes), nan=-np.inf).argmax(0)

    def measured(chosen: np.ndarray) -> np.ndarray:
        if measure == "sparseness":
            return _sparseness(responses[chosen], members[chosen], n_classes)
        return _d_prime(responses[chosen], members[chosen], n_classes)[best, units]

    first = np.unique(of, return_index=True)[1]
    return np.array(jackknife(len(first), measured, seed, strata=members[first], of=of)), best


def _moments(responses: np.ndarray, members: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of the classes, (class, unit), and the sum of squares about the mean of all, (unit,)."""
    sums = np.zeros((n_classes, responses.shape[1]))
    np.add.at(sums, members, responses)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / np.bincount(members, minlength=n_classes)[:, None]
    # a constant has no variance, apart from rounding
    away = responses - responses.mean(0)
    away[:, (responses == responses[:1]).all(0)] = 0
    return means, (away**2).sum(0)


def _variances(
    responses: np.ndarray, means: np.ndarray, members: np.ndarray, n_classes: int, ddof: int = 1
) -> np.ndarray:
    """Return the variance of each column within each class, (class, unit); NaN with a single stimulus and ddof 1."""
    squares = np.zeros((n_classes, responses.shape[1]))
    np.add.at(squares, members, (responses - means[members]) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return squares / (np.bincount(members, minlength=n_classes)[:, None] - ddof)


def _d_prime(responses: np.ndarray, members: np.ndarray, n_classes: int) -> np.ndarray:
    """Return d' of each class against all other stimuli, (class, unit)."""
    n = np.bincount(members, minlength=n_classes)[:, None]
    means, whole = _moments(responses, members, n_classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.where(n > 0, n * means, 0)
        rest, others = (sums.sum(0) - sums) / (n.sum() - n), n.sum() - n
        variances = _variances(responses, means, members, n_classes)
        within = np.where(n > 1, (n - 1) * variances, 0)
        between = np.where(n > 0, n * (means - responses.mean(0)) ** 2, 0)
        # the others vary within their classes and between them
        spread = (within.sum(0) - within) + (between.sum(0) - between) - others * (rest - responses.mean(0)) ** 2
        variance = (variances + np.maximum(spread, 0) / (others - 1)) / 2
        return np.where(whole > 0, (means - rest) / np.sqrt(variance), np.nan)


def _sparseness(responses: np.ndarray, members: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the sparseness of each column over classes, (unit,)."""
    means, _ = _moments(responses, members, n_classes)
    n = np.bincount(members, minlength=n_classes)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        # the square of a mean is too large by the variance of that mean
        noise = _variances(responses, means, members, n_classes) / n
        power = np.nanmean(means**2 - noise, axis=0)
        square_of_mean = np.nanmean(means, axis=0) ** 2 - np.nanmean(noise, axis=0) / n_classes
        value = (1 - square_of_mean / power) / (1 - 1 / n_classes)
    return np.where(power > 0, value, np.nan)
