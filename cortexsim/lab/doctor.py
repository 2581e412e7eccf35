"""Checks of this machine: one line for each, with a remedy if it fails.

Only the standard library is imported here. Whatever may be missing or broken runs in separate processes, in parallel,
so no failure hides another, and all checks take seconds.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cortexsim.lab.start import is_root

if TYPE_CHECKING:
    from cortexsim.model.cortex import Cortex

# returns a status and a text
Check: TypeAlias = Callable[[], tuple[str, str]]

PYTHON = (3, 11)
FRONT_ENDS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
LIMIT_S = 90  # for a check in a separate process; the very first start, which compiles, takes 15
CLOSE = 0.01  # tolerance of the known numbers: float32 differs by 1e-5 between machines
INSTALL = "install cortexsim again (in a checkout: uv sync)"


class Found(NamedTuple):
    """Outcome of a check: its status (`ok`, `warning` or `failed`), its name, and a text with the remedy."""

    status: str
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.status:8} {self.check + ':':15} {' '.join(self.text.split())}"


def check() -> int:
    """Run all checks and print a line for each.

    Returns
    -------
    int
        0 if nothing failed, else 1.
    """
    own = [_Own("kernel"), _Own("models")]
    found = []
    try:
        for name, (one, remedy) in CHECKS.items():
            found += _printed([_guarded(name, one, remedy)])
        for process in own:
            found += _printed(process.wait())
    finally:
        for process in own:
            process.end()
    again = "uv run cortexsim lab" if "UV" in os.environ else "cortexsim lab"
    failed = [one.check for one in found if one.status == "failed"]
    n_warnings = sum(one.status == "warning" for one in found)
    if failed:
        print(f"\nNot ready: {', '.join(failed)} failed. Follow the remedies above, then type: {again} --check")
        return 1
    warnings = f", with {n_warnings} warning{'s' * (n_warnings > 1)}" if n_warnings else ""
    print(f"\nReady{warnings}. Type: {again}")
    return 0


def _printed(found: list[Found]) -> list[Found]:
    for one in found:
        print(one, flush=True)
    return found


def _guarded(name: str, one: Check, remedy: str) -> Found:
    try:
        status, text = one()
        return Found(status, name, text)
    except Exception as error:
        # an error here must not hide the other checks
        return Found("failed", name, f"{error or type(error).__name__}: {remedy}")


# --- checks in this process ----------------------------------------------------------------------------------------


def python() -> tuple[str, str]:
    """Check the version of Python."""
    here = f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}"
    if sys.version_info < PYTHON:
        return "failed", f"{here}: {'.'.join(map(str, PYTHON))} or later is needed; install it"
    return "ok", here


def packages(required: Iterable[str] | None = None) -> tuple[str, str]:
    """Check that every package that cortexsim requires is installed, in a version that is new enough."""
    required = required or importlib.metadata.requires("cortexsim") or []
    wrong, n = [], 0
    for requirement in required:
        match = re.match(r"([\w.-]+)\s*(?:>=\s*([\d.]+))?[^;]*(;.*extra.*)?", requirement)
        if match is None or match[3]:
            continue
        n += 1
        try:
            version = importlib.metadata.version(match[1])
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{match[1]} is missing")
            continue
        if match[2] and _numbers(version) < _numbers(match[2]):
            wrong.append(f"{match[1]} is {version}, {match[2]} or later is needed")
    if wrong:
        return "failed", f"{'; '.join(wrong)}: {INSTALL}"
    return "ok", f"all {n} that cortexsim needs"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def jupyterlab() -> tuple[str, str]:
    """Check that JupyterLab is installed, with the parts of the widgets that run in the browser."""
    from jupyter_core.paths import jupyter_path

    version = importlib.metadata.version("jupyterlab")
    if not any((Path(folder) / "static" / "index.html").is_file() for folder in jupyter_path("lab")):
        return "failed", f"{version}, but its page is missing: {INSTALL}"
    missing = [
        name
        for name in FRONT_ENDS
        if not any((Path(folder) / name / "package.json").is_file() for folder in jupyter_path("labextensions"))
    ]
    if missing:
        return "failed", f"{version}, but the front end of {' and of '.join(missing)} is missing: {INSTALL}"
    return "ok", f"{version}, with the front ends of the widgets"


def user() -> tuple[str, str]:
    """Check that this user is not root, as whom notebooks may change everything."""
    if is_root():
        return "warning", "root, as in many containers: what a notebook runs may change everything on this machine"
    return "ok", "JupyterLab starts for this user"


def folders() -> tuple[str, str]:
    """Check that the folders of JupyterLab and of the notebooks are writable."""
    from jupyter_core.paths import jupyter_runtime_dir

    runtime = Path(jupyter_runtime_dir())
    for folder, remedy in (
        (runtime, "make it writable, or set JUPYTER_RUNTIME_DIR to a folder that is"),
        (Path(tempfile.gettempdir()), "set TMPDIR to a folder that is writable"),
        (Path.cwd(), "change to a folder of your own, with cd"),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return "failed", f"cannot write in {folder} ({error.strerror}): {remedy}"
    return "ok", f"can write in {runtime}, {tempfile.gettempdir()} and here"


def port(numbers: Sequence[int] = range(8888, 8938)) -> tuple[str, str]:
    """Check that one of the ports that JupyterLab tries is free."""
    for number in numbers:
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", number))
            except OSError:
                continue
        first = numbers[0]
        taken = "" if number == first else f"; {first} is taken, perhaps by a JupyterLab that still runs"
        return "ok", f"{number} is free{taken}"
    return "failed", f"none of {numbers[0]} to {numbers[-1]} is free: cortexsim lab --port 9999, or another number"


def memory() -> tuple[str, str]:
    """Check that a kernel with a model fits in memory."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < 0.8:
        return "failed", f"{free:.1f} GB is free, a notebook takes 0.8 GB: close other programs"
    if free < 2:
        return "warning", f"{free:.1f} GB is free, enough for one notebook: close other programs to run more"
    return "ok", f"{free:.1f} GB is free"


