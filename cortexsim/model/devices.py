"""The device of a model, and deterministic algorithms."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cortexsim._support.checks import unknown
from cortexsim.model.cortex import Cortex


def placed(model: Cortex, device: str | torch.device | None) -> Cortex:
    """Return the model if it is on this device or the device is None, otherwise a copy on the device."""
    if device is None:
        return model
    where = checked_device(device)
    here = next(model.parameters()).device
    if where.type == here.type and where.index in (None, here.index):
        return model
    return copy.deepcopy(model).to(where)


def checked_device(device: str | torch.device) -> torch.device:
    """Return a device after checking that it is available.

    Raises
    ------
    ValueError
        If it is unknown or unavailable; the message lists the available devices.
    """
    there = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    try:
        where = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(unknown("device", device, there)) from None
    if where.type not in {name.split(":")[0] for name in there} or (
        where.index is not None and where.type == "cuda" and where.index >= torch.cuda.device_count()
    ):
        raise ValueError(f"device {str(device)!r} is not available: this machine has {there}")
    return where


@contextmanager
def only_deterministic(wanted: bool) -> Iterator[None]:
    """Use only deterministic algorithms, if `wanted`, and restore the former settings afterwards."""
    if not wanted:
        yield
        return
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )
    # on a GPU, torch refuses matrix products in deterministic mode without this
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace or ":4096:8"
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        if workspace is None:
            del os.environ["CUBLAS_WORKSPACE_CONFIG"]
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = before[2]
