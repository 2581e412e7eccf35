"""The state of a training in one file: weights, optimizer, and the training that it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cortexsim import __version__
from cortexsim.model.checkpoint import KEY, read_tensors, write_tensors
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.text import from_dict


def write_state(
    path: Path,
    model: Cortex,
    optimizer: torch.optim.Optimizer,
    identity: dict[str, Any],
    step: int,
    seconds: float,
) -> None:
    """Write the state of a training; an existing file is replaced only by a complete one.

    Parameters
    ----------
    path : Path
        Ends in .safetensors.
    model : Cortex
    optimizer : Optimizer
    identity : dict
        Settings and data of this training, as plain values; a different training differs in them.
    step : int
        Steps done.
    seconds : float
        Wall-clock time spent.
    """
    tensors = {f"weights/{name}": value.contiguous() for name, value in model.weights_and_buffers().items()}
    for k, entries in optimizer.state_dict()["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                # a copy: an optimizer may keep tensors that share memory, which the format refuses
                tensors[f"optimizer/{k}/{name}"] = value.clone().contiguous()
    meta = {"format": 1, "version": __version__, "training": identity, "step": step, "seconds": seconds}
    write_tensors(tensors, meta, path)


def read_state(
    path: Path, model: Cortex, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
) -> tuple[int, float]:
    """Restore model and optimizer to the state of a training, and return its step and seconds.

    Raises
    ------
    ValueError
        If the file contains no training, or a different one.
    """
    tensors, meta = read_tensors(path)
    if "training" not in meta:
        raise ValueError(f"{path} contains no training to continue; choose a different path for the checkpoint")
    # through JSON, where tuples become lists
    different = _differences(meta["training"], json.loads(json.dumps(identity)))
    if different:
        raise ValueError(
            f"{path} belongs to a different training: {'; '.join(different)}; use the same settings, choose a "
            "different path, or remove it"
        )
    model.load_state_dict(
        {name.removeprefix("weights/"): t for name, t in tensors.items() if name.startswith("weights/")}
    )
    state = optimizer.state_dict()
    for name, value in tensors.items():
        if name.startswith("optimizer/"):
            _, k, entry = name.split("/")
            state["state"].setdefault(int(k), {})[entry] = value
    optimizer.load_state_dict(state)
    _lay_out_as_weights(optimizer)
    return meta["step"], meta["seconds"]


def _lay_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give the optimizer's tensors the memory layout of their weights, which fused optimizers need; files have none."""
    for weight, entries in optimizer.state.items():
        for name, value in entries.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                entries[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def saved_step(path: Path) -> int:
    """Return the number of steps after which the state in a file was saved."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return int(json.loads(file.metadata()[KEY])["step"])


def _differences(there: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """Return the differences from a stopped training as texts; of long settings, only that they differ."""
    # a file written before these were compared does not contain them
    later = {name: there[name] for name in ("post_net", "frozen") if name in there}
    before = {**there.get("recipe", {}), **there.get("model", {}), **later}
    now = {**mine["recipe"], **mine["model"], **{name: mine[name] for name in later}}
    texts = [
        f"{name} was {_text(name, before.get(name))} and is now {_text(name, now.get(name))}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if there.get("n") != mine["n"]:
        texts.append(f"there were {there.get('n')} images and are now {mine['n']}")
    elif there.get("images") != mine["images"]:
        texts.append("the images differ")
    # a file written before labels were compared does not contain their checksum
    elif there.get("labels", mine["labels"]) != mine["labels"]:
        texts.append("the labels differ")
    elif there.get("difficulty", mine["difficulty"]) != mine["difficulty"]:
        texts.append("the order of the images by difficulty differs")
    if there.get("graph") != mine["graph"]:
        texts.append("the graph differs")
    return texts


def _text(name: str, setting: Any) -> str:
    return f"«{from_dict(setting)}»" if name == "presentation" and setting else json.dumps(setting)
