"""Training steps as CUDA graphs: the kernels of a step are captured once, and then launched together.

A GPU finishes the kernels of a small model faster than Python launches them one by one. A graph runs the same kernels
in the same order, so it learns what plain steps learn.
"""

from __future__ import annotations

import gc
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress

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
        Capture graphs, while the model allows it; see `can_be_captured`.
    """

    PLAIN = 2
    """Batches of a kind that run step by step before one is captured."""

    def __init__(self, model: Cortex, *, capturing: bool) -> None:
        self._model, self._parameters = model, list(model.parameters())
        self._capturing = capturing
        self._seen: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, _Graph] = {}
        self._memory: _Memory | None = None

    def __call__(self, kind: Hashable | None, inputs: Sequence[Tensor], loss: Loss) -> Outcome:
        """Set the gradient of every parameter, and return the loss and the answers, detached.

        Parameters
        ----------
        kind : hashable or None
            None: this batch cannot be captured.
        inputs : sequence of Tensor
            All that differs between batches of this kind.
        loss : callable
            From the inputs to loss and answers (see `step.loss_of`), without waiting for the device.
        """
        if kind is None or not self._capturing or not can_be_captured(self._model):
            return self._plain(inputs, loss)
        self._memory = self._memory or _Memory(inputs[0].device)
        # a weight that was frozen or replaced since the capture makes another graph
        kind = kind, tuple((one.data_ptr(), one.requires_grad) for one in self._parameters)
        graph = self._graphs.get(kind)
        if graph is None:
            self._seen[kind] += 1
            if self._seen[kind] <= self.PLAIN:
                # torch wants no gradients on the default stream before a capture
                with self._memory.aside():
                    return self._plain(inputs, loss)
            graph = self._captured(self._memory, inputs, loss)
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
        value, answers = loss(*inputs)
        value.backward()
        return value.detach(), answers

    def _forget(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def _captured(self, memory: _Memory, inputs: Sequence[Tensor], loss: Loss) -> _Graph | None:
        """Capture a batch; None, for good, if it is refused, such as for lack of memory."""
        self._forget()
        graph = _Graph(inputs)
        try:
            graph.capture(memory, loss, self._parameters)
        except RuntimeError as error:
            why = str(error)
        else:
            return graph
        # the memory of the failed attempt is free only now; torch may still refer to the graph, and take it for running
        memory.failed = graph
        with suppress(AttributeError, RuntimeError):
            torch._C._cuda_endAllocateToPool(memory.device.index, memory.pool)
        self._capturing = False
        self._graphs.clear()
        self._forget()
        gc.collect()
        torch.cuda.empty_cache()
        warnings.warn(
            f"the steps of this training cannot be captured as a CUDA graph ({why}); they run one by one, which gives "
            "the same result and takes longer",
            stacklevel=2,
        )
        return None


class _Memory:
    """The stream and the memory that all graphs of a training have in common.

    Attributes
    ----------
    failed : _Graph or None
        What could not be captured.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.stream = device, torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()
        self.failed: _Graph | None = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Work on this stream; what is before it and after it waits."""
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            yield
        current.wait_stream(self.stream)


class _Graph:
    """The captured kernels of one batch, with the memory of its inputs, gradients and results."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self._inputs = [one.clone() for one in inputs]
        self._graph = torch.cuda.CUDAGraph()
        self._gradients: list[Tensor | None] = []

    def capture(self, memory: _Memory, loss: Loss, parameters: Sequence[nn.Parameter]) -> None:
        """Capture the loss and its gradients, which runs nothing.

        Raises
        ------
        RuntimeError
            If something cannot be captured.
        """
        current = torch.cuda.current_stream(memory.device)
        try:
            with torch.cuda.graph(self._graph, pool=memory.pool, stream=memory.stream):
                value, answers = loss(*self._inputs)
                value.backward()
                self._outcome = value.detach(), answers.detach()
        finally:
            # a capture that fails can leave its stream in place
            torch.cuda.set_stream(current)
        self._gradients = [parameter.grad for parameter in parameters]

    def replay(self, inputs: Sequence[Tensor], parameters: Sequence[nn.Parameter]) -> Outcome:
        """Run the kernels on other inputs of the same shapes."""
        for kept, given in zip(self._inputs, inputs, strict=True):
            kept.copy_(given)
        self._graph.replay()
        for parameter, gradient in zip(parameters, self._gradients, strict=True):
            parameter.grad = gradient
        loss, answers = self._outcome
        return loss.clone(), answers.clone()


def can_be_captured(model: Cortex) -> bool:
    """Return True if a step of a model consists of kernels alone: no module, hook or parametrization of the user's.

    A graph repeats what ran on the device when it was captured; it does not run Python again.
    """
    # a look for NaN waits for the device, and a start given as numbers is copied from the CPU
    if (
        torch.is_anomaly_enabled()
        or model.own_modules()
        or any(state.start not in (None, "zero") for state in model.graph.states)
    ):
        return False
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    everywhere = any(getattr(nn.modules.module, f"_global{name}") for name in hooks)
    hooked = everywhere or any(getattr(module, name) for module in model.modules() for name in hooks)
    watched = any(one._backward_hooks or one._post_accumulate_grad_hooks for one in model.parameters())
    return not (hooked or watched or any(hasattr(module, "parametrizations") for module in model.modules()))
