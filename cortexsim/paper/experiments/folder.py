"""The folder of a run: settings, records of every training, models, finished parts, one result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from cortexsim._support.files import refuse_existing, written_aside
from cortexsim.paper.experiments.result import open_dataset, save_dataset

SETTINGS = "settings.json"
RESULT = "result.nc"
FOLDERS = ("records", "models", "parts")


class RunFolder:
    """Where a run keeps what it did. Every file is written aside and renamed, so none is ever half there.

    Parameters
    ----------
    path : Path
    settings : mapping
        What is run, as plain values.
    resume : bool
        Whether to go on with what is there.

    Raises
    ------
    FileExistsError
        If there is something already, and `resume` is False.
    ValueError
        If what is there belongs to another run, or is damaged. A run of fewer seeds is the same run.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        if path.exists() and not resume:
            raise FileExistsError(
                f"{path} exists already; resume=True (--resume) goes on with it, or choose another folder"
            )
        # one that was killed before it wrote a word has left an empty folder
        begun = path.exists() and not (path.is_dir() and not any(path.iterdir()))
        if begun:
            self._check(json.loads(json.dumps(settings)))
        else:
            self._begin(settings)
        for name in FOLDERS:
            (path / name).mkdir(exist_ok=True)

    def _begin(self, settings: Mapping[str, Any]) -> None:
        self.path.absolute().parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            refuse_existing(self.path)
            self.path.mkdir()
        try:
            self._write_text(SETTINGS, json.dumps(settings, indent=1))
        except OSError:
            self.path.rmdir()
            raise

    def _check(self, mine: dict[str, Any]) -> None:
        file = self.path / SETTINGS
        if not self.path.is_dir() or not file.is_file():
            raise ValueError(
                f"{self.path} is no folder of an experiment: there is no {SETTINGS}; choose another folder"
            )
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
            different = [key for key in mine if there.get(key) != mine[key]]
        except (ValueError, AttributeError) as error:
            raise ValueError(f"{file} is damaged ({error}); choose another folder, or remove this one") from error
        before = there.get("parts") or [None]
        if {*different} == {"seeds", "parts"} and mine["parts"][: len(before)] == before:
            # the same with more seeds: those that are done stay done
            self._write_text(SETTINGS, json.dumps(mine, indent=1))
            return
        if different:
            told = [
                f"{key} was {there.get(key)!r} and is now {mine[key]!r}"
                if isinstance(mine[key], str | int)
                else f"not the same {key}"
                for key in different
            ]
            raise ValueError(
                f"{self.path} belongs to another run: {'; '.join(told)}; give the same again, or choose another folder"
            )

    def model(self, name: str) -> Path:
        """Return where a part's model goes."""
        return self.path / "models" / f"{name}.safetensors"

    def checkpoint(self, name: str) -> Path:
        """Return where the state of a part's training is kept until it is done."""
        return self.path / "models" / f"{name}.training.safetensors"

    # --- records -------------------------------------------------------------------------------------------------

    def records(self, name: str) -> list[dict[str, Any]]:
        """Read the training records of a part; none where it has not begun."""
        file = self._records(name)
        if not file.is_file():
            return []
        try:
            records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            if not all(isinstance(record, dict) and {"step", "done"} <= record.keys() for record in records):
                raise ValueError("not the records of a training")
            return records
        except ValueError as error:
            raise ValueError(
                f"{file} is damaged ({error}); remove it and {self.checkpoint(name).name} beside the models, and "
                "this part is done again"
            ) from error

    def keep_records(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Write the training records of a part."""
        text = "".join(json.dumps(record) + "\n" for record in records)
        self._write_text(self._records(name).relative_to(self.path), text)

    def _records(self, name: str) -> Path:
        return self.path / "records" / f"{name}.jsonl"

    # --- parts and the result ------------------------------------------------------------------------------------

    def part(self, name: str) -> xr.Dataset | None:
        """Read a finished part; None where it is not finished."""
        file = self.path / "parts" / f"{name}.nc"
        remedy = "remove it, and this part is done again"
        found = open_dataset(file, remedy) if file.exists() else None
        if found is not None and "seconds" not in found:
            raise ValueError(f"{file} holds no part of an experiment; {remedy}")
        return found

    def finish_part(self, name: str, measured: xr.Dataset) -> None:
        """Keep what a part measured: it is finished then, and never done again."""
        save_dataset(measured, self.path / "parts" / f"{name}.nc")
        self.checkpoint(name).unlink(missing_ok=True)

    def finish(self, result: xr.Dataset) -> None:
        """Write the result, from which alone the figures are drawn."""
        save_dataset(result, self.path / RESULT)

    def _write_text(self, name: str | Path, text: str) -> None:
        with written_aside(self.path / name, replacing=True) as aside:
            aside.write_text(text, encoding="utf-8")
