"""The cost of an intervention for stimuli that the intact model decides at arrival, later, or never."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim.analyse._accuracy import correct, logits_of
from cortexsim.analyse._effect import paired_difference
from cortexsim.analyse._reaction_time import check_threshold, confidence, passes
from cortexsim.analyse.interval import Variable, interval_variables
from cortexsim.analyse.node import Labels, Node
from cortexsim.analyse.repeats import fraction_of_rows, n_stimuli, originals, per_stimulus
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import refuse_other_stimuli

DECISIONS = ("at arrival", "later", "never")


@of_each_run
def early_late(
    readout: Node,
    intact: Node,
    threshold: float,
    by: str = "entropy",
    *,
    at: int | None = None,
    labels: Labels = None,
) -> xr.Dataset:
    """Compare two readouts, separately for the stimuli that the intact model decides at arrival, later, and never.

    Parameters
    ----------
    readout : DataTree, Dataset or DataArray
        The readout with an intervention: recording["readout"], with `logits` (stimulus, time, class).
    intact : DataTree, Dataset or DataArray
        The readout of the same stimuli without it. Only this readout determines the group of a stimulus.
    threshold, by
        The threshold and measure of confidence, as for `reaction_time`.
    at : int, optional
        The time at which both are read out, by default the last.
    labels : str or sequence, optional
        Class of each stimulus, by default the coordinate `label`.

    Returns
    -------
    Dataset, (decision,)
        `decision` is "at arrival" (confident at the first time at which there is a readout), "later" or "never" (at no
        recorded time). `n` is the number of stimuli in each group. `accuracy_intact` and `accuracy` at the time `at`
        have Wilson's 95 % intervals over these stimuli, `..._low` and `..._high`. `accuracy_difference` is `accuracy`
        minus `accuracy_intact`, paired by stimulus, with the interval of Bonett & Price (2012). NaN without stimuli or
        readout. If stimuli are repeated, `n` counts trials, and intervals are over stimuli.

    Raises
    ------
    TypeError, ValueError
        As for `reaction_time`; also if stimuli or times differ, or `at` is not one of the times.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(40, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> intact = cs.simulate(model, curves, cs.sustained(), until=8, record=[])
    >>> cut = cs.simulate(model, curves, cs.sustained(), until=8, record=[], silence={"lateral": range(4, 9)})
    >>> change = cs.analyse.early_late(cut["readout"], intact["readout"], threshold=0.9)
    >>> change["n"].values, change["decision"].values
    (array([ 0, 37,  3]), array(['at arrival', 'later', 'never'], dtype='<U10'))
    """
    threshold = check_threshold(threshold)
    logits, intact_logits = logits_of(readout), logits_of(intact)
    refuse_other_stimuli(intact_logits, logits, "two readouts", also=("label",))
    at = _checked_time(logits, intact_logits, at)
    first, decided = passes(confidence(intact_logits, by)[0], threshold)
    arrival = intact_logits["populated"].values.argmax(1)
    groups = (decided & (first == arrival), decided & (first != arrival), ~decided)
    right_intact, right = (correct(one, labels).sel(time=at).values for one in (intact, readout))
    of, sizes = originals(intact_logits), np.array([group.sum() for group in groups])
    in_groups = n_stimuli(np.array(groups), of)

    variables: dict[str, Variable] = {"n": ("decision", sizes, {"long_name": "stimuli"})}
    wilson_text = "95 % Wilson interval over the stimuli of a group"
    for name, values, long_name in (
        ("accuracy_intact", right_intact, "accuracy, intact"),
        ("accuracy", right, "accuracy"),
    ):
        sums = np.array([values[group].sum() for group in groups])
        attributes = {"long_name": long_name, "units": "1", "interval": wilson_text}
        variables |= interval_variables(name, "decision", fraction_of_rows(sums, sizes, in_groups), attributes)
    changes = [per_stimulus((right - right_intact)[group], of[group]) for group in groups]
    differences = np.array([paired_difference(change) for change in changes]).T
    attributes = {
        "long_name": "change of accuracy",
        "units": "1",
        "interval": "95 % paired Bonett-Price interval over the stimuli of a group",
    }
    variables |= interval_variables("accuracy_difference", "decision", differences, attributes)
    coordinates = {"decision": ("decision", list(DECISIONS), {"long_name": "when the intact model decides"})}
    return xr.Dataset(variables, coordinates, {"threshold": threshold, "by": by, "at": at})


def _checked_time(logits: xr.DataArray, intact_logits: xr.DataArray, at: int | None) -> int:
    times, others = intact_logits["time"].values, logits["time"].values
    if not np.array_equal(times, others):
        raise ValueError(f"two readouts must have the same times, got {times.tolist()} and {others.tolist()}")
    at = int(times[-1]) if at is None else whole(at, "at", unit="steps")
    if at not in times:
        raise ValueError(f"there is no time {at}: the times are {times[0]} to {times[-1]}")
    return at
