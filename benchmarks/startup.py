"""Time to start: imports, a first recording, the help of the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.alternate import Side, compare
from benchmarks.machine import Setting

FOLDER = Path(__file__).parents[1]
FIRST = """
import torch
import cortexsim as cs
torch.set_num_threads(1)
model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8), n_classes=3, readout_time=5)
images = torch.rand(8, 3, 8, 8)
cs.calibrate(model, images, until=3)
cs.simulate(model, images, until=3)
"""


def measure(setting: Setting) -> dict[str, Any]:
    """Compare processes that import torch, cortexsim, and record for the first time.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    sides = [
        Side("python, import torch", python("import torch")),
        Side("python, import cortexsim", python("import cortexsim")),
        Side("python, first calibration and recording", python(FIRST)),
        Side(
            "cortexsim --help",
            python("import sys; sys.argv = ['cortexsim', '--help']; from cortexsim._start import main; main()"),
        ),
    ]
    # each run takes seconds, so there are few rounds
    few = replace(setting, rounds=setting.rounds or (1 if setting.quick else 5))
    return {"starting": compare(few, sides[1:] if setting.quick else sides)}


def python(code: str) -> Callable[[], None]:
    """Return a function that runs code in a separate process."""

    def run() -> None:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=FOLDER)
        if done.returncode:
            raise RuntimeError(f"{code!r} ended with {done.returncode}:\n{done.stderr}")

    return run
