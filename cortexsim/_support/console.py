"""Standard output of the commands: what it cannot encode, and a reader that has left."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

CLOSED = 141  # exit status of a process that SIGPIPE ends, which a shell expects here


def prepare_output() -> None:
    """Let a sign that the terminal or file cannot encode be replaced rather than end the command."""
    for stream in (sys.stdout, sys.stderr):
        # a stream that something else has put in place may not be a file
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


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
