"""Run the benchmarks: `uv run python -m benchmarks [NAME ...] [--json PATH]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import panel

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {"panel": panel.measure}


def main() -> int:
    """Run what is named, print each number with its unit, and write them as JSON where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all if none is given")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the numbers there, too")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}: the names are {list(BENCHMARKS)}")
    machine = {"cpu_cores": os.cpu_count(), "load_at_start": os.getloadavg()[0], "platform": platform.platform()}
    results: dict[str, Any] = {"machine": machine}
    print(
        f"{machine['cpu_cores']} CPU cores, load {machine['load_at_start']:.1f} before the start, {platform.machine()}"
    )
    for name in options.names or BENCHMARKS:
        results[name] = BENCHMARKS[name]()
        for what, value in results[name].items():
            print(f"{name}: {what} {value:,.1f}" if isinstance(value, float) else f"{name}: {what} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
