"""Lesions: transitions that are silenced, weakened or noisy, in three versions, compared with the intact model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from cortexsim._support.checks import listed, unknown
from cortexsim._support.joining import joined
from cortexsim._support.progress import Report, checked, part, silent
from cortexsim._support.renamed import formerly
from cortexsim.analyse._effect import effect
from cortexsim.graph.interventions import changes as resolved
from cortexsim.model.classes import matched
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.lesions import lesions_of
from cortexsim.model.plan import Amount, Images
from cortexsim.protocols.conditions import n_images, refuse_maps, refuse_names, refuse_other_labels
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import without_levels
from cortexsim.stimuli.presentation import AnyPresentation

RESERVED = ("accuracy", "accuracy_intact", "connection", "logits_intact", "version")
# for progress messages: what each kind of lesion runs in addition to the stimuli
CALIBRATION = {"acute": "", "recalibrated": ", statistics of {} images", "mean-replaced": ", means of {} images"}


@formerly(told="report")
def lesion(
    model: Cortex,
    data: Images,
    silence: Mapping[str, Any] | None = None,
    *,
    until: int,
    gain: Mapping[str, Amount] | None = None,
    transition_noise: Mapping[str, Amount] | None = None,
    calibrate_on: Images | None = None,
    presentation: AnyPresentation | None = None,
    record: Sequence[str] | None = None,
    report: Report = silent,
    **options: Any,
) -> xr.Dataset:
    """Silence, weaken or disturb transitions, and compare three versions of it with the intact model.

    Parameters
    ----------
    model : Cortex
    data : Tensor or Dataset
        Stimuli, with `label` if accuracy is wanted.
    silence : mapping of str to times, optional
        Transitions to silence, as for `simulate`.
    until : int
        Last time.
    gain, transition_noise : mapping of str to (float, times), optional
        Transitions to weaken, and transitions to add noise to, as for `simulate`.
    calibrate_on : Tensor or Dataset
        Images, usually training images, on which the statistics and means are taken.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    record : sequence of str, optional
        States to compare; by default all.
    report : callable, optional
        Called before each part with the fraction that is done and a message; an exception from it stops the run.
    **options
        As for `simulate`: `statistics`, `labels`, `seed`, `batch_size`, `noise`, `repeats`, ...

    Returns
    -------
    Dataset
        As `analyse.effect` returns it, along `version`: "acute", "recalibrated" and "mean-replaced"; see `simulate`. A
        model that takes its moments from each image has nothing to recalibrate, and that version is left out. An
        effect in the acute version only is due to shifted means; an effect that the recalibrated version lacks is due
        to shifted means or spreads. Also `logits` (version, stimulus, time, class) and `logits_intact` (stimulus, time,
        class), NaN where nothing is read out, for the analyses of a readout:
        `analyse.reaction_time(table["logits"].sel(version="acute"), 0.5)`.

    Raises
    ------
    ValueError
        If nothing is silenced, weakened or noisy, or there are no images for the statistics.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> train = cs.datasets.contours(40)
    >>> cut = {"lateral": range(4, 9)}
    >>> result = cs.protocols.lesion(model, curves, cut, until=8, calibrate_on=train, presentation=cs.sustained())
    >>> result["version"].values.tolist()
    ['acute', 'recalibrated', 'mean-replaced']
    """
    model = the_cortex(model, "lesion")
    refuse_maps(model, "a lesion")
    changes: dict[str, Any] = {"silence": silence, "gain": gain, "transition_noise": transition_noise}
    report = checked(report)
    if not resolved(model.graph, **changes):
        raise ValueError(
            "a lesion silences, weakens or disturbs something: give silence, such as {'lateral': None}, gain or "
            "transition_noise"
        )
    _check_stimuli(model, data)
    if calibrate_on is None:
        raise ValueError("a lesion needs images to take statistics and means on; give calibrate_on=...")
    n, n_calibration = (n_images(model, images) for images in (data, calibrate_on))
    shared = {"until": until, "record": record, **options}
    # taking statistics or means runs all of their images once
    whole = n + sum(n + n_calibration * (kind != "acute") for kind in lesions_of(model))
    report(0.0, f"intact: {n} images")
    intact = simulate(model, data, presentation, **shared)
    return _compared(model, data, intact, changes, calibrate_on, presentation, shared, part(report, n / whole, 1.0))


def each_lesion(
    model: Cortex,
    data: Images,
    connections: Sequence[str] | None = None,
    *,
    times: Sequence[int] | None = None,
    until: int,
    calibrate_on: Images,
    presentation: AnyPresentation | None = None,
    report: Report = silent,
    **options: Any,
) -> xr.Dataset:
    """Silence one connection after the other, and compare each in every version with the intact model.

    Parameters
    ----------
    model : Cortex
    data : Tensor or Dataset
        Stimuli with `label`.
    connections : sequence of str, optional
        Transitions; by default all of the graph.
    times : sequence of int, optional
        Times at which each is silenced; by default always.
    until : int
        Last time.
    calibrate_on : Tensor or Dataset
        Images, usually training images, on which the statistics and means are taken.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    report : callable, optional
        Called before each run with the fraction that is done and a message; an exception from it stops the run.
    **options
        As for `simulate`.

    Returns
    -------
    Dataset
        `accuracy_difference` (connection, version, time) with `_low` and `_high`, `accuracy` and `accuracy_intact`, as
        `analyse.effect` returns them for one cut. NaN where nothing can be read out.

    Raises
    ------
    ValueError
        If a connection is unknown, cutting it changes nothing, or the images have no `label`; otherwise as `lesion`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits, training = cs.datasets.digits(40, part="test"), cs.datasets.digits(40)
    >>> table = cs.protocols.each_lesion(
    ...     cs.zoo.load("digits-tiny"), digits, ["V2->V1"], until=4, calibrate_on=training
    ... )
    >>> table["version"].values.tolist()
    ['acute', 'recalibrated', 'mean-replaced']
    """
    model = the_cortex(model, "each_lesion")
    refuse_maps(model, "a table of lesions")
    report = checked(report)
    names = list(model.graph.transition_names) if connections is None else listed(connections, "connections")
    for name in names:
        if name not in model.graph.transition_names:
            raise ValueError(unknown("connection", name, model.graph.transition_names))
    if not names:
        raise ValueError("connections is empty; leave it out for all connections of the graph")
    refuse_other_labels(data)
    _check_stimuli(model, data)
    # only the decision is compared, and the last state is the smallest
    shared: dict[str, Any] = {"until": until, "record": [model.graph.state_names[-1]], **options}
    n, _ = (n_images(model, images) for images in (data, calibrate_on))
    report(0.0, f"intact: {n} images")
    intact = simulate(model, data, presentation, **shared)
    tables = []
    for place, name in enumerate(names):
        of_one = part(report, (1 + place) / (1 + len(names)), (2 + place) / (1 + len(names)), f"{name}, ")
        changes = {"silence": {name: times}, "gain": None, "transition_noise": None}
        table = _compared(model, data, intact, changes, calibrate_on, presentation, shared, of_one)
        tables.append(table[[one for one in table if str(one).startswith("accuracy")]])
    along = xr.Variable("connection", names, {"long_name": "connection that is cut"})
    return joined(tables, along, combine_attrs="drop_conflicts")


def _check_stimuli(model: Cortex, data: Images) -> None:
    """Refuse labels that are no classes of the readout, and coordinates that the result has itself."""
    refuse_names(data, RESERVED)
    if isinstance(data, xr.Dataset) and "label" in data.coords:
        refuse_other_labels(data)
        matched(model, without_levels(data))


def _compared(
    model: Cortex,
    data: Images,
    intact: xr.DataTree,
    changes: Mapping[str, Any],
    calibrate_on: Images,
    presentation: AnyPresentation | None,
    shared: Mapping[str, Any],
    report: Report,
) -> xr.Dataset:
    """Simulate every version of a lesion, and compare it with the intact model."""
    kinds = lesions_of(model)
    n, n_calibration = (n_images(model, images) for images in (data, calibrate_on))
    costs = [n + n_calibration * (kind != "acute") for kind in kinds]
    versions, logits = [], []
    for place, kind in enumerate(kinds):
        report(sum(costs[:place]) / sum(costs), f"{kind}: {n} images{CALIBRATION[kind].format(n_calibration)}")
        images = None if kind == "acute" else calibrate_on
        recording = simulate(model, data, presentation, lesion=kind, calibrate_on=images, **changes, **shared)
        versions.append(effect(recording, intact))
        logits.append(recording["readout"].to_dataset()["logits"])
        del recording  # it may be large, and the next one needs its memory
    version = xr.Variable("version", list(kinds), {"long_name": "kind of lesion"})
    along = xr.DataArray(version, name="version")
    table = xr.concat(versions, along, coords="all", combine_attrs="drop_conflicts").assign_coords(version=version)
    table["logits"] = xr.concat(logits, along, coords="different", compat="equals").assign_coords(version=version)
    table["logits_intact"] = intact["readout"].to_dataset()["logits"]
    return table
