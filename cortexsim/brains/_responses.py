"""Responses of neurons or channels over time, from the netCDF assemblies of the field's archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import is_several, listed, ordered_pair, shown, unknown
from cortexsim._support.files import as_path
from cortexsim._support.settings import mapping_or_none, text_or_none
from cortexsim.brains.netcdf import contents_of_netcdf

PRESENTATION, NEUROID, TIME_BIN = "presentation", "neuroid", "time_bin"
NAMES = ("stimulus_id", "image_id", "stimulus_name", "image_file_name", "filename")
"""Coordinates of presentations that name the stimulus, the first one that exists."""


def responses(
    path: str | Path,
    *,
    variable: str | None = None,
    select: Mapping[str, Any] | None = None,
    stimulus: str | None = None,
    baseline: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Read an assembly (presentation, neuroid, time_bin), and average the presentations of each stimulus.

    Parameters
    ----------
    path : str or Path
        A netCDF file whose variable has the dimensions presentation and neuroid, and usually time_bin, in any order,
        with coordinates such as `stimulus_id`, `region` and `time_bin_start`, as Brain-Score and others write them.
    variable : str, optional
        The variable, if several have these dimensions.
    select : mapping of str to value or list of values, optional
        Keep only these presentations and neuroids, such as {"region": "IT", "animal": ["Tito", "Chabo"]}.
    stimulus : str, optional
        The coordinate that names the stimuli; by default the first of `stimulus_id`, `image_id`, `stimulus_name`,
        `image_file_name` and `filename` that exists.
    baseline : (float, float), optional
        Subtract from each presentation and neuroid its mean over the time bins whose centre lies in this interval
        (start included, end not), in the units of the file.

    Returns
    -------
    DataArray, (stimulus, time, unit)
        Means over presentations; stimuli sorted by name, with `stimulus_name` and `n_presentations`. `time` is the
        centre of each bin. `cs.analyse.rdm(responses)` gives the matrices by time for `brains.compare`. Missing
        responses (NaN) are left out of a mean; a unit that lacks a stimulus is NaN there.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a netCDF file, has no such variable, stimuli or coordinates, nothing is selected, or no bin lies in
        the baseline.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import xarray as xr
    >>> path = Path(tempfile.mkdtemp()) / "assembly.nc"
    >>> rates = np.random.default_rng(0).poisson(5.0, (4, 3, 2)).astype(float)
    >>> names = ("presentation", ["cat", "dog", "cat", "dog"])
    >>> bins = {"time_bin_start": ("time_bin", [70, 80]), "time_bin_end": ("time_bin", [80, 90])}
    >>> assembly = {"rates": (("presentation", "neuroid", "time_bin"), rates)}
    >>> xr.Dataset(assembly, {"stimulus_id": names, **bins}).to_netcdf(path)
    >>> responses = cs.brains.responses(path)
    >>> dict(responses.sizes), responses["stimulus_name"].values.tolist()
    ({'stimulus': 2, 'time': 2, 'unit': 3}, ['cat', 'dog'])
    """
    path = as_path(path)
    text_or_none(variable, "variable")
    text_or_none(stimulus, "stimulus")
    mapping_or_none(select, "select")
    if baseline is not None:
        ordered_pair(baseline, "baseline", -np.inf, np.inf)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    array = _assembly(contents_of_netcdf(path), variable, str(path))
    for name, wanted in (select or {}).items():
        array = _selected(array, name, wanted, str(path))
    if baseline is not None:
        array = array - _before(array, baseline)
    names = array[_naming(array, stimulus, str(path))].values.astype(str)
    known, place = np.unique(names, return_inverse=True)
    values = np.stack([_mean(array.values[place == number]) for number in range(len(known))])
    return xr.DataArray(
        values,
        {
            "stimulus": ("stimulus", np.arange(len(known)), {"long_name": "stimulus"}),
            "stimulus_name": ("stimulus", known),
            "n_presentations": ("stimulus", np.bincount(place), {"long_name": "presentations", "units": "1"}),
            "time": array["time"].variable,
            **_of_units(array),
        },
        ("stimulus", "time", "unit"),
        "responses",
        {"long_name": "response", "units": str(array.attrs.get("units", "a.u.")), "source": path.name},
    )


