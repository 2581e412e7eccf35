"""The analyses of `Changes` in one table: summaries of every state; matrices and trajectories of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim import analyse
from cortexsim._support.joining import joined
from cortexsim._support.progress import Report
from cortexsim.datasets.labels import classes
from cortexsim.recording import trial
from cortexsim.recording.description import settings
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import SHOWN

RAW, CENTRED, OWN_SCALE = "as it is", "the mean removed at each time", "each unit standardized at each time"
SCALINGS = (RAW, CENTRED, OWN_SCALE)


def evolution(recording: xr.DataTree, images: xr.Dataset, *, state: str, scaling: str, report: Report) -> xr.Dataset:
    """Analyse a recording over time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    images : Dataset
        The images that were shown, with the coordinate `label`.
    state : str
        The state of the matrices and trajectories.
    scaling : str
        `RAW`, `CENTRED` or `OWN_SCALE` (see `analyse.standardized`), for everything but the maps and the spread.
    report : callable
        See `Study.measure`.

    Returns
    -------
    Dataset
        `decode`, `dimensionality`, `spread` (state, time); for the state: `temporal_generalization` (train_time,
        test_time), `by_scaling`, the same with each scaling (scaling, train_time, test_time), `rdm` (time, stimulus,
        other_stimulus), `trajectory` (time, class, component); for the film: `map_<state>` (shown, time, y_<state>,
        x_<state>), `picture` (shown, channel, y, x) and `shown_at` (time).
        Intervals are coordinates, such as `decode_low`.

    Raises
    ------
    ValueError
        If an analysis is not possible, for example because the images have no label.
    """
    states = trial.states(recording)
    summaries, of_state = _analysed(recording, states, state, scaling, report)
    report(0.85, "drawing the maps")
    quantity = settings(recording)["quantity"]
    labels, names = _classes_shown(images)
    tables = [_by_state(name, found, states) for name, found in summaries.items()]
    tables += [_named(name, array) for name, array in of_state.items()]
    merged = xr.merge([table.assign_coords({"class": names}) if "class" in table.dims else table for table in tables])
    merged = merged.assign(_pictures(recording, images, states, labels, names, quantity))
    merged = merged.assign_coords(place_of_label=("stimulus", np.searchsorted(labels, merged["label"].values)))
    return merged.assign_attrs(
        state=state,
        quantity_text=quantity if scaling == RAW else f"{quantity}, {scaling}",
        n=int(merged.sizes["stimulus"]),
        chance=float(summaries["decode"][-1].attrs["chance"]),
    )


def _analysed(
    recording: xr.DataTree, states: list[str], state: str, scaling: str, report: Report
) -> tuple[dict[str, list[xr.DataArray]], dict[str, xr.DataArray]]:
    """Return the summaries of every state, and the matrices and trajectories of one."""
    summaries: dict[str, list[xr.DataArray]] = {"decode": [], "dimensionality": [], "spread": []}
    of_state: dict[str, xr.DataArray] = {}
    for place, name in enumerate(states):
        node = recording[name]
        report(place / len(states) * 0.8, f"decoding {name}")
        scaled = _scaled(node, scaling)
        if name == state:
            scores = analyse.temporal_generalization(scaled)
            others = {one: analyse.temporal_generalization(_scaled(node, one)) for one in SCALINGS if one != scaling}
            of_state["by_scaling"] = _by_scaling(others | {scaling: scores})
            summaries["decode"].append(_diagonal(scores, recording))
            report((place + 0.7) / len(states) * 0.8, f"comparing stimuli in {name}")
            of_state["rdm"] = analyse.rdm(scaled)
            of_state["trajectory"] = analyse.trajectory(scaled, 2, average="label").rename(label="class")
            of_state["temporal_generalization"] = scores.rename("temporal_generalization")
        else:
            summaries["decode"].append(analyse.decode(scaled))
        report((place + 0.9) / len(states) * 0.8, f"measuring {name}")
        summaries["dimensionality"].append(analyse.dimensionality(scaled))
        summaries["spread"].append(analyse.spread(node))
    return summaries, of_state


def _scaled(node: xr.DataTree | xr.DataArray, scaling: str) -> xr.DataTree | xr.DataArray:
    return node if scaling == RAW else analyse.standardized(node, divided=scaling == OWN_SCALE)


def _by_scaling(scores: dict[str, xr.DataArray]) -> xr.DataArray:
    """Join matrices along `scaling`, in the order of `SCALINGS`, without the intervals."""
    along = xr.Variable("scaling", list(SCALINGS), {"long_name": "scaling"})
    parts = [scores[name].drop_vars(["low", "high"]) for name in SCALINGS]
    return xr.concat(parts, along, combine_attrs="override").rename("by_scaling")


def _classes_shown(images: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels that occur among the images, and the names of these classes."""
    labels = np.unique(images["label"].values)
    if "classes" not in images.attrs:
        return labels, labels.astype(str)
    return labels, np.asarray([str(name) for name in classes(images)])[labels]


def _diagonal(scores: xr.DataArray, recording: xr.DataTree) -> xr.DataArray:
    """Return the result of `decode`, computed from the decoders that are already trained."""
    time = recording["readout"]["time"].variable
    ends = {end: ("time", np.diag(scores[end])) for end in ("low", "high")}
    return xr.DataArray(np.diag(scores), {"time": time, **ends}, ("time",), "decode", scores.attrs)


def _by_state(name: str, found: list[xr.DataArray], states: list[str]) -> xr.Dataset:
    along = xr.Variable("state", states, {"long_name": "area"})
    one = joined([each.rename(name) for each in found], along, combine_attrs="override")
    units = {each.attrs.get("units") for each in found}
    return _named(
        name, one.assign_attrs({"of": "each area", "units": found[0].attrs["units"] if len(units) == 1 else "1"})
    )


def _named(name: str, array: xr.DataArray) -> xr.Dataset:
    """Add an array to a table, with its name added to `low` and `high`."""
    ends = {end: f"{name}_{end}" for end in ("low", "high") if end in array.coords}
    return array.rename(ends).to_dataset(name=name)


def _pictures(
    recording: xr.DataTree, images: xr.Dataset, states: list[str], labels: np.ndarray, named: np.ndarray, quantity: str
) -> dict[str, Any]:
    """Return maps of the first stimulus of each class, and of the mean of each class."""
    label = images["label"].values
    members = [np.flatnonzero(label == value) for value in labels]
    chosen = [one[:1] for one in members] + members
    shown = [f"stimulus {one[0]} ({name})" for one, name in zip(members, named, strict=True)]
    shown += [f"mean of {len(one)} ({name})" for one, name in zip(members, named, strict=True)]
    pixels = as_images(images).float() / (255 if images["image"].dtype == np.uint8 else 1)
    found: dict[str, Any] = {
        "shown": ("shown", shown, {"long_name": "shown"}),
        "picture": (("shown", "channel", "y", "x"), np.stack([pixels[one].mean(0).numpy() for one in chosen])),
        "shown_at": ("time", [SHOWN[int(flag)] for flag in np.asarray(recording["readout"]["shown"])]),
    }
    text = "mean rate over channels" if quantity == "rate" else "mean |state| over channels"
    for name in states:
        activity = recording[name]["activation"]
        each = np.stack([abs(activity.isel(time=k)).mean("channel").values for k in range(activity.sizes["time"])], 1)
        maps = np.stack([each[one].mean(0) for one in chosen]).astype(np.float32)
        attributes = {"long_name": text, "units": "a.u."}
        found[f"map_{name}"] = (("shown", "time", f"y_{name}", f"x_{name}"), maps, attributes)
    return found
