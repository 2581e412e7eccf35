"""Writing files so that nothing finished is lost: aside first, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout


def refuse_existing(path: str | Path) -> Path:
    """Return the path if something can be written there.

    Raises
    ------
    FileExistsError
        If there is something already.
    FileNotFoundError
        If its folder does not exist.
    PermissionError
        If its folder is not writable.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} exists already; choose another path or remove it first")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the folder {folder} is not writable")
    return path


@contextmanager
def written_aside(path: str | Path, *, replacing: bool = False) -> Iterator[Path]:
    """Offer a temporary path next to `path`, which is renamed to it if all went well, else removed.

    So the old file is whole until the new one is. The temporary name says which process writes: if a process is killed
    while it writes, the next write to the same path on this machine removes its temporary file.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    path = Path(path)
    for left in _left_behind(path):
        _remove(left)
    aside = path.with_name(f".{path.stem}-{_here()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield aside
        if path.exists() and not replacing:
            raise FileExistsError(f"{path} has appeared meanwhile; it was left as it is")
        aside.replace(path)
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise
        text = f"could not write {path}: {error.strerror or error}; nothing was left behind"
        raise (OSError(text) if error.errno is None else type(error)(error.errno, text)) from error
    finally:
        _remove(aside)


def _remove(aside: Path) -> None:
    """Remove a file or folder if that is allowed; another process may be removing it, too."""
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _left_behind(path: Path) -> list[Path]:
    """Find the temporary files and folders for this path whose process has ended."""
    import psutil

    named = re.compile(re.escape(f".{path.stem}-{_here()}-") + r"(\d+)-[0-9a-f]{8}" + re.escape(path.suffix))
    with suppress(OSError), os.scandir(path.absolute().parent) as entries:
        found = [(path.with_name(entry.name), named.fullmatch(entry.name)) for entry in entries]
        # if another process has the number by now, the file stays, which does no harm
        return [left for left, match in found if match and not psutil.pid_exists(int(match[1]))]
    return []


@lru_cache(maxsize=1)
def _here() -> str:
    """Return a name of the machine or container, within which a process number identifies a process."""
    with suppress(OSError):
        return hashlib.sha256(f"{platform.node()} {os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:8]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


class FolderLock:
    """An exclusive lock on a folder: only one process, or one user of it in a process, may write there.

    The lock is a file next to the folder. The system releases it when the process ends, however it ends.

    Parameters
    ----------
    path : path
        The folder.

    Raises
    ------
    BlockingIOError
        If another process has the lock.
    """

    def __init__(self, path: Path) -> None:
        # whoever takes the lock may release it, in another thread too
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)
        try:
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise BlockingIOError(
                errno.EAGAIN, f"{path} is being written by another process; wait for it, or choose another path"
            ) from error

    def release(self) -> None:
        """Release the lock and remove its file."""
        if os.name != "nt" and self._lock.is_locked:
            # removed while it is locked: filelock notices if another process has opened the removed file meanwhile.
            # Windows cannot remove an open file; there filelock does it
            with suppress(OSError):
                os.unlink(self._lock.lock_file)
        self._lock.release()
