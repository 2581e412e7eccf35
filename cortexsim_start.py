"""What the command `cortexsim` starts with: little, so that Ctrl-C and a broken installation are answered in words.

It stands beside the package because importing anything of the package imports torch, which takes seconds.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit status: as `cortexsim.cli.main`; 1 when cortexsim cannot be imported, 130 after Ctrl-C meanwhile.
    """
    # a shell may have Ctrl-C ignored for what runs in the background
    answered = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if answered:
        # an exception in the midst of imports would show as a traceback, or be swallowed by the library it hits
        signal.signal(signal.SIGINT, _stop)
    if sys.argv[1:] == ["lab", "--check"]:
        # without torch, it tells that torch is missing
        command = runpy.run_path(str(_package() / "ready.py"))["check"]
    else:
        try:
            from cortexsim.cli import main as command
        except Exception as error:
            if "--debug" in sys.argv:
                raise
            print(f"cortexsim cannot be loaded: {error}; cortexsim lab --check tells what is missing", file=sys.stderr)
            return 1
    if answered:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _package() -> Path:
    found = importlib.util.find_spec("cortexsim")
    assert found is not None and found.submodule_search_locations  # noqa: PT018  # this file came with it
    return Path(found.submodule_search_locations[0])


def _stop(*_: Any) -> None:
    os.write(2, b"stopped\n")
    os._exit(130)
