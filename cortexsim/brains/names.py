"""Names of stimuli: a brain's matrices and images are put in one order by the names that both have."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.labelled import names_among, places_of
from cortexsim.brains.matrices import STIMULI
from cortexsim.stimuli.images import stimulus_coordinates


def are_matched(images: Any, rdms: xr.DataArray) -> bool:
    """Return whether both name their stimuli, so that `in_order_of` matches them by name."""
    return _names(images) is not None and _names(rdms) is not None


def in_order_of(images: Any, rdms: xr.DataArray) -> xr.DataArray:
    """Return a brain's matrices with their stimuli in the order of the images, by the names that both have.

    Parameters
    ----------
    images : Tensor, Dataset, ...
    rdms : DataArray, (..., stimulus, other_stimulus)

    Returns
    -------
    DataArray
        Unchanged, with a warning, if only one of the two has names: the order cannot be checked then.

    Raises
    ------
    ValueError
        If the names differ.
    """
    shown, known = _names(images), _names(rdms)
    if shown is None and known is None:
        return rdms
    if shown is None or known is None:
        named, other = ("the images", "the matrices") if known is None else ("the matrices", "the images")
        warnings.warn(
            f"only {named} name the stimuli, so nothing shows that {other} are in the same order; give both names "
            "(stimulus_name, file_name) to have them matched",
            stacklevel=3,
        )
        return rdms
    places = places_of(known, shown, "the brain's matrices", "the images")
    ordered = rdms.isel(dict.fromkeys(STIMULI, places))
    numbers = np.arange(len(places))
    return ordered.assign_coords(stimulus=numbers, other_stimulus=numbers)


def _names(stimuli: Any) -> np.ndarray | None:
    return names_among({name: one.values for name, one in stimulus_coordinates(stimuli).items()})
