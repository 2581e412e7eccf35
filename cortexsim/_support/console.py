"""What ends a command from outside: signals, a reader that has left, signs that the output cannot encode."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

CLOSED = 141  # exit status of a process that SIGPIPE ends, which a shell expects here


ENDING = ("SIGTERM", "SIGHUP")  # what a batch system sends before it kills, and a terminal that is closed
INTERRUPTED = 130  # exit status after Ctrl-C


class EndingSignal(KeyboardInterrupt):
    """A signal that ends a command as Ctrl-C does.

    Attributes
    ----------
    status : int
        The exit status that a shell expects then: 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number


@contextmanager
def ending_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise EndingSignal, once, where they would end the process at once."""

    def end(number: int, frame: FrameType | None) -> None:
        # work is being saved now, which a second signal must not stop
        signal.signal(number, signal.SIG_IGN)
        raise EndingSignal(number)

    handled: list[int] = []
    if threading.current_thread() is threading.main_thread():
        known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
        handled = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def prepare_output() -> None:
    """Let a sign that the terminal or file cannot encode be replaced rather than end the command."""
    for stream in (sys.stdout, sys.stderr):
        # a stream that something else has put in place may not be a file
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def printable(text: object) -> str:
    """Return a text in which nothing controls the terminal: names of files and what files say may contain anything.

    Control characters, but for the end of a line, and signs that turn the direction of writing are shown as Python
    writes them, by their codes.
    """
    return "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs") else ascii(sign)[1:-1]
        for sign in str(text)
    )


def reader_has_left() -> bool:
    """Return whether nobody reads standard output any more, such as `head` after its lines.

    For use where writing has raised BrokenPipeError: so may a connection of another kind.
    """
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return False  # it is not a file
    if not hasattr(select, "poll"):
        return True  # Windows cannot be asked
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def discard_output() -> None:
    """Discard what Python still writes to standard output as it exits: writing it would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
