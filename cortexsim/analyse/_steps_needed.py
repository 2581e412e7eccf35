"""Steps needed: the time from which a map stays correct, and its growth with the length of the curve."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.labelled import refuse_missing
from cortexsim.analyse.interval import correlation, jackknife, jackknife_text
from cortexsim.analyse.lasting import lasting_from, times_from
from cortexsim.analyse.node import Node
from cortexsim.analyse.repeats import originals, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.same_stimuli import stimulus_coordinates
from cortexsim.analyse.target_maps import maps_of, solved


@of_each_run
def steps_needed(recording: Node, data: xr.Dataset) -> xr.DataArray:
    """Return the first time from which every pixel of the line stays correct until the end of the recording.

    Parameters
    ----------
    recording : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class, y, x).
    data : Dataset
        The stimuli that were shown, with target maps, such as `cs.datasets.paths` draws.

    Returns
    -------
    DataArray, (stimulus,)
        Steps; NaN for a stimulus that is not solved at the last time. `attrs` contain the counts `n_solved` and `n`.

    Raises
    ------
    TypeError, ValueError
        If the readout is not a map, or the stimuli have no targets or differ.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> cs.analyse.steps_needed(recording, paths).values
    array([4., 9., 3., 4., 5., 2., 6., 7., 5., 2.])
    """
    maps = maps_of(recording, data)
    factors = {str(name): one.variable for name, one in maps.data.coords.items() if one.dims == ("stimulus",)}
    steps = times_from(lasting_from(solved(maps)), maps.logits["time"].values)
    return xr.DataArray(
        steps,
        {**factors, **stimulus_coordinates(maps.logits)},
        ("stimulus",),
        "steps_needed",
        {
            "long_name": "steps needed until every line pixel stays correct",
            "units": "steps",
            "n": len(steps),
            "n_solved": int(np.isfinite(steps).sum()),
        },
    )


def growth(steps: xr.DataArray, by: str = "length") -> xr.Dataset:
    """Return how steps needed grow with a coordinate of the stimuli, such as the length of the curve.

    Parameters
    ----------
    steps : DataArray, (stimulus,)
        As `steps_needed` returns them; join several with `xr.concat(..., "stimulus")`.
    by : str
        A stimulus coordinate.

    Returns
    -------
    Dataset
        `median` (by,) of the solved stimuli of each value, `n` and `n_solved` (by,). The best linear fit to all solved
        stimuli: `slope`, with its 95 % jackknife interval over stimuli `slope_low` and `slope_high`, and `intercept`;
        `r`, the correlation over stimuli, and `r_of_medians`, the correlation of the medians with the values. The
        interval is NaN if a single value is left once some stimuli are left out, and `r` if all need the same steps.

    Raises
    ------
    ValueError
        If there is no such coordinate, or fewer than 3 solved stimuli with at least 2 different values.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(40, size=24, length=(5, 20), part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer").at_size(24), paths, cs.sustained(), until=30, record=[])
    >>> growth = cs.analyse.growth(cs.analyse.steps_needed(recording, paths))
    >>> round(float(growth["slope"]), 1)  # steps for each px
    1.0
    """
    if steps.dims != ("stimulus",):
        raise ValueError(f"growth takes steps needed, (stimulus,), got {steps.dims}")
    if by not in steps.coords or steps[by].dims != ("stimulus",):
        known = sorted(str(name) for name, one in steps.coords.items() if one.dims == ("stimulus",))
        raise ValueError(f"the stimuli have no coordinate {by!r}, only {known}")
    refuse_missing(steps[by].values, by)
    known_steps = np.isfinite(steps.values)
    x, y = steps[by].values[known_steps].astype(float), steps.values[known_steps]
    if len(x) < 3 or len(np.unique(x)) < 2:
        raise ValueError(
            f"growth needs at least 3 solved stimuli with 2 different values of {by}, got {len(x)} with "
            f"{len(np.unique(x))}"
        )
    of = np.unique(originals(steps)[known_steps], return_inverse=True)[1]
    n = int(of.max()) + 1
    slope, low, high = jackknife(n, lambda chosen: _slope(x[chosen], y[chosen]), of=of)
    values = np.unique(steps[by].values)
    groups = [steps[by].values == value for value in values]
    median = np.array([_median(steps.values[group]) for group in groups])
    there = np.isfinite(median)
    attributes = {
        "long_name": str(steps[by].attrs.get("long_name", by)),
        "units": str(steps[by].attrs.get("units", "1")),
    }
    rate = {"units": f"steps/{attributes['units']}", "interval": jackknife_text(n, stimuli_text(of))}
    return xr.Dataset(
        {
            "median": (by, median, {"long_name": "median of the steps needed", "units": "steps"}),
            "n": (by, [int(group.sum()) for group in groups]),
            "n_solved": (by, [int((group & known_steps).sum()) for group in groups]),
            "slope": ((), slope, {"long_name": "slope", **rate}),
            "slope_low": ((), low, rate),
            "slope_high": ((), high, rate),
            "intercept": ((), float(np.polyfit(x, y, 1)[1]), {"units": "steps"}),
            "r": ((), correlation(x, y)),
            "r_of_medians": ((), correlation(values[there].astype(float), median[there])),
        },
        {by: (by, values, attributes)},
    )


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    # without the only stimulus of another length, there is no line
    return float(np.polyfit(x, y, 1)[0]) if len(np.unique(x)) > 1 else float("nan")


def _median(values: np.ndarray) -> float:
    solved_ones = values[np.isfinite(values)]
    return float(np.median(solved_ones)) if len(solved_ones) else float("nan")
