"""Training steps as CUDA graphs: the kernels of a step are captured once, and then launched together.

A GPU finishes the kernels of a small model faster than Python launches them one by one. A graph runs the same kernels
in the same order, so it learns what plain steps learn.
"""

from __future__ import annotations

import gc
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim.model.cortex import Cortex

Outcome = tuple[Tensor, Tensor]
Loss = Callable[..., Outcome]


class Gradients:
    """Compute the gradients of batches, on a GPU by CUDA graphs: one for each kind of batch.

    A kind is everything that a graph keeps: shapes, readout times, and what is shown when. Its first batches run step
    by step, which prepares the kernels; the next is captured.

    Parameters
    ----------
    model : Cortex
    capturing : bool
        Capture graphs, where the model allows it; see `can_be_captured`.
    """

    PLAIN = 2
    """Batches of a kind that run step by step before one is captured."""

    def __init__(self, model: Cortex, *, capturing: bool) -> None:
        self._parameters = list(model.parameters())
        self._capturing = capturing
        self._seen: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, _Graph] = {}
        self._stream: torch.cuda.Stream | None = None
        self._pool: Any = None

    def __call__(self, kind: Hashable | None, inputs: Sequence[Tensor], loss: Loss) -> Outcome:
        """Set the gradient of every parameter, and return the loss and the accuracy, detached.

        Parameters
        ----------
        kind : hashable or None
            None: this batch cannot be captured.
        inputs : sequence of Tensor
            All that differs between batches of this kind.
        loss : callable
            From the inputs to loss and accuracy, without waiting for the device.
        """
        if kind is None or not self._capturing:
            return self._plain(inputs, loss)
        # torch wants no gradients on the default stream before a capture
        if self._stream is None:
            self._stream = torch.cuda.Stream(inputs[0].device)
        # a weight that was frozen or replaced since the capture makes another graph
        kind = kind, tuple((one.data_ptr(), one.requires_grad) for one in self._parameters)
        graph = self._graphs.get(kind)
        if graph is None:
            self._seen[kind] += 1
            if self._seen[kind] <= self.PLAIN:
                return self._aside(inputs, loss)
            graph = self._captured(inputs, loss)
            if graph is None:
                return self._plain(inputs, loss)
            self._graphs[kind] = graph
        return graph.replay(inputs, self._parameters)

    @property
    def n_graphs(self) -> int:
        """Number of captured graphs."""
        return len(self._graphs)

    def _plain(self, inputs: Sequence[Tensor], loss: Loss) -> Outcome:
        self._forget()
        value, accuracy = loss(*inputs)
        value.backward()
        return value.detach(), accuracy

    def _aside(self, inputs: Sequence[Tensor], loss: Loss) -> Outcome:
        """Run a batch on the stream of the captures; work before and after it waits."""
        aside = self._stream
        assert aside is not None
        current = torch.cuda.current_stream(aside.device)
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            outcome = self._plain(inputs, loss)
        current.wait_stream(aside)
        return outcome

    def _forget(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def _captured(self, inputs: Sequence[Tensor], loss: Loss) -> _Graph | None:
        """Capture a batch; None, for good, if it is refused, such as for lack of memory."""
        self._forget()
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        try:
            return _Graph(inputs, loss, self._parameters, self._stream, self._pool)
        except RuntimeError as error:
            self._capturing = False
            self._graphs.clear()
            self._forget()
            gc.collect()
            torch.cuda.empty_cache()
            warnings.warn(
                f"the steps of this training cannot be captured as a CUDA graph ({error}); they run one by one, which "
                "gives the same result and takes longer",
                stacklevel=2,
            )
            return None


class _Graph:
    """The captured kernels of one batch, with the memory of its inputs, gradients and results."""

    def __init__(
        self,
        inputs: Sequence[Tensor],
        loss: Loss,
        parameters: Sequence[nn.Parameter],
        stream: torch.cuda.Stream | None,
        pool: Any,
    ) -> None:
        self._inputs = [one.clone() for one in inputs]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, stream=stream):
            value, accuracy = loss(*self._inputs)
            value.backward()
            self._outcome = value.detach(), accuracy.detach()
        self._gradients = [parameter.grad for parameter in parameters]

    def replay(self, inputs: Sequence[Tensor], parameters: Sequence[nn.Parameter]) -> Outcome:
        """Run the kernels on other inputs of the same shapes."""
        for kept, given in zip(self._inputs, inputs, strict=True):
            kept.copy_(given)
        self._graph.replay()
        for parameter, gradient in zip(parameters, self._gradients, strict=True):
            parameter.grad = gradient
        loss, accuracy = self._outcome
        return loss.clone(), accuracy.clone()


def can_be_captured(model: Cortex) -> bool:
    """Return True if a step of a model consists of kernels alone: no module, hook or parametrization of the user's.

    A graph repeats what ran on the device when it was captured; it does not run Python again.
    """
    # a start given as numbers is copied from the CPU
    if model.own_modules() or any(state.start not in (None, "zero") for state in model.graph.states):
        return False
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    hooked = any(getattr(module, name) for module in model.modules() for name in hooks)
    watched = any(one._backward_hooks or one._post_accumulate_grad_hooks for one in model.parameters())
    return not (hooked or watched or any(hasattr(module, "parametrizations") for module in model.modules()))
