"""The same measurement on several models, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import xarray as xr

from cortexsim._support.joining import joined
from cortexsim._support.progress import Report, part
from cortexsim.model.cortex import Cortex


def measure_each(
    models: Mapping[str, Cortex], measure: Callable[[Cortex, Report], xr.Dataset], report: Report
) -> xr.Dataset:
    """Measure one model after the other, and join the tables along `model`.

    Parameters
    ----------
    models : mapping of str to Cortex
    measure : callable
        Takes a model, and reports its own progress from 0 to 1.
    report : callable
        Reports the progress of the whole, with the model's name.
    """
    tables = []
    for place, (name, model) in enumerate(models.items()):
        of_one = part(report, place / len(models), (place + 1) / len(models), f"{name}: ")
        tables.append(measure(model, of_one))
    along = xr.Variable("model", list(models), {"long_name": "model"})
    return joined(tables, along, combine_attrs="override", data_vars="all")
