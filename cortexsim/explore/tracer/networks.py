"""Models as plain numbers, for the JavaScript that runs them in a browser."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cortexsim.datasets.target_maps import ORANGE, WHITE
from cortexsim.explore.tracer.questions import CONTROL_LENGTH, asked
from cortexsim.graph.transitions import Kind
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import CHANNEL_EPSILON, ChannelNorm
from cortexsim.model.nets import MapPostNet
from cortexsim.zoo.models import load

COLOURS = {
    "background": [0.0, 0.0, 0.0],
    "line": [level / 255 for level in WHITE],
    "dot": [level / 255 for level in ORANGE],
}
"""Colours of the drawing, RGB in 0 to 1: those of `cs.datasets.paths`."""

LENGTHS_SHOWN = (10, 20, 40, 60)  # px
TRAINED_LENGTH = 10  # px, the longest curves of the training

ABOUT = {
    "recurrent": (
        "Orange: pixels that the model says lie on the dot's curve. Blue: tagged, but on another curve. It was trained "
        "on curves of 3 to 10 px on 16x16 px, for 12 steps. One step reaches one pixel further, by construction. A "
        "latch keeps each decision once it is taken. Without it a mask wipes the tag: the picture is the memory."
    ),
    "unshared": (
        "Weights not shared: the same 12 steps, each with weights of its own, trained on the same short curves. It has "
        "no weights for step 13."
    ),
    "deep": "24 layers: a feedforward net at full resolution, trained on the same short curves. It answers once.",
    "chart": (
        "Upper chart: percentage right at the far end of the curve, for test curves of four lengths (yes or no: "
        "guessing gets 50). Lower chart: steps until every line pixel stays right; each drawing adds a dot, the line "
        "is the median over test curves. One trained model, 100 to 200 test curves of each length."
    ),
}
"""Captions of the pictures, with the limits of each."""


def content_of(
    recurrent: Cortex,
    unshared: Cortex,
    deep: Cortex,
    *,
    about: Mapping[str, str],
    known: Sequence[tuple[float, float]] = (),
    accuracy: Mapping[str, Any] | None = None,
    questions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Write the input of `TracerView` in the page.

    Parameters
    ----------
    recurrent : Cortex
        The tracer.
    unshared, deep : Cortex
        Its controls: the same graph with weights that differ from time to time, and a feedforward net, whose image
        enters at time 0 only. Their weights are rounded to float16, which halves the page.
    about : mapping of str to str
        Captions: `recurrent`, `unshared`, `deep` and `chart`.
    known : sequence of (float, float)
        Length in px and median of the steps needed, on the test set.
    accuracy : mapping, optional
        Percentage right over time, as `accuracy_of` returns it; by default none is drawn.
    questions : sequence of mapping
        As `cortexsim.explore.tracer.questions.asked` returns them; with none, nothing is covered.

    Returns
    -------
    dict
        Plain values, for JSON.
    """
    return {
        "models": {
            "recurrent": described(recurrent),
            "unshared": described(_rounded(unshared), halves=True),
            "deep": described(_rounded(deep), sustained=False, halves=True),
        },
        "colours": COLOURS,
        "trainedTime": recurrent.readout_time,
        "known": {
            "after": "forty-pixels",
            "points": [{"length": length, "steps": steps} for length, steps in known],
        },
        "accuracy": dict(accuracy or {"lines": [], "control": None}),
        "questions": list(questions),
        "about": dict(about),
    }


def accuracy_of(recurrent: Mapping[str, Any], deep: Mapping[str, Any]) -> dict[str, Any]:
    """Return percentage right over time by length, as the panel draws it.

    Parameters
    ----------
    recurrent, deep : mapping
        `about["by_length"]` of the models: yes/no at the far end of the dot's curve, on test curves.
    """
    lines = [
        {
            "length": length,
            "after": "nine-pixels" if length <= TRAINED_LENGTH else "forty-pixels",
            "percent": recurrent[str(length)]["yes/no"],
        }
        for length in LENGTHS_SHOWN
    ]
    percent = deep[str(CONTROL_LENGTH)]["yes/no_end"]
    control = {"label": "24 layers", "after": "deep-control", "length": CONTROL_LENGTH, "percent": percent}
    return {"lines": lines, "control": control}


