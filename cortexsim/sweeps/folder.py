"""The folder of a study: the study, a small file for each finished point, and one result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from cortexsim import __version__
from cortexsim._support.run_folder import RunFolder
from cortexsim.sweeps.study import AXES, Point, Study

FAILURES = "failures.json"
RECORDINGS = "recordings"
STATUS = ("missing", "done", "failed")


class SweepFolder(RunFolder):
    """Folder of a study, which may grow along each of its dimensions. See `RunFolder`.

    Parameters
    ----------
    path : Path
    study : Study
    resume : bool
        Continue the study in an existing folder.
    """

    KIND = "a study"
    SETTINGS = "study.json"
    PARTS = "points"
    # points are identified by their settings, so the values of a dimension may be in any order
    GROWS: ClassVar = {name: lambda before, now: True for name in AXES.values()}

    def __init__(self, path: Path, study: Study, *, resume: bool) -> None:
        super().__init__(path, {"version": __version__, **asdict(study)}, resume=resume)
        if study.record:
            (path / RECORDINGS).mkdir(exist_ok=True)

    def recording(self, point: Point) -> Path:
        """Return the path of a point's recording."""
        return (self.path / RECORDINGS / f"{point.key}.zarr").absolute()

    def finished(self, study: Study) -> dict[str, xr.Dataset]:
        """Read the finished points of a study, by their keys.

        Raises
        ------
        ValueError
            If one is damaged.
        """
        # one listing of the files, rather than a disk access for each of a million points
        names = {file.stem for file in (self.path / self.PARTS).glob("*.nc")}
        keys = [point.key for point in study.points() if point.key in names] if names else []
        found = {key: self.part(key) for key in keys}
        return {key: measured for key, measured in found.items() if measured is not None}

    def keep_point(self, point: Point, measured: xr.Dataset) -> None:
        """Write the result of a point, with its settings."""
        self.keep(point.key, measured.assign_attrs(point=json.dumps({**point.chosen, **point.settings})))

    def combine(self, study: Study, finished: Mapping[str, xr.Dataset], failures: Mapping[str, str]) -> xr.Dataset:
        """Combine the finished points in one labelled Dataset; write it, and the failed settings with their errors."""
        result = combined(study, finished, failures)
        self.finish(result)
        points = study.points() if failures else ()
        failed = [{**point.chosen, "error": failures[point.key]} for point in points if point.key in failures]
        self.write_json(FAILURES, failed)
        return result


def combined(study: Study, finished: Mapping[str, xr.Dataset], failures: Mapping[str, str]) -> xr.Dataset:
    """Combine the finished points of a study in one labelled Dataset; see `sweep`."""
    sizes = tuple(map(len, study.axes.values()))
    values = np.full((3, *sizes, study.until + 1), np.nan)
    status = np.zeros(sizes, np.int8)
    for place, point in zip(np.ndindex(sizes), study.points(), strict=True):
        if point.key in finished:
            one = finished[point.key]
            for k, name in enumerate(("accuracy", "low", "high")):
                values[(k, *place)] = one[name].values
            status[place] = STATUS.index("done")
        elif point.key in failures:
            status[place] = STATUS.index("failed")
    dims = (*study.axes, "time")
    interval = next((one["accuracy"].attrs for one in finished.values()), {})
    flags = {"flag_values": list(range(len(STATUS))), "flag_meanings": " ".join(STATUS)}
    result = xr.Dataset(
        {
            "accuracy": (dims, values[0], {"long_name": "accuracy", "units": "1", **interval}),
            "status": (dims[:-1], status, {"long_name": "status", **flags}),
        },
        {
            **{axis: (axis, np.array(listed), {"long_name": axis}) for axis, listed in study.axes.items()},
            "time": ("time", np.arange(study.until + 1), {"long_name": "time", "units": "steps"}),
            "low": (dims, values[1]),
            "high": (dims, values[2]),
        },
        {"study": json.dumps(asdict(study)), "version": __version__, "failed": int((status == 2).sum())},
    )
    result["noise"].attrs["units"] = "standard deviations"
    return result
