"""Interrupts (Ctrl-C, SIGTERM) that wait while other code must not be left half-way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def postponed_interrupts(postpone: Callable[[BaseException], None]) -> Iterator[None]:
    """Pass the exceptions that signals raise to a function instead of raising them within the context.

    Signals that end the process at once, or that are ignored, are left alone. Outside of the main thread, where no
    signal raises, nothing changes.

    Parameters
    ----------
    postpone : callable
        Receives the exception, for example a KeyboardInterrupt. The caller raises it after the context.
    """
    before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def wait(number: int, frame: FrameType | None) -> None:
        try:
            before[number](number, frame)
        except BaseException as error:
            postpone(error)

    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            handler = signal.getsignal(number)
            if callable(handler):  # not the system's own handlers
                before[number] = handler
                signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in before.items():
            # a handler may have replaced itself
            if signal.getsignal(number) is wait:
                signal.signal(number, handler)
