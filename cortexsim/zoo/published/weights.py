"""Weights of published models: random ones, or a user's checkpoint, checked key by key. Code in a file is never run."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cortexsim._support.checks import shown
from cortexsim._support.files import as_path
from cortexsim.model.cortex import Cortex

Weights = str | Path | Mapping[str, Tensor] | None
NESTED = ("state_dict", "model_state_dict", "model")  # the names under which checkpoints contain their tensors
COUNTER = "num_batches_tracked"  # of batch normalization: it counts batches of the training, and computes nothing


def with_weights(model: Cortex, weights: Weights, keys: Mapping[str, str], name: str) -> Cortex:
    """Put a checkpoint's tensors into a model.

    Parameters
    ----------
    model : Cortex
    weights : path, mapping of str to Tensor, or None
        None leaves the weights as they are.
    keys : mapping of str to str
        From the start of a key in the checkpoint to the start of the key in the model's own state dict.
    name : str
        The model, for messages.

    Returns
    -------
    Cortex
        The model, in evaluation mode; in float64 if the checkpoint is.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, it is not a checkpoint of tensors, a key is missing or unexpected, or a shape differs.
    """
    if weights is None:
        return model.eval()
    given = _as_tensors(weights) if isinstance(weights, Mapping) else read_tensors(weights)
    where = "the state dict" if isinstance(weights, Mapping) else str(weights)
    own = model.weights_and_buffers()
    table = {_theirs(key, keys): key for key in own}
    missing = [key for key in table if key not in given and not key.endswith(COUNTER)]
    left_over = [key for key in given if key not in table]
    if missing or left_over:
        raise ValueError(
            f"{where} is not a checkpoint of {name}: missing are {_listed(missing)}; "
            f"unexpected are {_listed(left_over)}"
        )
    unlike = [
        f"{key} {tuple(value.shape)} instead of {tuple(own[table[key]].shape)}"
        for key, value in given.items()
        if value.shape != own[table[key]].shape
    ]
    if unlike:
        raise ValueError(f"{where} does not fit {name}: {_listed(unlike)}")
    _refuse_no_numbers(given, where)
    wide = max((value.dtype for value in given.values() if value.is_floating_point()), key=lambda d: d.itemsize)
    model.to(torch.promote_types(wide, torch.float32))
    own = model.weights_and_buffers()
    with torch.no_grad():
        for key, value in given.items():
            own[table[key]].copy_(value)
    return model.eval()


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint: of torch.save or of safetensors, also nested, also of DataParallel.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it contains anything other than tensors and plain values.
    """
    path = as_path(path, "weights")
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}")
    found: Any
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as tensors alone (files with code in them are refused): {error}"
        ) from error
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    tensors = (
        {key: value for key, value in found.items() if isinstance(value, Tensor)} if isinstance(found, Mapping) else {}
    )
    if not tensors or len(tensors) < len(found):
        others = (
            [str(key) for key in found if key not in tensors] if isinstance(found, Mapping) else [type(found).__name__]
        )
        raise ValueError(
            f"{path} contains no state dict: expected tensors by name, at the top or under one of {list(NESTED)}, "
            f"got {_listed(others)}"
        )
    return {key.removeprefix("module."): value for key, value in tensors.items()}


def _as_tensors(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a state dict whose arrays of numpy are tensors; other values are refused.

    Raises
    ------
    TypeError
        If a key is not text, or a value is neither a Tensor nor an array of numbers.
    """
    found: dict[str, Tensor] = {}
    for key, value in weights.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            value = torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("=")))
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise TypeError(f"a state dict has a tensor for each name, got {shown(key)}: {shown(value)}")
        found[key] = value
    return found


def _refuse_no_numbers(given: Mapping[str, Tensor], where: str) -> None:
    """Raise a ValueError if a weight is not a dense array of finite real numbers in memory."""
    for key, value in given.items():
        if value.is_meta or value.layout != torch.strided or value.is_complex() or value.is_quantized:
            kind = "on the device meta" if value.is_meta else f"of the kind {value.dtype}, {value.layout}"
            raise ValueError(f"{where} must have dense arrays of real numbers, got {key} {kind}")
        if not key.endswith(COUNTER) and not value.is_floating_point():
            raise ValueError(f"{where} must have weights in floating point, got {key} of the type {value.dtype}")
        if not bool(value.isfinite().all()):
            n = int((~value.isfinite()).sum())
            raise ValueError(f"{where} must have finite weights, but {key} has {n:,} that are NaN or infinite")


def _theirs(key: str, keys: Mapping[str, str]) -> str:
    """Return the checkpoint's key for one of the model's own."""
    theirs, own = max(
        ((theirs, own) for theirs, own in keys.items() if key.startswith(f"{own}.")), key=lambda pair: len(pair[1])
    )
    return theirs + key.removeprefix(own)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12]) or "none"
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
