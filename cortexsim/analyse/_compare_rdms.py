"""Agreement of a model's RDMs with reference RDMs, such as a brain's, at every time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, seed_of, shown, whole
from cortexsim._support.extras import check_extra
from cortexsim._support.labelled import names_among, places_of
from cortexsim.analyse import counted_pairs
from cortexsim.analyse.counted_pairs import CountedPairs
from cortexsim.analyse.interval import MOST_RESAMPLES, with_interval
from cortexsim.analyse.node import time_coordinate, with_bar
from cortexsim.analyse.repeats import originals, stimuli_text
from cortexsim.analyse.same_stimuli import refuse_other_stimuli, stimulus_coordinates

if TYPE_CHECKING:
    from rsatoolbox.rdm.rdms import RDMs

# names here and in rsatoolbox
METHODS = {
    "spearman": "spearman",
    "pearson": "corr",
    "kendall": "kendall",
    "cosine": "cosine",
    "tau-a": "tau-a",
    "rho-a": "rho-a",
    "corr_cov": "corr_cov",
    "cosine_cov": "cosine_cov",
}
TITLES = {
    "spearman": "Spearman correlation",
    "pearson": "Pearson correlation",
    "kendall": "Kendall's tau-b",
    "cosine": "cosine similarity",
    "tau-a": "Kendall's tau-a",
    "rho-a": "Spearman's rho-a",
    "corr_cov": "whitened correlation",
    "cosine_cov": "whitened cosine similarity",
}
"""What the methods are called in texts."""
_PAIR = ("stimulus", "other_stimulus")
_TIMES = ("time", "reference_time", "brain_time")


def compare_rdms(
    model: xr.DataArray,
    reference: xr.DataArray,
    method: str = "spearman",
    *,
    n_bootstrap: int = 500,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataArray:
    """Compare a model's RDMs with reference RDMs, as rsatoolbox does.

    Parameters
    ----------
    model : DataArray, (time, stimulus, other_stimulus) or (stimulus, other_stimulus)
        As `rdm` returns it.
    reference : DataArray, (stimulus, other_stimulus), and any of subject, session and time (or brain_time)
        For the same stimuli in the same order, or with the same names (`stimulus_name`, `file_name`) in any order.
        Sessions are first averaged within a subject, which may have fewer than others (NaN in all of a session); then
        the model is compared with each subject, and the similarities are averaged.
    method : str
        "spearman", "pearson", "kendall" (tau-b), "cosine", "tau-a", "rho-a", "corr_cov" or "cosine_cov".
    n_bootstrap : int
        Resamples of the stimuli; 0 omits the interval.
    seed : int
        Seed of the resamples.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,) or (time, reference_time)
        Similarity, with the 95 % percentile interval of the bootstrap over stimuli as `low` and `high`. Pairs of a
        stimulus and its own copy, whose distance is 0 by construction, are left out of a resample. NaN if the
        model has an empty stimulus. With two or more subjects `ceiling_low` and `ceiling_high` are the noise ceiling:
        the mean similarity of each subject with the mean of the others, and of all. A single matrix has none.

    Raises
    ------
    TypeError, ValueError
        If they are not labelled RDMs of the same stimuli, have fewer than 4 stimuli, are not symmetric, lack pairs, or
        are constant.

    Warns
    -----
    UserWarning
        If the reference is constant at some of its times, such as that of a baseline: these are left out.

    References
    ----------
    Nili, H. et al. (2014). A toolbox for representational similarity analysis. PLOS Computational Biology 10.
    Schütt, H. et al. (2023). Statistical inference on representational geometries. eLife 12.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> model, reference = (cs.analyse.rdm(recording[area]) for area in ("V4", "IT"))
    >>> similarity = cs.analyse.compare_rdms(model, reference.sel(time=8, drop=True), n_bootstrap=20)
    >>> dict(similarity.sizes)
    {'time': 9}
    """
    check_extra("brains", "comparisons of dissimilarity matrices")
    one_of(method, "method", METHODS)
    n_bootstrap, seed = whole(n_bootstrap, "n_bootstrap", 0, unit="resamples", limit=MOST_RESAMPLES), seed_of(seed)
    rdms, references, clock, has_clock = checked(model, reference)
    matrices, known = references.values, times_that_differ(rdms)
    ours = rdms.values[known]
    _refuse_constant(ours, "the model's RDM")

    of = originals(rdms)
    similarity, low, high = np.full((3, rdms.sizes["time"], references.sizes[clock]), np.nan)
    if known.size:
        similarity[known] = by_subject(ours, matrices, np.arange(len(of)), method).mean(2)
        if n_bootstrap:
            draws = resampled(ours, matrices, method, of, n_bootstrap, seed, progress)
            low[known], high[known] = percentiles([each.mean(2) for each in draws])
    attributes = {"long_name": f"similarity of RDMs ({method})", "units": "1", "method": method}
    coordinates = {"time": time_coordinate(rdms)}
    if has_clock:
        named = {"long_name": clock.replace("_", " "), **references[clock].attrs}
        coordinates[clock] = xr.Variable(clock, references[clock].values, named)
    array = xr.DataArray(similarity, coordinates, ("time", clock), "similarity", attributes)
    text = f"95 % percentile bootstrap over {stimuli_text(of)}, {n_bootstrap} resamples, subjects fixed"
    array = with_interval(array, low, high, text if n_bootstrap else "none", len(np.unique(of)))
    ends, text = _ceiling(matrices, method)
    array = array.assign_attrs(noise_ceiling=text)
    if ends is not None:
        array = array.assign_coords(ceiling_low=(clock, ends[0]), ceiling_high=(clock, ends[1]))
    if not has_clock:
        array = array.isel({clock: 0})
    return array if "time" in model.dims else array.isel(time=0).drop_vars("time")


def checked(model: xr.DataArray, reference: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray, str, bool]:
    """Return the model's RDMs (time, ...), the reference (clock, subject, ...), the clock, and whether it has one."""
    rdms = _with_dims(_checked(model, "the model's RDM", ("time",)), ("time",))
    if len(np.unique(originals(rdms))) < 4:
        raise ValueError(f"comparing RDMs needs at least 4 stimuli, got {stimuli_text(originals(rdms))}")
    references, clock, has_clock = _references(reference, rdms)
    if has_clock:
        references = _where_they_differ(references, clock)
    _refuse_constant(references.values, "the reference")
    return rdms, references, clock, has_clock


