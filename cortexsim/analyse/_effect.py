"""The effect of an intervention: on each state over time, and on the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.analyse._accuracy import class_labels, logits_of
from cortexsim.analyse.interval import wilson
from cortexsim.analyse.node import Node
from cortexsim.analyse.repeats import per_stimulus
from cortexsim.analyse.same_stimuli import refuse_other_stimuli
from cortexsim.graph.interventions import Changes
from cortexsim.graph.transitions import Times
from cortexsim.recording.description import settings

# settings in which two recordings must agree, and settings that only the first recording has
SAME = (
    "images",
    "model",
    "graph",
    "presentation",
    "coordinates",
    "seed",
    "until",
    "quantity",
    "dtype",
    "noise",
    "repeats",
)
CHANGES = ("silence", "gain", "transition_noise")
LEVEL = 0.95


def effect(recording: xr.DataTree, intact: xr.DataTree) -> xr.Dataset:
    """Compare a recording with an intervention to the intact recording: by state and time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it, with silence, gain or transition_noise.
    intact : DataTree
        Without any of these, but with the same model, stimuli, presentation, seed, times, dtype, noise and (unless the
        lesion is recalibrated) statistics.

    Returns
    -------
    Dataset
        Means over stimuli; NaN if a state or the readout is empty in either recording.

        - `distance` (state, time): ``|h - h0| / |h0|``, the Euclidean norm of the change of a state over all its units,
          relative to the norm of the intact state;
        - `emptied` (state, time): fraction of the stimuli for which the state is populated in only one recording;
        - `changed` (time): fraction of the stimuli for which the decision is a different class;
        - with labels, `accuracy` and `accuracy_intact` (time); `accuracy_difference` (time), the first minus the
          second, paired by stimulus; and `log_odds_change` (time), the change of the log-odds of the correct class, in
          nats.

        `distance`, `changed`, `accuracy_difference` and `log_odds_change` have a 95 % interval over stimuli, in
        coordinates such as `distance_low` and `distance_high`; `attrs["interval"]` names its kind. The repeats of a
        stimulus are averaged first, because they are not independent.

    Raises
    ------
    ValueError
        If the two differ in more than the intervention, also in their stimuli or times; the second has an intervention;
        or the first has none.

    Notes
    -----
    Stimuli and times are paired by their coordinates; the second recording may have them in another order.

    Intervals: for fractions, Wilson (1927); for the paired difference of two accuracies, Bonett & Price (2012), whose
    width is not zero if no decision changes; for means, Student's t over stimuli. With repeats the first two take the
    averages of the repeats for single answers, which vary more over stimuli than averages do: they are rather too wide.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> intact = cs.simulate(model, curves, cs.sustained(), until=6)
    >>> cut = cs.simulate(model, curves, cs.sustained(), until=6, silence={"V2->V2": range(3, 7)})
    >>> change = cs.analyse.effect(cut, intact)
    >>> change["distance"].sel(state="V2").round(2).values
    array([ nan, 0.  , 0.  , 0.52, 0.57, 0.59, 0.61])
    """
    made, intact_made = settings(recording), settings(intact)
    _check(made, intact_made)
    states = [str(name) for name in recording.children if name != "readout" and name in intact.children]
    _refuse_other_selections(made, intact_made, states)
    readout = recording["readout"].to_dataset()
    before = _in_order_of(readout, intact["readout"].to_dataset())
    groups = _groups(readout, int(made.get("repeats", 1)) > 1)
    # labels are checked before states are read, which takes long
    label = _labels(recording["readout"]) if _are_labelled(readout) else None
    results = _of_states(readout, recording, intact, states, groups) | _of_decisions(readout, before, label, groups)
    coordinates = {"time": readout["time"].variable, "state": ("state", states, {"long_name": "state"})}
    bounds = {name: results.pop(name) for name in list(results) if name.endswith(("_low", "_high"))}
    attrs = {
        "intervention": _intervention_text(made),
        "lesion": (made.get("lesion") or {}).get("kind", ""),
        "presentation": made["presentation_text"],
        "n": int(groups.max()) + 1,
    }
    return xr.Dataset(results, {**coordinates, **bounds}, attrs)


def _check(made: dict[str, Any], intact_made: dict[str, Any]) -> None:
    lesion = (made.get("lesion") or {}).get("kind")
    same = SAME if lesion == "recalibrated" else (*SAME, "statistics")
    different = [key for key in same if made.get(key) != intact_made.get(key)]
    if different:
        raise ValueError(
            f"the two recordings also differ in {different}, so the intervention is not the only cause of changes; "
            "simulate the same model, stimuli and presentation twice"
        )
    if any(intact_made.get(key) for key in CHANGES):
        raise ValueError(f"the second recording is not intact: {_intervention_text(intact_made)}")
    if not any(made.get(key) for key in CHANGES):
        raise ValueError(f"the first recording has no intervention: allowed are {list(CHANGES)}")


def _refuse_other_selections(made: dict[str, Any], intact_made: dict[str, Any], states: Sequence[str]) -> None:
    selections = [dict(one["record"]) if isinstance(one["record"], dict) else {} for one in (made, intact_made)]
    different = [state for state in states if selections[0].get(state, "all") != selections[1].get(state, "all")]
    if different:
        raise ValueError(
            f"the two recordings contain different selections of {different}; record the same selection in both"
        )


def _in_order_of(readout: xr.Dataset, node: xr.Dataset) -> xr.Dataset:
    """Return a node with its stimuli and times in the order of a readout.

    Raises
    ------
    ValueError
        If it has other stimuli or times.
    """
    for dim in ("stimulus", "time"):
        wanted, own = readout[dim].to_index(), node[dim].to_index()
        # names that occur twice are compared as they are
        if own.is_unique and not own.equals(wanted) and set(own) == set(wanted):
            node = node.isel({dim: own.get_indexer(wanted)})
    times, own_times = readout["time"].values.tolist(), node["time"].values.tolist()
    if times != own_times:
        raise ValueError(f"the two recordings must have the same times, got {times} and {own_times}")
    refuse_other_stimuli(readout, node, "the two recordings")
    return node


def _intervention_text(made: dict[str, Any]) -> str:
    def times(intervals: Sequence[Sequence[int]]) -> Times:
        return Times(tuple((start, stop) for start, stop in intervals))

    closed = {name: times(intervals) for name, intervals in made.get("silence", {}).items()}
    scaled, noisy = (
        {name: (amount, times(intervals)) for name, (amount, intervals) in made.get(key, {}).items()}
        for key in CHANGES[1:]
    )
    return str(Changes(closed, scaled, noisy))


def _groups(readout: xr.Dataset, repeated: bool) -> np.ndarray:
    """Return a number for each row, the same for all repeats of a stimulus."""
    if not repeated:
        # their names may occur twice, and their own `target` may mean something else
        return np.arange(readout.sizes["stimulus"])
    return np.unique(readout["target"].values, return_inverse=True)[1]


def _of_states(
    readout: xr.Dataset, recording: xr.DataTree, intact: xr.DataTree, states: Sequence[str], groups: np.ndarray
) -> dict[str, Any]:
    """Return `distance` and `emptied`, (state, time)."""
    shape = (len(states), readout.sizes["time"])
    distance, emptied = np.full((3, *shape), np.nan), np.full(shape, np.nan)
    for row, state in enumerate(states):
        node, intact_node = (_in_order_of(readout, one[state].to_dataset()) for one in (recording, intact))
        # one time after another, so that recordings may be larger than memory
        for column in range(shape[1]):
            populated, intact_populated = _populated(node, column), _populated(intact_node, column)
            in_one = (populated != intact_populated).astype(float)
            emptied[row, column] = per_stimulus(in_one, groups).mean()
            in_both = populated & intact_populated
            if in_both.any():
                h, h0 = (_patterns(one, column) for one in (node, intact_node))
                ratio = _relative_distance(h, h0, where=in_both)
                distance[:, row, column] = _mean(per_stimulus(ratio, groups))
    text = _interval_text("Student's t interval", groups)
    long_name = "relative distance of activation, |h - h0| / |h0|"
    results = _with_bounds("distance", ("state", "time"), distance, long_name, text)
    results["emptied"] = ("state", "time"), emptied, {"long_name": "populated in one recording alone", "units": "1"}
    return results


def _relative_distance(h: np.ndarray, h0: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return |h - h0| / |h0| of each stimulus; NaN outside `where`, and if h0 is silent."""
    length = np.linalg.norm(h0, axis=1)
    nothing = np.full(len(h), np.nan)
    return np.divide(np.linalg.norm(h - h0, axis=1), length, where=where & (length > 0), out=nothing)


