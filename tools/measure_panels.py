"""Measure what the panels of notebooks 04 and 05 show, and write it to data/results/panels.

uv run python tools/measure_panels.py

A result that is there already is not measured again. After a change of a model that ships, its results have other
names: delete the folder and run this again.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any

import cortexsim as cs
from cortexsim._support.netcdf import save_dataset
from cortexsim.explore.panel.ahead import path_of
from cortexsim.explore.studies.masking import UNTIL_MASK, WEIGHTS
from cortexsim.explore.studies.masking_questions import FLASHES, TRIALS

TEN = "10 images"
MASKING: list[dict[str, Any]] = [
    {},
    {"shortcut": "0.25"},
    {"readout_time": 12},
    {"statistics": FLASHES},
    {"targets": UNTIL_MASK, "statistics": TRIALS},
    *({"shortcut": weight, "readout_time": at} for at in (8, 12) for weight in WEIGHTS),
]
HOW_LONG: list[dict[str, Any]] = [
    {},
    {"held_from": 3},
    {"until": 24},
    {"calibration": TEN},
    {"held_from": 3, "calibration": TEN},
    *({"until": until, "held_from": held} for until in (16, 24) for held in range(3, 9)),
]


def measure(panel: Any, changes: dict[str, Any]) -> None:
    """Measure one result, unless it is there."""
    opened = panel.choices
    try:
        panel.choose(**changes)
    except ValueError:
        return  # a panel does not offer the model's own λ a second time
    try:
        path = path_of(type(panel).__name__, *panel.of_subject(panel.choices))
        if path.is_file():
            return
        begun = time.perf_counter()
        result = panel.compute().assign_attrs(measured_ahead=f"{datetime.now(UTC):%Y-%m-%d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_dataset(result, path)
        print(f"{path.name}: {changes}, {time.perf_counter() - begun:.0f} s", flush=True)
    finally:
        panel.choose(**opened)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for panel, conditions in (
        (cs.explore.Masking("contours", question=""), MASKING),
        (cs.explore.HowLong("contours", question=""), HOW_LONG),
    ):
        for changes in conditions:
            measure(panel, changes)