def _where_they_differ(references: xr.DataArray, clock: str) -> xr.DataArray:
    """Leave out the times at which a reference has one distance for all pairs, such as that of a baseline."""
    varies = ~_constant(references.values).any(references.get_axis_num("subject"))
    if varies.all() or not varies.any():
        return references
    lacking = references[clock].values[~varies].tolist()
    warnings.warn(
        f"the reference has the same distance for all pairs of stimuli at {len(lacking)} of its times, "
        f"{shown(lacking)}, such as in a baseline of one time: they are left out, because their agreement is undefined",
        stacklevel=5,
    )
    return references.isel({clock: varies})


def times_that_differ(rdms: xr.DataArray) -> np.ndarray:
    """Return the positions of the times at which all stimuli are populated and not all are equal."""
    complete = rdms.notnull().all(_PAIR).values
    # if all stimuli are equal at a time, no agreement is defined
    differ = complete & (rdms != 0).any(_PAIR).values
    return np.flatnonzero(differ if differ.any() else complete)


def _references(reference: xr.DataArray, rdms: xr.DataArray) -> tuple[xr.DataArray, str, bool]:
    """Return the reference (clock, subject, stimulus, other_stimulus), its clock, and whether it has one."""
    references = _checked(reference, "the reference", ("subject", "session", *_TIMES))
    references = _in_order_of(rdms, references)
    clocks = [dim for dim in _TIMES if dim in references.dims]
    if len(clocks) > 1:
        raise ValueError(f"the reference may have one time, got {clocks}")
    if "session" in references.dims:
        references = _mean_of_sessions(references)
    _refuse_missing(references)
    if clocks == ["time"]:
        references = references.rename(time="reference_time")
    clock = "brain_time" if clocks == ["brain_time"] else "reference_time"
    return _with_dims(references, (clock, "subject")), clock, bool(clocks)


def _mean_of_sessions(references: xr.DataArray) -> xr.DataArray:
    """Average over the sessions that a subject has; a session that lacks some pairs stays NaN, and is refused later."""
    own = xr.DataArray(np.eye(references.sizes["stimulus"], dtype=bool), dims=_PAIR)
    absent = (references.isnull() | own).all([dim for dim in references.dims if dim not in ("subject", "session")])
    n = (~absent).sum("session")
    return references.where(~absent, 0.0).sum("session", skipna=False).where(n > 0) / n.clip(min=1)


