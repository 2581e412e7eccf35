"""Lesions and what can be decoded: what a state represents once connections are cut, compared with the intact model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import shown, whole
from cortexsim._support.progress import Report, checked, part, silent
from cortexsim.analyse._decode import decoded_right
from cortexsim.analyse._effect import paired_difference
from cortexsim.analyse.folds import N_FOLDS, folds_of
from cortexsim.analyse.interval import fraction, interval_variables
from cortexsim.graph.interventions import silenced
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.lesions import lesions_of
from cortexsim.model.plan import Images
from cortexsim.protocols.conditions import distinct, n_images, refuse_other_labels
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.presentation import AnyPresentation

ACCURACY = {"long_name": "class decoded", "units": "1"}
CHANGE = {"long_name": "change of what is decoded", "units": "1"}


def lesion_decoding(
    model: Cortex,
    data: xr.Dataset,
    cuts: Mapping[str, Mapping[str, Any]],
    *,
    state: str,
    until: int,
    times: Sequence[int] | None = None,
    calibrate_on: Images,
    presentation: AnyPresentation | None = None,
    seed: int = 0,
    report: Report = silent,
    **options: Any,
) -> xr.Dataset:
    """Decode the class from one state over time, intact and with each of several cuts in its three versions.

    The folds are the same everywhere, so that intact and cut are compared stimulus by stimulus.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Stimuli with `label`.
    cuts : mapping of str to mapping of str to times
        What is silenced, as for `simulate`, by the name that it has in the result: {"late": {"V2->V1": range(9, 13)}}.
        The intact model is always measured.
    state : str
        The state that is decoded.
    until : int
        Last time simulated.
    times : sequence of int, optional
        Times at which the class is decoded; by default all.
    calibrate_on : Tensor or Dataset
        Images, usually training images, on which the statistics and means of a cut are taken.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    seed : int
        Seed of the folds and of the simulation.
    report : callable, optional
        Called before each run with the fraction that is done and a message; an exception from it stops the run.
    **options
        As for `simulate`, such as `statistics` or `batch_size`.

    Returns
    -------
    Dataset
        `decode_intact` (time) and `decode` (cut, version, time): the share of stimuli whose class is decoded, each by a
        decoder that did not see it; with `_low` and `_high`, Wilson's 95 % interval over stimuli. `difference` (cut,
        version, time), cut minus intact, with the paired interval of Bonett & Price (2012). `n_weights` (cut): weights
        of the silenced transitions. NaN where the state is empty. `attrs["chance"]` is the share of the most frequent
        class.

    Raises
    ------
    ValueError
        If there are no cuts, the state or a time is unknown, labels are missing, or a class has fewer stimuli than the
        5 folds; otherwise as `simulate`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits, training = cs.datasets.digits(50, part="test"), cs.datasets.digits(50)
    >>> found = cs.protocols.lesion_decoding(
    ...     cs.zoo.load("digits-tiny"), digits, {"no feedback": {"V2->V1": None}}, state="V1", until=4, times=[4],
    ...     calibrate_on=training,
    ... )
    >>> found["difference"].dims
    ('cut', 'version', 'time')
    """
    model = the_cortex(model, "lesion_decoding")
    if not isinstance(cuts, Mapping):
        raise TypeError(
            f"cuts must map names to what is silenced, such as {{'feedback': {{'V2->V1': None}}}}, got {shown(cuts)}"
        )
    if not cuts:
        raise ValueError("cuts is empty; give at least one, such as {'feedback': {'V2->V1': None}}")
    state = model.graph.state(state).name
    until, report = whole(until, "until", 1, unit="steps", limit=MOST_STEPS), checked(report)
    times = list(range(until + 1)) if times is None else [whole(one, "a time", 0) for one in distinct("times", times)]
    if max(times) > until:
        raise ValueError(f"times must lie from 0 to until={until}, got {times}")
    n, n_calibration = (n_images(model, images) for images in (data, calibrate_on))
    refuse_other_labels(data)
    _check_folds(data, seed)
    kinds = lesions_of(model)
    costs = [n, *(n + n_calibration * (kind != "acute") for _ in cuts for kind in kinds)]
    ends = np.cumsum([0, *costs]) / sum(costs)
    shared: dict[str, Any] = {"until": until, "record": [state], "seed": seed, **options}

    def decoded(run: int, what: str, **lesion: Any) -> xr.DataArray:
        tell = part(report, float(ends[run]), float(ends[run + 1]))
        tell(0.0, f"{what}: showing {n} images")
        recording = simulate(model, data, presentation, **lesion, **shared)
        tell(0.5, f"{what}: decoding {state}")
        return decoded_right(recording[state].to_dataset().sel(time=times), seed=seed)

    intact = decoded(0, "intact")
    right = np.full((len(cuts), len(kinds), *intact.shape), np.nan)
    for row, (name, silence) in enumerate(cuts.items()):
        for column, kind in enumerate(kinds):
            images = None if kind == "acute" else calibrate_on
            run = 1 + row * len(kinds) + column
            lesion = {"silence": silence, "lesion": kind, "calibrate_on": images}
            right[row, column] = decoded(run, f"{name}, {kind}", **lesion).values
    dims = ("cut", "version", "time")
    difference = np.apply_along_axis(paired_difference, -2, right - intact.values)
    variables = (
        interval_variables("decode_intact", "time", _shares(intact.values), ACCURACY)
        | interval_variables("decode", dims, _shares(right), ACCURACY)
        | interval_variables("difference", dims, np.moveaxis(difference, -2, 0), CHANGE)
    )
    weights = [_weights(model, silence) for silence in cuts.values()]
    return xr.Dataset(
        variables | {"n_weights": ("cut", weights, {"long_name": "weights that are silenced", "units": "1"})},
        {
            "cut": ("cut", list(cuts), {"long_name": "cut"}),
            "version": ("version", list(kinds), {"long_name": "kind of lesion"}),
            "time": intact["time"].variable,
        },
        {
            "state": state,
            "n": n,
            "chance": float(intact.attrs["chance"]),
            "interval": f"95 % interval over {n} stimuli, cross-validated in {N_FOLDS} folds",
        },
    )


def _shares(right: np.ndarray) -> np.ndarray:
    """Return shares and their intervals, (3, ...), from what was right, (..., stimulus, time); NaN where empty."""
    known = np.isfinite(right).all(-2)
    shares = fraction(np.nansum(right, -2), np.full(known.shape, right.shape[-2]))
    return np.where(known, shares, np.nan)


def _weights(model: Cortex, silence: Mapping[str, Any]) -> int:
    """Count the weights of the transitions that are silenced."""
    convolutions = (one for name in silenced(model.graph, silence) for one in model.graph.convolutions(name))
    return sum(math.prod(one.kernel_shape) for one in convolutions)


def _check_folds(data: xr.Dataset, seed: int) -> None:
    """Refuse a class with too few stimuli before anything is simulated."""
    of_stimuli = {name: one for name, one in data.variables.items() if one.dims == ("stimulus",)}
    if "label" in of_stimuli:
        stimuli = xr.DataArray(np.zeros(data.sizes["stimulus"]), of_stimuli, ("stimulus",))
        folds_of(stimuli, None, None, None, continuous=False, seed=seed)
