"""Results of panels that were measured ahead and ship: for them, a reader does not wait."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import xarray as xr

from cortexsim._support.netcdf import open_dataset
from cortexsim._support.resources import data_folder
from cortexsim.explore.panel.controls import Chosen
from cortexsim.explore.panel.subject import Subject


def path_of(panel: str, subject: Subject, choices: Chosen) -> Path:
    """Return the file of a result; it is another one for another model, other images or other choices.

    Parameters
    ----------
    panel : str
        Name of the class.
    subject : Subject
    choices : mapping
        The choices of the measurement, without the task.
    """
    control = None if subject.control is None else subject.control.checksum()
    key = {"subject": subject.to_dict(), "control": control, "choices": dict(choices)}
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    return data_folder() / "results" / "panels" / f"{panel}-{name}.nc"


def measured_ahead(path: Path) -> xr.Dataset | None:
    """Open a result that ships; None if it was not measured ahead."""
    remedy = f"delete {path.name}, and it is measured again"
    return open_dataset(path, remedy) if path.is_file() else None
