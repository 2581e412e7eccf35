"""The table of the documentation: `python -m benchmarks table --to docs/measured/_speed_table.md`.

It runs the benchmarks that it needs; `--json` keeps their numbers too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cortexsim._support.percentages import percent

NEEDED = ("training", "convolutions", "inference", "recording", "interactive", "calibration", "growth", "memory")
Rows = Sequence[Mapping[str, Any]]
Tables = Mapping[str, Rows]
# columns of tables that have one network only
SIZE, LINKS = re.compile(r"\b(small|mid|quick)\b"), re.compile(r"\b(full|adjacent)\b")


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    Parameters
    ----------
    text : str
        What it is.
    benchmark : str
        Name of the benchmark.
    title : str
        How the titles of its tables begin.
    cell : callable
        From the rows of a table to the text of a cell.
    """

    text: str
    benchmark: str
    title: str
    cell: Callable[[Rows], str]


def over_resnet(rows: Rows) -> str:
    """Return FLOP/s over the ResNet's, in each precision that was measured."""
    found = []
    for own in rows:
        name, comma, precision = str(own["side"]).rpartition(", ")
        if not comma or not name.startswith("cortexsim"):
            continue
        (other,) = (one for one in rows if str(one["side"]).startswith("ResNet") and one["side"].endswith(precision))
        found.append(f"{own['gflop_s'] / other['gflop_s']:.2f}")
    return "; ".join(found)


def ratio(side: str) -> Callable[[Rows], str]:
    """Return a function that gives the time of a side over the first side's."""
    return lambda rows: f"{_row(rows, side)['ratio']:.2f}"


def growth(before: str, after: str) -> Callable[[Rows], str]:
    """Return a function that gives the time of one side over another's."""
    return lambda rows: f"{_row(rows, after)['ms'] / _row(rows, before)['ms']:.1f}"


def _row(rows: Rows, side: str) -> Mapping[str, Any]:
    return next(one for one in rows if str(one["side"]).startswith(side))


def _memory(rows: Rows) -> str:
    mb = {str(one["side"]): float(one["mb"]) for one in rows}
    short, long, again = (
        mb[f"cortexsim, training step, {which}"] for which in ("T = 5", "T = 20", "T = 20, recomputed")
    )
    return f"{long / short:.1f}; {again / short:.1f}"


FIGURES = (
    Figure("training step: time of the naive loop over cortexsim's", "training", "training step", ratio("naive loop")),
    Figure("training step: FLOP/s over a ResNet's of the same FLOPs", "training", "training step", over_resnet),
    Figure("its convolutions alone: the same", "convolutions", "convolutions alone", over_resnet),
    Figure(
        "training step: share of the best convolution",
        "training",
        "training step",
        lambda rows: percent(_row(rows, "cortexsim")["of_peak"]),
    ),
    Figure("all readouts: time of the naive loop over cortexsim's", "inference", "inference", ratio("naive loop")),
    Figure("all readouts: FLOP/s over the ResNet's, which has one", "inference", "inference", over_resnet),
    Figure(
        "all readouts in one pass over a single one",
        "inference",
        "all readouts over",
        lambda rows: f"{rows[1]['ratio']:.2f}",
    ),
    Figure(
        "recorded in memory over the same schedule unstored, float16; float32",
        "recording",
        "recording all states",
        lambda rows: f"{rows[1]['ratio']:.2f}; {rows[2]['ratio']:.2f}",
    ),
    Figure("64 images, T = 10, recorded: FLOP/s over the ResNet's, unrecorded", "interactive", "recorded", over_resnet),
    Figure(
        "the same: time of the loop with hooks over cortexsim's", "interactive", "recorded", ratio("naive loop, hooks")
    ),
    Figure("calibration over the same schedule", "calibration", "calibrating", ratio("calibrate")),
    Figure("time at T = 20 over T = 5", "growth", "growth with time", growth("T = 5", "T = 20")),
    Figure("time with 5 states over 2", "growth", "growth with states", growth("2 states", "5 states")),
    Figure("memory of a training step at T = 20 over T = 5; recomputed", "memory", "peak memory", _memory),
)


def markdown(results: Mapping[str, Any]) -> str:
    """Return the table, with the machine above it.

    Parameters
    ----------
    results : mapping
        As `python -m benchmarks ... --json` writes them; rows of benchmarks that were not run are left out.
    """
    machine = results["machine"]
    cells = [(figure.text, _cells(figure, results.get(figure.benchmark, {}))) for figure in FIGURES]
    columns = sorted({column for _, found in cells for column in found}, key=_order)
    lines = [
        f"{machine['device']} ({machine['cpu_capability']}), {machine['threads']} thread(s), torch {machine['torch']}, "
        f"{machine['date']}, load {machine['load_at_start']:.1f} before the start; times are {machine['clock']}; "
        f"computed in {' and '.join(machine['precisions'])}, in this order where a cell has several numbers.",
        "",
        f"| figure | {' | '.join(', '.join(column) for column in columns)} |",
        f"|---|{'---|' * len(columns)}",
        *(f"| {text} | {' | '.join(found.get(one, '') for one in columns)} |" for text, found in cells if found),
    ]
    return "\n".join(lines) + "\n"


def _cells(figure: Figure, tables: Tables) -> dict[tuple[str, str], str]:
    found = {}
    for title, rows in tables.items():
        if title.startswith(figure.title):
            size, links = (pattern.search(title) for pattern in (SIZE, LINKS))
            assert size is not None
            assert links is not None
            # a quick run has fewer sides, and some tables have others
            with suppress(StopIteration, KeyError):
                if text := figure.cell(rows):
                    found[size[0], links[0]] = text
    return found


def _order(column: tuple[str, str]) -> tuple[bool, bool]:
    return column[0] == "mid", column[1] == "adjacent"
