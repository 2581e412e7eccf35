"""What an intervention changes: each state over time, and the decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import wilson
from cortexsim.graph.interventions import Changes
from cortexsim.graph.transitions import Times
from cortexsim.recording.io import settings

SAME = ("images", "model", "graph", "presentation", "coordinates", "seed", "until", "quantity", "noise", "repeats")
CHANGES = ("silence", "gain", "transition_noise")
LEVEL = 0.95


def effect(recording: xr.DataTree, intact: xr.DataTree) -> xr.Dataset:
    """Compare a recording with an intervention to the intact one: where, when and how much it changes.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it, with silence, gain or transition_noise.
    intact : DataTree
        The same model, stimuli, presentation, seed, times, noise and, unless the lesion is a recalibrated one,
        statistics, without.

    Returns
    -------
    Dataset
        Means over stimuli; NaN where a state or the readout is empty in either recording.

        - `distance` (state, time): |h - h0| / |h0|, the Euclidean length of the change of a state, relative to that of
          the intact state, over all its units;
        - `emptied` (state, time): fraction of the stimuli for which the state holds something in one recording alone;
        - `changed` (time): fraction of the stimuli of which another class is named;
        - with labels, `accuracy` and `accuracy_intact` (time); `accuracy_difference` (time), the first less the second,
          paired by stimulus; and `log_odds_change` (time), of the log-odds of the right class, in nats.

        `distance`, `changed`, `accuracy_difference` and `log_odds_change` have their 95 % interval over stimuli beside
        them, as coordinates named after them, such as `distance_low` and `distance_high`; `attrs["interval"]` says
        which it is. The repeats of a stimulus are averaged first, since they are no stimuli of their own.

    Raises
    ------
    ValueError
        If the two differ in more than the intervention, the second is not intact, or the first is.

    Notes
    -----
    Intervals: of fractions Wilson (1927); of the paired difference of two accuracies Bonett & Price (2012), whose width
    is not zero where no decision changes; of means, and of all where there are repeats, Student's t over stimuli.
    """
    made, whole = settings(recording), settings(intact)
    _check(made, whole)
    readout, before = (one["readout"].to_dataset() for one in (recording, intact))
    states = [str(name) for name in recording.children if name != "readout" and name in intact.children]
    kept = [dict(one["record"]) if isinstance(one["record"], dict) else {} for one in (made, whole)]
    unlike = [state for state in states if kept[0].get(state, "all") != kept[1].get(state, "all")]
    if unlike:
        raise ValueError(f"the two recordings keep different portions of {unlike}; record the same of both")
    groups = _groups(readout)
    times = readout["time"]

    results: dict[str, Any] = {}
    shape = (len(states), times.size)
    distance, emptied = np.full((3, *shape), np.nan), np.full(shape, np.nan)
    for row, state in enumerate(states):
        changed, original = recording[state].to_dataset(), intact[state].to_dataset()
        for column in range(times.size):
            # one time after the other, so that recordings larger than memory pass through
            there, was = _populated(changed, column), _populated(original, column)
            emptied[row, column] = _per_stimulus((there != was).astype(float), groups).mean()
            both = there & was
            if both.any():
                x, y = (_rows(one["activation"].isel(time=column)) for one in (changed, original))
                length = np.linalg.norm(y, axis=1)
                ratio = np.divide(
                    np.linalg.norm(x - y, axis=1), length, where=both & (length > 0), out=np.full(len(x), np.nan)
                )
                distance[:, row, column] = _mean(_per_stimulus(ratio, groups))
    text = _interval_text("Student's t interval", groups)
    _put(results, "distance", ("state", "time"), distance, "relative distance of activation, |h - h0| / |h0|", text)
    results["emptied"] = ("state", "time"), emptied, {"long_name": "populated in one recording alone", "units": "1"}
    _decide(results, readout, before, groups)
    coordinates = {"time": times.variable, "state": ("state", states, {"long_name": "state"})}
    bounds = {name: results.pop(name) for name in list(results) if name.endswith(("_low", "_high"))}
    attrs = {
        "intervention": _told(made),
        "lesion": (made.get("lesion") or {}).get("kind", ""),
        "presentation": made["presentation_text"],
        "n": int(groups.max()) + 1,
    }
    return xr.Dataset(results, {**coordinates, **bounds}, attrs)


def _check(made: dict[str, Any], whole: dict[str, Any]) -> None:
    lesion = (made.get("lesion") or {}).get("kind")
    same = SAME if lesion == "recalibrated" else (*SAME, "statistics")
    different = [key for key in same if made.get(key) != whole.get(key)]
    if different:
        raise ValueError(
            f"the two recordings differ in {different}, so what they show is no effect of the intervention alone; "
            "simulate the same model, stimuli and presentation twice"
        )
    if any(whole.get(key) for key in CHANGES):
        raise ValueError(f"the second recording is not intact: {_told(whole)}")
    if not any(made.get(key) for key in CHANGES):
        raise ValueError(f"the first recording has no intervention: allowed are {list(CHANGES)}")


def _told(made: dict[str, Any]) -> str:
    def times(intervals: Any) -> Times:
        return Times(tuple((start, stop) for start, stop in intervals))

    closed = {name: times(intervals) for name, intervals in made.get("silence", {}).items()}
    scaled, noisy = (
        {name: (amount, times(intervals)) for name, (amount, intervals) in made.get(key, {}).items()}
        for key in CHANGES[1:]
    )
    return str(Changes(closed, scaled, noisy))


def _groups(readout: xr.Dataset) -> np.ndarray:
    """Return a number for each row, the same for all repeats of a stimulus."""
    target = readout["target"] if "target" in readout.coords else readout["stimulus"]
    return np.unique(target.values, return_inverse=True)[1]


def _per_stimulus(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Average over the repeats of each stimulus; NaN where none holds a number."""
    there = np.isfinite(values)
    total = np.bincount(groups, np.where(there, values, 0.0))
    n = np.bincount(groups, there)
    return np.divide(total, n, where=n > 0, out=np.full(len(n), np.nan))


