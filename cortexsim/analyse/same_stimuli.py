"""The coordinates of stimuli, and by these the refusal of results of other stimuli."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim._support.labelled import names_among

IDENTITIES = ("source", "target", "repeat")  # coordinates that say which image or trial a stimulus is


def stimulus_coordinates(activity: xr.DataArray | xr.Dataset) -> dict[str, xr.Variable]:
    """Return the coordinates of the stimuli: index, label, factors."""
    return {str(name): c for name, c in activity.coords.variables.items() if c.dims == ("stimulus",)}


def refuse_other_stimuli(
    one: xr.DataArray | xr.Dataset, other: xr.DataArray | xr.Dataset, what: str, *, also: tuple[str, ...] = ()
) -> None:
    """Raise a ValueError unless two arrays have the same stimuli in the same order.

    Parameters
    ----------
    one, other : DataArray or Dataset, (stimulus, ...)
    what : str
        For the message.
    also : tuple of str
        Coordinates to compare in addition to those that identify a stimulus.
    """
    n, n_other = one.sizes["stimulus"], other.sizes["stimulus"]
    if n != n_other:
        raise ValueError(f"{what} must have the same stimuli, got {n} and {n_other} of them")
    # recordings number their stimuli: images in another order have the same numbers, but other names
    pairs: dict[str, list[np.ndarray | None]] = {
        name: [array[name].values if name in array.coords else None for array in (one, other)]
        for name in ("stimulus", *IDENTITIES, *also)
    }
    known = ({name: c.values for name, c in stimulus_coordinates(array).items()} for array in (one, other))
    pairs["name"] = [names_among(coordinates) for coordinates in known]
    for name, (names, other_names) in pairs.items():
        if names is None or other_names is None:
            continue
        different = np.flatnonzero([str(a) != str(b) for a, b in zip(names, other_names, strict=True)])
        if len(different):
            first = different[0]
            raise ValueError(
                f"{what} must have the same stimuli in the same order, but {len(different)} of {n} differ in {name!r}, "
                f"the first at position {first}: {names[first]} and {other_names[first]}"
            )
