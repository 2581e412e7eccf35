"""Standard output of the commands: what it cannot encode, and a reader that has left."""

from __future__ import annotations

import os
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
    """Return whether nobody reads standard output any more, such as `head` after its lines; then discard the rest."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # what Python writes as it exits goes nowhere, rather than failing once more
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False
