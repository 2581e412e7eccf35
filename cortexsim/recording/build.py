"""What a run keeps: arrays made beforehand and filled time by time, then labelled; the tree that is a recording."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from cortexsim.graph._schedule import Schedule, populate
from cortexsim.graph.transitions import Times
from cortexsim.model.activity import Activity
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Normalize
from cortexsim.recording.io import ATTRIBUTE, flags
from cortexsim.recording.selection import Portion
from cortexsim.stimuli.images import stimulus_coordinates
from cortexsim.stimuli.presentation import SHOWN, AnyPresentation, Mixture

TAKEN = ("activation", "channel", "class", "component", "logits", "populated", "shown", "time", "unit", "x", "y")
TOO_LARGE = 65_520.0  # half way from the largest float16 to what would be the next one
ENERGY = "px step (pixel values in [0, 1])"


def coordinates_of(
    images: Any,
    labels: Sequence[int] | None,
    n: int,
    until: int,
    presentation: AnyPresentation,
    seed: int,
    repeats: int = 1,
) -> dict[str, Any]:
    """Label what is recorded: stimuli (each with its repeats one after the other), times, and what is on the screen.

    Raises
    ------
    ValueError
        If the labels do not fit, or a coordinate of the images has a name that the recording uses itself.
    """
    target = np.repeat(np.arange(n), repeats)
    coordinates: dict[str, Any] = {
        "stimulus": xr.Variable("stimulus", np.arange(n * repeats), {"long_name": "stimulus"}),
        "time": xr.Variable("time", np.arange(until + 1), {"long_name": "time", "units": "steps"}),
        **{name: values.variable[target] for name, values in stimulus_coordinates(images).items()},
    }
    own = set(TAKEN)
    if repeats > 1:
        own |= {"target", "repeat"}
    if any(part.mask is not None for part in presentation.components):
        own |= {"target_energy", "mask_energy"}
    taken = sorted(own & {*stimulus_coordinates(images)})
    if taken:
        raise ValueError(f"the images' coordinates {taken} have names that a recording uses itself; rename them")
    if labels is not None:
        given = np.asarray(labels)
        if given.shape != (n,):
            raise ValueError(f"labels must be one for each of the {n} stimuli, got shape {given.shape}")
        coordinates["label"] = xr.Variable("stimulus", given[target], {"long_name": "class"})
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


def energies_of(
    presentation: AnyPresentation, pixels: Tensor, until: int, seed: int, batch_size: int, repeats: int = 1
) -> dict[str, xr.Variable]:
    """Return the stimulus coordinates `target_energy` and `mask_energy`, where there is a mask; see `Frames.energies`.

    Parameters
    ----------
    presentation : Presentation or Mixture
    pixels : Tensor, shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence
    until, seed, repeats : int
        As for `simulate`.
    batch_size : int
        Stimuli that are laid out at once.
    """
    if all(part.mask is None for part in presentation.components):
        return {}
    energies: tuple[list[Tensor], list[Tensor]] = ([], [])
    for index in torch.arange(len(pixels)).split(batch_size):
        frames = presentation.frames(pixels[index], until, seed=seed, index=index, others=pixels)
        for kept, energy in zip(energies, frames.energies(), strict=True):
            kept.append(energy)
    return {
        f"{name}_energy": xr.Variable(
            "stimulus",
            np.repeat(torch.cat(values).numpy(), repeats),
            {"long_name": f"RMS contrast squared x area x duration of the {name}", "units": ENERGY},
        )
        for name, values in zip(("target", "mask"), energies, strict=True)
    }


def shapes_of(model: Cortex, n: int, until: int, kept: Mapping[str, Portion]) -> dict[str, tuple[int, ...]]:
    """Return the shape of what is kept of each state, (stimulus, time, ...), and of the readout."""
    shapes = {name: (n, until + 1, *portion.shape) for name, portion in kept.items()}
    return {**shapes, "readout": (n, until + 1, model.n_classes)}


def keep(
    arrays: Mapping[str, np.ndarray],
    model: Cortex,
    h: Mapping[str, Activity],
    time: int,
    kept: Mapping[str, Portion],
    quantity: str,
    normalize: Normalize,
) -> None:
    """Write what the states of a batch hold at one time, and its readout, into the batch's arrays."""
    for name, portion in kept.items():
        if name in h:
            values = h[name].values
            asked = F.relu(normalize(values, name, time)) if quantity == "rate" else values
            _write(arrays[name], portion.of(asked), h[name], time, name)
    if model.graph.last in h:
        last = h[model.graph.last]
        logits = model.post(last.values, model.graph.last, time, normalize)
        _write(arrays["readout"], logits, last, time, "readout")


def _write(array: np.ndarray, values: Tensor, at: Activity, time: int, name: str) -> None:
    values = values.detach()
    if array.dtype == np.float16:
        _check_fits(values, name, time)
    room = torch.from_numpy(array)
    if at.rows is None:
        # from the device, to the dtype and into the layout in one pass
        room[:, time].copy_(values)
    else:
        room[at.rows.cpu(), time] = values.to("cpu", room.dtype)


def _check_fits(values: Tensor, name: str, time: int) -> None:
    """Refuse what float16 would round to infinity."""
    magnitudes = values.abs()
    # the largest is NaN where any is, and NaN is no overflow
    if not float(magnitudes.amax()) < TOO_LARGE and bool((magnitudes >= TOO_LARGE).any()):
        raise ValueError(
            f"{name} reaches {float(magnitudes.max()):.3g} at time {time}, too large for float16; use dtype='float32'"
        )


def recording_of(
    model: Cortex,
    arrays: Mapping[str, Any],
    kept: Mapping[str, Portion],
    coordinates: dict[str, Any],
    presentation: AnyPresentation,
    planned: Schedule,
    closed: dict[str, Times],
    made: dict[str, Any],
) -> xr.DataTree:
    """Label the arrays: a node for each recorded state and the readout, and on the root how they were made."""
    fronts = [populate(model.graph, part, planned.until, closed) for part in presentation.components]
    nodes: dict[str, xr.Dataset] = {}
    for name, values in arrays.items():
        state = model.graph.last if name == "readout" else name
        front = np.array([[state in states for states in part] for part in fronts])
        if (front == front[0]).all():
            populated = xr.Variable("time", front[0])
        else:
            populated = xr.Variable(("stimulus", "time"), front[coordinates["component"].values])
        populated.attrs["long_name"] = "holds activity (not empty)"
        if name == "readout":
            variable = xr.Variable(("stimulus", "time", "class"), values, {"long_name": "logits"})
            variables = {"logits": variable, "populated": populated}
            own: dict[str, Any] = {"class": np.arange(model.n_classes)}
        else:
            what = "rate" if made["quantity"] == "rate" else "activation"
            text = f"{'spatial mean of the ' * (kept[name].way == 'spatial_mean')}{what} of {name}"
            dims = ("stimulus", "time", *kept[name].dims)
            variables = {
                "activation": xr.Variable(dims, values, {"long_name": text, "units": "a.u."}),
                "populated": populated,
            }
            own = kept[name].coordinates
        # on every node: coordinates without an index are not inherited, and a node taken alone loses its parent
        nodes[name] = xr.Dataset(variables, {**coordinates, **own})
    root = xr.Dataset(attrs={ATTRIBUTE: json.dumps(made)})
    return xr.DataTree.from_dict({"/": root, **nodes})
