"""`cortexsim experiment`: run an experiment of the paper and draw it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from cortexsim._support.console import printable
from cortexsim._support.percentages import percent
from cortexsim.cli.arguments import add_machine, choose_device, path
from cortexsim.cli.train import CONTINUES, stop_on_request
from cortexsim.datasets.registry import SOURCES


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "experiment",
        run,
        "run an experiment of the paper and draw its figures; without a name, list them",
        "For example:\n"
        "  cortexsim experiment\n"
        "  cortexsim experiment equivalence\n"
        "  cortexsim experiment readout-time --scale laptop --data ~/cifar10 --to runs/readout-time\n"
        "Ctrl-C stops; the same command with --resume continues.",
    )
    parser.add_argument("name", nargs="?", help="name of the experiment; without it, they are listed")
    parser.add_argument(
        "--scale",
        default="smoke",
        help="smoke (seconds), laptop (minutes), workstation (hours) or paper (a GPU); default: %(default)s",
    )
    parser.add_argument(
        "--data", help=f"{', '.join(SOURCES)}, or a folder of images with train/ and test/; default: the scale's"
    )
    parser.add_argument("--data-name", metavar="NAME", help="name of a folder's images in the result")
    parser.add_argument("--to", type=path, metavar="FOLDER", help="default: runs/NAME-SCALE")
    parser.add_argument("--resume", action="store_true", help="continue a run that was stopped, or with more --seeds")
    parser.add_argument("--seeds", type=int, help="number of seeds; default: the experiment's own")
    parser.add_argument("--epochs", type=int, help="of every training; default: the scale's")
    add_machine(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from cortexsim.paper import experiments
    from cortexsim.plot._experiment import write_html

    if options.name is None:
        for name, listed in experiments.EXPERIMENTS.items():
            print(f"{name:20}{listed.question}")
        return
    device = choose_device(options.device, options.threads)
    folder = options.to or Path("runs") / f"{options.name}-{options.scale}"

    with stop_on_request(lambda: CONTINUES) as stopping:

        def report(fraction: float, message: str) -> None:
            print(message, flush=True)
            if stopping():
                raise KeyboardInterrupt

        result = experiments.run(
            options.name,
            scale=options.scale,
            data=options.data,
            data_name=options.data_name,
            to=folder,
            resume=options.resume,
            seeds=options.seeds,
            epochs=options.epochs,
            device=device,
            report=report,
        )
        write_html(result, folder / "figures.html")
    print(f"{result.attrs['title']}: {result.attrs['data']}; {float(result.attrs['seconds']):.0f} s of training")
    if "error" in result:
        mean = experiments.over_seeds(result["error"])
        for label in mean["model"].values:
            one = mean.sel(model=label)
            if bool(one.notnull()):
                low, high = (percent(float(one[end]), 1) for end in ("low", "high"))
                between = f" ({low} to {high})" if bool(one["low"].notnull()) else ""
                print(f"  {label:45} error {percent(float(one), 1)}{between}")
        print(f"  on the test part; {mean.attrs['interval']}")
    print(printable(f"result: {folder / 'result.nc'}; figures: {folder / 'figures.html'}"))
