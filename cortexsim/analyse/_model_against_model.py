"""Comparison of two models by their agreement with a reference, such as a brain; and the time of best agreement."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, seed_of, whole
from cortexsim.analyse._compare_rdms import METHODS, by_subject, checked, resampled, times_that_differ
from cortexsim.analyse.interval import MOST_RESAMPLES, student, with_interval
from cortexsim.analyse.node import time_coordinate
from cortexsim.analyse.repeats import originals, stimuli_text
from cortexsim.analyse.same_stimuli import refuse_other_stimuli


def similarity_difference(
    model: xr.DataArray,
    other: xr.DataArray,
    reference: xr.DataArray,
    method: str = "spearman",
    *,
    n_bootstrap: int = 500,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Compare how well two models agree with the same reference: the difference of their similarities.

    Parameters
    ----------
    model, other : DataArray, ([time,] stimulus, other_stimulus)
        RDMs of the same stimuli at the same times, as `rdm` returns them.
    reference, method, seed, progress
        As for `compare_rdms`; the resamples are the same for both models.
    n_bootstrap : int
        Resamples, 2 or more.

    Returns
    -------
    DataArray, ([time,] [reference_time])
        The similarity of `model` minus that of `other`, averaged over subjects. `low` and `high`: 95 % interval by
        Student's t, over stimuli, and over subjects if there are several. NaN if one of the models is empty.

    Raises
    ------
    TypeError, ValueError
        As for `compare_rdms`; also if the two models differ in stimuli or times.

    Notes
    -----
    A bootstrap that draws stimuli and subjects together counts the measurement noise three times. Its variance is
    corrected according to Schütt et al.: twice the sum of the variances of the two bootstraps over one factor, minus
    that over both factors, but not less than the variance over either factor.

    References
    ----------
    Schütt, H. et al. (2023). Statistical inference on representational geometries. eLife 12.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> v2, v4, it = (cs.analyse.rdm(recording[area]).sel(time=8, drop=True) for area in ("V2", "V4", "IT"))
    >>> cs.analyse.similarity_difference(v4, v2, it, n_bootstrap=20).item() > 0
    True
    """
    one_of(method, "method", METHODS)
    n_bootstrap, seed = whole(n_bootstrap, "n_bootstrap", 2, unit="resamples", limit=MOST_RESAMPLES), seed_of(seed)
    ones, references, clock, has_clock = checked(model, reference)
    others = checked(other, reference)[0]
    refuse_other_stimuli(ones, others, "the two models")
    if not np.array_equal(ones["time"].values, others["time"].values):
        raise ValueError(
            f"the two models must have the same times, got {ones['time'].values} and {others['time'].values}"
        )
    known = np.intersect1d(times_that_differ(ones), times_that_differ(others))
    of, n_subjects = originals(ones), references.sizes["subject"]
    n = len(np.unique(of))
    found = np.full((3, ones.sizes["time"], references.sizes[clock]), np.nan)
    if known.size:
        both = np.concatenate([ones.values[known], others.values[known]])
        each = _difference(by_subject(both, references.values, np.arange(len(of)), method))
        draws = np.array(
            [_difference(one) for one in resampled(both, references.values, method, of, n_bootstrap, seed, progress)]
        )
        half = student(min(n, n_subjects if n_subjects > 1 else n) - 1) * np.sqrt(_variance(each, draws, seed))
        found[:, known] = each.mean(-1), each.mean(-1) - half, each.mean(-1) + half
    over = stimuli_text(of) + (f" and {n_subjects} subjects" if n_subjects > 1 else "")
    array = xr.DataArray(
        found[0],
        {"time": time_coordinate(ones), clock: references[clock].variable},
        ("time", clock),
        "difference",
        {"long_name": f"difference of similarities ({method})", "units": "1", "method": method},
    )
    text = f"95 % Student's t interval over {over}, standard error from {n_bootstrap} resamples"
    array = with_interval(array, found[1], found[2], text, n)
    array = array if has_clock else array.isel({clock: 0}).drop_vars(clock)
    return array if "time" in model.dims else array.isel(time=0).drop_vars("time")


