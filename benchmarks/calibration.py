"""Calibration on a presentation, compared with a run of the same images that uses its statistics."""

from __future__ import annotations

from typing import Any

from torch import Tensor

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.inference import calibrated
from benchmarks.machine import Setting
from benchmarks.recording import unrecorded

UNTIL = 5


def measure(setting: Setting) -> dict[str, Any]:
    """Compare `calibrate` with the run that uses its statistics.

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
        Side("schedule unrecorded", unrecorded(model, images, UNTIL)),
        Side("calibrate", lambda: cs.calibrate(model, images, until=UNTIL)),
    ]
