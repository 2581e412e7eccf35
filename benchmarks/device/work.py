"""Circumstances of a step of the plan: the device, the time left, and the file for its results."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import Setting


@dataclass(frozen=True)
class Work:
    """The circumstances of one step.

    Parameters
    ----------
    step : str
        Name of the step.
    device : str
        "cuda" or "cpu".
    folder : path
        Folder of `STEP.json`.
    deadline : float
        Time at which the step must be over, by `time.time()`.
    quick : bool
        Tiny models, to see that everything runs.
    data : path, optional
        Archive of CIFAR-10 (JPEG); see `images.read`.
    """

    step: str
    device: str
    folder: Path
    deadline: float
    quick: bool = False
    data: Path | None = None

    @property
    def file(self) -> Path:
        """The file of the step's results."""
        return self.folder / f"{self.step}.json"

    @property
    def seconds_left(self) -> float:
        """Seconds until the step must be over."""
        return self.deadline - time.time()

    def setting(self, **changes: Any) -> Setting:
        """Return the setting of the benchmarks on this device."""
        return Setting(self.device, quick=self.quick, rounds=1 if self.quick else 5, **changes)

    def read(self) -> dict[str, Any]:
        """Read what the step has written so far."""
        return json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}

    def write(self, **found: Any) -> None:
        """Add results to the step's file, which is complete after every call."""
        aside = self.file.with_suffix(".part")
        aside.write_text(json.dumps(_plain({**self.read(), **found}), indent=1) + "\n", encoding="utf-8")
        os.replace(aside, self.file)


def _plain(value: Any) -> Any:
    """Return a value in the form of JSON: without NaN, and with strings as keys."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone: a step that is stopped leaves nothing running."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def process_context() -> multiprocessing.context.BaseContext:
    """Return the way to start processes: from one that has imported torch but never used the GPU, if possible."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # the first optimizer of a process imports the compiler, which takes seconds
    context.set_forkserver_preload(["torch._dynamo", "benchmarks.device.speed", "benchmarks.device.states"])
    return context
