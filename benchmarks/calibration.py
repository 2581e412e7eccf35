"""Taking the statistics of a presentation, beside a run of the same images that uses them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.inference import calibrated
from benchmarks.machine import Setting
from benchmarks.recording import unstored

UNTIL = 5


def measure(setting: Setting) -> dict[str, Any]:
    """Compare `calibrate` with the run that uses what it takes.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    tables = {}
    for size in setting.chosen_sizes:
        model, images = calibrated(setting, size, "full", UNTIL)
        title = f"calibrating, {size}, full, T = {UNTIL}, {len(images)} images"
        tables[title] = compare(setting, sides(model, images))
    return tables


def sides(model: cs.Cortex, images: Tensor) -> list[Side]:
    """Return the run and the calibration."""
    return [
        Side("schedule unstored", unstored(model, images, UNTIL)),
        Side("calibrate", lambda: cs.calibrate(model, images, until=UNTIL)),
    ]
