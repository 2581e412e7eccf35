"""A recording of one stimulus as the browser wants it: once, as small as it gets, before anything moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from cortexsim.analyse.probabilities import softmax
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.recording import trial
from cortexsim.recording.description import settings
from cortexsim.recording.trial import class_names
from cortexsim.stimuli.presentation import SHOWN, Frames

N_NAMED = 4


class Scene(NamedTuple):
    """What the stage shows.

    Parameters
    ----------
    described : dict
        JSON values: times, what is shown, states, transitions, class probabilities.
    movie : bytes
        For each state in turn: uint8 of shape (time, channel, y, x); 255 is the state's `scale`.
    screen : bytes
        The pictures that are shown: uint8 of shape (picture, y, x, 3).
    """

    described: dict[str, Any]
    movie: bytes
    screen: bytes


def scene(
    recording: xr.DataTree, frames: Frames, graph: CortexGraph, classes: Sequence[str] | None = None, stimulus: int = 0
) -> Scene:
    """Prepare one stimulus of a recording for the stage.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    frames : Frames
        What was on the screen, laid out for the recording's stimuli.
    graph : CortexGraph
        Of the model.
    classes : sequence of str, optional
        Names; by default the recording's own.
    stimulus : int
        Its place in the recording and in `frames`.

    Returns
    -------
    Scene
    """
    # numbers straight from the arrays: labelled arithmetic would take longer here than the model takes to run
    made = settings(recording)
    readout = recording.children["readout"].dataset
    times = readout["time"].values.tolist()
    states, movie, populated = [], [], {}
    for name in trial.states(recording):
        # a state as such has a sign; what the map shows is how active it is
        node = recording.children[name].dataset
        values = np.abs(node["activation"].values[stimulus])
        populated[name] = node["populated"].values
        scale = float(np.nanmax(values)) if populated[name].any() else 0.0
        levels = np.nan_to_num(values) * (255 / scale if scale else 0)
        movie.append(levels.round().astype(np.uint8).tobytes())
        _, channels, height, width = values.shape
        shape = {"channels": channels, "height": height, "width": width}
        states.append({"name": name, **shape, "scale": scale, "populated": populated[name].tolist()})
    lookup = frames.lookup[:, stimulus].tolist()
    pictures = sorted({picture for picture in lookup if picture >= 0})
    pixels = (frames.images[pictures].clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    names = class_names(recording, classes)
    described = {
        "times": times,
        "shown": [SHOWN[int(flag)] for flag in readout["shown"].values],
        "picture": [pictures.index(picture) if picture >= 0 else -1 for picture in lookup],
        "screen": list(pixels.shape[1:3]),
        "states": states,
        "transitions": _transitions(graph, populated, times),
        "quantity": "rate" if made["quantity"] == "rate" else "|activation|",
        "classes": names,
        "probability": _probabilities(readout["logits"].values[stimulus], names, _label(readout, stimulus)),
    }
    return Scene(described, b"".join(movie), pixels.tobytes())


def _transitions(graph: CortexGraph, populated: dict[str, np.ndarray], times: list[int]) -> list[dict[str, Any]]:
    """Say between which recorded states something is delivered, and when."""
    return [
        {
            "source": transition.source,
            "target": transition.target,
            "delivers": [
                bool(time and time in transition.times and populated[transition.source][time - 1]) for time in times
            ],
        }
        for transition in graph.transitions
        if transition.source in populated and transition.target in populated
    ]


def _label(readout: xr.Dataset, stimulus: int) -> int:
    return int(readout["label"].values[stimulus]) if "label" in readout.coords else -1


def _probabilities(logits: np.ndarray, names: Sequence[str], right: int) -> list[dict[str, Any]]:
    """Give a line for each class; the right one first, then those that become most probable, have their names.

    Parameters
    ----------
    logits : array, shape (time, class)
        NaN where there is nothing to read.
    """
    probability = softmax(xr.DataArray(logits, dims=("time", "class"))).values.T
    peaks = np.nan_to_num(probability).max(1)
    order = sorted(range(len(names)), key=lambda k: (k != right, -peaks[k]))
    return [
        {
            "name": f"{names[k]} (right)" if k == right else str(names[k]),
            "named": place < N_NAMED,
            "values": [None if np.isnan(value) else round(float(value), 4) for value in probability[k]],
        }
        for place, k in enumerate(order)
    ]
