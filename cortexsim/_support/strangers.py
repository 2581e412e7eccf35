"""Untrusted files: read in a child process first, so that a crash, a hang or a lack of memory stays there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from cortexsim._support import rehearsal

SECONDS = 15  # of processor time, and as many again for each BYTES_IN_THAT_TIME
BYTES_IN_THAT_TIME = 2**28
WAITED = 8  # factor for the wall-clock time, on a busy machine
MEMORY = 4 * 2**30  # bytes, in addition to twice the size of the file


def check_hdf5(path: Path, *, whole: bool = False) -> None:
    """Refuse an HDF5 file that is damaged, or refers to other files, before anything else reads it.

    Parameters
    ----------
    path : Path
        HDF5, such as netCDF 4.
    whole : bool
        Read the whole file, because it will be read as a whole later.

    Raises
    ------
    ValueError
        If it cannot be read, contains a link to a different file, a virtual dataset or data in a different file, uses a
        compression that is not built into HDF5, or takes more time or memory than is allowed.
    """
    try:
        rehearsed("hdf5-whole" if whole else "hdf5", path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def rehearsed(task: str, path: Path) -> bytes:
    """Read a file in a child process, within limits.

    Parameters
    ----------
    task : "hdf5", "hdf5-whole", "netcdf3" or "matlab"
        See `cortexsim._support.rehearsal`.
    path : Path

    Returns
    -------
    bytes
        The output of the child: for "matlab" the same contents, written again; otherwise empty.

    Raises
    ------
    ValueError
        If it is not a regular file, or the child refused it, crashed, or took too much time or memory; the message is
        the reason, without the path.
    """
    if not path.is_file():
        raise ValueError("it is not a file")
    size = path.stat().st_size
    seconds, memory = SECONDS * (1 + size // BYTES_IN_THAT_TIME), MEMORY + 2 * size
    given = [task, str(path.absolute()), str(seconds), str(memory)]
    command = [sys.executable, "-P", rehearsal.__file__, *given]
    # the same packages as here; one thread for each library, because threads reserve memory
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    slow = f"reading it takes more than {seconds} s: it is damaged, or made so that reading never ends"
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds * WAITED, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ValueError(slow) from None
    if done.returncode == 0:
        _warn_of_left_out(path, done.stderr)
        return done.stdout
    if done.returncode == rehearsal.REFUSED:
        raise ValueError(done.stdout.decode("utf-8", "replace"))
    if done.returncode == rehearsal.OUT_OF_MEMORY:
        raise ValueError(f"reading it takes more than {memory / 2**30:.1f} GB of memory")
    if -done.returncode in (getattr(signal, "SIGXCPU", 0), getattr(signal, "SIGKILL", 0)):
        raise ValueError(slow)
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
    raise ValueError(f"it is damaged: the process that read it crashed ({how})")


def _warn_of_left_out(path: Path, errors: bytes) -> None:
    """Warn of the variables that a child could not write again."""
    for line in errors.decode("utf-8", "replace").splitlines():
        if line.startswith(rehearsal.LEFT_OUT):
            names = json.loads(line.removeprefix(rehearsal.LEFT_OUT))
            warnings.warn(
                f"{path.name}: the variables {names} are left out, because functions and objects of MATLAB classes "
                "cannot be read here",
                stacklevel=4,
            )
