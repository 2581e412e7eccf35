"""The start of the command `cortexsim`: it imports little, so that Ctrl-C and a broken installation get an answer."""

from __future__ import annotations

import os
import signal
import sys

from cortexsim._support.console import prepare_output, report_unwritable


def main() -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit status: that of `cortexsim.cli.main`; 1 when cortexsim cannot be imported, 130 after Ctrl-C.
    """
    if not prepare_output():
        return 1
    # a shell may have Ctrl-C ignored for what runs in the background
    answered = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if answered:
        # an exception during imports would show as a traceback, or be swallowed by the library that is being imported
        signal.signal(signal.SIGINT, _stop)
    if sys.argv[1:] == ["lab", "--check"]:
        command = _check
    else:
        try:
            from cortexsim.cli import main as command
        except Exception as error:
            if "--debug" in sys.argv:
                raise
            print(f"cortexsim cannot be loaded: {error}; cortexsim lab --check shows what is missing", file=sys.stderr)
            return 1
    if answered:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _check() -> int:
    """Check this machine without torch, which may itself be missing."""
    from cortexsim.lab.doctor import check

    try:
        status = check()
        sys.stdout.flush()
        return status
    except OSError as error:
        return report_unwritable(error)


def _stop(*_: object) -> None:
    os.write(2, b"stopped\n")
    os._exit(130)
