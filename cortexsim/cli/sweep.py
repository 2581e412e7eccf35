"""`cortexsim sweep`: many models, seeds and presentations in one study, on this machine or on a dask cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from cortexsim._support.console import printable
from cortexsim._support.documents import read_json
from cortexsim.cli.arguments import path
from cortexsim.cli.train import CONTINUES, stop_on_request


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "sweep",
        run,
        "run a study, models x seeds x presentations x noise x silence, here or on a dask cluster",
        "For example:\n"
        "  cortexsim sweep study.toml --to runs/study\n"
        "  cortexsim sweep study.toml --to runs/study --scheduler tcp://login:8786 --resume\n"
        "where study.toml contains\n"
        '  models = ["ventral-stream", "own.safetensors"]\n'
        '  data = "contours"\n'
        "  until = 12\n"
        "  seeds = [0, 1, 2]\n"
        '  presentations = ["sustained", "masked:1:2"]\n'
        "and, as needed, n, noise, silence, calibrate_on, record, dtype and batch_size.\n"
        "Ctrl-C stops; the same command with --resume continues.",
    )
    parser.add_argument("study", type=path, help="a .toml file")
    parser.add_argument("--to", type=path, metavar="FOLDER", help="default: runs/NAME of the study")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster; default: this machine")
    parser.add_argument(
        "--workers",
        type=int,
        help="worker processes on this machine; 0: compute in this one; default: as memory and cores allow",
    )
    parser.add_argument("--resume", action="store_true", help="continue a study that was stopped or extended")
    parser.add_argument("--retries", type=int, default=0, metavar="N", help="try a point that fails again; default: 0")
    parser.add_argument("--yes", action="store_true", help="run more than 10,000 points without asking")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs
    from cortexsim.sweeps.folder import FAILURES, SweepFolder
    from cortexsim.sweeps.running import MANY
    from cortexsim.sweeps.study import read_study

    folder = options.to or Path("runs") / options.study.stem
    study = read_study(options.study)
    yes = options.yes
    if study.n_points > MANY and not yes and sys.stdin.isatty():
        yes = input(f"the grid has {study.n_points:,} points; run them all? [y/N] ").strip().lower() in ("y", "yes")
    with stop_on_request(lambda: CONTINUES) as stopping:

        def report(fraction: float, message: str) -> None:
            print(printable(message), flush=True)
            if stopping():
                raise KeyboardInterrupt

        result = cs.sweep(
            study,
            to=folder,
            scheduler=options.scheduler,
            workers=options.workers,
            resume=options.resume,
            yes=yes,
            retries=options.retries,
            report=report,
        )
    n_failed = result.attrs["failed"]
    print(
        f"{study.n_points - n_failed:,} of {study.n_points:,} points are done: {printable(folder / SweepFolder.RESULT)}"
    )
    if n_failed:
        first = read_json(folder / FAILURES)[0]
        raise RuntimeError(
            f"{n_failed:,} points failed, the first ({first['model']}, {first['presentation']}, seed {first['seed']}) "
            f"with: {first['error']}; all are in {folder / FAILURES}, and --resume tries them again"
        )
