"""Running a grid of conditions: one readout time, one set of statistics, and one table or recording for all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import whole
from cortexsim._support.progress import Report, silent
from cortexsim.analyse.interval import wilson
from cortexsim.graph._schedule import populate
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import MissingStatisticsError, Statistics
from cortexsim.recording._simulate import simulate
from cortexsim.recording.io import ATTRIBUTE, settings
from cortexsim.stimuli.images import stimulus_coordinates
from cortexsim.stimuli.presentation import AnyPresentation, Presentation, mixture

OWN = ("accuracy", "correct", "high", "low", "reaches", "stimulus", "target")


@dataclass(frozen=True)
class Condition:
    """One cell of a grid, or several alike: what is shown, how, and whether it can matter.

    Parameters
    ----------
    labels : dict of str to value
        Along the dimensions of the grid.
    presentation : Presentation
    pixels : Tensor, shape (stimulus, 3, height, width)
        The targets as they are shown.
    reaches : bool
        Whether what distinguishes the condition can be in the last state at the readout time.
    """

    labels: dict[str, Any]
    presentation: Presentation
    pixels: Tensor
    reaches: bool


@dataclass(frozen=True)
class MaskAlone:
    """A masked presentation without its target, to follow where the mask gets."""

    presentation: Presentation

    def shown(self, time: int) -> str:
        """Say whether the mask is on the screen at a time."""
        return "mask" if self.presentation.shown(time) == "mask" else "nothing"


def run(
    protocol: str,
    model: Cortex,
    data: xr.Dataset,
    grid: Mapping[str, tuple[str, str, list[Any]]],
    conditions: Sequence[Condition],
    readout_time: int,
    record: Sequence[str] | None,
    *,
    statistics: Statistics | AnyPresentation | None = None,
    calibrate_on: Any = None,
    seed: int = 0,
    batch_size: int | None = None,
    device: Any = None,
    report: Report = silent,
) -> xr.Dataset | xr.DataTree:
    """Run all conditions; see `protocols.masking`.

    Parameters
    ----------
    protocol : str
        Its name, for the record.
    model : Cortex
    data : Dataset
        Targets with `label`; their pixels are the conditions'.
    grid : mapping of str to (long name, unit, values)
        The dimensions.
    conditions : sequence of Condition
        One for each cell.
    readout_time : int
    record : sequence of str or None
        States; None keeps the decisions alone.
    statistics, calibrate_on
        See `one_set`.
    seed, batch_size, device
        As for `simulate`.
    report : callable, optional
        Called before each condition with the fraction that is done and what is shown; an exception from it stops
        the run.

    Returns
    -------
    Dataset or DataTree
        A small table of decisions, or where states are asked for one recording.

    Raises
    ------
    ValueError
        If there are no labels, or a coordinate of the data has a name that the protocol uses itself.
    """
    if not isinstance(data, xr.Dataset) or "label" not in data.coords:
        raise ValueError("a protocol counts correct answers, so the data must be a Dataset with the coordinate 'label'")
    taken = sorted({*grid, *OWN} & {*stimulus_coordinates(data)})
    if taken:
        raise ValueError(f"the data's coordinates {taken} have names that the protocol uses itself; rename them")
    used = one_set(model, [c.presentation for c in conditions], statistics, calibrate_on, readout_time, seed)
    shape = tuple(len(values) for _, _, values in grid.values())
    correct, reaches = np.full((*shape, data.sizes["stimulus"]), np.nan), np.zeros(shape, bool)
    ran: dict[tuple[Presentation, int], xr.DataTree] = {}
    parts = []
    for number, condition in enumerate(conditions):
        report(number / len(conditions), str(condition.presentation))
        place = tuple(grid[name][2].index(condition.labels[name]) for name in grid)
        reaches[place] = condition.reaches
        if not condition.reaches and record is None:
            continue
        # the same trial, such as the blank control at every SOA, runs once
        key = condition.presentation, id(condition.pixels)
        if key not in ran:
            shown = xr.Dataset(
                {"image": (("stimulus", "channel", "y", "x"), condition.pixels.numpy())},
                stimulus_coordinates(data),
                {name: data.attrs[name] for name in ("classes",) if name in data.attrs},
            )
            ran[key] = simulate(
                model,
                shown,
                condition.presentation,
                until=readout_time,
                record=record or [],
                statistics=used,
                seed=seed,
                batch_size=batch_size,
                device=device,
            )
        parts.append((condition, ran[key]))
        if condition.reaches:
            logits = ran[key]["readout"].to_dataset()["logits"].isel(time=-1).values
            correct[place] = logits.argmax(-1) == data["label"].values
    about = {
        "protocol": protocol,
        "readout_time": readout_time,
        "chance": 1 / model.n_classes,
        "statistics": str(used or "none"),
        "model": model.checksum(),
        "seed": seed,
    }
    if record is not None:
        return _tree(parts, about, readout_time)
    return _table(data, grid, correct, reaches, about)


def _table(
    data: xr.Dataset,
    grid: Mapping[str, tuple[str, str, list[Any]]],
    correct: np.ndarray,
    reaches: np.ndarray,
    about: dict[str, Any],
) -> xr.Dataset:
    dims, n = tuple(grid), correct.shape[-1]
    summed = np.array([fraction(row) for row in correct.reshape(-1, n)]).T.reshape(3, *correct.shape[:-1])
    accuracy = {
        "long_name": "accuracy",
        "units": "1",
        "interval": interval_text(f"{n} stimuli"),
        "n": n,
        "chance": about["chance"],
    }
    return xr.Dataset(
        {
            "accuracy": (dims, summed[0], accuracy),
            "correct": ((*dims, "stimulus"), correct, {"long_name": "named correctly", "units": "1"}),
            "reaches": (dims, reaches, {"long_name": "can be in the last state at the readout time"}),
        },
        {
            **{
                name: (name, values, {"long_name": long_name, **({"units": units} if units else {})})
                for name, (long_name, units, values) in grid.items()
            },
            "low": (dims, summed[1]),
            "high": (dims, summed[2]),
            "stimulus": ("stimulus", np.arange(n), {"long_name": "stimulus"}),
            **stimulus_coordinates(data),
        },
        about,
    )


def _tree(parts: Sequence[tuple[Condition, xr.DataTree]], about: dict[str, Any], until: int) -> xr.DataTree:
    """Put the recordings of all conditions into one, whose stimuli are targets x conditions."""
    masks = any(condition.presentation.mask is not None for condition, _ in parts)
    labelled: dict[str, list[xr.Dataset]] = {}
    for condition, recording in parts:
        for name, node in recording.children.items():
            one = node.to_dataset()
            n = one.sizes["stimulus"]
            own = {**condition.labels, "reaches": condition.reaches}
            one = one.assign_coords({key: ("stimulus", np.full(n, value)) for key, value in own.items()})
            one = one.assign_coords(target=("stimulus", one["stimulus"].values))
            if masks and "mask_energy" not in one.coords:
                energies = condition.presentation.frames(condition.pixels, until).energies()
                for key, values in zip(("target_energy", "mask_energy"), energies, strict=True):
                    one = one.assign_coords({key: ("stimulus", values.numpy())})
            for key in ("populated", "shown"):
                if "stimulus" not in one[key].dims:
                    spread = np.broadcast_to(one[key].values, (n, one.sizes["time"]))
                    one[key] = xr.Variable(("stimulus", "time"), spread, one[key].attrs)
            labelled.setdefault(str(name), []).append(one.drop_vars("stimulus"))
    nodes = {}
    for name, ones in labelled.items():
        joined = xr.concat(
            ones, "stimulus", data_vars="all", coords="different", compat="equals", combine_attrs="override"
        )
        nodes[name] = joined.assign_coords(stimulus=np.arange(joined.sizes["stimulus"]))
    presentations = list(dict.fromkeys(condition.presentation for condition, _ in parts))
    made = {
        **settings(parts[0][1]),
        "presentation": mixture(*presentations).to_dict(),
        "presentation_text": f"{about['protocol']}, {len(parts)} conditions",
        "protocol": about,
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={ATTRIBUTE: json.dumps(made)}), **nodes})


def one_set(
    model: Cortex,
    presentations: Sequence[AnyPresentation],
    statistics: Statistics | AnyPresentation | None,
    calibrate_on: Any,
    until: int,
    seed: int,
) -> Statistics | None:
    """Find or take one set of statistics for all conditions; sets of their own would be a difference between them."""
    if not model.needs_statistics:
        return None
    every = tuple(dict.fromkeys(presentations))
    if calibrate_on is not None:
        if statistics is not None:
            raise ValueError("give either statistics, or images to take them on (calibrate_on), not both")
        return calibrate(model, calibrate_on, mixture(*every), until=until, seed=seed, keep=False)
    if statistics is not None:
        return model.find_statistics(None, statistics)
    weights = model.checksum()
    for held in model.statistics.values():
        if held.weights == weights and held.until >= until and all(held.presentation.contains(p) for p in every):
            return held
    lacking = [str(p) for p in every if not any(one.presentation.contains(p) for one in model.statistics.values())]
    raise MissingStatisticsError(
        f"no one set of the model's statistics serves all conditions up to time {until}; "
        + (
            f"it has none at all for {lacking}"
            if lacking
            else f"it holds {[str(s) for s in model.statistics.values()]}"
        )
        + "; give images to take them on, calibrate_on=..., or other statistics on purpose, statistics=..."
    )


def readout_time_of(model: Cortex, given: int | None, longest: int) -> int:
    """Return the readout time that is given, or the model's own, or a later one that the longest SOA needs.

    Raises
    ------
    ValueError
        If it is no whole number of at least 1.
    """
    if given is not None:
        return whole(given, "readout_time", 1, unit="steps")
    return max(model.readout_time, longest + arrival(model.graph))


def arrival(graph: CortexGraph) -> int:
    """Return the steps that an image at time 0 takes from the first state to the last."""
    front = populate(graph, None, len(graph.states) + max(t.times.last_change for t in graph.transitions))
    return next(time for time, states in enumerate(front) if graph.last in states)


def reaches_last(graph: CortexGraph, presentation: Presentation, time: int) -> bool:
    """Whether the mask, or where there is none the target, can be in the last state at a time."""
    alone = presentation if presentation.mask is None else MaskAlone(presentation)
    return graph.last in populate(graph, alone, time)[time]


def several(what: str, values: Any) -> list[Any]:
    """Return values as a list, if there are any and each is there once.

    Raises
    ------
    ValueError
        If not.
    """
    listed = [values] if isinstance(values, str) else list(values)
    if not listed or len(set(map(str, listed))) < len(listed):
        raise ValueError(f"{what} must be at least one value, each once, got {listed}")
    return listed


def fraction(correct: np.ndarray) -> np.ndarray:
    """Return the fraction correct and the ends of its interval, NaN where nothing was read out."""
    if not len(correct) or np.isnan(correct).any():
        return np.full(3, np.nan)
    return np.array([correct.mean(), *wilson(correct.sum(), len(correct))])


def interval_text(over: str) -> str:
    """Say which interval it is, and over what."""
    return f"95 % Wilson interval over {over}"
