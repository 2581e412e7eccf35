"""The description in a model file: its form, checked before anything is built from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cortexsim import __version__
from cortexsim._support.settings import (
    Form,
    listed,
    mapping,
    number,
    text,
    text_or_none,
    true_or_false,
    whole_number,
)
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.cortex import Cortex

LARGEST_GAIN = 1e30


def _sharing(value: Any, key: str) -> None:
    """Accept the name of a sharing rule, or a table with rows of transition, time, which convolution, key."""
    if isinstance(value, str):
        return
    listed(value, key)
    for row in value:
        if not isinstance(row, list) or [type(part) for part in row] != [str, int, int, str]:
            raise TypeError(f"{key} must have rows of transition, time, which convolution and key, got {row!r}")


def _classes(value: Any, key: str) -> None:
    """Accept the names of the classes, or None."""
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise TypeError(f"{key} must be a list of strings, got {type(value).__name__}")


def _places(value: Any, key: str) -> None:
    """Accept the times of the moments of each place; None means that the place does not depend on time."""
    mapping(value, key)
    for times in value.values():
        if not isinstance(times, list) or not all(time is None or type(time) is int for time in times):
            raise TypeError(f"{key} must list the times of each place")


MODEL = Form(
    {
        "graph": mapping,
        "n_classes": whole_number(1),
        "classes": _classes,
        "readout_time": whole_number(1, MOST_STEPS),
        "pre_net": text,
        "custom_pre_net": true_or_false,
        "input_gain": number(0, LARGEST_GAIN),
        "sharing": _sharing,
        "normalization": text,
    },
    # older files lack these keys
    {"post_net": text, "custom_post_net": true_or_false, "initialization": text},
    what="the description of the model",
    versioned=False,
)
STATISTICS = Form(
    {
        "places": _places,
        "presentation": mapping,
        "until": whole_number(0, MOST_STEPS),
        "graph": text,
        "weights": text,
        "images": text,
        "n_images": whole_number(1),
        "seed": whole_number(),
    },
    {"lesion": text_or_none, "change": text_or_none},
    what="the description of the statistics",
    versioned=False,
)


def read_description(meta: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the checked descriptions of the model and of its statistics.

    Raises
    ------
    ValueError
        If a value is missing, unknown (as in a file of a newer version) or of another type.
    """
    try:
        sets = meta.get("statistics", [])
        if not isinstance(sets, list):
            raise TypeError(f"statistics must be a list, got {type(sets).__name__}")
        return MODEL.read(meta["model"]), [STATISTICS.read(one) for one in sets]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"it was written by cortexsim {meta.get('version', 'unknown')}, and its description does not fit this "
            f"version, {__version__}: {error}"
        ) from error


def check_shapes(build: Any, weights: Mapping[str, Tensor]) -> None:
    """Compare the weights of a file with the described model, before memory is allocated for the model.

    Parameters
    ----------
    build : callable
        Builds the model.
    weights : mapping of str to Tensor

    Raises
    ------
    ValueError
        If a weight is missing, unknown, or of another shape.
    """
    try:
        with torch.device("meta"):
            model: Cortex = build()
    except RuntimeError as error:
        raise ValueError(f"the model that it describes is too large: {error}") from error
    wanted = {name: tuple(value.shape) for name, value in model.weights_and_buffers().items()}
    missing, unknown = sorted(set(wanted) - set(weights)), sorted(set(weights) - set(wanted))
    if missing or unknown:
        words = f"it lacks {missing[:3]}" if missing else f"it has {unknown[:3]}, which the model lacks"
        raise ValueError(f"its weights are not those of the model that it describes: {words}")
    for name, shape in wanted.items():
        if tuple(weights[name].shape) != shape:
            raise ValueError(
                f"{name} has the shape {tuple(weights[name].shape)}, but in the model that it describes it has {shape} "
                f"({math.prod(shape):,} numbers)"
            )
