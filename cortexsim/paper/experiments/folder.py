"""The folder of an experiment: settings, records of every training, models, finished parts, one result."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from cortexsim._support.documents import parse_json, read_text
from cortexsim._support.run_folder import RunFolder

# a record of a training, as JSON stores it
Record = dict[str, Any]


def _begins_with(before: list[object], now: list[object]) -> bool:
    return bool(before) and now[: len(before)] == before


class ExperimentFolder(RunFolder):
    """Folder of an experiment; a run with more seeds continues the one with fewer. See `RunFolder`."""

    KIND = "an experiment"
    FOLDERS = ("records", "models")
    GROWS: ClassVar = {"seeds": operator.le, "parts": _begins_with}

    def model(self, name: str) -> Path:
        """Return the path of a part's model."""
        return self.path / "models" / f"{name}.safetensors"

    def checkpoint(self, name: str) -> Path:
        """Return the path of the state of a part's training, which exists until the part is finished."""
        return self.path / "models" / f"{name}.training.safetensors"

    def part(self, name: str) -> xr.Dataset | None:
        """Read a finished part; None if it is not finished."""
        found = super().part(name)
        if found is not None and "seconds" not in found:
            raise ValueError(f"{self._part(name)} contains no part of an experiment; remove it to run this part again")
        return found

    def keep(self, name: str, measured: xr.Dataset) -> None:
        """Write what a part measured, and remove the state of its training."""
        super().keep(name, measured)
        self.checkpoint(name).unlink(missing_ok=True)

    def records(self, name: str) -> list[Record]:
        """Read the training records of a part; none if it has not started."""
        file = self.path / "records" / f"{name}.jsonl"
        if not file.is_file():
            return []
        try:
            records = [parse_json(line, str(file)) for line in read_text(file).splitlines()]
            if not all(isinstance(record, dict) and {"step", "done"} <= record.keys() for record in records):
                raise ValueError("not the records of a training")
            return records
        except ValueError as error:
            raise ValueError(
                f"{file} is damaged ({error}); remove it and {self.checkpoint(name)} to run this part again"
            ) from error

    def write_records(self, name: str, records: Iterable[Mapping[str, object]]) -> None:
        """Write the training records of a part."""
        self.write_text(f"records/{name}.jsonl", "".join(json.dumps(record) + "\n" for record in records))
