"""Safe writing of files: to a temporary file first, which is then renamed."""

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

from cortexsim._support.checks import shown, truth

LONGEST_NAME = 255  # bytes, for file systems that do not report it


def as_path(path: str | os.PathLike[str], what: str = "path") -> Path:
    """Return text or a path as a Path, with `~` expanded to the home folder.

    Parameters
    ----------
    path : str or path
    what : str
        Name of the argument, for the message.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is empty or contains a null character, or the home folder is unknown.
    OSError
        If it cannot be reached: a name is too long, links lead in a circle, or a folder may not be entered.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise TypeError(f"{what} must be text or a path, got {shown(path)}")
    if not os.fspath(path):
        raise ValueError(f"{what} must not be empty: the current folder is '.'")
    if "\0" in os.fspath(path):
        raise ValueError(f"{what} must not contain a null character, got {os.fspath(path)!r}")
    try:
        expanded = Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{what} {str(path)!r} begins with a home folder that is unknown: {error}") from error
    _refuse_unreachable(expanded, what)
    return expanded


def _refuse_unreachable(path: Path, what: str) -> None:
    """Raise an OSError if the system cannot say whether a path exists."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            longest = max(path.parts, key=len)
            text = f"the name {longest[:20]}…{longest[-20:]} in {what} has {len(os.fsencode(longest))} bytes; at most"
            raise OSError(errno.ENAMETOOLONG, f"{text} {_longest_name(path.parent)} are allowed there") from error
        if error.errno in (errno.ELOOP, errno.EACCES):
            raise type(error)(error.errno, f"{what} {str(path)!r} cannot be reached: {error.strerror}") from error


def refuse_existing(path: str | os.PathLike[str], *, what: str = "path", replacing: bool = False) -> Path:
    """Check that a path can be written, and return it with `~` expanded to the home folder.

    Parameters
    ----------
    path : str or path
    what : str
        Name of the argument, for the message.
    replacing : bool
        Allow an existing file to be replaced.

    Raises
    ------
    TypeError, ValueError
        As for `as_path`.
    FileExistsError
        If the path exists.
    IsADirectoryError
        If the path is a folder, and `replacing` is True.
    FileNotFoundError
        If its folder does not exist.
    NotADirectoryError
        If its folder is a file.
    PermissionError
        If its folder is not writable.
    OSError
        If its name is too long.
    """
    path, replacing = as_path(path, what), truth(replacing, "overwrite")
    folder = path.absolute().parent
    if not os.path.isdir(folder):
        if any(os.path.isfile(above) for above in (folder, *folder.parents)):
            raise NotADirectoryError(f"{folder} lies within a file, or is one; choose another path")
        raise FileNotFoundError(f"the folder {folder} does not exist")
    longest, length = _longest_name(folder), len(os.fsencode(path.name))
    if length > longest:
        raise OSError(
            errno.ENAMETOOLONG,
            f"the name {path.name[:20]}…{path.name[-20:]} has {length} bytes; at most {longest} are allowed there",
        )
    if os.path.isdir(path) and replacing:
        raise IsADirectoryError(f"{path} is a folder; choose another path")
    if os.path.lexists(path) and not replacing:
        raise FileExistsError(f"{path} exists already; choose another path or remove it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {folder} is not writable")
    return path


def _longest_name(folder: Path) -> int:
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows has no pathconf
        return LONGEST_NAME


@contextmanager
def written_aside(path: str | Path, *, replacing: bool = False) -> Iterator[Path]:
    """Yield a temporary path next to `path`; rename it to `path` on success, and remove it after an error.

    The old file therefore stays intact until the new one is complete. The temporary name contains the process number:
    if a process is killed while it writes, the next write to the same path on this machine removes its temporary file.

    Raises
    ------
    OSError
        If it cannot be written; no temporary file remains.
    """
    path = as_path(path)
    for left in _left_behind(path):
        _remove(left)
    aside = path.with_name(f".{_short(path)}-{_here()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield aside
        if path.exists() and not replacing:
            raise FileExistsError(f"{path} was created in the meantime; it is unchanged")
        aside.replace(path)
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise
        text = f"could not write {path}: {error.strerror or error}; no partial file remains"
        raise (OSError(text) if error.errno is None else type(error)(error.errno, text)) from error
    finally:
        _remove(aside)


def _remove(aside: Path) -> None:
    """Remove a file or folder if possible; another process may be removing it at the same time."""
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _left_behind(path: Path) -> list[Path]:
    """Find the temporary files and folders for this path whose process has ended."""
    import psutil

    named = re.compile(re.escape(f".{_short(path)}-{_here()}-") + r"(\d+)-[0-9a-f]{8}" + re.escape(path.suffix))
    with suppress(OSError), os.scandir(path.absolute().parent) as entries:
        found = [(path.with_name(entry.name), named.fullmatch(entry.name)) for entry in entries]
        # if another process now has the same number, the file stays; that is harmless
        return [left for left, match in found if match and not psutil.pid_exists(int(match[1]))]
    return []


def _short(path: Path) -> str:
    """Return the stem of a path, or its checksum if a temporary name could become too long."""
    return path.stem if len(os.fsencode(path.name)) < 180 else hashlib.sha256(os.fsencode(path.stem)).hexdigest()[:32]


@lru_cache(maxsize=1)
def _here() -> str:
    """Return an identifier of the machine or container in which process numbers are unique."""
    with suppress(OSError):
        return hashlib.sha256(f"{platform.node()} {os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:8]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


class PathLock:
    """An exclusive lock on a file or folder: only one holder, in one process, may write there.

    The lock is a file next to it. The system releases it when the process ends, however it ends.

    Parameters
    ----------
    path : path
        The file or folder.

    Raises
    ------
    BlockingIOError
        If another process has the lock.
    """

    def __init__(self, path: Path) -> None:
        # another thread may release the lock
        name = path.name if len(os.fsencode(path.name)) < 180 else _short(path)
        self._lock = FileLock(path.with_name(f".{name}.lock"), thread_local=False)
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
