"""Available memory."""

from __future__ import annotations

from pathlib import Path


def available() -> int:
    """Return the bytes of memory that are available without swapping.

    Without psutil, the number is read from /proc/meminfo (Linux).
    """
    try:
        import psutil
    except ModuleNotFoundError:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        (found,) = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        return 1024 * int(found)
    return int(psutil.virtual_memory().available)
