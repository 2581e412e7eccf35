"""Partial correlation of RDMs: the agreement of two that a third, such as that of the pixels, does not explain."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, seed_of, whole
from cortexsim.analyse._compare_rdms import by_subject, checked, percentiles, resampled, times_that_differ
from cortexsim.analyse.interval import MOST_RESAMPLES, with_interval
from cortexsim.analyse.node import time_coordinate
from cortexsim.analyse.repeats import originals, stimuli_text
from cortexsim.analyse.same_stimuli import refuse_other_stimuli

METHODS = ("spearman", "pearson")


def partial_similarity(
    model: xr.DataArray,
    reference: xr.DataArray,
    control: xr.DataArray,
    method: str = "spearman",
    *,
    n_bootstrap: int = 500,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Correlate a model's RDMs with a reference after removing what a control RDM explains linearly in both.

    Does IT explain more of the brain than the pixels do? r(m, b | c) = (r(m, b) - r(m, c) r(c, b)) /
    sqrt((1 - r(m, c)²) (1 - r(c, b)²)), for each subject, averaged over subjects.

    Parameters
    ----------
    model : DataArray, ([time,] stimulus, other_stimulus)
        As `rdm` returns it.
    reference : DataArray
        As for `compare_rdms`.
    control : DataArray, (stimulus, other_stimulus)
        The RDM whose part is removed, of the same stimuli.
    method : "spearman" or "pearson"
        With "spearman", of the ranks.
    n_bootstrap : int
        Resamples of the stimuli, the same for the three correlations; 0 omits the interval.
    seed : int
        Seed of the resamples.
    progress : bool
        Show progress bars.

    Returns
    -------
    DataArray, ([time,] [reference_time])
        With the 95 % percentile interval of the bootstrap over stimuli as `low` and `high`, subjects fixed. NaN if the
        model is empty, or the control explains one of the two completely.

    Raises
    ------
    TypeError, ValueError
        As for `compare_rdms`; also if the control has a time, or is of other stimuli.

    Notes
    -----
    Noise in the control RDM leaves a part of what it should remove. The pixels have none.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> v2, v4, it = (cs.analyse.rdm(recording[area]).sel(time=8, drop=True) for area in ("V2", "V4", "IT"))
    >>> cs.analyse.partial_similarity(v4, it, v2, n_bootstrap=20).item() < 1
    True
    """
    one_of(method, "method", METHODS)
    n_bootstrap, seed = whole(n_bootstrap, "n_bootstrap", 0, unit="resamples", limit=MOST_RESAMPLES), seed_of(seed)
    ones, references, clock, has_clock = checked(model, reference)
    if isinstance(control, xr.DataArray) and "time" in control.dims:
        raise ValueError("the control must be one RDM without a time; choose one with .sel(time=...)")
    others = checked(control, reference)[0]
    refuse_other_stimuli(ones, others, "the model and the control")
    known, of = times_that_differ(ones), originals(ones)
    found = np.full((3, ones.sizes["time"], references.sizes[clock]), np.nan)
    ours, third = ones.values[known], others.values
    if known.size:
        both = np.concatenate([ours, third])
        with_reference = by_subject(both, references.values, np.arange(len(of)), method)
        with_control = by_subject(ours, third[None], np.arange(len(of)), method)
        found[:, known] = _partial(with_reference, with_control).mean(2)
        found[1:, known] = np.nan
        if n_bootstrap:
            # the same seed draws the same stimuli
            draws = zip(
                resampled(both, references.values, method, of, n_bootstrap, seed, progress),
                resampled(ours, third[None], method, of, n_bootstrap, seed),
                strict=True,
            )
            means = [_partial(*one).mean(2) for one in draws]
            found[1:, known] = percentiles(means)
    array = xr.DataArray(
        found[0],
        {"time": time_coordinate(ones), clock: references[clock].variable},
        ("time", clock),
        "partial_similarity",
        {"long_name": f"partial correlation of RDMs ({method})", "units": "1", "method": method},
    )
    text = f"95 % percentile bootstrap over {stimuli_text(of)}, {n_bootstrap} resamples, subjects fixed"
    array = with_interval(array, found[1], found[2], text if n_bootstrap else "none", len(np.unique(of)))
    array = array if has_clock else array.isel({clock: 0}).drop_vars(clock)
    return array if "time" in model.dims else array.isel(time=0).drop_vars("time")


def _partial(with_reference: np.ndarray, with_control: np.ndarray) -> np.ndarray:
    """Return partial correlations (time, reference time, subject).

    Parameters
    ----------
    with_reference : ndarray, (time + 1, reference time, subject)
        Correlations of the model, and last of the control.
    with_control : ndarray, (time, 1, 1)
    """
    of_control = with_reference[-1:]
    unexplained = (1 - with_control**2) * (1 - of_control**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        partial: np.ndarray = np.where(
            unexplained > 1e-12,
            (with_reference[:-1] - with_control * of_control) / np.sqrt(unexplained),
            np.nan,
        )
    return partial
