"""Losses of a training, a recording and a sweep that signals and full disks end at random moments, many times."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import xarray as xr

import cortexsim as cs
from benchmarks.machine import Setting
from cortexsim.model.checkpoint import read_tensors

# imported once, in a process without threads, from which the others are forked quickly
PRELOADED = ["benchmarks.kills", "torch._dynamo", "zarr", "dask.array", "distributed", "h5netcdf", "psutil"]
FULL, INTERRUPTED, NO_SPACE = "full disk", 130, 28
LONGEST_START = 60  # s
# the exit code after each way of ending
WAYS = {"SIGKILL": -signal.SIGKILL, "SIGTERM": -signal.SIGTERM, "SIGINT": INTERRUPTED, FULL: NO_SPACE}
MODEL, RECORDING, RESULT = "model.safetensors", "recording.zarr", "study/result.nc"


def measure(setting: Setting) -> dict[str, Any]:
    """End each kind of work many times in each way, resume it every time, and compare the results.

    Returns
    -------
    dict
        From a title to rows: `side`, `kills`, `before_anything` (ended before anything was written), `ends` (runs that
        were then finished), `lost` and a `note` that sums up.

    Raises
    ------
    RuntimeError
        If something was lost.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    # the first process waits for the imports, which are not part of the work
    ready = context.Process(target=torch.set_num_threads, args=(1,))
    ready.start()
    ready.join()
    n = 2 if setting.quick else setting.n_kills
    rows = []
    for work in WORKS:
        for way in WAYS:
            rows.append(_filled(context, work, n) if way == FULL else _ended(context, work, way, n))
            # printed at once: the next one takes long, and the user may stop it
            print(f"{rows[-1]['side']}: {rows[-1]['note']}", flush=True)
    lost = [f"{row['side']}: {text}" for row in rows for text in row["lost"]]
    if lost:
        raise RuntimeError(f"lost: {'; '.join(lost)}")
    return {f"ended {n} times each": rows}


def _ended(context: Any, work: Work, way: str, n: int) -> dict[str, Any]:
    """End it by a signal, n times in all, and resume it each time."""
    drawn, lost = random.Random(f"{work.name} {way}"), []
    kills = before_anything = ends = attempts = 0
    with tempfile.TemporaryDirectory(prefix="cortexsim-kills-") as name:
        whole, seconds = _whole(context, work, Path(name))
        folder = Path(name) / "0"
        while kills < n or folder.exists():
            folder.mkdir(exist_ok=True)
            # the last one runs to its end
            code = _run(context, work, folder, drawn.uniform(0, seconds) if kills < n else None, way=way)
            attempts += 1
            if code == WAYS[way]:
                kills += 1
                before_anything += not any(folder.iterdir())
                lost += work.check(folder)
                continue
            if code:
                lost.append(f"it did not resume after {way} number {kills}: exit code {code}")
            else:
                ends += 1
                lost += work.compare(whole, folder)
            folder = Path(name) / str(attempts)
    return _row(work, f"{way} within {seconds:.1f} s", kills, before_anything, ends, lost)


def _filled(context: Any, work: Work, n: int) -> dict[str, Any]:
    """Run it n times on a disk that is too small, then enlarge the disk and resume it."""
    drawn, lost = random.Random(f"{work.name} {FULL}"), []
    kills = before_anything = ends = 0
    with tempfile.TemporaryDirectory(prefix="cortexsim-kills-") as name:
        whole, _ = _whole(context, work, Path(name))
        sizes = [file.stat().st_size for file in whole.rglob("*") if file.is_file()]
        for attempt in range(n):
            folder = Path(name) / str(attempt)
            folder.mkdir()
            mounted = _mount(folder, drawn.randint(1, sum(sizes)))
            try:
                code = _run(context, work, folder, longest=None if mounted else drawn.randint(0, max(sizes)))
                if code:
                    kills += 1
                    before_anything += not any(folder.iterdir())
                    lost += [] if code == WAYS[FULL] else [f"a full disk ended it with exit code {code}"]
                    lost += work.check(folder)
                if mounted:
                    _mount(folder, 4 * sum(sizes) + 2**24, again=True)
                code = _run(context, work, folder)
                ends += not code
                lost += [f"it did not resume after a full disk: exit code {code}"] if code else []
                lost += [] if code else work.compare(whole, folder)
            finally:
                if mounted:
                    subprocess.run(["umount", folder], check=True)
    on = "disks too small" if mounted else "files too large for the limit of the process"
    return _row(work, on, kills, before_anything, ends, lost)


def _mount(folder: Path, size: int, *, again: bool = False) -> bool:
    """Mount a disk of a given size in memory, or change its size; return False if that is not allowed."""
    options = f"{'remount,' * again}size={size}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    return done.returncode == 0


def _whole(context: Any, work: Work, folder: Path) -> tuple[Path, float]:
    """Run it to its end, and return its folder and its duration in s."""
    whole = folder / "whole"
    whole.mkdir()
    started = time.perf_counter()
    if _run(context, work, whole) != 0:
        raise RuntimeError(f"{work.name} fails even if it is not killed")
    return whole, time.perf_counter() - started


