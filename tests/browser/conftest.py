"""JupyterLab through the real command, and a browser that tells every address it asks for."""

import os
import shutil
from pathlib import Path
from urllib.parse import urlparse

import pytest

from tests.support.jupyter import chromium, lab, photograph

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


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory):
    """Give the folder of one JupyterLab, which all tests share: to start it takes longest."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def called(lab_folder):
    """Give the file in which Python processes write down whom they call outside of this machine."""
    path = lab_folder / "called.txt"
    path.touch()
    return path


@pytest.fixture(scope="session")
def lab_address(lab_folder, called):
    """Start `cortexsim lab` on copies of the notebooks, with settings of its own; give its address."""
    (lab_folder / "watch").mkdir()
    (lab_folder / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    watching = {"PYTHONPATH": str(lab_folder / "watch"), "CALLED": str(called)}
    with lab(lab_folder, environment=watching) as address:
        yield address


@pytest.fixture(scope="module")
def asked():
    """Give the list of the addresses that the browser asked for."""
    return []


@pytest.fixture(scope="module")
def page(asked):
    """Open an empty page in chromium, in a window of 1280 x 800."""
    if shutil.which("chromium") is None:
        pytest.fail("there is no chromium in the PATH: install it, or leave these tests out, as CONTRIBUTING.md says")
    with chromium(asked) as page:
        yield page
        # a kernel left behind would compute at the same time as the next module's
        page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")


@pytest.fixture(scope="module")
def left_this_machine(asked, called):
    """Give a function that lists whom browser, server and kernel called elsewhere."""

    def listed():
        hosts = {urlparse(address).hostname for address in asked if not address.startswith(("data:", "blob:"))}
        return sorted(hosts - {"127.0.0.1"}) + called.read_text(encoding="utf-8").splitlines()

    return listed


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    """Give the folder for pictures of the panels, which people look at: the environment's, or one of pytest's own."""
    asked = os.environ.get("CORTEXSIM_SCREENSHOTS")
    folder = Path(asked) if asked else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def looks(page, screenshots):
    """Give a function that keeps how the open notebook, or a cell of it, looks in both themes."""

    def kept(name, cell=None):
        dark, light = (one.read_bytes() for one in photograph(page, screenshots / f"{name}.png", cell))
        assert dark != light, f"{name} looks the same in both themes"

    return kept
