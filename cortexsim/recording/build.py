"""Building the tree of a recording: arrays are filled time by time, then labelled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from cortexsim.model.plan import Images, RunPlan
from cortexsim.recording.description import ATTRIBUTE
from cortexsim.recording.io import flags
from cortexsim.stimuli.images import stimulus_coordinates
from cortexsim.stimuli.presentation import SHOWN, AnyPresentation, Mixture

if TYPE_CHECKING:
    from cortexsim.recording.plan import RecordingPlan

RESERVED = ("activation", "channel", "class", "component", "logits", "populated", "shown", "time", "unit", "x", "y")
ENERGY = "px step (pixel values in [0, 1])"


def coordinates_of(
    images: Images,
    labels: np.ndarray | None,
    n: int,
    until: int,
    presentation: AnyPresentation,
    seed: int,
    repeats: int = 1,
) -> dict[str, xr.Variable]:
    """Return the coordinates of a recording: stimuli (with their repeats in succession), times, and the screen content.

    Raises
    ------
    ValueError
        If a coordinate of the images has a name that is reserved for recordings.
    """
    target = np.repeat(np.arange(n), repeats)
    coordinates: dict[str, xr.Variable] = {
        "stimulus": xr.Variable("stimulus", np.arange(n * repeats), {"long_name": "stimulus"}),
        "time": xr.Variable("time", np.arange(until + 1), {"long_name": "time", "units": "steps"}),
        **{
            name: xr.Variable("stimulus", np.asarray(values)[target], values.attrs)
            for name, values in stimulus_coordinates(images).items()
            # the levels of a MultiIndex are separate coordinates, and files cannot contain the index
            if name != "stimulus" or not isinstance(values.indexes.get(name), pd.MultiIndex)
        },
    }
    own = set(RESERVED)
    if repeats > 1:
        own |= {"target", "repeat"}
    if any(part.mask is not None for part in presentation.components):
        own |= {"target_energy", "mask_energy"}
    taken = sorted(own & {*stimulus_coordinates(images)})
    if taken:
        raise ValueError(f"the images' coordinates {taken} have names that a recording uses itself; rename them")
    if labels is not None:
        coordinates["label"] = xr.Variable("stimulus", labels[target], {"long_name": "class"})
    if repeats > 1:
        coordinates["target"] = xr.Variable("stimulus", target, {"long_name": "index of the stimulus that is repeated"})
        coordinates["repeat"] = xr.Variable("stimulus", np.tile(np.arange(repeats), n), {"long_name": "repeat"})
    shown = np.array([[SHOWN.index(part.shown(time)) for time in range(until + 1)] for part in presentation.components])
    if isinstance(presentation, Mixture):
        drawn = presentation.draw(seed, torch.arange(n)).numpy()[target]
        coordinates["component"] = xr.Variable("stimulus", drawn, {"long_name": "component of the mixture"})
        coordinates["shown"] = flags(shown[drawn], ("stimulus", "time"))
    else:
        coordinates["shown"] = flags(shown[0], ("time",))
    return coordinates


def energies_of(run: RunPlan, batch_size: int, repeats: int) -> dict[str, xr.Variable]:
    """Return the stimulus coordinates `target_energy` and `mask_energy`, if there is a mask; see `Frames.energies`.

    Parameters
    ----------
    run : RunPlan
    batch_size : int
        Number of stimuli laid out at once.
    repeats : int
        Rows of the recording for each stimulus.
    """
    if all(part.mask is None for part in run.presentation.components):
        return {}
    energies: tuple[list[Tensor], list[Tensor]] = ([], [])
    for index in torch.arange(len(run.images)).split(min(batch_size, len(run.images))):
        frames = run.lay_out(run.images[index], index)
        for batches, energy in zip(energies, frames.energies(), strict=True):
            batches.append(energy)
    return {
        f"{name}_energy": xr.Variable(
            "stimulus",
            np.repeat(torch.cat(values).numpy(), repeats),
            {"long_name": f"RMS contrast squared x area x duration of the {name}", "units": ENERGY},
        )
        for name, values in zip(("target", "mask"), energies, strict=True)
    }


def label(plan: RecordingPlan, arrays: Mapping[str, Any]) -> xr.DataTree:
    """Label the arrays: a node for each recorded state and the readout, and the provenance on the root."""
    coordinates = plan.coordinates | energies_of(plan.run, plan.batch_size, plan.repeats)
    nodes: dict[str, xr.Dataset] = {}
    for name, values in arrays.items():
        state = plan.run.model.graph.last if name == "readout" else name
        if name == "readout":
            of_map = ("stimulus", "time", "class", "y", "x")
            recorded = {"logits": xr.Variable(of_map[: values.ndim], values, {"long_name": "logits"})}
            own: dict[str, Any] = {"class": np.arange(plan.run.model.n_classes)}
        else:
            selection = plan.selected[name]
            what = "rate" if plan.quantity == "rate" else "activation"
            text = f"{'spatial mean of the ' * (selection.part == 'spatial_mean')}{what} of {name}"
            dims = ("stimulus", "time", *selection.dims)
            recorded = {"activation": xr.Variable(dims, values, {"long_name": text, "units": "a.u."})}
            own = dict(selection.coordinates)
        # on every node, because coordinates without an index are not inherited, and a single node loses its parent
        nodes[name] = xr.Dataset({**recorded, "populated": _populated(plan, state)}, {**coordinates, **own})
    root = xr.Dataset(attrs={ATTRIBUTE: json.dumps(plan.provenance)})
    return xr.DataTree.from_dict({"/": root, **nodes})


def _populated(plan: RecordingPlan, state: str) -> xr.Variable:
    """Return the times at which a state is populated: for all stimuli, or for each by its component of the mixture."""
    front = np.array([[state in states for states in part] for part in plan.run.fronts])
    attrs = {"long_name": "populated (not empty)"}
    if (front == front[0]).all():
        return xr.Variable("time", front[0], attrs)
    return xr.Variable(("stimulus", "time"), front[plan.coordinates["component"].values], attrs)
