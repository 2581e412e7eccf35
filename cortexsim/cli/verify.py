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
        "read all of a recording, and say what of it is damaged or missing",
        "For example:\n  cortexsim verify masked.zarr\n"
        "ends with 0 where all is whole, and with 1 where it is not, or is no recording.",
    )
    parser.add_argument("recording", type=path, help="a .zarr folder or a .nc file")
    parser.add_argument(
        "--mend",
        action="store_true",
        help="mark what is damaged as not written (.zarr): the command that made it writes it again with --resume",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs

    n_bytes = cs.verify(options.recording, mend=options.mend)
    print(f"{printable(options.recording)} is complete: {n_bytes:,} bytes of activity were read")
