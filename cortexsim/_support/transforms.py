"""Values of tensors within the transforms of torch.func (vmap, grad, jvp), torch.jit.trace and torch.compile."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

_P = ParamSpec("_P")
_T = TypeVar("_T")


def outside_of_graphs(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorate a function that torch.compile leaves as it is.

    It is `torch.compiler.disable`, but only once something is compiled: to import the compiler takes as long as torch.
    """

    @functools.wraps(function)
    def outside(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        called = torch.compiler.disable(function) if torch.compiler.is_compiling() else function
        return called(*args, **kwargs)

    return outside


@contextmanager
def outside_of_transforms() -> Iterator[None]:
    """Disable torch.func and torch.jit.trace within the context, so that the memory of tensors can be read."""
    traced = torch._C._get_tracing_state()
    torch._C._set_tracing_state(None)  # type: ignore[attr-defined]  # not in the stubs of torch
    try:
        with torch._C._DisableFuncTorch():
            yield
    finally:
        torch._C._set_tracing_state(traced)  # type: ignore[attr-defined]  # not in the stubs of torch


def unwrapped(tensor: Tensor) -> Tensor:
    """Return the tensor inside the wrappers of torch.func, with the dimensions that vmap hides."""
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor.detach()


def extremes(tensor: Tensor) -> tuple[float, float]:
    """Return the smallest and the largest value of a tensor; within vmap, of all that it is mapped over."""
    if torch.compiler.is_compiling():
        low, high = torch.aminmax(tensor.detach())
        return float(low), float(high)
    with outside_of_transforms():
        low, high = torch.aminmax(unwrapped(tensor))
        return float(low), float(high)
