"""JupyterLab through the real command, and a browser that tells every address it asks for."""

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

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

# Python runs this at its start, in JupyterLab as in its kernels: whom they call is written down.
WATCH = """
import os, socket, sys
known = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", socket.gethostname()}
def watch(event, arguments):
    if event == "socket.connect":
        place = arguments[1]
    elif event == "socket.getaddrinfo":
        place = arguments
    else:
        return
    host = place[0] if isinstance(place, tuple) else ""
    host = host.decode() if isinstance(host, bytes) else host
    if host is not None and host not in known:
        with open(os.environ["CALLED"], "a") as file:
            print(event, place, file=file)
sys.addaudithook(watch)
"""


@pytest.fixture
def called(tmp_path):
    """Give the file in which Python processes write down whom they call outside of this machine."""
    path = tmp_path / "called.txt"
    path.touch()
    return path


@pytest.fixture
def lab_address(tmp_path, called):
    """Start `cortexsim lab` on copies of the notebooks, with settings of its own; give its address."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    # cells outside the window are there too
    tracker = tmp_path / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}', encoding="utf-8")
    own = {
        variable: str(tmp_path / folder)
        for variable, folder in {
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "IPYTHONDIR": "ipython",
            "PYTHONPATH": "watch",
            "CALLED": called.name,
        }.items()
    }
    command = [str(Path(sys.executable).with_name("cortexsim")), "lab", "--notebooks", str(tmp_path / "notebooks")]
    command += ["--no-browser", "--expose-app-in-browser"]
    if os.name == "posix" and os.geteuid() == 0:
        # Jupyter asks for this in a container
        command.append("--allow-root")
    with subprocess.Popen(
        command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        printed = []
        for line in process.stdout:
            printed.append(line)
            found = re.search(r"http://127\.0\.0\.1:\S+", line)
            if found:
                break
        else:
            pytest.fail("cortexsim lab ended before it gave an address:\n" + "".join(printed))
        # a full pipe would stop the server
        reader = threading.Thread(target=lambda: [None for _ in process.stdout], daemon=True)
        reader.start()
        try:
            yield found.group()
        finally:
            process.terminate()
            process.wait(timeout=60)
            reader.join(timeout=60)


@pytest.fixture
def asked():
    """Give the list of the addresses that the browser asked for."""
    return []


@pytest.fixture
def page(asked):
    """Open an empty page in chromium, in a window of 1280 x 800."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("there is no chromium in the PATH: install it, or leave this test out with -m 'not browser'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        yield page
        browser.close()
