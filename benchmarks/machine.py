"""The machine of the benchmarks, and its clock."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.training.setup import precision_on

FEATURES = {"small": (16, 32, 64), "mid": (64, 128, 256), "quick": (4, 4, 4)}
SIZES = ("small", "mid")
AREAS = ("V1", "V2", "V4", "TEO", "IT")


@dataclass(frozen=True)
class Setting:
    """Settings of the benchmarks.

    Parameters
    ----------
    device : str
        "cpu" or "cuda".
    threads : int
        Of the CPU, for one operation.
    sizes : tuple of str
        "small" (16/32/64 channels at 32x32 px), "mid" (64/128/256).
    quick : bool
        Tiny models and one round, to check that everything runs: the times are meaningless.
    emulated : bool
        Time bfloat16 where the machine only emulates it, too.
    rounds : int or None
        Number of runs of each competitor; by default 7.
    images_at_once : int or None
        By default enough to fill a GPU, and less on a CPU.
    n_kills : int
        Number of kills of each kind.
    """

    device: str = "cpu"
    threads: int = 1
    sizes: tuple[str, ...] = SIZES
    quick: bool = False
    emulated: bool = False
    rounds: int | None = None
    images_at_once: int | None = None
    n_kills: int = 20

    @property
    def chosen_sizes(self) -> tuple[str, ...]:
        """The sizes to run."""
        return ("quick",) if self.quick else self.sizes

    @property
    def n_rounds(self) -> int:
        """Number of timed runs of each competitor."""
        return self.rounds or (1 if self.quick else 7)

    @property
    def side(self) -> int:
        """Side of the images, in pixels."""
        return 16 if self.quick else 32

    def batch(self, size: str) -> int:
        """Return the size of a batch: large enough to fill a GPU, small enough for a CPU."""
        if self.images_at_once is not None:
            return self.images_at_once
        if self.quick:
            return 4
        return {"small": 1024, "mid": 512}[size] if self.device == "cuda" else {"small": 32, "mid": 8}[size]

    def images(self, n: int) -> torch.Tensor:
        """Return n random images, shape (n, 3, side, side)."""
        return torch.rand((n, 3, self.side, self.side), generator=torch.Generator().manual_seed(0)).to(self.device)

    def graph(self, size: str, links: str, n_states: int = 3) -> cs.CortexGraph:
        """Return the graph of a size; `links` is "full" or "adjacent". Widths double from state to state."""
        first = FEATURES[size][0]
        names = [*AREAS[: n_states - 1], AREAS[-1]]
        features = {name: first if self.quick else first << k for k, name in enumerate(names)}
        build = {"full": cs.fully_recurrent, "adjacent": cs.adjacent}[links]
        return build(features, size=self.side)

    def model(self, size: str, links: str, readout_time: int, n_states: int = 3) -> cs.Cortex:
        """Return a model with random weights, in evaluation mode."""
        torch.manual_seed(0)
        return cs.Cortex(self.graph(size, links, n_states), 10, readout_time).to(self.device).eval()

    def precisions(self) -> dict[str, torch.dtype | None]:
        """Return the precisions by name, as autocast takes them; bfloat16 only if it is not emulated."""
        native = precision_on(torch.device(self.device)) == "bfloat16"
        chosen: dict[str, torch.dtype | None] = {"float32": None}
        if native or self.emulated:
            chosen["bfloat16" if native else "bfloat16 (emulated)"] = torch.bfloat16
        return chosen

    @property
    def uses_processor_time(self) -> bool:
        """True if the clock is the processor time of this process, False if it is the wall clock."""
        return self.device == "cpu" and self.threads == 1 and os.name == "posix"

    def clock(self) -> float:
        """Return a time in seconds, after waiting for the device.

        On one thread of a CPU it is the processor time of this process and its children, which other work on the
        machine hardly disturbs; else the wall clock.
        """
        if self.device == "cuda":
            torch.cuda.synchronize()
        if not self.uses_processor_time:
            return time.perf_counter()
        import resource

        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    def describe(self) -> dict[str, Any]:
        """Describe the machine on which the numbers were measured."""
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        return {
            "date": time.strftime("%Y-%m-%d"),
            "device": torch.cuda.get_device_name() if self.device == "cuda" else _processor(),
            "cpu_cores": os.cpu_count(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": self.threads,
            "load_at_start": load,
            "platform": platform.platform(),
            "torch": torch.__version__,
            "clock": "processor time" if self.uses_processor_time else "wall clock",
            "precisions": list(self.precisions()),
            **(_gpu() if self.device == "cuda" else {}),
        }


def peak(setting: Setting, size: str, dtype: torch.dtype | None = None) -> float:
    """Measure the fastest of this machine's convolutions with the shapes of a size, in FLOP/s."""
    return _peak(setting, size, dtype)


@cache
def _peak(setting: Setting, size: str, dtype: torch.dtype | None) -> float:
    best = 0.0
    for k, features in enumerate(FEATURES[size]):
        shape = (setting.batch(size), features, setting.side >> k, setting.side >> k)
        x = torch.randn(shape, device=setting.device, dtype=dtype).contiguous(memory_format=torch.channels_last)
        kernel = torch.randn((features, features, 3, 3), device=setting.device, dtype=dtype)
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        flops = 2 * 9 * features**2 * shape[0] * shape[2] * shape[3]
        taken = []
        for _ in range(10):
            start = setting.clock()
            # several in a row, since a single one is too short for the clock of a GPU
            for _ in range(10):
                F.conv2d(x, kernel, padding=1)
            taken.append(setting.clock() - start)
        # the first repetition is a warm-up
        best = max(best, 10 * flops / max(min(taken[1:]), 1e-9))
    return best


def _gpu() -> dict[str, Any]:
    return {
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "compute_capability": torch.cuda.get_device_capability(),
        "memory_gb": torch.cuda.get_device_properties(0).total_memory / 1e9,
        "float32_convolutions": "TF32" if torch.backends.cudnn.allow_tf32 else "float32",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            named = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        named = []
    return named[0] if named else platform.processor() or platform.machine()