def shipped_content(question: str = "") -> dict[str, Any]:
    """Write the input of `TracerView` for the bundled tracer and its controls, with the numbers of their cards.

    Parameters
    ----------
    question : str
        The first question; "" for none.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    tracer, unshared, deep = (load(name) for name in ("tracer", "tracer-unshared", "tracer-deep"))
    lengths = tracer.about["by_length"]
    known = [(int(length), one["steps_needed"]) for length, one in lengths.items()]
    accuracy = accuracy_of(lengths, deep.about["by_length"])
    questions = asked(accuracy["control"]["percent"])
    names = [one["name"] for one in questions]
    following = questions[names.index(question) :] if question else []
    return content_of(tracer, unshared, deep, about=ABOUT, known=known, accuracy=accuracy, questions=following)


def _rounded(model: Cortex) -> Cortex:
    return copy.deepcopy(model).to(torch.float16).to(torch.float32)


def described(model: Cortex, *, sustained: bool = True, halves: bool = False) -> dict[str, Any]:
    """Write a model of one state as plain numbers, as `Network` of the page reads them.

    Parameters
    ----------
    model : Cortex
        One state with one self-transition of kind BRC, pre-net "conv", normalization "channel" and post-net "map" for
        two classes. Weights are shared over all times, or differ from time to time (`sharing="none"`).
    sustained : bool
        The frame enters at every step; otherwise at time 0 only, and the model is a feedforward net.
    halves : bool
        Write the kernels of the transition as float16, half as long; they must be exact in it.

    Raises
    ------
    ValueError
        If the model differs from that; the message names the difference.
    """
    _check(model)
    (transition,) = model.graph.transitions
    state, name = model.graph.first, transition.name
    # as checked above
    assert isinstance(model.norm, ChannelNorm)
    assert isinstance(model.post, MapPostNet)
    places = [
        {
            "normalization": "channel",
            "epsilon": CHANNEL_EPSILON,
            "scale": packed(model.norm.scale[place]),
            "shift": packed(model.norm.shift[place]),
            "bias": None,
        }
        for place in (state, name)[: len(model.graph.convolutions(name))]
    ]
    steps = [model.weights.of(name, time) for time in range(1, model.readout_time + 1)]
    shared = all(one is first for kernels in steps for one, first in zip(kernels, steps[0], strict=True))
    # two classes of softmax are one logit: that of "on the curve" minus that of "elsewhere"
    weight, bias = model.post.linear.weight, model.post.linear.bias
    assert bias is not None
    return {
        "channels": model.graph.state(state).features,
        "frameChannels": 3,
        "shared": shared,
        "shortcut": Kind.parse(str(transition.kind)).shortcut,
        "sustained": sustained,
        "halves": halves,
        "preNet": {"kernel": packed(_pre_kernel(model)), "bias": None},
        "steps": [
            [{**place, "kernel": packed(kernel, halves=halves)} for place, kernel in zip(places, kernels, strict=True)]
            for kernels in (steps[:1] if shared else steps)
        ],
        "readout": {
            **places[0],
            "scale": packed(model.post.scale),
            "shift": packed(model.post.shift),
            "kernel": packed(weight[1] - weight[0]),
            "bias": packed(bias[1:] - bias[:1]),
        },
    }


def _pre_kernel(model: Cortex) -> Tensor:
    convolution = next(one for one in model.pre.modules() if isinstance(one, nn.Conv2d))
    return convolution.weight * model.input_gain


def _check(model: Cortex) -> None:
    graph = model.graph
    wanted = {
        "one state": len(graph.states) == 1,
        "one self-transition of kind BRC": [str(t.kind)[:3] for t in graph.transitions] == ["BRC"],
        "kernels of 3x3": all(one.size == 3 for t in graph.transition_names for one in graph.convolutions(t)),
        "gains and biases of places, not of transitions": not any(t.affine for t in graph.transitions),
        'the pre-net "conv"': model.pre_net_name == "conv",
        'the normalization "channel"': model.normalization == "channel",
        'the post-net "map"': model.post_net_name == "map",
        "two classes": model.n_classes == 2,
    }
    lacking = [what for what, there in wanted.items() if not there]
    if lacking:
        raise ValueError(f"the page runs models of one kind, and this one lacks: {', '.join(lacking)}")


def packed(values: Tensor, *, halves: bool = False) -> str:
    """Write a tensor as base64 of little-endian float32, or of float16 if that is exact.

    Raises
    ------
    ValueError
        If a number is not finite, or is not exact in float16.
    """
    full = values.detach().to("cpu", torch.float32).contiguous().numpy()
    stored = full.astype("<f2" if halves else "<f4")
    if not np.isfinite(stored).all():
        raise ValueError("a weight is not finite")
    if halves and not np.array_equal(stored.astype(np.float32), full):
        raise ValueError("the weights are not exact in float16: round them when the model is made")
    return base64.b64encode(stored.tobytes()).decode("ascii")
