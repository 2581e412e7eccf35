"""The wave along a curve: the latency at which the answer reaches a pixel, by its distance from the cue."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import correlation, jackknife, jackknife_text, mean_interval
from cortexsim.analyse.lasting import lasting_from, times_from
from cortexsim.analyse.node import Node
from cortexsim.analyse.repeats import originals, per_stimulus, stimuli_text
from cortexsim.analyse.runs import of_each_run
from cortexsim.analyse.target_maps import maps_of


@of_each_run
def wave(recording: Node, data: xr.Dataset) -> xr.Dataset:
    """Return the latency at which pixels of the target are tagged, by their distance from the cue along the curve.

    The latency of a target pixel is the first time from which it is read out as part of the target until the end of the
    recording. Pixels that do not stay tagged have no latency, and are counted.

    Parameters
    ----------
    recording : DataTree, Dataset or DataArray
        A recording, or its node "readout", with `logits` (stimulus, time, class, y, x).
    data : Dataset
        The stimuli that were shown, with target maps, such as `cs.datasets.paths` draws.

    Returns
    -------
    Dataset
        `latency` (distance,), the mean over stimuli at each distance, with `latency_low` and `latency_high`, its 95 %
        interval over stimuli; `fraction_tagged` (distance,). The best linear fit to the latencies of all tagged
        pixels: `slope` (steps for each px; 1 / speed) with its 95 % jackknife interval over stimuli, `slope_low` and
        `slope_high`; `intercept`; and the correlation `r`.

    Raises
    ------
    TypeError, ValueError
        If the readout is not a map, the stimuli have no targets or differ, or tagged pixels have fewer than 2 different
        distances.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> wave = cs.analyse.wave(recording, paths)
    >>> round(float(wave["slope"]), 1)  # steps for each px
    0.9
    """
    maps = maps_of(recording, data)
    stimulus, y, x = np.nonzero(maps.distance >= 0)
    tagged = np.zeros((len(stimulus), maps.logits.sizes["time"]), dtype=bool)
    for place, _, named in maps.named():
        tagged[:, place] = named[stimulus, y, x] == 1
    latency = times_from(lasting_from(tagged), maps.logits["time"].values)
    distance = maps.distance[stimulus, y, x]
    reached = np.isfinite(latency)
    if len(np.unique(distance[reached])) < 2:
        raise ValueError(
            f"only {int(reached.sum())} of {len(reached)} target pixels stay tagged, at fewer than 2 different "
            "distances: there is no wave to measure; run the model for more steps"
        )
    of, n_distances = originals(maps.logits), int(distance.max()) + 1
    n, n_rows = len(np.unique(of)), len(of)
    rows = [np.flatnonzero(reached & (stimulus == one)) for one in range(n_rows)]

    def line(chosen: np.ndarray) -> np.ndarray:
        pixels = np.concatenate([rows[one] for one in chosen])
        if len(np.unique(distance[pixels])) < 2:
            # without the only stimulus that is traced, there is no line
            return np.full(2, np.nan)
        return np.polyfit(distance[pixels], latency[pixels], 1)

    fit, low, high = jackknife(n, line, of=of)
    means = _means(stimulus[reached], distance[reached], latency[reached], (n_rows, n_distances))
    mean, mean_low, mean_high = mean_interval(per_stimulus(means, of))
    there = np.bincount(distance, minlength=n_distances)
    steps = {"units": "steps", "interval": f"95 % interval of the mean over {stimuli_text(of)}"}
    rate = {"units": "steps/px", "interval": jackknife_text(n, stimuli_text(of))}
    return xr.Dataset(
        {
            "latency": ("distance", mean, {"long_name": "latency of the tag", **steps}),
            "latency_low": ("distance", mean_low, steps),
            "latency_high": ("distance", mean_high, steps),
            "fraction_tagged": (
                "distance",
                np.bincount(distance[reached], minlength=n_distances) / np.maximum(there, 1),
            ),
            "slope": ((), fit[0], {"long_name": "slope", **rate}),
            "slope_low": ((), low[0], rate),
            "slope_high": ((), high[0], rate),
            "intercept": ((), fit[1], {"units": "steps"}),
            "r": ((), correlation(distance[reached], latency[reached])),
        },
        {
            "distance": (
                "distance",
                np.arange(n_distances),
                {"long_name": "distance from the cue along the curve", "units": "px"},
            )
        },
        {"n": n, "n_pixels": len(reached), "n_tagged": int(reached.sum())},
    )


def _means(stimulus: np.ndarray, distance: np.ndarray, latency: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the mean latency of each stimulus at each distance, (stimulus, distance); NaN without pixels."""
    count, total = np.zeros(shape), np.zeros(shape)
    np.add.at(count, (stimulus, distance), 1)
    np.add.at(total, (stimulus, distance), latency)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
