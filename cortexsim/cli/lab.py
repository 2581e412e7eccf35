"""`cortexsim lab`: JupyterLab on the notebooks."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim.cli.arguments import path

_CHOICES = ("lesson", "notebooks", "hide_code", "projector")


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "lab",
        run,
        "open JupyterLab on the notebooks",
        "Further arguments go to jupyter lab, for example:\n"
        "  cortexsim lab --check\n"
        "  cortexsim lab --live\n"
        "  cortexsim lab --lesson 05 --hide-code\n"
        "  cortexsim lab --no-browser --port 9999",
    )
    parser.add_argument("--check", action="store_true", help="only check this machine, in ten seconds")
    parser.add_argument(
        "--live", action="store_true", help="open the page in which the tracer runs, without JupyterLab"
    )
    parser.add_argument(
        "--lesson", metavar="NUMBER", help="the notebook to open, by number or name; default: the first"
    )
    parser.add_argument(
        "--notebooks", type=path, metavar="FOLDER", help="work on copies in this folder; yours are never overwritten"
    )
    parser.add_argument("--hide-code", action="store_true", help="show text and panels only, no code")
    parser.add_argument("--projector", action="store_true", help="write text of panels in 18 px")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.check:
        from cortexsim.lab.doctor import check

        _refuse_others(options, "--check opens nothing")
        return check()
    if options.live:
        from cortexsim.export.live import open_live

        _refuse_others(options, "--live opens no notebook")
        print(f"the page is {open_live()}: any browser opens it")
        return 0
    from cortexsim.lab.start import Look, lab

    return lab(options.further, options.notebooks, options.lesson, Look(options.hide_code, options.projector))


def _refuse_others(options: argparse.Namespace, why: str) -> None:
    also = [*options.further, *(f"--{name.replace('_', '-')}" for name in _CHOICES if getattr(options, name))]
    if options.check and options.live:
        also.append("--live")
    if also:
        raise ValueError(f"{why}: leave out {' '.join(also)}")