def best_time(
    model: xr.DataArray,
    reference: xr.DataArray,
    method: str = "spearman",
    *,
    n_bootstrap: int = 500,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Return the time at which the model agrees best with the reference, for each reference time.

    Parameters
    ----------
    model : DataArray, (time, stimulus, other_stimulus)
    reference, method, n_bootstrap, seed, progress
        As for `compare_rdms`.

    Returns
    -------
    DataArray, ([reference_time])
        In the units of the model's time. `low` and `high`: from the 2.5th to the 97.5th percentile of the best times in
        resamples of the stimuli, subjects fixed. If the agreement is similar at all times, the range is wide and the
        best time is not meaningful.

    Raises
    ------
    TypeError, ValueError
        As for `compare_rdms`; also if the model has fewer than 2 times at which all stimuli are populated.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> model, reference = (cs.analyse.rdm(recording[area]) for area in ("V4", "IT"))
    >>> best = cs.analyse.best_time(model.sel(time=slice(2, 8)), reference.sel(time=8, drop=True), n_bootstrap=20)
    >>> int(best)
    8
    """
    one_of(method, "method", METHODS)
    n_bootstrap, seed = whole(n_bootstrap, "n_bootstrap", 1, unit="resamples", limit=MOST_RESAMPLES), seed_of(seed)
    rdms, references, clock, has_clock = checked(model, reference)
    known = times_that_differ(rdms)
    if "time" not in model.dims or len(known) < 2:
        raise ValueError(f"a best time needs RDMs at 2 or more times, got {len(known) if 'time' in model.dims else 1}")
    ours, of = rdms.values[known], originals(rdms)
    times = rdms["time"].values[known].astype(float)
    best = times[by_subject(ours, references.values, np.arange(len(of)), method).mean(2).argmax(0)]
    draws = [one.mean(2) for one in resampled(ours, references.values, method, of, n_bootstrap, seed, progress)]
    drawn = times[np.nan_to_num(np.array(draws), nan=-np.inf).argmax(1)]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0, method="nearest")
    array = xr.DataArray(
        best,
        {clock: references[clock].variable},
        (clock,),
        "best_time",
        {"long_name": "time of best agreement", "units": str(rdms["time"].attrs.get("units", "steps"))},
    )
    text = f"2.5th to 97.5th percentile of {n_bootstrap} resamples of {stimuli_text(of)}, subjects fixed"
    array = with_interval(array, low, high, text, len(np.unique(of)))
    return array if has_clock else array.isel({clock: 0}).drop_vars(clock)


def _difference(each: np.ndarray) -> np.ndarray:
    """Return the first half of the times minus the second, (time, reference time, subject)."""
    half = len(each) // 2
    difference: np.ndarray = each[:half] - each[half:]
    return difference


def _variance(each: np.ndarray, draws: np.ndarray, seed: int) -> np.ndarray:
    """Return the variance of a mean over subjects, over draws of stimuli and subjects, (time, reference time)."""
    n_subjects = each.shape[-1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Degrees of freedom <= 0|Mean of empty slice")
        over_stimuli: np.ndarray = np.nanvar(draws.mean(-1), axis=0, ddof=1)
        if n_subjects == 1:
            return over_stimuli
        over_subjects = each.var(-1, ddof=1) / n_subjects
        chosen = np.random.default_rng([seed, 1]).integers(n_subjects, size=(len(draws), n_subjects))
        of_both = np.array([one[..., which].mean(-1) for one, which in zip(draws, chosen, strict=True)])
        over_both = np.nanvar(of_both, axis=0, ddof=1)
    variance: np.ndarray = np.maximum(
        2 * (over_stimuli + over_subjects) - over_both, np.maximum(over_stimuli, over_subjects)
    )
    return variance
