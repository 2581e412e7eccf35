"""`cortexsim class`: the saved answers of a class as one page."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim._support.console import printable
from cortexsim.cli.arguments import path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "class",
        run,
        "report on the answers of a class: what was predicted, what was measured, who is missing",
        "Collect what the students' panels wrote with panel.save, then for example:\n"
        "  cortexsim class answers/ --to report.html --hide-names",
    )
    parser.add_argument("folder", type=path, metavar="FOLDER", help="contains the .json files of the students")
    parser.add_argument("--to", type=path, required=True, metavar="PAGE", help="the page to write, ending in .html")
    parser.add_argument("--hide-names", action="store_true", help="call students by numbers")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing page")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from cortexsim._support.files import written_aside
    from cortexsim.export.class_report import read_answers, report
    from cortexsim.export.page import checked_path

    page_path = checked_path(options.to, overwrite=options.overwrite)
    answers = read_answers(options.folder)
    page = report(answers, hide_names=options.hide_names)
    with written_aside(page_path, replacing=options.overwrite) as aside:
        aside.write_text(page, encoding="utf-8")
    print(f"saved {printable(page_path)}: {answers.table['student'].nunique()} files with answers")
    for name, reason in answers.unreadable.items():
        print(printable(f"could not be read: {name}: {reason}"))
