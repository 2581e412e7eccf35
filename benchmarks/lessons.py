"""Times for planning a lesson: until the first panel is drawn, each notebook is open, and its panel has measured."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.machine import Setting
from cortexsim._support.resources import notebooks_folder
from cortexsim.lab.start import FIRST_NOTEBOOK
from tests.support.jupyter import EXECUTE, WIDGETS, chromium, lab, open_notebook, run_all

ROUNDS = 3
TRAINING = "03_train_it.ipynb"
LONGEST_MS = 1_800_000

# Runs the measurement of the notebook's panel, as its button does, until the figure is drawn. Prints the seconds.
MAIN_RUN = """
import time as _time
_start = _time.perf_counter()
if hasattr(globals().get("panel"), "compute"):
    panel.compute()
elif isinstance(globals().get("panel"), cs.explore.Tour):
    panel.wait(600)
else:
    _start = None
print("none" if _start is None else _time.perf_counter() - _start)
"""
MAIN_TRAINING = """
import time as _time
_panel = cs.explore.Training("contours", question="")
_start = _time.perf_counter()
_panel.start()
_panel.wait(1800)
print(_time.perf_counter() - _start)
_panel.close()
"""


def measure(setting: Setting) -> dict[str, Any]:
    """Open every notebook that ships as a student does, and run the measurement of its panel.

    Parameters
    ----------
    setting : Setting
        `rounds` is the number of repetitions; `quick` opens only the first notebook, once.

    Returns
    -------
    dict
        From a quantity with its unit to its median over rounds. Main runs are those of the panel called `panel`; a
        notebook without such a panel has none.
    """
    rounds = 1 if setting.quick else setting.rounds or ROUNDS
    names = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
    found: dict[str, list[float]] = {}
    for k in range(rounds):
        with tempfile.TemporaryDirectory() as folder, chromium() as page:
            page.set_default_timeout(LONGEST_MS)
            start = time.perf_counter()
            with lab(Path(folder)) as address:
                server = time.perf_counter() - start
                open_notebook(page, address)
                ready = time.perf_counter() - start
                _run(page)
                panel = time.perf_counter() - start
                for what, seconds in {"JupyterLab answers": server, "the kernel runs": ready}.items():
                    found.setdefault(f"from `cortexsim lab` until {what}, s", []).append(seconds)
                found.setdefault("from `cortexsim lab` to the panels of 00, all cells run, s", []).append(panel)
                for name in [FIRST_NOTEBOOK] if setting.quick else names:
                    _shut_down(page)
                    # all notebooks together take many minutes, so each result is printed at once
                    taken = _lesson(page, address, name)
                    times = ", ".join(f"{what} {seconds:,.1f} s" for what, seconds in taken.items())
                    print(f"round {k + 1} of {rounds}: {name}: {times}", flush=True)
                    for what, seconds in taken.items():
                        found.setdefault(f"{name}: {what}, s", []).append(seconds)
                _shut_down(page)
    return {"rounds": rounds, **{what: statistics.median(seconds) for what, seconds in found.items()}}


def _lesson(page: Page, address: str, name: str) -> dict[str, float]:
    start = time.perf_counter()
    open_notebook(page, address, name)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    _run(page)
    taken = {"until its kernel runs": opened, "all cells, panels drawn": time.perf_counter() - start}
    said = page.evaluate(EXECUTE, MAIN_TRAINING if name == TRAINING else MAIN_RUN).strip()
    return taken if said == "none" else {**taken, "main run of its panel": float(said)}


def _run(page: Page) -> None:
    """Run all cells, until every widget is drawn.

    Raises
    ------
    RuntimeError
        If a cell ends with an error.
    """
    outputs = run_all(page)
    wrong = [output for output in outputs if output["output_type"] == "error"]
    if wrong:
        raise RuntimeError(f"a cell failed: {wrong[0]['ename']}: {wrong[0]['evalue']}")
    shown = sum("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    page.wait_for_function(WIDGETS, arg=shown)


def _shut_down(page: Page) -> None:
    """End all kernels, so that none of them computes while the next one does."""
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
