"""The kernel's stop button, which ends what runs in panels: ipykernel ignores it while no cell runs."""

from __future__ import annotations

import asyncio
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

AGAIN_S = 0.2

_STOPS: list[weakref.WeakMethod[Callable[[], None]]] = []


def at_interrupt(stop: Callable[[], None]) -> None:
    """Call a method when the kernel is interrupted while no cell runs.

    Parameters
    ----------
    stop : method
        Called in the main thread, without arguments; it does nothing if there is nothing to stop.
    """
    _STOPS[:] = [one for one in _STOPS if one() is not None]
    _STOPS.append(weakref.WeakMethod(stop))
    if _is_kernel() and threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        loop.call_soon(_listen, loop)


def _is_kernel() -> bool:
    from IPython import get_ipython

    shell: Any = get_ipython()
    return hasattr(shell, "kernel")


def _listen(loop: asyncio.AbstractEventLoop) -> None:
    """Take the place of the handler that ignores the signal; a cell has one of its own, and gives ours back."""
    present = signal.getsignal(signal.SIGINT)
    if present is signal.SIG_IGN:
        signal.signal(signal.SIGINT, _handler(loop))
    elif present is signal.default_int_handler:
        loop.call_later(AGAIN_S, _listen, loop)


def _handler(loop: asyncio.AbstractEventLoop) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        # not at once: a signal may arrive within a message to the browser
        loop.call_soon_threadsafe(_stop_all)

    return handle


def _stop_all() -> None:
    for one in _STOPS:
        stop = one()
        if stop is not None:
            stop()
