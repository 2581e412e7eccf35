"""`cortexsim lab`: JupyterLab on the notebooks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "lab",
        run,
        "open JupyterLab on the notebooks",
        "Further arguments go to jupyter lab, for example:\n  cortexsim lab --no-browser --port 9999",
    )
    parser.add_argument(
        "--notebooks", type=Path, metavar="FOLDER", help="work on copies in this folder; yours are never overwritten"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from cortexsim.lab import lab

    return lab(options.further, options.notebooks)
