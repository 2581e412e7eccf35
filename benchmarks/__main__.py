"""Run the benchmarks: `uv run python -m benchmarks [NAME ...] [--device cuda] [--json PATH] [--threads N]`.

`python -m benchmarks device` is the plan for a few minutes on a GPU; see `benchmarks.device`.
`python -m benchmarks table` makes the table of the documentation; see `benchmarks.table`.
`python -m benchmarks fuzz` makes random calls and opens damaged files; see `benchmarks.fuzz`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.alternate import print_rows
from benchmarks.machine import SIZES, Setting, peak
from benchmarks.table import NEEDED, markdown
from cortexsim._support.console import run_reported
from cortexsim._support.files import refuse_existing, written_aside
from cortexsim.model.devices import checked_device

# each a module with `measure(setting)`; imported when it runs, since a compute node has no browser
BENCHMARKS = (
    "training",
    "convolutions",
    "inference",
    "evaluation",
    "recording",
    "disk",
    "interactive",
    "growth",
    "calibration",
    "memory",
    "startup",
)
# run only if named: they take long, or much disk space
NAMED_ONLY = ("large", "kills", "lessons")
# these run in a browser and print their own output
WAITING = ("panel", "live")
IN_A_BROWSER = (*WAITING, "lessons")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named benchmarks, print a table for each comparison, and write all numbers as JSON if asked to."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["device"]:
        from benchmarks.device.plan import main as run_plan

        return run_plan(arguments[1:])
    if arguments[:1] == ["fuzz"]:
        from benchmarks.fuzz.run import main as run_cases

        return run_cases(arguments[1:])
    table = arguments[:1] == ["table"]
    names = (*BENCHMARKS, *NAMED_ONLY, *WAITING)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(names)}; by default all but {', '.join(NAMED_ONLY)}",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the numbers there")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the CPU; by default one")
    parser.add_argument("--size", choices=SIZES, action="append", help="only this size; may be repeated")
    parser.add_argument("--rounds", type=int, metavar="N", help="runs of each competitor; by default 7")
    parser.add_argument("--images", type=int, metavar="N", help="size of a batch (the interactive case has 64)")
    parser.add_argument("--n", type=int, default=20, metavar="N", help="kills of each kind; by default %(default)s")
    parser.add_argument("--emulated", action="store_true", help="also time bfloat16 on a machine that only emulates it")
    parser.add_argument("--quick", action="store_true", help="tiny models, as a test; the times are meaningless")
    parser.add_argument("--to", type=Path, metavar="PATH", help="of `table`: a file of Markdown in place of the screen")
    options = parser.parse_args([*NEEDED, *arguments[1:]] if table else arguments)
    if options.to is not None and not table:
        parser.error("--to is of `table` alone; numbers are written by --json")
    for name in options.names:
        if name not in names:
            parser.error(f"there is no benchmark {name!r}: the names are {list(names)}")
    for what in ("threads", "rounds", "images", "n"):
        given = getattr(options, what)
        if given is not None and given < 1:
            parser.error(f"--{what} must be at least 1, got {given}")
    try:
        device = checked_device(options.device).type
    except ValueError as error:
        parser.error(str(error))
    sizes = tuple(options.size or SIZES)
    setting = Setting(
        device, options.threads, sizes, options.quick, options.emulated, options.rounds, options.images, options.n
    )
    if options.json is not None:
        # refused before hours are spent
        refuse_existing(options.json)
    threads = torch.get_num_threads()
    torch.set_num_threads(setting.threads)
    try:
        results = run(setting, options.names or (*BENCHMARKS, *WAITING), options.json)
    finally:
        torch.set_num_threads(threads)
    if table and options.to is None:
        print(markdown(results))
    elif table:
        options.to.write_text(markdown(results), encoding="utf-8")
    return 0


def run(setting: Setting, names: Sequence[str], to: Path | None = None) -> dict[str, Any]:
    """Run benchmarks by name, print what they find and return it.

    Parameters
    ----------
    setting : Setting
    names : sequence of str
    to : path, optional
        JSON file: `machine`, and for each benchmark its tables by title; written again after each benchmark, so that
        one that fails loses nothing.
    """
    machine = setting.describe()
    print(
        f"{machine['date']}, {machine['device']}, {machine['cpu_cores']} CPU cores ({machine['cpu_capability']}), "
        f"{setting.threads} thread(s), load {machine['load_at_start']:.1f} before the start, torch {machine['torch']}\n"
        f"times are {machine['clock']}; computed in {' and '.join(machine['precisions'])}"
    )
    if "bfloat16" not in machine["precisions"]:
        print("bfloat16 is only emulated here: its times do not apply to machines that compute with it")
    if not {*WAITING, *NAMED_ONLY} >= {*names}:
        for size in setting.chosen_sizes:
            machine[f"peak_{size}_gflop_s"] = peak(setting, size) / 1e9
            print(f"best plain convolution, {size}: {machine[f'peak_{size}_gflop_s']:,.1f} GFLOP/s")
    results: dict[str, Any] = {"machine": machine}
    for name in names:
        results[name] = _measured(name, setting)
        if to is not None:
            with written_aside(to, replacing=True) as aside:
                aside.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return results


def _measured(name: str, setting: Setting) -> dict[str, Any]:
    module = importlib.import_module(f"benchmarks.{name}")
    found: dict[str, Any] = module.measure(setting)
    if name in IN_A_BROWSER:
        print(f"{name}: waiting times of a user, by the wall clock")
        for what, value in found.items():
            print(f"{name}: {what} {value:,.1f}" if isinstance(value, float) else f"{name}: {what} {value}")
        return found
    for title, rows in found.items():
        print_rows(title, rows)
    return found


if __name__ == "__main__":
    sys.exit(run_reported(main))