def _populated(node: xr.Dataset, column: int) -> np.ndarray:
    flags = node["populated"].isel(time=column)
    return np.broadcast_to(flags.values, node.sizes["stimulus"])


def _patterns(node: xr.Dataset, column: int) -> np.ndarray:
    activation = node["activation"].isel(time=column)
    return activation.values.astype(np.float64).reshape(activation.sizes["stimulus"], -1)


def _are_labelled(readout: xr.Dataset) -> bool:
    return "label" in readout.coords and readout["label"].dims == ("stimulus",)


def _labels(readout: Node) -> np.ndarray:
    """Return the place of each stimulus' class among those of the readout, shape (stimulus, 1)."""
    logits = logits_of(readout)
    places = {value: place for place, value in enumerate(logits["class"].values.tolist())}
    return np.array([places[value] for value in class_labels(logits).tolist()])[:, None]


def _of_decisions(
    readout: xr.Dataset, before: xr.Dataset, label: np.ndarray | None, groups: np.ndarray
) -> dict[str, Any]:
    """Return `changed` (time,), and with labels the accuracies and the change of the log-odds."""
    logits, logits0 = (
        one["logits"].transpose("stimulus", "time", "class").values.astype(np.float64) for one in (readout, before)
    )
    known = np.isfinite(logits).all(-1) & np.isfinite(logits0).all(-1)
    choice, choice0 = (np.where(np.isfinite(one), one, -np.inf).argmax(-1) for one in (logits, logits0))

    def over_times(values: np.ndarray, interval: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Summarize values of shape (stimulus, time) at each time."""
        values = np.where(known, values, np.nan)
        return np.stack([interval(per_stimulus(column, groups)) for column in values.T], axis=1)

    changed = over_times((choice != choice0).astype(float), _wilson)
    interval = _interval_text("Wilson interval", groups)
    results = _with_bounds("changed", ("time",), changed, "decisions changed", interval)
    if label is None:
        return results
    right, right0 = (choice == label).astype(float), (choice0 == label).astype(float)
    for name, values in (("accuracy", right), ("accuracy_intact", right0)):
        attributes = {"long_name": name.replace("_", ", "), "units": "1"}
        results[name] = ("time",), over_times(values, _mean)[0], attributes
    difference = over_times(right - right0, paired_difference)
    interval = _interval_text("paired Bonett-Price interval", groups)
    results |= _with_bounds("accuracy_difference", ("time",), difference, "change of accuracy", interval)
    change = over_times(_log_odds(logits, label) - _log_odds(logits0, label), _mean)
    interval, long_name = _interval_text("Student's t interval", groups), "change of the right class' log-odds"
    return results | _with_bounds("log_odds_change", ("time",), change, long_name, interval, "nat")


def _with_bounds(
    name: str, dims: tuple[str, ...], values: np.ndarray, long_name: str, interval: str, units: str = "1"
) -> dict[str, Any]:
    """Return the variables of a mean and its bounds, from values of shape (3, *dims): mean, low, high."""
    attributes = {"long_name": long_name, "units": units, "interval": interval}
    variables: dict[str, Any] = {name: (dims, values[0], attributes)}
    for bound, series in zip(("low", "high"), values[1:], strict=True):
        variables[f"{name}_{bound}"] = dims, series, {"long_name": f"{long_name}, {bound}er bound", "units": units}
    return variables


def _interval_text(kind: str, groups: np.ndarray) -> str:
    return f"{percent(LEVEL)} {kind} over {groups.max() + 1} stimuli"


def _log_odds(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return log p / (1 - p) of the labelled class, shape (stimulus, time)."""
    position = np.broadcast_to(label[..., None], (*logits.shape[:2], 1))
    right = np.take_along_axis(logits, position, -1)
    others = logits.copy()
    np.put_along_axis(others, position, -np.inf, -1)
    with np.errstate(invalid="ignore"):
        highest = others.max(-1, keepdims=True)
        return (right - highest)[..., 0] - np.log(np.exp(others - highest).sum(-1))


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean and its interval by Student's t; the interval is NaN with fewer than two values."""
    # called by scipy.stats, whose import takes seconds
    from scipy.special import stdtrit

    values = values[np.isfinite(values)]
    n = len(values)
    if n == 0:
        return np.full(3, np.nan)
    mean = values.mean()
    half = stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return np.array([mean, mean - half, mean + half])


def _wilson(values: np.ndarray) -> np.ndarray:
    """Return the mean of zeros and ones, or of averages of them, and its interval."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.full(3, np.nan)
    return np.array([values.mean(), *wilson(values.sum(), len(values))])


def paired_difference(values: np.ndarray) -> np.ndarray:
    """Return the mean of differences -1, 0 and 1, or of averages of them, with the interval of Bonett & Price (2012).

    Parameters
    ----------
    values : ndarray, (stimulus,)
        NaN is ignored.

    Returns
    -------
    ndarray, (3,)
        Mean, low and high end; NaN without values.
    """
    from scipy.special import ndtri

    values = values[np.isfinite(values)]
    n = len(values)
    if not n:
        return np.full(3, np.nan)
    gained, lost = (np.maximum(values, 0).sum() + 1) / (n + 2), (np.maximum(-values, 0).sum() + 1) / (n + 2)
    half = ndtri((1 + LEVEL) / 2) * np.sqrt((gained + lost - (gained - lost) ** 2) / (n + 2))
    low, high = gained - lost - half, gained - lost + half
    return np.array([values.mean(), max(-1.0, low), min(1.0, high)])
