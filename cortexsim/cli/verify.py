"""`cortexsim verify`: check that all of a recording can be read."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim._support.console import printable
from cortexsim.cli.arguments import path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "verify",
        run,
        "read a whole recording, and list what is damaged or missing",
        "For example:\n  cortexsim verify masked.zarr\n"
        "The exit code is 0 if the recording is complete, and 1 if it is not, or is not a recording.",
    )
    parser.add_argument("recording", type=path, help="a .zarr folder or a .nc file")
    parser.add_argument(
        "--mend",
        action="store_true",
        help="mark damaged parts as not written (.zarr): the command that made the recording writes them again "
        "with --resume",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs

    n_bytes = cs.verify(options.recording, mend=options.mend)
    print(f"{printable(options.recording)} is complete: {n_bytes:,} bytes of activity were read")
