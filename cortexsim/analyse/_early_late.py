"""Whether an intervention costs the decisions that fall at once, or those that take longer."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse._accuracy import correct, readout_of
from cortexsim.analyse._effect import paired_difference
from cortexsim.analyse._reaction_time import confidence, passes
from cortexsim.analyse.interval import wilson
from cortexsim.analyse.node import refuse_other_stimuli

DECISIONS = ("at arrival", "later", "never")


def early_late(
    readout: Any, intact: Any, threshold: float, by: str = "entropy", *, at: int | None = None, labels: Any = None
) -> xr.Dataset:
    """Compare two readouts apart for the stimuli that the intact model decides at once, later, and never.

    Parameters
    ----------
    readout : DataTree, Dataset or DataArray
        Of the model with an intervention: recording["readout"], with `logits` (stimulus, time, class).
    intact : DataTree, Dataset or DataArray
        Of the same stimuli without; it alone says to which decision a stimulus belongs.
    threshold, by
        Of confidence, as for `reaction_time`.
    at : int, optional
        The time at which both are read out, by default the last.
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.

    Returns
    -------
    Dataset, (decision,)
        `decision` is "at arrival" (sure at the first time at which there is a readout), "later" or "never" (at no
        recorded time). `n`, how many stimuli each has; `accuracy_intact` and `accuracy` at that time, with Wilson's 95
        % intervals over them, `..._low` and `..._high`; `accuracy_difference`, the second less the first, paired by
        stimulus, with the interval of Bonett & Price (2012). NaN where there are no stimuli, or nothing to read.

    Raises
    ------
    TypeError, ValueError
        As for `reaction_time`; also if the stimuli or times differ, or `at` is none of the times.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be a confidence above 0 and at most 1, got {threshold}")
    held, whole = readout_of(readout), readout_of(intact)
    refuse_other_stimuli(whole, held, "two readouts")
    times = whole["time"].values
    if not np.array_equal(times, held["time"].values):
        raise ValueError(
            f"two readouts must have the same times, got {times.tolist()} and {held['time'].values.tolist()}"
        )
    at = int(times[-1]) if at is None else at
    if at not in times:
        raise ValueError(f"there is no time {at}: the times are {times[0]} to {times[-1]}")
    first, decided = passes(confidence(whole, by)[0], threshold)
    arrival = whole["populated"].values.argmax(1)
    groups = (decided & (first == arrival), decided & (first != arrival), ~decided)
    was, now = (correct(one, labels).sel(time=at).values for one in (intact, readout))
    sizes = np.array([group.sum() for group in groups])
    variables: dict[str, Any] = {"n": ("decision", sizes, {"long_name": "stimuli"})}
    for name, right, long_name in (
        ("accuracy_intact", was, "accuracy, intact"),
        ("accuracy", now, "accuracy"),
    ):
        attributes = {
            "long_name": long_name,
            "units": "1",
            "interval": "95 % Wilson interval over the stimuli of a group",
        }
        sums = np.array([right[group].sum() for group in groups])
        with np.errstate(invalid="ignore", divide="ignore"):
            share = sums / sizes
        for end, values in zip(("", "_low", "_high"), (share, *wilson(sums, sizes)), strict=True):
            variables[name + end] = "decision", values, attributes
    differences = np.array([paired_difference((now - was)[group]) for group in groups]).T
    attributes = {
        "long_name": "change of accuracy",
        "units": "1",
        "interval": "95 % paired Bonett-Price interval over the stimuli of a group",
    }
    for end, values in zip(("", "_low", "_high"), differences, strict=True):
        variables["accuracy_difference" + end] = "decision", values, attributes
    coordinates = {"decision": ("decision", list(DECISIONS), {"long_name": "when the intact model decides"})}
    return xr.Dataset(variables, coordinates, {"threshold": threshold, "by": by, "at": at})
