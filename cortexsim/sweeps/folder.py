"""The folder of a study: the study, a small file for each finished point, and what they come to together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim import __version__
from cortexsim._support.files import FolderLock, refuse_existing, written_aside
from cortexsim.paper.experiments.result import open_dataset, save_dataset
from cortexsim.sweeps.study import AXES, Point, Study

STUDY, RESULT, FAILURES = "study.json", "result.nc", "failures.json"
STATUS = ("missing", "done", "failed")


class SweepFolder:
    """Where a study keeps what is finished; one process at a time. Every file is written aside and renamed.

    Parameters
    ----------
    path : Path
    study : Study
    resume : bool
        Whether to go on with what is there.

    Raises
    ------
    FileExistsError
        If there is something already, and `resume` is False.
    ValueError
        If what is there belongs to another study, or is damaged.
    BlockingIOError
        If another process is at work there.
    """

    def __init__(self, path: Path, study: Study, *, resume: bool) -> None:
        self.path = path
        if path.exists() and not resume:
            raise FileExistsError(
                f"{path} exists already; resume=True (--resume) goes on with it, or choose another folder"
            )
        if path.exists():
            self._check(study)
        else:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
            refuse_existing(path)
            path.mkdir()
        self._lock = FolderLock(path)
        (path / "points").mkdir(exist_ok=True)
        if study.record:
            (path / "recordings").mkdir(exist_ok=True)
        self._write(STUDY, {"version": __version__, **asdict(study)})

    def __enter__(self) -> SweepFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _check(self, study: Study) -> None:
        file = self.path / STUDY
        # a process that ended between making the folder and writing into it leaves an empty one
        if self.path.is_dir() and not any(self.path.iterdir()):
            return
        if not file.is_file():
            raise ValueError(f"{self.path} is no folder of a study: there is no {STUDY}; choose another folder")
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
            mine = json.loads(json.dumps({"version": __version__, **study.fixed}))
            different = [name for name in mine if there.get(name) != mine[name]]
        except (ValueError, AttributeError) as error:
            raise ValueError(f"{file} is damaged ({error}); choose another folder, or remove this one") from error
        if different:
            told = [f"{name} was {there.get(name)!r} and is now {mine[name]!r}" for name in different]
            raise ValueError(
                f"{self.path} belongs to another study: {'; '.join(told)}; give the same again, or choose another "
                f"folder ({', '.join(AXES.values())} may grow)"
            )

    def recording(self, point: Point) -> Path:
        """Return where the recording of a point goes."""
        return (self.path / "recordings" / f"{point.key}.zarr").absolute()

    def finished(self, study: Study) -> dict[str, xr.Dataset]:
        """Read the finished points of a study, by their keys.

        Raises
        ------
        ValueError
            If one is damaged.
        """
        names = {file.stem for file in (self.path / "points").glob("*.nc")}
        keys = [point.key for point in study.points() if point.key in names] if names else []
        return {key: open_dataset(self._point(key), "remove it, and this point is done again") for key in keys}

    def keep(self, point: Point, measured: xr.Dataset) -> None:
        """Keep what a point came to: it is finished then, and never done again."""
        told = json.dumps({**point.chosen, **point.settings})
        save_dataset(measured.assign_attrs(point=told), self._point(point.key))

    def combine(self, study: Study, finished: Mapping[str, xr.Dataset], failures: Mapping[str, str]) -> xr.Dataset:
        """Put the finished points into one labelled Dataset, write it, and write what failed at which settings."""
        sizes = tuple(map(len, study.axes.values()))
        values = np.full((3, *sizes, study.until + 1), np.nan)
        status = np.zeros(sizes, np.int8)
        failed = []
        for place, point in zip(np.ndindex(sizes), study.points(), strict=True):
            if point.key in finished:
                one = finished[point.key]
                for k, name in enumerate(("accuracy", "low", "high")):
                    values[(k, *place)] = one[name].values
                status[place] = STATUS.index("done")
            elif point.key in failures:
                failed.append({**point.chosen, "error": failures[point.key]})
                status[place] = STATUS.index("failed")
        dims = (*study.axes, "time")
        about = next((one["accuracy"].attrs for one in finished.values()), {})
        result = xr.Dataset(
            {
                "accuracy": (dims, values[0], {"long_name": "accuracy", "units": "1", **about}),
                "status": (
                    dims[:-1],
                    status,
                    {"long_name": "status", "flag_values": list(range(3)), "flag_meanings": " ".join(STATUS)},
                ),
            },
            {
                **{axis: (axis, np.array(listed), {"long_name": axis}) for axis, listed in study.axes.items()},
                "time": ("time", np.arange(study.until + 1), {"long_name": "time", "units": "steps"}),
                "low": (dims, values[1]),
                "high": (dims, values[2]),
            },
            {"study": json.dumps(asdict(study)), "version": __version__, "failed": len(failed)},
        )
        result["noise"].attrs["units"] = "standard deviations"
        save_dataset(result, self.path / RESULT)
        self._write(FAILURES, failed)
        return result

    def _point(self, key: str) -> Path:
        return self.path / "points" / f"{key}.nc"

    def _write(self, name: str, what: Any) -> None:
        with written_aside(self.path / name, replacing=True) as aside:
            aside.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")