def _refuse_missing(references: xr.DataArray) -> None:
    """Raise a ValueError that names the fewest stimuli, or the subjects, without which no pair is missing."""
    lacking = references.isnull()
    if not lacking.any():
        return
    ways = [f"the stimuli {shown(_without(lacking))}"]
    if "subject" in lacking.dims:
        at = np.flatnonzero(lacking.any([dim for dim in lacking.dims if dim != "subject"]).values)
        names = references["subject"].values if "subject" in references.coords else np.arange(lacking.sizes["subject"])
        ways += [f"the subjects {shown(names[at].tolist())}"] * (len(at) < lacking.sizes["subject"])
    raise ValueError(
        f"the reference lacks {int(lacking.sum())} values (NaN): leave out {' or '.join(ways)}, as with "
        ".drop_isel(stimulus=[...], other_stimulus=[...]) or .drop_isel(subject=[...])"
    )


def _without(lacking: xr.DataArray) -> list[int]:
    """Return the positions of stimuli with which all missing pairs go, the one with most of them first."""
    pairs = lacking.any([dim for dim in lacking.dims if dim not in _PAIR]).transpose(*_PAIR).values.copy()
    left_out = []
    while pairs.any():
        left_out.append(int(pairs.sum(axis=1).argmax()))
        pairs[left_out[-1]], pairs[:, left_out[-1]] = False, False
    return left_out


def _in_order_of(rdms: xr.DataArray, references: xr.DataArray) -> xr.DataArray:
    """Return the reference in the order of the model's RDMs: by stimulus names, if both have them."""
    wanted, names = (
        names_among({name: v.values for name, v in stimulus_coordinates(one).items()}) for one in (rdms, references)
    )
    if wanted is None or names is None:
        refuse_other_stimuli(rdms, references, "the two RDMs")
        return references
    places = places_of(names, wanted, "the reference", "the model's RDM")
    own = {dim: rdms["stimulus"].values for dim in _PAIR if "stimulus" in rdms.coords}
    return references.isel(dict.fromkeys(_PAIR, places)).assign_coords(own)


def _checked(array: xr.DataArray, what: str, allowed: tuple[str, ...]) -> xr.DataArray:
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"{what} must be a DataArray with the dimensions {_PAIR}, got {type(array).__name__}")
    others = [dim for dim in array.dims if dim not in (*_PAIR, *allowed)]
    if others or not {*_PAIR} <= {*array.dims} or not all(array.sizes.values()):
        raise ValueError(f"{what} must have the dimensions {_PAIR}, and may have {allowed}, got {dict(array.sizes)}")
    array = array.transpose(..., *_PAIR)
    n, n_other = array.shape[-2:]
    if n != n_other:
        raise ValueError(f"{what} must be square, got {n} stimuli and {n_other} other stimuli")
    if n < 4:
        raise ValueError(f"comparing RDMs needs at least 4 stimuli, got {n}")
    if array.dtype.kind not in "biuf" or bool(np.isinf(array.values).any()):
        kind = f"the dtype {array.dtype}" if array.dtype.kind not in "biuf" else "infinity"
        raise ValueError(f"{what} must have real numbers, or NaN where a distance is missing, got {kind}")
    values = np.array(array.values, float)
    if not np.allclose(values, np.swapaxes(values, -1, -2), equal_nan=True):
        raise ValueError(f"{what} must be symmetric: the distance of two stimuli is the same in both directions")
    # the distance of a stimulus to itself is not measured, so NaN is allowed there
    own = np.arange(n)
    values[..., own, own] = np.nan_to_num(values[..., own, own], nan=0.0)
    diagonal = float(np.abs(values[..., own, own]).max())
    if diagonal > 1e-5 * float(np.nanmax(np.abs(values))):
        raise ValueError(
            f"{what} must be 0 on its diagonal, the distance of a stimulus from itself, got up to {diagonal:.4g}; if "
            "these are similarities, pass 1 - similarity"
        )
    return array.copy(data=values)


def _with_dims(array: xr.DataArray, dims: tuple[str, ...]) -> xr.DataArray:
    for dim in dims:
        if dim not in array.dims:
            array = array.drop_vars(dim, errors="ignore").expand_dims(dim)
        if dim not in array.coords:
            array = array.assign_coords({dim: np.arange(array.sizes[dim])})
    return array.transpose(*dims, *_PAIR)


