"""The masking curve of the model that ships, on digits of the same kind as an observer sees, measured ahead."""

from __future__ import annotations

import xarray as xr

from cortexsim import protocols
from cortexsim._support.netcdf import open_dataset
from cortexsim._support.progress import Report
from cortexsim._support.resources import data_folder
from cortexsim.datasets.registry import draw
from cortexsim.explore.masking_trials.stimuli import DATA
from cortexsim.zoo.models import load

NAME = "ventral-stream-digits"
SOAS = (1, 2, 3)
READ_AT = 8
N_IMAGES = N_CALIBRATION = 100


def shipped() -> xr.Dataset:
    """Return what `measured` returned once: it takes longer than a reader waits."""
    path = data_folder() / "results" / "masking" / "observer_model.nc"
    return open_dataset(path, "run tools/measure_observer_model.py again, or fetch the file again")


def measured(report: Report) -> xr.Dataset:
    """Show digits and noise masks to the model, with statistics of these trials.

    Returns
    -------
    Dataset
        As `protocols.masking` returns it: `accuracy` (mask, soa), with the masks "noise" and "blank" (none).
    """
    result = protocols.masking(
        load(NAME).eval(),
        draw({**DATA, "seed": 0}, N_IMAGES),
        soas=SOAS,
        masks=["noise"],
        readout_time=READ_AT,
        calibrate_on=draw({**DATA, "part": "train", "seed": 0}, N_CALIBRATION),
        report=report,
    )
    assert isinstance(result, xr.Dataset)
    return result.squeeze("duration", drop=True)
