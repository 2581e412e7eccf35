"""All that `Changes` asks of a recording, in one table: each state's summaries, and one state's matrices and paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim import analyse
from cortexsim._support.progress import Report
from cortexsim.datasets.labels import classes
from cortexsim.recording import trial
from cortexsim.recording.io import settings
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import SHOWN

RAW, OWN_SCALE = "as it is", "each unit standardized at each time"


def evolution(recording: xr.DataTree, images: xr.Dataset, *, state: str, scaling: str, report: Report) -> xr.Dataset:
    """Analyse a recording over time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    images : Dataset
        What was shown, with the coordinate `label`.
    state : str
        Whose matrices and paths.
    scaling : str
        `RAW`, or `OWN_SCALE`, see `analyse.standardized`; of all but the maps and the spread.
    report : callable
        See `Study.measure`.

    Returns
    -------
    Dataset
        `decode`, `dimensionality`, `spread` (state, time); of the state: `temporal_generalization` (train_time,
        test_time), `rdm` (time, stimulus, other_stimulus), `trajectory` (time, class, component); and what is
        drawn as pictures: `map_<state>` (shown, time, y_<state>, x_<state>), `picture` (shown, channel, y, x) and
        `shown_at` (time).
        Intervals are coordinates, as `decode_low`.

    Raises
    ------
    ValueError
        Of the analyses, as where the images have no label.
    """
    states = trial.states(recording)
    decoded, sizes, spreads = [], [], []
    whole: dict[str, Any] = {}
    for place, name in enumerate(states):
        node = recording[name]
        report(place / len(states) * 0.8, f"decoding {name}")
        scaled = node if scaling == RAW else analyse.standardized(node)
        if name == state:
            scores = analyse.temporal_generalization(scaled)
            decoded.append(_diagonal(scores, recording))
            report((place + 0.7) / len(states) * 0.8, f"comparing stimuli in {name}")
            whole["rdm"] = analyse.rdm(scaled)
            whole["trajectory"] = analyse.trajectory(scaled, 2, average="label").rename(label="class")
            whole["temporal_generalization"] = scores.rename("temporal_generalization")
        else:
            decoded.append(analyse.decode(scaled))
        report((place + 0.9) / len(states) * 0.8, f"measuring {name}")
        sizes.append(analyse.dimensionality(scaled))
        spreads.append(analyse.spread(node))
    report(0.85, "drawing the maps")
    quantity = settings(recording)["quantity"]
    summaries = {"decode": decoded, "dimensionality": sizes, "spread": spreads}
    tables = [_by_state(name, found, states) for name, found in summaries.items()]
    tables += [_named(name, array) for name, array in whole.items()]
    labels = np.unique(images["label"].values)
    names = np.asarray([str(name) for name in classes(images)]) if "classes" in images.attrs else labels.astype(str)
    named = names[labels] if "classes" in images.attrs else names
    pictures = _pictures(recording, images, states, labels, named, quantity)
    # the values of a dimension would be read as two by netCDF
    merged = xr.merge(
        [*(table.assign_coords({"class": named}) if "class" in table.dims else table for table in tables)]
    )
    merged = merged.assign(pictures)
    merged = merged.assign_coords(place_of_label=("stimulus", np.searchsorted(labels, merged["label"].values)))
    if "class" not in merged.coords:
        merged = merged.assign_coords({"class": named})
    return merged.assign_attrs(
        state=state,
        quantity_text=quantity if scaling == RAW else f"{quantity}, {scaling}",
        n=int(merged.sizes["stimulus"]),
        chance=float(decoded[-1].attrs["chance"]),
    )


def _diagonal(scores: xr.DataArray, recording: xr.DataTree) -> xr.DataArray:
    """Take what `decode` would find from the decoders that were trained already."""
    time = recording["readout"]["time"].variable
    ends = {end: ("time", np.diag(scores[end])) for end in ("low", "high")}
    return xr.DataArray(np.diag(scores), {"time": time, **ends}, ("time",), "decode", scores.attrs)


def _by_state(name: str, found: list[xr.DataArray], states: list[str]) -> xr.Dataset:
    one = xr.concat(
        [each.rename(name) for each in found],
        xr.Variable("state", states, {"long_name": "area"}),
        combine_attrs="override",
        coords="different",
        compat="equals",
    )
    units = {each.attrs.get("units") for each in found}
    return _named(
        name, one.assign_attrs({"of": "each area", "units": found[0].attrs["units"] if len(units) == 1 else "1"})
    )


def _named(name: str, array: xr.DataArray) -> xr.Dataset:
    """Put an array into a table, where `low` and `high` would be anybody's."""
    ends = {end: f"{name}_{end}" for end in ("low", "high") if end in array.coords}
    return array.rename(ends).to_dataset(name=name)


def _pictures(
    recording: xr.DataTree, images: xr.Dataset, states: list[str], labels: np.ndarray, named: np.ndarray, quantity: str
) -> dict[str, Any]:
    """Give maps of the first stimulus of each class, and of each class's mean."""
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
        held = recording[name]["activation"]
        each = np.stack([abs(held.isel(time=k)).mean("channel").values for k in range(held.sizes["time"])], 1)
        maps = np.stack([each[one].mean(0) for one in chosen]).astype(np.float32)
        attributes = {"long_name": text, "units": "a.u."}
        found[f"map_{name}"] = (("shown", "time", f"y_{name}", f"x_{name}"), maps, attributes)
    return found
