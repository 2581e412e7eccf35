"""Training on several processes, which share each batch and learn the same.

Each process takes its part of every batch. What is normalized over the batch is normalized over all parts, and the
gradients are those of the whole batch, so that two processes learn what one does, up to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import EPSILON


@contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that torchrun started, and offer this one's device; elsewhere do nothing."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or together():
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Return the rank of this process; 0 for a single process."""
    return dist.get_rank() if together() else 0


def n_ranks() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if together() else 1


def together() -> bool:
    """Return True if this process belongs to a group (torchrun, or torch.distributed.init_process_group)."""
    return dist.is_available() and dist.is_initialized()


def refuse_uneven(batch_size: int) -> None:
    """Raise an error if the processes cannot share a batch evenly.

    Raises
    ------
    ValueError
        If it does not divide.
    """
    if batch_size % n_ranks():
        raise ValueError(
            f"a batch of {batch_size} does not divide among {n_ranks()} processes; give another batch_size"
        )


def same_everywhere(model: Cortex) -> None:
    """Give all processes the weights of the first one."""
    if together():
        for value in model.weights_and_buffers().values():
            # kernels may be channels_last, which a message cannot
            sent = value.contiguous()
            dist.broadcast(sent, 0)
            value.copy_(sent)


def summed(value: Tensor) -> Tensor:
    """Return the sum over processes; gradients do not flow through it."""
    if not together():
        return value
    total = value.detach().clone()
    dist.all_reduce(total)
    return total


def anywhere(asked: bool, device: torch.device) -> bool:
    """Return True if any process asks for something, such as to stop: all must then do it at the same step."""
    return bool(summed(torch.tensor(float(asked), device=device)) > 0)


def add_gradients(parameters: Iterable[Tensor]) -> None:
    """Sum the gradients of all processes, in one message."""
    if not together():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


class _Sum(torch.autograd.Function):
    """The sum over processes, whose gradient is summed as well: the input of one process changes the loss of all."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


def by_whole_batch(
    x: Tensor, place: str, time: int | None, scale: Tensor | None = None, shift: Tensor | None = None
) -> Tensor:
    """Normalize with the moments over the parts of all processes; as `by_batch` where there is one process."""
    wide = x if x.dtype == torch.float64 else x.float()
    count = wide.new_full((1,), x.shape[0] * x.shape[2] * x.shape[3])
    total = _Sum.apply(torch.cat([wide.sum((0, 2, 3)), count]))
    mean, n = total[:-1] / total[-1], total[-1]
    away = wide - mean[:, None, None]
    variance = _Sum.apply(away.square().sum((0, 2, 3))) / n
    normalized = away * (variance + EPSILON).rsqrt()[:, None, None]
    if scale is not None and shift is not None:
        normalized = normalized * scale[:, None, None] + shift[:, None, None]
    return normalized.to(x.dtype)
