"""Folder of a run that can be resumed: settings, one file for each finished part, one result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import xarray as xr

from cortexsim._support.documents import read_json
from cortexsim._support.files import PathLock, refuse_existing, written_aside
from cortexsim._support.netcdf import open_dataset, save_dataset


class RunFolder:
    """Folder of a run that can be resumed, used by one process at a time.

    A part is finished once its file exists, and is not run again. Every file is written under a temporary name
    and then renamed, so that no file is ever incomplete.

    Parameters
    ----------
    path : Path
    settings : mapping
        Everything that determines the results of the run, as plain values.
    resume : bool
        Continue the run in an existing folder.

    Raises
    ------
    FileExistsError
        If the folder exists, and `resume` is False.
    ValueError
        If the folder belongs to another run, or is damaged.
    BlockingIOError
        If another process is using it.

    Notes
    -----
    A subclass names its files. `GROWS` maps each setting that may change between two calls to a function of its old
    and new value, which returns True if the new run includes the old one.
    """

    KIND: ClassVar[str] = "a run"
    SETTINGS: ClassVar[str] = "settings.json"
    RESULT: ClassVar[str] = "result.nc"
    PARTS: ClassVar[str] = "parts"
    FOLDERS: ClassVar[tuple[str, ...]] = ()
    GROWS: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {}

    def __init__(self, path: Path, settings: Mapping[str, object], *, resume: bool) -> None:
        self.path = path
        if path.exists() and not resume:
            raise FileExistsError(already_there(path))
        # a process that ended before it wrote anything, as on a full disk, leaves only empty folders
        if path.exists() and not self._is_unused():
            self._check(json.loads(json.dumps(settings)))
        else:
            self._begin(settings)
        self._lock = PathLock(path.absolute())
        try:
            self.write_json(self.SETTINGS, settings)
            for name in (self.PARTS, *self.FOLDERS):
                (path / name).mkdir(exist_ok=True)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes use the folder."""
        self._lock.release()

    def _is_unused(self) -> bool:
        """Return whether the folder is empty, or has only the empty folders and temporary files of a run."""
        if not self.path.is_dir():
            return False
        own = (self.PARTS, *self.FOLDERS)
        return all(
            (entry.is_dir() and entry.name in own and not any(entry.iterdir()))
            or (entry.is_file() and entry.name.startswith(f".{Path(self.SETTINGS).stem}-"))
            for entry in self.path.iterdir()
        )

    def _begin(self, settings: Mapping[str, object]) -> None:
        parent = self.path.absolute().parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(error.errno, f"could not make the folder {parent}: {error.strerror}") from error
        if not self.path.exists():
            refuse_existing(self.path)
            self.path.mkdir()
        try:
            self.write_json(self.SETTINGS, settings)
        except OSError:
            with suppress(OSError):  # something else may be in it
                self.path.rmdir()
            raise

    def _check(self, now: dict[str, Any]) -> None:
        """Refuse a folder whose settings differ, except for allowed growth."""
        file = self.path / self.SETTINGS
        if not self.path.is_dir() or not file.is_file():
            raise ValueError(
                f"{self.path} is not the folder of {self.KIND}: it has no {self.SETTINGS}; choose another folder"
            )
        try:
            before = self._read_settings(file)
            differ = [key for key in now if before.get(key) != now[key] and not self._grows(key, before, now)]
        except (ValueError, AttributeError, TypeError) as error:
            raise ValueError(f"{file} is damaged ({error}); choose another folder, or remove this one") from error
        if differ:
            changes = [
                f"{key} was {before.get(key)!r} and is now {now[key]!r}"
                if isinstance(now[key], str | int)
                else f"{key} changed"
                for key in differ
            ]
            raise ValueError(
                f"{self.path} belongs to another run: {'; '.join(changes)}; give the same settings again "
                f"({', '.join(self.GROWS)} may grow), or choose another folder"
            )

    def _read_settings(self, file: Path) -> dict[str, Any]:
        return read_json(file)

    def _grows(self, key: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
        return key in self.GROWS and key in before and self.GROWS[key](before[key], now[key])

    def part(self, name: str) -> xr.Dataset | None:
        """Read a finished part; None if it is not finished.

        Raises
        ------
        ValueError
            If its file is damaged.
        """
        file = self._part(name)
        return open_dataset(file, "remove it to run this part again") if file.exists() else None

    def keep(self, name: str, measured: xr.Dataset) -> None:
        """Write the results of a part: the part is then finished, and not run again."""
        save_dataset(measured, self._part(name))

    def finish(self, result: xr.Dataset) -> None:
        """Write the result of the whole run."""
        save_dataset(result, self.path / self.RESULT)

    def write_json(self, name: str, content: object) -> None:
        """Write a JSON file into the folder, in place of an older one."""
        self.write_text(name, json.dumps(content, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a text file into the folder, in place of an older one."""
        with written_aside(self.path / name, replacing=True) as aside:
            aside.write_text(text, encoding="utf-8")

    def _part(self, name: str) -> Path:
        return self.path / self.PARTS / f"{name}.nc"


def already_there(path: Path) -> str:
    """Return a message that a folder exists, with the possible remedies."""
    return f"{path} exists already; continue it with resume=True (--resume), or choose another folder"
