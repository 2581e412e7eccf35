"""Writing files so that nothing finished is lost: aside first, then renamed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
    """Offer a temporary path beside `path`, renamed to it when all went well, removed when not.

    So what was there before is whole until the new one is.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
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
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def locked(path: Path) -> int:
    """Take the only right to write in a folder, which the system takes back however the process ends.

    Returns
    -------
    int
        A descriptor; to close it is to give the right back.

    Raises
    ------
    BlockingIOError
        If another process has it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    with suppress(ImportError):  # Windows has no such locks
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BlockingIOError(
                error.errno, f"{path} is being written by another process; wait for it, or choose another path"
            ) from error
    return descriptor