def _refuse_constant(matrices: np.ndarray, what: str) -> None:
    if _constant(matrices).any():
        raise ValueError(f"{what} has the same distance for all pairs of stimuli, so its agreement is undefined")


def _constant(matrices: np.ndarray) -> np.ndarray:
    """Return which matrices have the same distance for all pairs of stimuli, without their last two dimensions."""
    pairs = matrices[..., *np.triu_indices(matrices.shape[-1], 1)]
    same: np.ndarray = (pairs == pairs[..., :1]).all(-1)
    return same


def _vectors(matrices: np.ndarray, chosen: np.ndarray) -> RDMs:
    """Return RDMs of chosen stimuli as rsatoolbox represents them; NaN for a stimulus and its own copy."""
    from rsatoolbox.rdm.rdms import RDMs

    rows, columns = np.triu_indices(len(chosen), 1)
    pairs = matrices[:, chosen[rows], chosen[columns]]
    pairs[:, chosen[rows] == chosen[columns]] = np.nan
    return RDMs(pairs)


def by_subject(ours: np.ndarray, matrices: np.ndarray, chosen: np.ndarray, method: str) -> np.ndarray:
    """Return the similarity with each subject, (time, reference time, subject)."""
    from rsatoolbox.rdm.compare import compare

    references = _vectors(matrices.reshape(-1, *matrices.shape[2:]), chosen)
    each = np.asarray(compare(_vectors(ours, chosen), references, METHODS[method]))
    return each.reshape(len(ours), *matrices.shape[:2])


def resampled(
    ours: np.ndarray,
    matrices: np.ndarray,
    method: str,
    of: np.ndarray,
    n_bootstrap: int,
    seed: int,
    progress: bool = False,
) -> Iterator[np.ndarray]:
    """Yield the similarity with each subject, (time, reference time, subject), for each resample of the stimuli.

    Parameters
    ----------
    ours : ndarray, (time, stimulus, other_stimulus)
    matrices : ndarray, (reference time, subject, stimulus, other_stimulus)
    of : ndarray, (row,)
        The stimulus of each row, see `originals`: all rows of a stimulus are drawn together.
    method, n_bootstrap, seed, progress
        See `compare_rdms`.
    """
    generator, n = np.random.default_rng(seed), len(of)
    rows, columns = np.triu_indices(n, 1)
    fast = None
    if method in counted_pairs.METHODS:
        fast = CountedPairs(ours[:, rows, columns], matrices[..., rows, columns].reshape(-1, len(rows)), method)
    for _ in with_bar(range(n_bootstrap), progress, "bootstrap"):
        chosen = _resample(generator, of)
        if fast is not None:
            counts = np.bincount(chosen, minlength=n)
            yield fast.similarity(counts[rows] * counts[columns]).reshape(len(ours), *matrices.shape[:2])
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            yield by_subject(ours, matrices, chosen, method)


def percentiles(draws: Sequence[np.ndarray]) -> np.ndarray:
    """Return the ends of the 95 % percentile interval of draws, (end, ...); NaN where no draw has a number."""
    with warnings.catch_warnings():
        # an RDM that is constant in every resample has no interval
        warnings.filterwarnings("ignore", message="All-NaN slice encountered")
        return np.nanpercentile(np.array(draws), [2.5, 97.5], axis=0)


def _resample(generator: np.random.Generator, of: np.ndarray) -> np.ndarray:
    """Draw stimuli with replacement, at least 3 different, as a single distance cannot be correlated; return rows."""
    n = int(of.max()) + 1
    while True:
        counts = np.bincount(generator.integers(n, size=n), minlength=n)
        if (counts > 0).sum() >= 3:
            return np.repeat(np.arange(len(of)), counts[of])


def _ceiling(matrices: np.ndarray, method: str) -> tuple[np.ndarray | None, str]:
    """Return the noise ceiling at each reference time, (end, reference time), if there are several subjects."""
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling

    n_subjects = matrices.shape[1]
    if n_subjects < 2:
        return None, "none: a single matrix has no noise to estimate it from"
    everything = np.arange(matrices.shape[-1])
    with warnings.catch_warnings():
        # reported in the text below
        warnings.filterwarnings("ignore", message="Noise ceiling for tau based on averaged ranks")
        ends = [boot_noise_ceiling(_vectors(one, everything), METHODS[method]) for one in matrices]
    note = ", from averaged ranks" if method in ("kendall", "tau-a") else ""
    return np.array(ends).T, f"each of {n_subjects} subjects with the mean of the others, and of all{note}"
