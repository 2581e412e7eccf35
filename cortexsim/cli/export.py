"""`cortexsim export`: a panel as one page that needs no installation."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim._support.console import printable
from cortexsim.cli.arguments import path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "export",
        run,
        "write a panel's films and figures as one HTML page with a slider, which needs no kernel and no network",
        "For example:\n  cortexsim export live --to page.html\n  cortexsim export 06 --to page.html\n"
        "  cortexsim export settings.json --to page.html",
    )
    parser.add_argument(
        "source",
        metavar="live|NOTEBOOK|SETTINGS",
        help="live: the tracer, which runs in the page; or a notebook's number, or a panel's settings as JSON",
    )
    parser.add_argument("--to", type=path, required=True, metavar="PAGE", help="the page to write, ending in .html")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing page")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from cortexsim.export.live import export_live
    from cortexsim.export.page import checked_path, export, open_source

    if options.source == "live":
        export_live(options.to, overwrite=options.overwrite)
        print(f"saved {printable(options.to)} ({options.to.stat().st_size / 1e6:.1f} MB)")
        return
    # checked before minutes of measuring
    checked_path(options.to, overwrite=options.overwrite)
    panel = open_source(options.source, lambda _, message: print(f"{message} ...", flush=True))
    export(panel, options.to, overwrite=options.overwrite)
    print(f"saved {printable(options.to)} ({options.to.stat().st_size / 1e6:.1f} MB)")
