"""One training of a panel: its choices, and its curves as labelled arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.training.records import Progress

STEPS_PER_POINT = 20


@dataclass
class Run:
    """A training, finished or not.

    Parameters
    ----------
    name : str
    settings : mapping
        The choices, as JSON values.
    times : list of int
        The readout times that are trained.
    records : list of Progress
    validation : mapping of int to float
        Accuracy on the held-out images at each readout time, at the end.
    status : str
        "running", "finished", "stopped" or "failed".
    tested : list of (int, mapping of str to float)
        Steps, and the accuracies of tests made then, by the name of their images.
    changes : sequence of (int, str)
        Steps at which the recipe changes, and how.
    """

    name: str
    settings: Mapping[str, Any]
    times: list[int] = field(default_factory=list)
    records: list[Progress] = field(default_factory=list)
    validation: Mapping[int, float] = field(default_factory=dict)
    status: str = "running"
    tested: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    changes: Sequence[tuple[int, str]] = ()

    def curves(self) -> xr.Dataset:
        """Return the curves so far.

        Returns
        -------
        Dataset
            `loss` (step) in nats and `accuracy` (step, time), fractions of training images, each the mean over the 20
            steps up to `step` (at the last point, over fewer), step 0 untrained; `validation` (time), NaN until the
            end. NaN where a time is not trained. With tests, also `tested` (tested_step, images).
        """
        # a copy: another thread appends
        records = list(self.records)
        groups = np.array([-(-record.step // STEPS_PER_POINT) for record in records], int)
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        accuracy = np.array([[one.accuracy.get(t, np.nan) for t in self.times] for one in records])
        loss, parts = np.array([one.loss for one in records]), np.split(np.arange(len(records)), starts)[1:]
        means = [_mean(accuracy[part]) for part in parts]
        curves = xr.Dataset(
            {
                "loss": ("step", [loss[part].mean() for part in parts], {"long_name": "loss", "units": "nats"}),
                "accuracy": (
                    ("step", "time"),
                    np.reshape(means, (len(parts), len(self.times))),
                    {"long_name": "training accuracy", "units": "1"},
                ),
                "validation": (
                    "time",
                    [self.validation.get(t, np.nan) for t in self.times],
                    {"long_name": "accuracy on held-out images", "units": "1"},
                ),
            },
            {
                "step": ("step", [records[part[-1]].step for part in parts], {"long_name": "step", "units": "1"}),
                "time": ("time", self.times, {"long_name": "readout time", "units": "steps"}),
            },
            {
                "name": self.name,
                "status": self.status,
                "settings": json.dumps(self.settings),
                "changes": json.dumps(list(self.changes)),
            },
        )
        tested = list(self.tested)
        if not tested:
            return curves
        names = list(tested[0][1])
        about = {"long_name": "all pixels right", "units": "1"}
        found = (("tested_step", "images"), [[one[name] for name in names] for _, one in tested], about)
        steps = ("tested_step", [step for step, _ in tested], {"long_name": "step", "units": "1"})
        return curves.assign(tested=found).assign_coords(tested_step=steps, images=names)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the records with a value; NaN for a time without any."""
    finite = np.isfinite(values)
    n = finite.sum(0)
    return np.where(n, np.where(finite, values, 0).sum(0) / np.maximum(n, 1), np.nan)
