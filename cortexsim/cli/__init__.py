"""The command line: `cortexsim lab | train | test | simulate | rerun | export | experiment | ...`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cortexsim import __version__
from cortexsim._support.console import (
    CLOSED,
    INTERRUPTED,
    EndingSignal,
    discard_if_unwritable,
    discard_output,
    ending_signals,
    prepare_output,
    printable,
    reader_has_left,
    report_unwritable,
)
from cortexsim.cli import (
    class_,
    experiment,
    export,
    lab,
    models,
    predictions,
    rerun,
    simulate,
    sweep,
    test,
    train,
    verify,
)
from cortexsim.stimuli.text import read_presentation, read_silence

__all__ = ["main", "read_presentation", "read_silence"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error is reported in one sentence.

    Returns
    -------
    int
        0 on success, 1 after an error, 130 after Ctrl-C, 143 after SIGTERM, 141 if the output is closed by its reader.
    """
    if not prepare_output():
        return 1
    try:
        options, further = _parser().parse_known_args(arguments)
    except SystemExit as end:
        return _after_help(end)
    except OSError as error:  # unbuffered, help is written at once
        return report_unwritable(error)
    if further and options.command != "lab":
        _parser().error(f"unknown argument {further[0]!r} (see cortexsim {options.command} --help)")
    options.further = further
    try:
        with ending_signals():
            status = options.run(options) or 0
        # flushed here, because an error at the exit of Python would be printed
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as stop:
        print("stopped", file=sys.stderr)
        return stop.status if isinstance(stop, EndingSignal) else INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and reader_has_left():
            discard_output()
            return CLOSED
        if isinstance(error, OSError):
            discard_if_unwritable()
        if options.debug:
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"cortexsim {options.command}: {printable(' '.join(str(text).split()))}", file=sys.stderr)
        if not isinstance(error, (ValueError, TypeError, OSError, MemoryError, KeyError, RuntimeError)):
            print(f"(a {type(error).__name__}, which is unexpected; --debug shows where)", file=sys.stderr)
        return 1


def _after_help(end: SystemExit) -> int:
    """Raise the end of a command that shows its help or version again, or return 1 if these cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return report_unwritable(error)
    raise end


class _Parser(argparse.ArgumentParser):
    """A parser of arguments that raises an OSError if its help cannot be written; argparse ignores that."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (file or sys.stderr).write(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cortexsim",
        description="See a recurrent model of visual cortex think.",
        epilog="Begin with: cortexsim lab",
    )
    parser.add_argument("--version", action="version", version=f"cortexsim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Any], int | None], about: str, epilog: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument("--debug", action="store_true", help="show the traceback of an error")
        added.set_defaults(run=run)
        return added

    for one in (lab, train, test, simulate, verify, rerun, export, class_, experiment, sweep, predictions, models):
        one.add(command)
    return parser
