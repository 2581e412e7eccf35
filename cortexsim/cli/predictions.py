"""`cortexsim predictions`: what the paper predicts, judged on the models that ship."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command."""
    command(
        "predictions",
        run,
        "judge the paper's predictions on the models that ship",
        "Nothing is simulated: the numbers are those of the tests that ship with the models.",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from cortexsim.predictions import as_text, check

    print(as_text(check()))