def _assembly(whole: xr.Dataset, variable: str | None, source: str) -> xr.DataArray:
    """Return the variable as (presentation, time, unit), with the centre of each time bin."""
    fitting = [str(name) for name, one in whole.data_vars.items() if {PRESENTATION, NEUROID} <= {*one.dims}]
    chosen = fitting[0] if variable is None and len(fitting) == 1 else variable
    if chosen not in fitting:
        raise ValueError(
            f"{source}: exactly one variable must have the dimensions {PRESENTATION} and {NEUROID}, or be chosen by "
            f"variable=; {fitting or 'none'} of {sorted(map(str, whole.data_vars))} have them"
        )
    array = whole[chosen]
    more = [dim for dim in array.dims if dim not in (PRESENTATION, NEUROID, TIME_BIN)]
    if more:
        raise ValueError(f"{source}: {chosen} may have {PRESENTATION}, {NEUROID} and {TIME_BIN} only, got also {more}")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{source}: responses must be real numbers, got {array.dtype}")
    if TIME_BIN not in array.dims:
        array = array.expand_dims(TIME_BIN)
    units = {str(whole[end].attrs.get("units", "units not stated")) for end in _ENDS if end in whole.variables}
    if all(end in array.coords for end in _ENDS):
        centre = (array[_ENDS[0]].values + array[_ENDS[1]].values) / 2
    else:
        centre = np.arange(array.sizes[TIME_BIN])
    array = array.transpose(PRESENTATION, TIME_BIN, NEUROID).astype(float)
    array = array.drop_vars([name for name in array.coords if TIME_BIN in array[name].dims])
    array = array.rename({TIME_BIN: "time", NEUROID: "unit"})
    about = {"long_name": "time after onset", "units": units.pop() if units else "units not stated"}
    return array.assign_coords(time=("time", centre, about))


_ENDS = ("time_bin_start", "time_bin_end")


def _selected(array: xr.DataArray, name: str, wanted: Any, source: str) -> xr.DataArray:
    """Keep the presentations or units with one of the wanted values of a coordinate."""
    along = {str(one): str(coordinate.dims[0]) for one, coordinate in array.coords.items() if coordinate.ndim == 1}
    along = {one: dim for one, dim in along.items() if dim != "time"}
    if name not in along:
        raise ValueError(f"{source}: " + unknown("coordinate", name, along))
    known = array[name].values
    values = listed(wanted, f"select[{name!r}]") if is_several(wanted) else listed([wanted], f"select[{name!r}]")
    if not values:
        raise ValueError(f"{source}: select[{name!r}] must have at least one value, got {shown(wanted)}")
    # not isin, which compares numbers with texts as texts
    for one in values:
        if one not in known.tolist():
            raise ValueError(f"{source}: " + unknown(name, one, map(str, np.unique(known))))
    chosen = [one in values for one in known.tolist()]
    return array.isel({along[name]: np.flatnonzero(chosen)})


def _before(array: xr.DataArray, baseline: tuple[float, float]) -> xr.DataArray:
    """Return the mean of each presentation and unit over the time bins of the baseline."""
    start, end = ordered_pair(baseline, "baseline", -np.inf, np.inf)
    time = array["time"].values
    within = (time >= start) & (time < end)
    if not within.any():
        raise ValueError(f"no time bin has its centre from {start:g} to {end:g}: they run from {time[0]} to {time[-1]}")
    return array.isel(time=np.flatnonzero(within)).mean("time")


def _naming(array: xr.DataArray, stimulus: str | None, source: str) -> str:
    named = [str(name) for name, one in array.coords.items() if one.dims == (PRESENTATION,)]
    chosen = next((name for name in NAMES if name in named), None) if stimulus is None else stimulus
    if chosen is None or chosen not in named:
        raise ValueError(f"{source}: stimulus= must name the stimuli of the presentations, one of {named}")
    return chosen


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over presentations, without missing responses; NaN where all are missing."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(there, values, 0.0).sum(0) / there.sum(0)
    return mean


def _of_units(array: xr.DataArray) -> dict[str, Any]:
    return {str(name): one.variable for name, one in array.coords.items() if one.dims == ("unit",)}
