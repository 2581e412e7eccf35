"""A recording far larger than memory: 10,000 stimuli at 20 times, streamed to zarr."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import cortexsim as cs
from benchmarks.machine import Setting
from benchmarks.memory import FOLDER, resident

UNTIL = 19
# two numbers, to show that memory does not grow with the number of stimuli
STIMULI = {"small": (2_500, 10_000), "quick": (40, 80)}
MOST_MEMORY = 2e9


def measure(setting: Setting) -> dict[str, Any]:
    """Record each number of stimuli in a separate process, which reads its images from disk.

    Returns
    -------
    dict
        From a title to rows: `side`, `seconds` (wall clock), `peak_mb` (of the whole process, torch and all),
        `before_mb`, `disk_mb`, `held_mb` (its size in memory), `ratio` of the peaks, and a `note` that sums up.

    Raises
    ------
    RuntimeError
        If a process fails, or its memory passes 2 GB.
    """
    size = setting.chosen_sizes[0]
    size = size if size in STIMULI else "small"
    rows: list[dict[str, Any]] = []
    for n in STIMULI[size]:
        with tempfile.TemporaryDirectory(prefix="cortexsim-large-") as folder:
            task = json.dumps({"setting": asdict(setting), "size": size, "n": n, "folder": folder})
            command = [sys.executable, "-m", "benchmarks.large", task]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER)
        if done.returncode:
            raise RuntimeError(f"{n:,} stimuli ended with {done.returncode}:\n{done.stderr}")
        row = {"side": f"{n:,} stimuli", **json.loads(done.stdout.splitlines()[-1])}
        row["ratio"] = row["peak_mb"] / (rows[0]["peak_mb"] if rows else row["peak_mb"])
        row["note"] = (
            f"{row['seconds']:,.0f} s, memory at most {row['peak_mb']:,.0f} MB ({row['ratio']:.2f} of the first), of "
            f"which {row['before_mb']:,.0f} MB before it began; {row['held_mb']:,.0f} MB of activity on "
            f"{row['disk_mb']:,.0f} MB of disk"
        )
        rows.append(row)
        if row["peak_mb"] * 1e6 > MOST_MEMORY:
            raise RuntimeError(f"{n:,} stimuli took {row['peak_mb']:,.0f} MB of memory, more than 2 GB")
    return {f"recorded to zarr, {size}, full, times 0 to {UNTIL}, float16": rows}


def main() -> None:
    """Record the stimuli that the argument describes, and print time and memory as JSON."""
    task = json.loads(sys.argv[1])
    setting = Setting(**{**task["setting"], "sizes": tuple(task["setting"]["sizes"])})
    torch.set_num_threads(setting.threads)
    folder, n = Path(task["folder"]), task["n"]
    if shutil.disk_usage(folder).free < 1.2 * n * 1e6:
        raise OSError(f"{n:,} stimuli may take {1.2 * n / 1e3:,.0f} GB of disk in {folder}, which are not free")
    model = setting.model(task["size"], "full", UNTIL)
    images = torch.randint(256, (n, 3, setting.side, setting.side), dtype=torch.uint8)
    cs.calibrate(model, images[:200], cs.sustained(), until=UNTIL)
    before, started = resident("VmRSS"), time.perf_counter()
    cs.simulate(
        model, images, cs.sustained(), until=UNTIL, dtype="float16", batch_size=50, to=folder / "a.zarr"
    ).close()
    seconds = time.perf_counter() - started
    disk = sum(file.stat().st_size for file in (folder / "a.zarr").rglob("*") if file.is_file())
    held = cs.estimate(model, n, until=UNTIL, dtype="float16")
    used = {"peak_mb": resident("VmHWM") / 1e6, "before_mb": before / 1e6, "disk_mb": disk / 1e6, "held_mb": held / 1e6}
    print(json.dumps({"seconds": seconds, **used}))


if __name__ == "__main__":
    main()
