"""Modes that are changed for a while, and restored whatever happens: of a model, and of torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import nn


@contextmanager
def own_modes() -> Iterator[None]:
    """Disable the caller's autocast, default device and inference mode within the context."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode, and restore its mode when the last thread that uses it leaves the context.

    A mode that the owner of the model sets meanwhile is the one that is restored.
    """
    use = _Evaluation(model)
    # twice, because an interrupt may arrive while the mode is being restored
    try:
        try:
            use.begin()
            yield
        finally:
            use.end()
    finally:
        use.end()


@contextmanager
def mode_restored(model: nn.Module) -> Iterator[None]:
    """Restore the mode of every part of a model after the context, in which its mode may be set."""
    modes = {module: module.training for module in model.modules()}
    try:
        try:
            yield
        finally:
            _set(modes)
    finally:
        _set(modes)


@contextmanager
def set_by_owner(model: nn.Module) -> Iterator[None]:
    """Set the mode of a model within; if it is being evaluated, this is the mode to which it returns."""
    with _LOCK:
        yield
        if model in _EVALUATED:
            _EVALUATED[model].modes.update({module: module.training for module in model.modules()})


class _Evaluation:
    """One use of a model in evaluation mode; `end` may be called again if it was interrupted."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def begin(self) -> None:
        with _LOCK:
            shared = _EVALUATED.setdefault(self._model, _Shared())
            # a module in training mode during an evaluation was put there by the owner
            shared.modes.update(
                {
                    module: module.training
                    for module in self._model.modules()
                    if module.training or module not in shared.modes
                }
            )
            shared.users.add(self)
            # not `eval()`, which is how an owner sets the mode of the whole model
            nn.Module.train(self._model, False)

    def end(self) -> None:
        with _LOCK:
            shared = _EVALUATED.get(self._model)
            if shared is None:
                return
            if not shared.users - {self}:
                _set({module: module.training or training for module, training in shared.modes.items()})
                _EVALUATED.pop(self._model, None)
            shared.users.discard(self)


class _Shared:
    """The present uses of a model in evaluation mode, and the mode that each of its modules returns to."""

    def __init__(self) -> None:
        self.users: set[_Evaluation] = set()
        self.modes: dict[nn.Module, bool] = {}


_EVALUATED: WeakKeyDictionary[nn.Module, _Shared] = WeakKeyDictionary()
# a part of a model may be a model, too
_LOCK = threading.RLock()


def _set(modes: dict[nn.Module, bool]) -> None:
    for module, training in modes.items():
        module.training = training
