"""`cortexsim predictions`: the paper's predictions, judged on the models that ship."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim.cli.arguments import path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(
        "predictions",
        run,
        "judge the paper's predictions on the models that ship",
        "Nothing is simulated: the numbers are from the tests of the models, which ship with them. For example:\n"
        "  cortexsim predictions --figure predictions.html",
    )
    parser.add_argument(
        "--figure",
        type=path,
        metavar="PATH",
        help="also draw the numbers, as a page that needs no network; an existing file is never overwritten",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from cortexsim._support.files import refuse_existing, written_aside
    from cortexsim.paper.predictions import as_text, check

    if options.figure is not None:
        refuse_existing(options.figure)
    judged = check()
    print(as_text(judged))
    if options.figure is not None:
        from cortexsim.plot import verdicts

        with written_aside(options.figure) as aside:
            verdicts(judged).write_html(aside, include_plotlyjs=True)
        print(f"saved {options.figure}")
