"""JupyterLab on the notebooks, with this environment's Python, the user's settings and no request to the web."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cortexsim._support.checks import unknown
from cortexsim._support.console import printable
from cortexsim._support.extras import check_extra
from cortexsim._support.resources import copy_notebooks, in_checkout, notebooks_folder

IP_OPTIONS = ("--ip", "--ServerApp.ip", "--LabApp.ip", "--NotebookApp.ip")
FIRST_NOTEBOOK = "00_start_here.ipynb"

# For this launch only; the user's settings are neither changed nor replaced. The announcements ask in a pop-up whether
# to fetch news, and look for new versions on the web; the extension manager lists a package index.
_SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "jupyter_lab_config.json": {"LabApp": {"extension_manager": "readonly"}},
    "labconfig/page_config.json": {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}},
    # a notebook that is opened the next day shows its panels as saved, although no kernel has them
    "labconfig/default_setting_overrides.json": {"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}},
}
EXTENSIONS = Path(__file__).parent / "extension"
"""Extension of JupyterLab for this launch: it runs the first panel, and reports when a kernel is gone."""


@dataclass(frozen=True)
class Look:
    """Appearance of JupyterLab in a class.

    Attributes
    ----------
    hide_code : bool
        Show no code cells, only their output.
    projector : bool
        Write text of panels in 18 px.
    """

    hide_code: bool = False
    projector: bool = False


def lab(
    arguments: Sequence[str] = (), folder: Path | None = None, lesson: str | None = None, look: Look = Look()
) -> int:
    """Open JupyterLab on the first notebook, or on another one, and wait until it is closed.

    Parameters
    ----------
    arguments : sequence of str
        Further arguments for `jupyter lab`, e.g. ["--no-browser", "--port", "9999"]. Address and token are Jupyter's
        defaults: loopback, and a new token at every start.
    folder : Path, optional
        The folder to work in: the notebooks are copied there; existing files are never overwritten. By default a
        checkout's notebooks are opened where they are, and those of an installed cortexsim are copied to
        `./cortexsim-notebooks`.
    lesson : str, optional
        The notebook to open, by number or name; see `find_lesson`.
    look : Look

    Returns
    -------
    int
        The exit status of JupyterLab, which prints to the terminal.

    Raises
    ------
    NotADirectoryError
        If `folder` is a file.
    ValueError
        If there is no such lesson.
    RuntimeError
        If JupyterLab is not installed.
    """
    check_extra("lab", "the notebooks")
    beyond = warn_of_network(arguments)
    arguments = [*arguments, *([] if beyond else allow_root(arguments))]
    notebook = FIRST_NOTEBOOK if lesson is None else find_lesson(lesson)
    if folder is None and in_checkout():
        place = notebooks_folder()
    else:
        place = (Path("cortexsim-notebooks") if folder is None else folder).resolve()
        for path, outcome in copy_notebooks(place):
            if outcome == "kept":
                print(f"kept your {path.name}: it differs from the one in this version of cortexsim")
        print(f"the notebooks are in {place}", flush=True)
    # code runs automatically only in our notebooks, or in those that JupyterLab trusts
    opened = place / notebook
    ours = opened.is_file() and opened.read_bytes() == (notebooks_folder() / notebook).read_bytes()
    with tempfile.TemporaryDirectory(prefix="cortexsim-lab-") as own:
        command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={place}", *arguments]
        process = subprocess.Popen(command, env=environment(Path(own), os.environ, notebook, look, ours=ours))
        with process, _signals_left_to(process):
            return process.wait()


def is_root() -> bool:
    """Return True if this user is root, as in many containers."""
    # Windows has no user numbers
    return hasattr(os, "geteuid") and os.geteuid() == 0


def allow_root(arguments: Sequence[str]) -> list[str]:
    """Return the option with which JupyterLab starts for root, and say on standard error what that means.

    Only for a JupyterLab that listens on this machine: for another, root has to give the option.
    """
    if not is_root() or "--allow-root" in arguments:
        return []
    print(
        "note: you are root, as in many containers: what a notebook runs may change everything on this machine.",
        file=sys.stderr,
        flush=True,
    )
    return ["--allow-root"]


def warn_of_network(arguments: Sequence[str]) -> bool:
    """Warn on standard error if JupyterLab is to listen beyond this machine, and return True then."""
    beyond = False
    for given, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, equals, value = given.partition("=")
        if name not in IP_OPTIONS:
            continue
        address = (value if equals else following).strip("'\"")
        if not _is_loopback(address):
            beyond = True
            print(
                f"warning: JupyterLab will listen on {printable(address) or 'all addresses'}, beyond this machine and "
                "without encryption: whoever reads its address with the token can run code as you. An SSH tunnel to "
                "127.0.0.1 is safer.",
                file=sys.stderr,
                flush=True,
            )
    return beyond


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def find_lesson(asked: str) -> str:
    """Find one of the notebooks that come with cortexsim by its number or name.

    Parameters
    ----------
    asked : str
        Its number ("0", "00"), its file's name, or a part of it ("start").

    Returns
    -------
    str
        The file's name.

    Raises
    ------
    ValueError
        If there is none, or several; the message lists the notebooks.
    """
    names = {path.stem: path.name for path in sorted(notebooks_folder().glob("*.ipynb"))}
    text = asked.strip().lower().removesuffix(".ipynb").replace("-", "_").replace(" ", "_")
    if text.isdecimal():
        found = [stem for stem in names if (number := stem.split("_")[0]).isdecimal() and int(number) == int(text)]
    else:
        found = [text] if text in names else [stem for stem in names if text and text in stem.lower()]
        # a lesson keeps its name when its number changes
        rest = text.partition("_")[2] if text[:1].isdecimal() else ""
        found = found or [stem for stem in names if rest and stem.partition("_")[2] == rest]
    if len(found) > 1:
        raise ValueError(f"several lessons match {asked!r}: {found}; give the number")
    if not found:
        raise ValueError(unknown("lesson", asked, names))
    return names[found[0]]


def environment(
    own: Path, outer: Mapping[str, str], notebook: str = FIRST_NOTEBOOK, look: Look = Look(), *, ours: bool = True
) -> dict[str, str]:
    """Prepare the environment variables for JupyterLab.

    Parameters
    ----------
    own : Path
        An empty folder for the settings and the kernel of this launch.
    outer : mapping of str to str
        The environment to start from.
    notebook : str
        The notebook to open, relative to the folder in which JupyterLab is started.
    look : Look
    ours : bool
        The notebook is unchanged, so its first panel may run automatically before JupyterLab trusts it.

    Returns
    -------
    dict of str to str
        `outer`, with `own` before the folders in which Jupyter looks for settings and kernels.
    """
    from ipykernel.kernelspec import get_kernel_dict

    # the user's kernel python3 may belong to another Python, without cortexsim
    kernel = {**get_kernel_dict(), "display_name": "Python 3 (cortexsim)"}
    files: dict[Path, dict[str, Any]] = {own / "config" / name: content for name, content in _SETTINGS.items()}
    opened = {"default_url": f"/lab/tree/{notebook}", "extra_labextensions_path": [str(EXTENSIONS)]}
    app = {**_SETTINGS["jupyter_lab_config.json"]["LabApp"], **opened}
    files[own / "config" / "jupyter_lab_config.json"] = {"LabApp": app}
    asked = {"Lesson": notebook, "Ours": ours, "HideCode": look.hide_code, "Projector": look.projector}
    page = {**_SETTINGS["labconfig/page_config.json"], **{f"cortexsim{name}": value for name, value in asked.items()}}
    files[own / "config" / "labconfig" / "page_config.json"] = page
    files[own / "data" / "kernels" / "python3" / "kernel.json"] = kernel
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")

    def before(variable: str, folder: Path) -> str:
        return os.pathsep.join(filter(None, [str(folder), outer.get(variable, "")]))

    return {
        **outer,
        "JUPYTER_CONFIG_PATH": before("JUPYTER_CONFIG_PATH", own / "config"),
        "JUPYTER_PATH": before("JUPYTER_PATH", own / "data"),
    }


@contextmanager
def _signals_left_to(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Leave Ctrl-C to JupyterLab, which asks before it ends, and end it when this process is ended."""
    before = {
        # Ctrl-C reaches both processes; this one keeps waiting
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
