"""Panels in JupyterLab: times to open the first, to show another image, and to redraw after every slider."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.machine import Setting
from benchmarks.sliders import EDITOR, N_SLID, SLIDERS, slide
from tests.support.jupyter import chromium, lab, open_notebook, run_all, write_notebook

N_STEPS = 120
N_IMAGES = 25
OPENED = ".cs-stage[data-scene]"

# From an event to the first moment after the frame in which its effect was painted; the attribute is set last of all.
WATCH = """([type, attribute]) => {
  const stage = document.querySelector('.cs-stage');
  window.measured_ms = [];
  window.stopMeasuring?.();
  const painted = start => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.measured_ms.push(performance.now() - start);
    channel.port2.postMessage(0);
  });
  const started = event => {
    const observer = new MutationObserver(() => { observer.disconnect(); painted(event.timeStamp); });
    observer.observe(stage, {attributes: true, attributeFilter: [attribute]});
  };
  document.addEventListener(type, started, true);
  window.stopMeasuring = () => document.removeEventListener(type, started, true);
}"""


def measure(setting: Setting) -> dict[str, Any]:
    """Drive the panel on the first task that ships, then every other panel with a slider or a matrix.

    Parameters
    ----------
    setting : Setting
        `quick` moves each slider a few times only.

    Returns
    -------
    dict
        From each quantity, with its unit, to its value.
    """
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as address, chromium() as page:
        cells = "import cortexsim as cs; cs.explore", "panel = cs.explore.Tour(question='')\npanel", "panel.wait()"
        write_notebook(Path(folder) / "notebooks" / "panel.ipynb", *cells)
        open_notebook(page, address, "panel.ipynb")
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
        )
        imported = _run_cell(page)
        start = time.perf_counter()
        _run_cell(page)
        page.wait_for_selector(OPENED, timeout=120_000)
        opened = time.perf_counter() - start
        measuring = _move(page)
        _run_cell(page)
        found = {
            "importing cortexsim in a running kernel, s": imported,
            "opening the panel after that, s": opened,
            **_summary("slider key to redraw while accuracies are measured", measuring),
            **_summary("slider key to redraw", _move(page)),
            **_summary("another image on the screen", _show(page)),
        }
        for k, slid in enumerate((*SLIDERS, EDITOR)):
            # each in a separate notebook, as for a user: other content of a page would make it slower
            page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
            write_notebook(Path(folder) / "notebooks" / f"slider-{k}.ipynb", "import cortexsim as cs", slid.cell)
            open_notebook(page, address, f"slider-{k}.ipynb")
            wrong = [output for output in run_all(page) if output["output_type"] == "error"]
            if wrong:
                raise RuntimeError(f"a cell failed: {wrong[0]['ename']}: {wrong[0]['evalue']}")
            cell = page.locator(".jp-Cell").nth(1)
            cell.locator(".cs-stage[data-time], .js-plotly-plot .main-svg").first.wait_for(
                state="attached", timeout=120_000
            )
            found |= _summary(
                f"key to redraw ({slid.drawn_by}), {slid.name}", slide(page, cell, slid, 4 if setting.quick else N_SLID)
            )
        return found


def _run_cell(page: Page) -> float:
    """Run the active cell, select the next, and return the seconds it took."""
    start = time.perf_counter()
    assert page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    return time.perf_counter() - start


def _move(page: Page) -> list[float]:
    """Press keys on the slider; each waits for the redraw of the one before."""
    page.get_by_role("slider", name="time (steps)").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.cs-stage').dataset.time === '0'")
    page.evaluate(WATCH, ["keydown", "data-time"])
    last = int(page.locator(".cs-bar input[type=range]").get_attribute("max") or 0)
    for step in range(N_STEPS):
        there_and_back = step % (2 * last)
        page.keyboard.press("ArrowRight" if there_and_back < last else "ArrowLeft")
        page.wait_for_function("n => window.measured_ms.length === n", arg=step + 1)
    return page.evaluate("() => window.measured_ms")


def _show(page: Page) -> list[float]:
    """Request other images by the button."""
    page.evaluate(WATCH, ["click", "data-scene"])
    for k in range(N_IMAGES):
        page.get_by_role("button", name="shuffle").click()
        page.wait_for_function("n => window.measured_ms.length === n", arg=k + 1)
    return page.evaluate("() => window.measured_ms")


def _summary(what: str, measured_ms: list[float]) -> dict[str, Any]:
    parts = statistics.quantiles(measured_ms, n=20, method="inclusive")
    return {f"{what}, p50, ms": parts[9], f"{what}, p95, ms": parts[18], f"{what}, n": len(measured_ms)}
