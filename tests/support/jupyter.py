"""JupyterLab, started by the real command, and chromium on it, for browser tests and benchmarks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# all that Jupyter writes, by environment variable
OWN_FOLDERS = {
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "IPYTHONDIR": "ipython",
}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
KERNEL = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel"
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON()
    .cells.flatMap(cell => cell.outputs ?? [])"""
# true when n widgets are drawn
WIDGETS = """n => document.querySelectorAll('.jp-OutputArea-output .jupyter-widgets, .jp-OutputArea-output .cs-stage')
    .length >= n"""
# runs code in the kernel of the open notebook, outside of its cells, and returns what it prints
EXECUTE = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code});
  let printed = '';
  future.onIOPub = message => {
    if (message.header.msg_type === 'stream') printed += message.content.text;
    if (message.header.msg_type === 'error') printed += message.content.evalue;
  };
  await future.done;
  return printed;
}"""
MOST_HEIGHT_PX = 9000
# scrolls the visible notebook to its first cell; true when that is in view
AT_THE_TOP = """() => {
  const notebook = [...document.querySelectorAll('.jp-WindowedPanel-outer')].find(one => one.clientHeight);
  notebook.scrollTop = 0;
  const first = notebook.querySelector('.jp-Cell').getBoundingClientRect();
  return first.height > 0 && first.top >= notebook.getBoundingClientRect().top;
}"""
# of a window that shows the whole notebook
HEIGHT = """() => {
  const notebook = [...document.querySelectorAll('.jp-WindowedPanel-outer')].find(one => one.clientHeight);
  return Math.ceil(innerHeight + notebook.scrollHeight - notebook.clientHeight);
}"""
# of the figures next to a canvas: the tick at which time's line is drawn, or how many rings there are
MOMENTS = """k => [...document.querySelectorAll('.cortexsim-linked')].flatMap((panel, place) =>
    place === k ? [...panel.querySelectorAll('.js-plotly-plot')] : []).map(plot => {
  const middle = one => (one.getBoundingClientRect().left + one.getBoundingClientRect().right) / 2;
  const line = plot.querySelector('.cs-moment line');
  if (!line) return plot.querySelectorAll('.cs-moment circle').length;
  const tick = [...plot.querySelectorAll('.xtick text')].find(one => Math.abs(middle(one) - middle(line)) < 1.5);
  return tick?.textContent ?? 'nowhere';
})"""


@contextmanager
def lab(
    folder: Path, *, theme: str = "light", environment: dict[str, str] | None = None, options: Sequence[str] = ()
) -> Iterator[str]:
    """Run `cortexsim lab` with settings of its own.

    Parameters
    ----------
    folder : Path
        For copies of the notebooks, in `notebooks`, and for all that JupyterLab writes.
    theme : "light" or "dark"
    environment : dict, optional
        Further environment variables.
    options : sequence of str
        Further options of the command.

    Yields
    ------
    str
        Its address.

    Raises
    ------
    RuntimeError
        If it ends before it gives an address.
    """
    _write_settings(folder / "settings" / "@jupyterlab", theme)
    own = {variable: str(folder / name) for variable, name in OWN_FOLDERS.items()}
    command = [str(Path(sys.executable).with_name("cortexsim")), "lab", "--notebooks", str(folder / "notebooks")]
    command += ["--no-browser", "--expose-app-in-browser", *options]
    with subprocess.Popen(
        command,
        env={**os.environ, **own, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            found = re.search(r"http://127\.0\.0\.1:\S+", line)
            if found:
                break
        else:
            raise RuntimeError("cortexsim lab ended before it gave an address:\n" + "".join(printed))
        # a full pipe would stop the server
        reader = threading.Thread(target=lambda: [None for _ in process.stdout], daemon=True)  # type: ignore[union-attr]
        reader.start()
        try:
            yield found.group()
        finally:
            process.terminate()
            process.wait(timeout=60)
            reader.join(timeout=60)


def _write_settings(folder: Path, theme: str) -> None:
    """Write settings of JupyterLab: the theme, and all cells in the page, also those out of view."""
    for name, values in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/themes": {"theme": THEMES[theme]},
    }.items():
        path = folder / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


@contextmanager
def chromium(asked: list[str] | None = None, flags: Sequence[str] = ()) -> Iterator[Page]:
    """Open an empty page in a window of 1280 x 800.

    Parameters
    ----------
    asked : list, optional
        Receives every address that the browser requests.
    flags : sequence of str
        Further flags of chromium.

    Raises
    ------
    RuntimeError
        If there is no chromium.
    """
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("there is no chromium in the PATH: install it, or leave the browser out")
    asked = [] if asked is None else asked
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_FLAGS, *flags])
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        yield page
        browser.close()


def open_notebook(page: Page, address: str, name: str | None = None) -> None:
    """Open JupyterLab and wait for the notebook's kernel.

    Parameters
    ----------
    page : Page
    address : str
        As `lab` gives it.
    name : str, optional
        Another notebook than the one that opens by itself.
    """
    if name is not None:
        address = re.sub(r"/lab(/tree/[^?]*)?(?=\?|$)", f"/lab/tree/{name}", address)
    # without what was open before in the same JupyterLab
    page.goto(f"{address}{'&' if '?' in address else '?'}reset")
    page.wait_for_function(KERNEL, timeout=90_000)


def run_all(page: Page) -> list[dict[str, Any]]:
    """Run all cells, wait until they are done, and return their outputs."""
    # `lab` runs the first panel by itself, and JupyterLab may give up a run that meets that one: then once more
    done = any(page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')") for _ in range(2))
    assert done
    return page.evaluate(OUTPUTS)


def photograph(page: Page, path: Path, cell: Locator | None = None) -> list[Path]:
    """Save the open notebook as pictures in each theme, from its first cell to its last; the light theme stays.

    Parameters
    ----------
    page : Page
    path : Path
        Ends in .png; the theme is added to its name.
    cell : Locator, optional
        Only this cell.

    Returns
    -------
    list of Path
        The picture in the dark theme, then that in the light one.
    """
    before = page.viewport_size
    assert before is not None
    page.set_viewport_size({"width": before["width"], "height": min(page.evaluate(HEIGHT), MOST_HEIGHT_PX)})
    taken = []
    # the server keeps the last one
    for theme in ("dark", "light"):
        wanted = {"theme": THEMES[theme]}
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', theme)", wanted)
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "light").lower()
        )
        # styles of a theme come a moment after its name
        page.wait_for_timeout(300)
        if cell is None:
            # JupyterLab scrolls to the active cell, the last one, also when the page is as high as the notebook
            page.wait_for_function(AT_THE_TOP)
        taken.append(path.with_name(f"{path.stem}-{theme}.png"))
        (page if cell is None else cell).screenshot(path=taken[-1])
    page.set_viewport_size(before)
    return taken


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = [
        {"cell_type": "code", "id": f"cell-{k}", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
        for k, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
