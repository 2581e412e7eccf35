"""Recording to disk during a run, compared with the forward pass alone and with writing alone."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.inference import calibrated
from benchmarks.machine import Setting
from benchmarks.recording import UNTIL, unrecorded
from cortexsim.recording.io import save_recording

N_BATCHES = 8


def measure(setting: Setting) -> dict[str, Any]:
    """Compare a recording to zarr with the same schedule unrecorded, and with writing the same data.

    Times are by the wall clock, because one thread writes while another runs.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`. The last row is the recording's time over that of the slower of
        the other two.
    """
    size = setting.chosen_sizes[0]
    model, images = calibrated(setting, size, "full", UNTIL)
    n_batches = 2 if setting.quick else N_BATCHES
    with tempfile.TemporaryDirectory(prefix="cortexsim-disk-") as folder:
        rows = compare(
            setting, sides(model, images.repeat(n_batches, 1, 1, 1), len(images), Path(folder)), clock=time.perf_counter
        )
    slower = max(row["ms"] for row in rows[:2])
    rows.append({"side": "recorded over the slower of the two", "note": f"{rows[2]['ms'] / slower:.2f}"})
    return {f"recording to zarr, {size}, full, T = {UNTIL}, {len(images) * n_batches} images, by the wall clock": rows}


def sides(model: cs.Cortex, images: Tensor, batch_size: int, folder: Path) -> list[Side]:
    """Return the schedule unrecorded, writing alone, and both at once."""
    names = map(str, itertools.count())
    held = cs.simulate(model, images, until=UNTIL, dtype="float16", batch_size=batch_size)
    batches: list[Callable[[], None]] = [unrecorded(model, batch, UNTIL) for batch in torch.split(images, batch_size)]

    def run() -> None:
        for batch in batches:
            batch()

    def write() -> None:
        save_recording(held, folder / f"{next(names)}.zarr")

    def record() -> None:
        to = folder / f"{next(names)}.zarr"
        cs.simulate(model, images, until=UNTIL, dtype="float16", batch_size=batch_size, to=to)

    return [
        Side("schedule unrecorded", run),
        Side("written, float16", write),
        Side("recorded while running, float16", record),
    ]
