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

from cortexsim.activity import Activity
from cortexsim.images import stimulus_coordinates
from cortexsim.model import Cortex
from cortexsim.presentation import SHOWN, AnyPresentation, Frames, Mixture
from cortexsim.recording import ATTRIBUTE, flags
from cortexsim.schedule import Schedule, populate
from cortexsim.statistics import Normalize
from cortexsim.transition import Times

TAKEN = ("activation", "channel", "class", "component", "logits", "populated", "shown", "time", "x", "y")
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


class Energies:
    """The contrast energy of each stimulus' target and mask, gathered batch by batch; see `Frames.energies`.

    Parameters
    ----------
    presentation : Presentation or Mixture
        One without a mask has nothing to gather.
    n : int
        Stimuli.
    """

    def __init__(self, presentation: AnyPresentation, n: int) -> None:
        self.wanted = any(part.mask is not None for part in presentation.components)
        self._target, self._mask = np.zeros(n), np.zeros(n)

    def add(self, frames: Frames, index: Tensor) -> None:
        """Take in what the stimuli of these indices are shown."""
        if self.wanted:
            target, mask = frames.energies()
            self._target[index.numpy()], self._mask[index.numpy()] = target.numpy(), mask.numpy()

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the stimulus coordinates `target_energy` and `mask_energy`, where there is a mask."""
        found = {"target_energy": self._target, "mask_energy": self._mask} if self.wanted else {}
        return {
            name: xr.Variable(
                "stimulus",
                values,
                {"long_name": f"RMS contrast squared x area x duration of the {name[:-7]}", "units": ENERGY},
            )
            for name, values in found.items()
        }


def empty_arrays(model: Cortex, n: int, until: int, names: list[str], dtype: str) -> dict[str, np.ndarray]:
    """Make an array full of NaN for each recorded state, (stimulus, time, channel, y, x), and for the readout."""
    states = [state for state in model.graph.states if state.name in names]
    shapes: dict[str, tuple[int, ...]] = {s.name: (n, until + 1, s.features, s.height, s.width) for s in states}
    shapes["readout"] = (n, until + 1, model.n_classes)
    return {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}


def keep(
    arrays: dict[str, np.ndarray],
    model: Cortex,
    h: Mapping[str, Activity],
    index: Tensor,
    time: int,
    names: list[str],
    quantity: str,
    normalize: Normalize,
) -> None:
    """Write what the states of a batch hold at one time, and its readout, into the arrays."""
    for name in names:
        if name in h:
            values = h[name].values
            kept = F.relu(normalize(values, name, time)) if quantity == "rate" else values
            _write(arrays[name], kept, h[name], index, time, name)
    if model.graph.last in h:
        last = h[model.graph.last]
        logits = model.post(last.values, model.graph.last, time, normalize)
        _write(arrays["readout"], logits, last, index, time, "readout")


def _write(array: np.ndarray, values: Tensor, at: Activity, index: Tensor, time: int, name: str) -> None:
    stimuli = (index if at.rows is None else index[at.rows]).numpy()
    array[stimuli, time] = _cast(values, array.dtype, name, time)


def _cast(values: Tensor, dtype: np.dtype, name: str, time: int) -> np.ndarray:
    wide = values.detach().cpu().double() if values.dtype == torch.float64 else values.detach().cpu().float()
    with np.errstate(over="ignore"):
        cast = wide.numpy().astype(dtype)
    if dtype == np.float16 and np.isinf(cast).any():
        raise ValueError(
            f"{name} reaches {float(wide.abs().max()):.3g} at time {time}, too large for float16; use dtype='float32'"
        )
    return cast


def recording_of(
    model: Cortex,
    arrays: dict[str, np.ndarray],
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
            own = {"class": np.arange(model.n_classes)}
        else:
            text = f"{'rate' if made['quantity'] == 'rate' else 'activation'} of {name}"
            dims = ("stimulus", "time", "channel", "y", "x")
            variables = {
                "activation": xr.Variable(dims, values, {"long_name": text, "units": "a.u."}),
                "populated": populated,
            }
            own = {}
        # on every node: coordinates without an index are not inherited, and a node taken alone loses its parent
        nodes[name] = xr.Dataset(variables, {**coordinates, **own})
    root = xr.Dataset(attrs={ATTRIBUTE: json.dumps(made)})
    return xr.DataTree.from_dict({"/": root, **nodes})