def _row(work: Work, ended_by: str, kills: int, before_anything: int, ends: int, lost: list[str]) -> dict[str, Any]:
    note = (
        f"{kills} ended by {ended_by}, {before_anything} before anything was written; finished {ends} times, "
        f"{'as if never ended; nothing lost' if not lost else f'{len(lost)} losses'}"
    )
    counted = {"kills": kills, "before_anything": before_anything, "ends": ends}
    return {"side": f"{work.name}, {ended_by}", **counted, "lost": lost, "note": note}


def _run(
    context: Any,
    work: Work,
    folder: Path,
    seconds: float | None = None,
    *,
    way: str = "SIGKILL",
    longest: int | None = None,
) -> int:
    """Run it in a process, end the process by a signal after some seconds, and return its exit code.

    Parameters
    ----------
    longest : int, optional
        Bytes that a file may have, in that process.
    """
    begun = context.Event()
    process = context.Process(target=_do, args=(work, folder, longest, begun))
    process.start()
    # a signal to a process that is still being made says nothing about the work
    begun.wait(LONGEST_START)
    process.join(seconds)
    if process.is_alive():
        os.kill(process.pid, getattr(signal, way))
        process.join()
    return process.exitcode


def _do(work: Work, folder: Path, longest: int | None, begun: Any) -> None:
    if longest is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, resource.RLIM_INFINITY))
    # without the tracebacks that a process would print
    try:
        begun.set()
        work.do(folder)
        # the work is done, and Python's own end would print a traceback
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        # the errors of safetensors have no errno
        full = error.errno in (errno.ENOSPC, errno.EFBIG) or "No space left" in str(error) or "too large" in str(error)
        sys.exit(NO_SPACE if full else 1)


@dataclass(frozen=True)
class Work:
    """Work that takes a while and can be resumed.

    Parameters
    ----------
    name : str
    do : callable
        Does the work in a folder, and resumes an earlier run there.
    check : callable
        Returns the damage that an ended process has left in a folder.
    compare : callable
        Returns the differences between two folders, of an uninterrupted process and of a killed one.
    """

    name: str
    do: Callable[[Path], None]
    check: Callable[[Path], list[str]]
    compare: Callable[[Path, Path], list[str]]


def _model(readout_time: int = 4) -> cs.Cortex:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), n_classes=10, readout_time=readout_time)


def _train(folder: Path) -> None:
    digits = cs.datasets.digits(80, size=16)
    recipe = cs.Recipe.quick(epochs=6, batch_size=10, augmentation="none", precision="float32", validation=0.0)
    model = _model()
    for _ in cs.train(model, digits, recipe, checkpoint=folder / "state.safetensors", report_every=1):
        pass
    cs.save(model, folder / MODEL, overwrite=True)


def _check_training(folder: Path) -> list[str]:
    lost = []
    for file in folder.glob("[!.]*.safetensors"):
        try:
            read_tensors(file)
        except ValueError as error:
            lost.append(str(error))
    return lost


def _compare_training(whole: Path, folder: Path) -> list[str]:
    one, other = (cs.load(path / MODEL).state_dict() for path in (whole, folder))
    return [f"{name} differs" for name, value in one.items() if not torch.equal(value, other[name])]


def _record(folder: Path) -> None:
    model = _model()
    images = torch.rand((400, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    cs.calibrate(model, images[:50], until=10)
    record = {"V1": "spatial_mean", "IT": "all"}
    cs.simulate(model, images, until=10, record=record, batch_size=10, to=folder / RECORDING, resume=True).close()


def _check_recording(folder: Path) -> list[str]:
    try:
        cs.open_recording(folder / RECORDING).close()
    except FileNotFoundError:
        return []
    except ValueError as error:
        return [] if "is incomplete" in str(error) else [str(error)]
    # it opens as a complete recording, so it must be one
    try:
        cs.verify(folder / RECORDING)
    except ValueError as error:
        return [str(error)]
    return []


def _compare_recording(whole: Path, folder: Path) -> list[str]:
    one, other = (
        {file.relative_to(path): file.read_bytes() for file in (path / RECORDING).rglob("*") if file.is_file()}
        for path in (whole, folder)
    )
    return [f"{file} differs" for file in {*one, *other} if one.get(file) != other.get(file)]


STUDY = {
    "models": ["digits-tiny"],
    "data": "digits",
    "until": 4,
    "n": 20,
    "seeds": list(range(4)),
    "presentations": ["flash", "sustained"],
}


def _sweep(folder: Path) -> None:
    torch.set_num_threads(1)
    cs.sweep(STUDY, to=folder / "study", workers=0, resume=True)


def _check_sweep(folder: Path) -> list[str]:
    lost = []
    for file in (folder / "study" / "points").glob("[!.]*.nc"):
        try:
            xr.load_dataset(file, engine="h5netcdf")
        except Exception as error:
            lost.append(f"{file.name}: {error}")
        # a point that is finished is never written again
        file.chmod(0o444)
    return lost


def _compare_sweep(whole: Path, folder: Path) -> list[str]:
    one, other = (xr.load_dataset(path / RESULT, engine="h5netcdf") for path in (whole, folder))
    return [] if one.identical(other) else ["the result differs"]


WORKS = (
    Work("training", _train, _check_training, _compare_training),
    Work("recording to zarr", _record, _check_recording, _compare_recording),
    Work("sweep of 8 points", _sweep, _check_sweep, _compare_sweep),
)