def _populated(node: xr.Dataset, column: int) -> np.ndarray:
    flags = node["populated"].isel(time=column)
    return np.broadcast_to(flags.values, node.sizes["stimulus"])


def _rows(activation: xr.DataArray) -> np.ndarray:
    return activation.values.astype(np.float64).reshape(activation.sizes["stimulus"], -1)


def _decide(
    results: dict[str, Any],
    readout: xr.Dataset,
    before: xr.Dataset,
    groups: np.ndarray,
) -> None:
    logits, original = (one["logits"].transpose("stimulus", "time", "class").values for one in (readout, before))
    logits, original = logits.astype(np.float64), original.astype(np.float64)
    there = np.isfinite(logits).all(-1) & np.isfinite(original).all(-1)
    named, was = (np.where(np.isfinite(one), one, -np.inf).argmax(-1) for one in (logits, original))
    n_times, repeated = there.shape[1], len(groups) > groups.max() + 1

    def over_times(values: np.ndarray, interval: Any) -> np.ndarray:
        """Summarize values of shape (stimulus, time) at each time."""
        kept = np.where(there, values, np.nan)
        return np.stack([interval(_per_stimulus(kept[:, k], groups)) for k in range(n_times)], axis=1)

    fraction, difference = (_mean, _mean) if repeated else (_wilson, paired_difference)
    text = _interval_text("Student's t interval" if repeated else "Wilson interval", groups)
    _put(results, "changed", ("time",), over_times((named != was).astype(float), fraction), "decisions changed", text)
    if "label" not in readout.coords:
        return
    label = readout["label"].values[:, None]
    right, was_right = (named == label).astype(float), (was == label).astype(float)
    for name, values in (("accuracy", right), ("accuracy_intact", was_right)):
        accuracy = over_times(values, _mean)[0]
        results[name] = ("time",), accuracy, {"long_name": name.replace("_", ", "), "units": "1"}
    text = _interval_text("Student's t interval" if repeated else "paired Bonett-Price interval", groups)
    _put(
        results, "accuracy_difference", ("time",), over_times(right - was_right, difference), "change of accuracy", text
    )
    text = _interval_text("Student's t interval", groups)
    change = _log_odds(logits, label) - _log_odds(original, label)
    _put(results, "log_odds_change", ("time",), over_times(change, _mean), "change of the right class' log-odds", text)
    results["log_odds_change"][2]["units"] = "nat"


def _put(
    results: dict[str, Any], name: str, dims: tuple[str, ...], values: np.ndarray, long_name: str, interval: str
) -> None:
    """Keep a mean with its bounds; `values` has shape (3, *dims): mean, low, high."""
    results[name] = dims, values[0], {"long_name": long_name, "units": "1", "interval": interval}
    for bound, at in zip(("low", "high"), values[1:], strict=True):
        results[f"{name}_{bound}"] = dims, at, {"long_name": f"{long_name}, {bound}er bound", "units": "1"}


def _interval_text(kind: str, groups: np.ndarray) -> str:
    return f"{LEVEL:.0%} {kind} over {groups.max() + 1} stimuli".replace("%", " %")


def _log_odds(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return log p / (1 - p) of the labelled class, shape (stimulus, time)."""
    place = np.broadcast_to(label[..., None], (*logits.shape[:2], 1))
    right = np.take_along_axis(logits, place, -1)
    others = logits.copy()
    np.put_along_axis(others, place, -np.inf, -1)
    with np.errstate(invalid="ignore"):
        highest = others.max(-1, keepdims=True)
        return (right - highest)[..., 0] - np.log(np.exp(others - highest).sum(-1))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean with its interval by Student's t; without one where there are fewer than two values."""
    # what scipy.stats calls, which takes seconds to import
    from scipy.special import stdtrit

    values = values[np.isfinite(values)]
    n = len(values)
    if n == 0:
        return np.full(3, np.nan)
    mean = values.mean()
    half = stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return np.array([mean, mean - half, mean + half])


def _wilson(values: np.ndarray) -> np.ndarray:
    """Fraction of ones among zeros and ones, with its interval."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.full(3, np.nan)
    return np.array([values.mean(), *wilson(values.sum(), len(values))])


def paired_difference(values: np.ndarray) -> np.ndarray:
    """Return the mean of differences -1, 0 and 1, with the adjusted Wald interval of Bonett & Price (2012).

    Parameters
    ----------
    values : ndarray, (stimulus,)
        NaN is left out.

    Returns
    -------
    ndarray, (3,)
        Mean, low and high end; NaN where there is no value.
    """
    from scipy.special import ndtri

    values = values[np.isfinite(values)]
    n = len(values)
    if not n:
        return np.full(3, np.nan)
    gained, lost = ((values > 0).sum() + 1) / (n + 2), ((values < 0).sum() + 1) / (n + 2)
    half = ndtri((1 + LEVEL) / 2) * np.sqrt((gained + lost - (gained - lost) ** 2) / (n + 2))
    low, high = gained - lost - half, gained - lost + half
    return np.array([values.mean(), max(-1.0, low), min(1.0, high)])
