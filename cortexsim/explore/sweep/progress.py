"""What is known of the points of a sweep while it runs, after a stop, and on the disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import xarray as xr

from cortexsim._support.documents import read_json
from cortexsim._support.netcdf import open_dataset
from cortexsim.sweeps.folder import FAILURES, STATUS, SweepFolder, combined
from cortexsim.sweeps.running import Outcome
from cortexsim.sweeps.study import Point, Study

# a running point leaves nothing in the folder of a sweep
RUNNING = "running"


class Progress:
    """The points of a sweep, which reports each as it starts and ends.

    Parameters
    ----------
    study : Study

    Attributes
    ----------
    finished : dict of str to Dataset
        Results by the keys of points.
    failures : dict of str to str
        Reasons by the keys of points.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._keys = [point.key for point in study.points()]
        self._running, self._n_before = "", 0
        self.finished: dict[str, xr.Dataset] = {}
        self.failures: dict[str, str] = {}

    def take(self, point: Point, outcome: Outcome) -> None:
        """Take over what became of a point, as `cortexsim.sweep` reports it."""
        if outcome is None:
            self._running = point.key
            return
        # what was finished before was never started
        self._n_before += point.key != self._running
        self._running = ""
        if isinstance(outcome, str):
            self.failures[point.key] = outcome
        else:
            self.finished[point.key] = outcome

    @property
    def fraction(self) -> float:
        """The part of this run that is done, without the points that were finished before."""
        ended = len(self.finished) + len(self.failures) - self._n_before
        return ended / max(1, len(self._keys) - self._n_before)

    def result(self, *, stopped: bool = False) -> xr.Dataset:
        """Return the result so far, with `failure`, the reason why each point failed.

        Parameters
        ----------
        stopped : bool
            No point runs any longer.
        """
        result = combined(self._study, self.finished, self.failures)
        status = result["status"]
        status.attrs.update(flag_values=[*range(len(STATUS) + 1)], flag_meanings=" ".join((*STATUS, RUNNING)))
        if self._running and not stopped:
            status.values.flat[self._keys.index(self._running)] = len(STATUS)
        reasons = np.array([self.failures.get(key, "") for key in self._keys], object)
        result["failure"] = (status.dims, reasons.reshape(status.shape), {"long_name": "reason of the failure"})
        return result


def on_disk(path: Path, study: Study) -> xr.Dataset:
    """Return what a sweep that was stopped has left in its folder.

    Nothing is done if the folder is not there, or has another study or damaged files, which the run then reports.
    """
    known = Progress(study)
    try:
        kept = open_dataset(path / SweepFolder.RESULT, "remove it")
        failed = read_json(path / FAILURES)
        if kept.attrs["study"] != json.dumps(asdict(study)):
            return known.result()
    except (OSError, KeyError, ValueError):
        return known.result()
    for point in study.points():
        accuracy = kept["accuracy"].sel(point.chosen, drop=True)
        if int(kept["status"].sel(point.chosen)) == STATUS.index("done"):
            known.take(point, accuracy.to_dataset())
        for one in failed:
            if {**one, "error": ""} == {**point.chosen, "error": ""}:
                known.take(point, one["error"])
    return known.result()


def count(result: xr.Dataset, state: str) -> int:
    """Return the number of points in a state: "missing", "done", "failed" or "running"."""
    return int((result["status"] == (*STATUS, RUNNING).index(state)).sum())
