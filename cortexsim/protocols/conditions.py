"""Experiments of several conditions: one readout time, one set of statistics, and one table or recording for all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, TypeVar

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import listed, one_of, unknown, whole
from cortexsim._support.labelled import refuse_missing
from cortexsim._support.progress import Report, checked, silent
from cortexsim.analyse._latched import latched
from cortexsim.analyse._map_accuracy import yes_no
from cortexsim.analyse.interval import fraction
from cortexsim.analyse.target_maps import maps_of
from cortexsim.graph._schedule import arrival, populate
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model._calibrate import calibrate
from cortexsim.model.classes import matched
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import MissingStatisticsError, Statistics
from cortexsim.model.plan import Images, stored_statistics
from cortexsim.recording._simulate import simulate
from cortexsim.recording.description import ATTRIBUTE, settings
from cortexsim.recording.selection import Record, as_record, selections
from cortexsim.stimuli.images import DIMS, as_images, stimulus_coordinates, without_levels
from cortexsim.stimuli.presentation import AnyPresentation, Presentation, mixture

RESERVED = ("accuracy", "correct", "high", "low", "reaches", "target")

Value = TypeVar("Value")


class Options(TypedDict, total=False):
    """Options of all protocols; see `masking`."""

    statistics: Statistics | AnyPresentation | None
    calibrate_on: Images | None
    seed: int
    batch_size: int | None
    device: str | torch.device | None
    report: Report


def known_options(protocol: str, options: Options) -> Options:
    """Return the options of a protocol, or refuse an argument that it does not have.

    Raises
    ------
    TypeError
        If there is one.
    """
    allowed = ("readout_time", "record", *Options.__annotations__)
    for name in options:
        if name not in allowed:
            raise TypeError(unknown(f"argument of {protocol}", name, allowed))
    return options


class Dimension(NamedTuple):
    """A dimension of an experiment: its name in words, its unit, and its values."""

    long_name: str
    units: str
    values: Sequence[Any]


@dataclass(frozen=True)
class Condition:
    """One cell of an experiment: the images and presentation, and whether the readout can depend on it.

    Parameters
    ----------
    labels : dict of str to value
        Its place along the dimensions.
    presentation : Presentation
    images : Tensor, shape (stimulus, 3, height, width)
        The targets as they are shown.
    reaches : bool
        Whether what distinguishes the condition can have reached the last state at the readout time.
    """

    labels: dict[str, Any]
    presentation: Presentation
    images: Tensor
    reaches: bool


@dataclass(frozen=True)
class MaskAlone:
    """A masked presentation without its target, to follow the signal of the mask."""

    presentation: Presentation

    def shown(self, time: int) -> str:
        """Return "mask" while the mask is on the screen, else "nothing"."""
        return "mask" if self.presentation.shown(time) == "mask" else "nothing"


def refuse_maps(model: Cortex, protocol: str) -> None:
    """Refuse a model whose readout is a map, for a protocol that compares one answer for each stimulus.

    Raises
    ------
    ValueError
        With the calls that serve a map instead.
    """
    if len(model.readout_shape) > 1:
        raise ValueError(
            f"the readout of this model is a map, and {protocol} compares one answer for each stimulus; show the "
            "stimuli with cs.simulate (silence=, gain= and transition_noise= make lesions) and read the maps with "
            "cs.analyse.map_accuracy"
        )


def n_images(model: Cortex, images: Images) -> int:
    """Count images after checking that the model can see them."""
    pixels = as_images(images)
    model.check_images(pixels)
    return len(pixels)


def refuse_names(data: Images, names: Iterable[str]) -> None:
    """Raise a ValueError if stimulus coordinates have names that a protocol uses itself in its result."""
    taken = sorted({*names} & {*stimulus_coordinates(data)})
    if taken:
        raise ValueError(f"the data's coordinates {taken} have names that the protocol uses itself; rename them")


def refuse_other_labels(data: object) -> None:
    """Raise a ValueError unless there is one label for each stimulus."""
    if not isinstance(data, xr.Dataset) or "label" not in data.coords:
        raise ValueError("a protocol counts correct answers, so the data must be a Dataset with the coordinate 'label'")
    if data["label"].dims != ("stimulus",):
        raise ValueError(
            f"a protocol needs one class number for each stimulus, but 'label' has the dimensions {data['label'].dims}"
        )


def run_conditions(
    protocol: str,
    model: Cortex,
    data: xr.Dataset,
    dimensions: Mapping[str, Dimension],
    conditions: Sequence[Condition],
    readout_time: int,
    record: Record | None,
    *,
    latch: float | None = None,
    by: str | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    calibrate_on: Images | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
    report: Report = silent,
) -> xr.Dataset | xr.DataTree:
    """Run all conditions; see `protocols.masking`.

    Parameters
    ----------
    protocol : str
        Its name, for the result.
    model : Cortex
    data : Dataset
        Targets with `label`, or with target maps for a model that reads out a map; the conditions have their pixels. A
        coordinate `stimulus` names the stimuli of the result, in a recording as `target`.
    dimensions : mapping of str to Dimension
    conditions : sequence of Condition
        One for each cell.
    readout_time : int
    record : sequence of str or None
        States; with None, the result contains the decisions only.
    latch : float, optional
        Keep each decision once it reaches this threshold; see `analyse.latched`.
    by : str, optional
        A coordinate of the stimuli; accuracy is computed separately for each of its values.
    statistics, calibrate_on
        See `shared_statistics`.
    seed, batch_size, device
        As for `simulate`.
    report : callable, optional
        Called before each condition with the fraction that is done and a message; an exception from it stops the run.

    Returns
    -------
    Dataset or DataTree
        A table of decisions, or, if there are states to record, one recording.

    Raises
    ------
    ValueError
        If there are no labels, or a coordinate of the data has a name that the protocol uses itself.
    """
    report, of_maps = checked(report), len(model.readout_shape) == 3
    record = None if record is None else as_record(selections(model.graph, record))
    _check_answers(data, of_maps)
    if as_images(data).ndim != len(DIMS):
        raise ValueError("this protocol shows single images, but the data are movies, with the dimension 'frame'")
    _check_decisions(data, record, latch, by)
    # the data's own `stimulus` names the stimuli of the result
    refuse_names(data, (*dimensions, *RESERVED))
    data = matched(model, without_levels(data))
    presentations = [condition.presentation for condition in conditions]
    used = shared_statistics(model, presentations, statistics, calibrate_on, readout_time, seed)
    recordings: dict[tuple[Presentation, int], xr.DataTree] = {}
    ran: list[tuple[Condition, xr.DataTree]] = []
    for number, condition in enumerate(conditions):
        report(number / len(conditions), str(condition.presentation))
        if not condition.reaches and record is None:
            continue
        # the same trial, such as the blank control at every SOA, runs once
        key = condition.presentation, id(condition.images)
        if key not in recordings:
            recordings[key] = simulate(
                model,
                _with_images(data, condition.images),
                condition.presentation,
                until=readout_time,
                record=[] if record is None else record,
                statistics=used,
                seed=seed,
                batch_size=batch_size,
                device=device,
            )
        ran.append((condition, recordings[key]))
    about = {
        "protocol": protocol,
        "readout_time": readout_time,
        "chance": 0.5 if of_maps else 1 / model.n_classes,
        "statistics": str(used or "none"),
        "model": model.checksum(),
        "seed": seed,
        **({} if latch is None else {"latch": latch}),
    }
    if record is not None:
        return _joined(ran, about, readout_time)
    correct = [(condition, _correct(recording, data, latch)) for condition, recording in ran]
    return _table(data, dimensions, conditions, correct, about, by)


def _check_answers(data: xr.Dataset, of_maps: bool) -> None:
    if of_maps:
        if not isinstance(data, xr.Dataset) or "target" not in data or "foil_y" not in data.coords:
            raise ValueError(
                "the readout of this model is a map, and a protocol reads it at the far point and at the foil: the "
                "data must have target maps and the coordinates end_y, end_x, foil_y and foil_x (see "
                "cs.datasets.paths)"
            )
    else:
        refuse_other_labels(data)


def _check_decisions(data: xr.Dataset, record: Record | None, latch: float | None, by: str | None) -> None:
    if record is not None and (latch is not None or by is not None):
        raise ValueError(
            "latch and by apply to decisions, but with record= the result is a recording: leave them out, and use "
            "cs.analyse.latched and cs.analyse.accuracy(..., by=...) on it"
        )
    if by is not None:
        one_of(by, "by", sorted({*stimulus_coordinates(data)} - {"stimulus"}))
        refuse_missing(np.asarray(data[by].values), by)


def _correct(recording: xr.DataTree, data: xr.Dataset, latch: float | None) -> np.ndarray:
    """Return whether each stimulus is answered correctly at the last time; for a map, the mean of its two answers."""
    readout = recording["readout"] if latch is None else latched(recording, latch)
    last = readout.to_dataset() if isinstance(readout, xr.DataTree) else readout
    last = last.isel(time=slice(-1, None))
    if "y" in last["logits"].dims:
        return yes_no(maps_of(last, data))[:, 0]
    return (last["logits"].values[:, 0].argmax(-1) == data["label"].values).astype(float)


def _with_images(data: xr.Dataset, images: Tensor) -> xr.Dataset:
    """Return a Dataset of other images with the stimulus coordinates and classes of the data."""
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), images.numpy())},
        stimulus_coordinates(data),
        {name: data.attrs[name] for name in ("classes",) if name in data.attrs},
    )


def _table(
    data: xr.Dataset,
    dimensions: Mapping[str, Dimension],
    conditions: Sequence[Condition],
    answered: Sequence[tuple[Condition, np.ndarray]],
    about: dict[str, Any],
    by: str | None,
) -> xr.Dataset:
    """Tabulate the decisions of all conditions; NaN where a condition cannot have reached the last state.

    With `by`, accuracy has that dimension last, and the coordinate of the stimuli is called `stimulus_<by>`.
    """
    dims, n = tuple(dimensions), data.sizes["stimulus"]
    known = stimulus_coordinates(data)
    values, groups, over = [], [np.ones(n, dtype=bool)], f"{n} stimuli"
    if by is not None:
        values = sorted(set(data[by].values.tolist()))
        groups = [data[by].values == value for value in values]
        known = {f"stimulus_{by}" if name == by else name: one for name, one in known.items()}
        over = f"the {min(int(group.sum()) for group in groups)} or more stimuli of each {by}"
    shape = tuple(len(dimension.values) for dimension in dimensions.values())
    correct, reaches = np.full((*shape, n), np.nan), np.zeros(shape, bool)

    def cell(condition: Condition) -> tuple[int, ...]:
        return tuple(list(dimensions[name].values).index(condition.labels[name]) for name in dims)

    for condition in conditions:
        reaches[cell(condition)] = condition.reaches
    for condition, right in answered:
        correct[cell(condition)] = right
    rows = [[fraction_correct(row[group]) for group in groups] for row in correct.reshape(-1, n)]
    summed = np.moveaxis(np.array(rows), 2, 0).reshape(3, *shape, len(groups))
    counted = dims if by is None else (*dims, by)
    if by is None:
        summed = summed[..., 0]
    accuracy = {
        "long_name": "accuracy",
        "units": "1",
        "interval": interval_text(over),
        "n": n,
        "chance": about["chance"],
    }
    return xr.Dataset(
        {
            "accuracy": (counted, summed[0], accuracy),
            "correct": ((*dims, "stimulus"), correct, {"long_name": "classified correctly", "units": "1"}),
            "reaches": (dims, reaches, {"long_name": "can be in the last state at the readout time"}),
        },
        {
            **{
                name: (name, list(values), {"long_name": long_name, **({"units": units} if units else {})})
                for name, (long_name, units, values) in dimensions.items()
            },
            "low": (counted, summed[1]),
            "high": (counted, summed[2]),
            "stimulus": ("stimulus", np.arange(n), {"long_name": "stimulus"}),
            **known,
            **({} if by is None else {by: (by, values, dict(data[by].attrs))}),
        },
        about,
    )


def _joined(ran: Sequence[tuple[Condition, xr.DataTree]], about: dict[str, Any], until: int) -> xr.DataTree:
    """Join the recordings of all conditions into one, whose stimuli are targets x conditions."""
    masked = any(condition.presentation.mask is not None for condition, _ in ran)
    parts: dict[str, list[xr.Dataset]] = {}
    for condition, recording in ran:
        for name, node in recording.children.items():
            parts.setdefault(str(name), []).append(_labelled(node.to_dataset(), condition, masked, until))
    nodes = {}
    for name, datasets in parts.items():
        joined = xr.concat(
            datasets, "stimulus", data_vars="all", coords="different", compat="equals", combine_attrs="override"
        )
        nodes[name] = joined.assign_coords(stimulus=np.arange(joined.sizes["stimulus"]))
    presentations = list(dict.fromkeys(condition.presentation for condition, _ in ran))
    made = {
        **settings(ran[0][1]),
        "presentation": mixture(*presentations).to_dict(),
        "presentation_text": f"{about['protocol']}, {len(ran)} conditions",
        "protocol": about,
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={ATTRIBUTE: json.dumps(made)}), **nodes})


def _labelled(node: xr.Dataset, condition: Condition, masked: bool, until: int) -> xr.Dataset:
    """Label the stimuli of a node with their condition, in the form in which all conditions can be joined."""
    n = node.sizes["stimulus"]
    labels = {**condition.labels, "reaches": condition.reaches}
    node = node.assign_coords({key: ("stimulus", np.full(n, value)) for key, value in labels.items()})
    node = node.assign_coords(target=("stimulus", node["stimulus"].values))
    if masked and "mask_energy" not in node.coords:
        energies = condition.presentation.frames(condition.images, until).energies()
        for key, values in zip(("target_energy", "mask_energy"), energies, strict=True):
            node = node.assign_coords({key: ("stimulus", values.numpy())})
    for key in ("populated", "shown"):
        if "stimulus" not in node[key].dims:
            spread = np.broadcast_to(node[key].values, (n, node.sizes["time"]))
            node[key] = xr.Variable(("stimulus", "time"), spread, node[key].attrs)
    return node.drop_vars("stimulus")


def shared_statistics(
    model: Cortex,
    presentations: Sequence[AnyPresentation],
    statistics: Statistics | AnyPresentation | None,
    calibrate_on: Images | None,
    until: int,
    seed: int,
) -> Statistics | None:
    """Find or take one set of statistics for all conditions; separate sets would add a difference between them.

    Parameters
    ----------
    model : Cortex
    presentations : sequence of Presentation or Mixture
        Of all conditions.
    statistics : Statistics or Presentation, optional
        A set to use instead of the model's own.
    calibrate_on : Tensor or Dataset, optional
        Images on which to take a set for this run only.
    until : int
        Last time.
    seed : int
        Draws masks and the components of a mixture.

    Returns
    -------
    Statistics or None
        None for a model that needs none.

    Raises
    ------
    ValueError
        If both statistics and images to take them on are given.
    MissingStatisticsError
        If no set of the model's covers all conditions.
    """
    if calibrate_on is not None:
        n_images(model, calibrate_on)
    if not model.needs_statistics:
        return stored_statistics(model, None, statistics)
    every = tuple(dict.fromkeys(presentations))
    if calibrate_on is not None:
        if statistics is not None:
            raise ValueError("give either statistics, or images to take them on (calibrate_on), not both")
        return calibrate(model, calibrate_on, mixture(*every), until=until, seed=seed, keep=False)
    if statistics is not None:
        return model.find_statistics(None, statistics)
    known, weights = model.statistics.values(), model.checksum()
    for one in known:
        if one.weights == weights and one.until >= until and all(one.presentation.contains(p) for p in every):
            return one
    lacking = [str(p) for p in every if not any(one.presentation.contains(p) for one in known)]
    raise MissingStatisticsError(
        f"no single set of the model's statistics covers all conditions up to time {until}; "
        + (f"it has none at all for {lacking}" if lacking else f"it has {[str(one) for one in known]}")
        + "; give images to take them on, calibrate_on=..., or choose other statistics, statistics=..."
    )


def readout_time_for(model: Cortex, readout_time: int | None, longest_soa: int) -> int:
    """Return the readout time of all conditions: by default the model's own, or later if the longest SOA needs it.

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.
    """
    if readout_time is not None:
        return whole(readout_time, "readout_time", 1, unit="steps", limit=MOST_STEPS)
    return max(model.readout_time, longest_soa + arrival(model.graph))


def reaches_last(graph: CortexGraph, presentation: Presentation, time: int) -> bool:
    """Return whether the mask, or without one the target, can be in the last state at a time."""
    alone = presentation if presentation.mask is None else MaskAlone(presentation)
    return graph.last in populate(graph, alone, time)[time]


def distinct(what: str, values: Iterable[Value]) -> list[Value]:
    """Return values as a list; a text is one value.

    Raises
    ------
    ValueError
        If there are none, or one occurs twice.
    TypeError
        If it is a single number, or another value that is no collection.
    """
    several: list[Any] = [str(values)] if isinstance(values, str) else listed(values, what)
    if not several or len(set(map(str, several))) < len(several):
        raise ValueError(f"{what} must be at least one value, each once, got {several}")
    return several


def fraction_correct(correct: np.ndarray) -> np.ndarray:
    """Return the fraction correct and the ends of its interval, shape (3,); NaN if nothing was read out."""
    if np.isnan(correct).any():
        return np.full(3, np.nan)
    return fraction(correct.sum(), len(correct))


def interval_text(over: str) -> str:
    """Describe the interval, and the units that vary in it."""
    return f"95 % Wilson interval over {over}"
