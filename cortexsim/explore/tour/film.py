"""The recording of one stimulus as bytes for the browser, which are sent once."""

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
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.presentation import SHOWN

N_NAMED = 4


class Scene(NamedTuple):
    """The content of the stage.

    Parameters
    ----------
    described : dict
        JSON values: times, presentation, states, transitions, class probabilities.
    movie : bytes
        For each state in turn: uint8 of shape (time, channel, y, x); 255 is the state's `scale`.
    screen : bytes
        The images that are shown: uint8 of shape (picture, y, x, 3).
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
        The frames that were shown to the recording's stimuli.
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
    # plain arrays: labelled arithmetic would take longer here than the model takes to run
    made = settings(recording)
    readout = recording.children["readout"].dataset
    times = readout["time"].values.tolist()
    states, movie, populated = [], [], {}
    for name in trial.states(recording):
        # activity has a sign; the map shows its strength
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
    """List the transitions between recorded states, with the times at which they deliver."""
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
    """Return a line for each class; the correct one, and then the most probable ones, are labelled.

    Parameters
    ----------
    logits : array, shape (time, class)
        NaN where nothing can be read.
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
