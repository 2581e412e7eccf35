"""Early ends of a training: a loop that is left, an error, Ctrl-C or a signal. The last whole step is kept."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Generator
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from cortexsim._support.console import ENDING

_OPEN: WeakSet[Generator[Any]] = WeakSet()


def closed_at_exit(records: Generator[Any]) -> Generator[Any]:
    """Return a generator that is closed when Python exits, while everything that closing needs still exists."""
    _OPEN.add(records)
    return records


@atexit.register
def _close_all() -> None:
    for records in list(_OPEN):
        # a generator that a thread is running cannot be closed
        with suppress(ValueError):
            records.close()


class LastStep:
    """The state before a step, to be restored if the step is interrupted.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._model, self._optimizer = model, optimizer
        self._tensors: list[Tensor] = []
        self._copies: list[Tensor] = []
        self._entries: dict[Tensor, dict[str, Any]] = {}
        self._step = 0

    @torch.no_grad()
    def mark(self, step: int) -> None:
        """Copy the weights, buffers and optimizer's state after this number of whole steps."""
        state = self._optimizer.state
        entries = [value for of_one in state.values() for value in of_one.values() if isinstance(value, Tensor)]
        tensors = [*self._model.parameters(), *self._model.buffers(), *entries]
        if len(tensors) == len(self._tensors) and all(map(_same, tensors, self._tensors)):
            # in few kernels; one for each tensor would take a GPU longer to launch than to run
            torch._foreach_copy_(self._copies, tensors)
        else:
            self._tensors, self._copies = tensors, [tensor.detach().clone() for tensor in tensors]
        self._entries, self._step = {one: dict(of_one) for one, of_one in state.items()}, step

    @torch.no_grad()
    def restore(self) -> int:
        """Restore the marked state of model and optimizer, and return the number of whole steps."""
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            tensor.copy_(copy)
        self._optimizer.state.clear()
        self._optimizer.state.update(self._entries)
        return self._step


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other


class EndedBySignal:
    """While it is entered, SIGTERM and SIGHUP raise SystemExit, so that work is saved; they end the process after that.

    Only where they would end the process at once: a program that handles them itself keeps its handlers. Outside of the
    main thread, where Python cannot handle signals, nothing changes.

    Attributes
    ----------
    saving : bool
        Set while the work is being saved: a signal then waits until that is done.
    """

    def __init__(self) -> None:
        self.saving = False
        self._number: int | None = None
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> EndedBySignal:
        if threading.current_thread() is threading.main_thread():
            known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
            self._handled = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
            for number in self._handled:
                signal.signal(number, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in self._handled:
            # an iterator that is closed in another thread cannot change signals
            with suppress(ValueError):
                signal.signal(number, signal.SIG_DFL)
        if self._number is not None:
            os.kill(os.getpid(), self._number)

    def check(self) -> None:
        """Raise SystemExit if a signal has asked for the end, and its SystemExit was caught by other code."""
        if self._number is not None:
            raise SystemExit(128 + self._number)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        if not self.saving:
            self.check()
