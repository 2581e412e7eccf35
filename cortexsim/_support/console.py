"""Robust commands: termination signals, closed pipes, characters that the output cannot encode."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

CLOSED = 141  # exit status of a process that SIGPIPE ends, which a shell expects here


ENDING = ("SIGTERM", "SIGHUP")  # sent by a batch system before SIGKILL, and by a terminal that closes
INTERRUPTED = 130  # exit status after Ctrl-C


class EndingSignal(KeyboardInterrupt):
    """A signal that ends a command as Ctrl-C does.

    Attributes
    ----------
    status : int
        The exit status that a shell expects after it: 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number


@contextmanager
def ending_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP, which would end the process immediately, into one EndingSignal."""

    def end(number: int, frame: FrameType | None) -> None:
        # the work is being saved now; a second signal must not interrupt that
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


def prepare_output() -> bool:
    """Replace characters that the terminal or file cannot encode, instead of raising an error.

    Returns
    -------
    bool
        False if standard output is closed (`>&-` in a shell), which is then reported: nothing could be printed, and the
        first file that is opened would receive what a library prints.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (open until the program ends)
    if sys.stdout is None:
        print("cortexsim: standard output is closed; redirect it to a file or to /dev/null", file=sys.stderr)
        return False
    for stream in (sys.stdout, sys.stderr):
        # a replaced standard stream may not be a file
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return True


def printable(text: object) -> str:
    """Return text that is safe to print: file names and file contents may contain anything.

    Control characters except the newline, and characters that change the direction of writing, are replaced by their
    Python escape codes.
    """
    return "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs") else ascii(sign)[1:-1]
        for sign in str(text)
    )


def reader_has_left() -> bool:
    """Return whether the reader of standard output has closed it, as `head` does after its lines.

    For use after a BrokenPipeError, which other kinds of connection also raise.
    """
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return False  # it is not a file
    if not hasattr(select, "poll"):
        return True  # Windows has no poll
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def discard_if_unwritable() -> None:
    """Discard the output if it cannot be written, for example on a full disk."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        discard_output()


def discard_output() -> None:
    """Discard the output that Python still has to write at exit, because writing it would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report_unwritable(error: OSError) -> int:
    """Report that the output cannot be written, unless its reader has left, and return the exit status."""
    left = isinstance(error, BrokenPipeError) and reader_has_left()
    discard_output()
    if left:
        return CLOSED
    print(f"cortexsim: {error}", file=sys.stderr)
    return 1


def run_reported(main: Callable[[], int]) -> int:
    """Run a program, and end it with a sentence if a file or its output cannot be written.

    Returns
    -------
    int
        What `main` returns; 1 after an error, 141 if the output is closed by its reader.
    """
    if not prepare_output():
        return 1
    try:
        status = main()
        # flushed here, because an error at the exit of Python would be printed
        sys.stdout.flush()
        return status
    except OSError as error:
        return report_unwritable(error)
