"""The memory that is free."""

from __future__ import annotations

from pathlib import Path


def available() -> int:
    """Return the bytes of memory that can be had without swapping.

    A machine for computing may lack psutil; Linux says the same in /proc/meminfo.
    """
    try:
        import psutil
    except ModuleNotFoundError:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        (found,) = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        return 1024 * int(found)
    return int(psutil.virtual_memory().available)