def disk() -> tuple[str, str]:
    """Check that there is space on disk."""
    free = {folder: shutil.disk_usage(folder).free / 1e9 for folder in (str(Path.cwd()), tempfile.gettempdir())}
    folder = min(free, key=lambda folder: free[folder])
    if free[folder] < 0.1:
        return "failed", f"{free[folder]:.2f} GB is free at {folder}: remove what you no longer need"
    if free[folder] < 2:
        return "warning", f"{free[folder]:.1f} GB is free at {folder}: recordings of many images take more"
    return "ok", f"{free[folder]:.0f} GB is free"


def processor() -> tuple[str, str]:
    """Check that the cores are not busy."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = f"{n} core{'s' * (n > 1)}"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    threads = os.environ.get("OMP_NUM_THREADS")
    if load > 0.7 * n and threads != "1":
        return "warning", (
            f"{cores}, but other programs use {load:.1f}: set OMP_NUM_THREADS=1, or models may run many times slower"
        )
    return "ok", f"{cores}, {threads or 'as many'} thread{'s' * (threads != '1')} for a model"


def browser() -> tuple[str, str]:
    """Check that there is a browser to open."""
    try:
        name = webbrowser.get().__class__.__name__
    except webbrowser.Error:
        return (
            "warning",
            "none found: cortexsim lab --no-browser prints an address to open in any browser that reaches this machine",
        )
    return "ok", f"one opens ({name})"


CHECKS: dict[str, tuple[Check, str]] = {
    "Python": (python, "install Python 3.11 or later"),
    "packages": (packages, INSTALL),
    "JupyterLab": (jupyterlab, INSTALL),
    "user": (user, "start as another user, not as root"),
    "folders": (folders, "change to a folder of your own, with cd"),
    "port": (port, "let programs listen on 127.0.0.1"),
    "memory": (memory, INSTALL),
    "disk": (disk, "change to a folder that exists, with cd"),
    "processor": (processor, "set OMP_NUM_THREADS=1"),
    "browser": (browser, "cortexsim lab --no-browser prints an address to open"),
}


# --- checks in separate processes ----------------------------------------------------------------------------------


class _Own:
    """A check in a separate process, which may hang, crash or lack a package without affecting the others."""

    def __init__(self, name: str) -> None:
        self.name, self.deadline = name, time.monotonic() + LIMIT_S
        command = [sys.executable, "-m", "cortexsim.lab.doctor", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait(self) -> list[Found]:
        """Wait for the outcomes, at most until the deadline."""
        try:
            printed, complaints = self.process.communicate(timeout=max(self.deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            return [Found("failed", self.name, f"no answer within {LIMIT_S} s: close other programs and try again")]
        lines = [json.loads(line[1:]) for line in printed.splitlines() if line.startswith("\0")]
        if not lines:
            last = (complaints.strip().splitlines() or [f"it ended with {self.process.returncode}"])[-1]
            return [Found("failed", self.name, f"{last}: {INSTALL}")]
        return [Found(*line) for line in lines]

    def end(self) -> None:
        """End the process if it is still running."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def kernel() -> list[Found]:
    """Start a kernel as JupyterLab does, run a cell in it, and read the answer."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.manager import KernelManager
    from jupyter_core.paths import jupyter_runtime_dir

    with tempfile.TemporaryDirectory(prefix="cortexsim-ready-") as own:
        specification = Path(own, "kernels", "python3", "kernel.json")
        specification.parent.mkdir(parents=True)
        specification.write_text(json.dumps(get_kernel_dict()), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = own
        # in the same folder as with JupyterLab; by default a lone kernel uses a temporary folder
        connection = Path(jupyter_runtime_dir(), f"kernel-{uuid.uuid4()}.json")
        connection.parent.mkdir(parents=True, exist_ok=True)
        manager = KernelManager(kernel_name="python3", connection_file=str(connection))
        manager.start_kernel()
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=LIMIT_S)
            questions = {
                "answer": "6 * 7",
                "found": "__import__('importlib').util.find_spec('cortexsim') is not None",
            }
            reply = client.execute("import importlib.util", user_expressions=questions, reply=True, timeout=LIMIT_S)
            answers = {
                name: answer.get("data", {}).get("text/plain")
                for name, answer in reply["content"].get("user_expressions", {}).items()
            }
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if answers.get("answer") != "42":
        return [Found("failed", "kernel", f"it starts, but answers {reply['content']}: {INSTALL}")]
    if answers.get("found") != "True":
        return [Found("failed", "kernel", f"it answers, but does not find cortexsim: {INSTALL}")]
    return [Found("ok", "kernel", "starts, runs a cell, answers, and finds cortexsim")]


def models(folder: Path | None = None) -> list[Found]:
    """Load every model that ships, and compare a number of each with the known one; then check the GPU.

    Parameters
    ----------
    folder : Path, optional
        Folder with the models and `known.json`; by default the one that ships.
    """
    import torch

    import cortexsim as cs
    from cortexsim._support.resources import data_folder

    # two threads on busy cores can take a hundred times as long as one
    torch.set_num_threads(1)
    folder = data_folder() / "models" if folder is None else folder
    files = sorted(folder.glob("*.safetensors"))
    wrong = [] if files else [f"there is no model in {folder}"]
    known = json.loads((folder / "known.json").read_text(encoding="utf-8"))
    # an installed package has their numbers, and not their files
    absent = {name for name in cs.zoo.REPOSITORY_ONLY if not (folder / f"{name}.safetensors").exists()}
    known = {name: number for name, number in known.items() if name not in absent}
    for name in sorted({*known, *(file.stem for file in files)}):
        try:
            number = known_number(cs.load(folder / f"{name}.safetensors"))
        except Exception as error:
            # damaged, truncated, missing or unreadable: each model has its own message
            wrong.append(str(error))
            continue
        if name not in known:
            wrong.append(f"{name} has no known number")
        elif not math.isclose(number, known[name], abs_tol=CLOSE):
            wrong.append(f"{name} gives {number:.4f}, not the known {known[name]:.4f}")
    if wrong:
        return [Found("failed", "models", f"{'; '.join(wrong)}: {INSTALL}"), _gpu()]
    return [Found("ok", "models", f"each loads and gives its known number: {', '.join(sorted(known))}"), _gpu()]


def known_number(model: Cortex) -> float:
    """Return the root mean square of a model's logits for a grey ramp, at its readout time."""
    import torch

    import cortexsim as cs

    height, width = model.image_size
    ramp = torch.linspace(0, 1, 3 * height * width).reshape(1, 3, height, width)
    statistics = next(iter(model.statistics.values()), None)
    shown = cs.flash(1) if statistics is None else statistics.presentation.components[0]
    with torch.no_grad():
        logits = model.readouts(ramp, [model.readout_time], shown, statistics=statistics)
    return float(logits.square().mean().sqrt())


def _gpu() -> Found:
    import torch

    if torch.backends.mps.is_available():
        return Found("ok", "GPU", "Apple's: --device mps uses it")
    if not torch.cuda.is_available():
        return Found("ok", "GPU", "none, models run on the processor")
    try:
        name = torch.cuda.get_device_name()
        (torch.ones(1, device="cuda") + 1).item()
    except RuntimeError as error:
        return Found("warning", "GPU", f"{error}: update its driver, or use --device cpu")
    return Found("ok", "GPU", f"{name}, used by default")


def _in_a_process_of_its_own(name: str) -> None:
    # SIGTERM from the parent must end the kernel, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        found = {"kernel": kernel, "models": models}[name]()
    except Exception as error:
        text = f"{str(error) or type(error).__name__}: {INSTALL}"
        if name == "kernel" and isinstance(error, OSError):
            text = f"{error}: make it writable, or set JUPYTER_RUNTIME_DIR to a folder that is"
        found = [Found("failed", name, text)]
    for one in found:
        # marked, because libraries also print
        print("\0" + json.dumps(one), flush=True)


if __name__ == "__main__":
    _in_a_process_of_its_own(sys.argv[1])
