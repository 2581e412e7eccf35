"""Model time in milliseconds: an assumption of the user, which every figure states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import xarray as xr

from cortexsim._support.checks import is_number, shown
from cortexsim._support.labelled import missing

# a time or a duration: a number or an array
Number = TypeVar("Number", float, np.ndarray, xr.DataArray)
Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)

# Liao & Poggio (2016), as recalled: a step takes about 20 to 50 ms in cortex
PAPER_STEP_MS = (20.0, 50.0)


@dataclass(frozen=True, kw_only=True)
class Milliseconds:
    """An assumption about the length of a step: time t is `onset_ms + step_ms * t` after image onset.

    At time 0 the first state represents the image. So `onset_ms` is the latency of that state: about 66 ms for V1 of
    the macaque (Schmolesky et al. 1998, recalled). The paper assumes 20 to 50 ms per step (recalled).

    Parameters
    ----------
    onset_ms : float
        Time 0, in ms after image onset.
    step_ms : float
        Duration of a step, in ms.

    Raises
    ------
    TypeError
        If one of them is not a number.
    ValueError
        If `step_ms` is not positive, `onset_ms` is negative, or one of them is not finite.

    Examples
    --------
    >>> import cortexsim as cs
    >>> time = cs.Milliseconds(onset_ms=66, step_ms=20)
    >>> print(time)
    time (ms) = 66 + 20 t, assumed
    """

    onset_ms: float
    step_ms: float

    def __post_init__(self) -> None:
        for name in ("onset_ms", "step_ms"):
            value = getattr(self, name)
            if not is_number(value):
                raise TypeError(f"{name} must be a number of milliseconds, got {shown(value)}")
            object.__setattr__(self, name, float(value))
        if not math.isfinite(self.onset_ms) or self.onset_ms < 0:
            raise ValueError(f"onset_ms must be at least 0 ms, got {self.onset_ms!r}")
        if not math.isfinite(self.step_ms) or self.step_ms <= 0:
            raise ValueError(
                f"step_ms must be above 0 ms, got {self.step_ms!r}; the paper assumes 20 to 50 ms (recalled)"
            )

    def __str__(self) -> str:
        return f"time (ms) = {self.onset_ms:g} + {self.step_ms:g} t, assumed"

    def of(self, time: Number) -> Number:
        """Return a model time, or an array of them, in ms after image onset."""
        return self.onset_ms + self.step_ms * _amount(time, "time")

    def lasting(self, steps: Number) -> Number:
        """Return the duration of a number of steps in ms, such as an SOA; it does not include the onset."""
        return self.step_ms * _amount(steps, "steps")

    def add_to(self, array: Labelled) -> Labelled:
        """Add the coordinate `time_ms`, along `time`.

        Parameters
        ----------
        array : DataArray or Dataset
            With the coordinate `time`, in steps.

        Returns
        -------
        DataArray or Dataset
            A copy; the `long_name` of `time_ms` states the assumption.

        Raises
        ------
        TypeError
            If it is neither a DataArray nor a Dataset.
        ValueError
            If there is no coordinate `time`, its units are not steps, or a time is missing or not a number.
        """
        if not isinstance(array, xr.DataArray | xr.Dataset):
            raise TypeError(f"milliseconds are added to a DataArray or a Dataset, got {shown(array)}")
        if "time" not in array.coords:
            raise ValueError(
                f"there is no coordinate 'time' to convert to milliseconds, only {sorted(map(str, array.coords))}"
            )
        units = array["time"].attrs.get("units", "steps")
        if units != "steps":
            raise ValueError(f"the coordinate 'time' must be in steps, got {units!r}")
        if array["time"].dtype.kind not in "iuf" or missing(array["time"].values).any():
            raise ValueError(
                f"the coordinate 'time' must be numbers of steps, got {shown(array['time'].values.tolist())}"
            )
        named = {"units": "ms", "long_name": f"time after image onset, assumed {self.onset_ms:g} + {self.step_ms:g} t"}
        return array.assign_coords(time_ms=(array["time"].dims, self.of(array["time"].values), named))


def in_steps(duration_ms: Number) -> tuple[Number, Number]:
    """Return the fewest and the most steps in a duration, by the paper's 20 to 50 ms per step (recalled).

    Parameters
    ----------
    duration_ms : float or array
        Such as an SOA, in ms.

    Returns
    -------
    fewest, most
        At 50 and at 20 ms per step: 25 ms are 0.5 to 1.25 steps.

    References
    ----------
    Liao & Poggio (2016), as recalled: a step takes about 20 to 50 ms of wall-clock time.
    """
    shortest, longest = PAPER_STEP_MS
    duration_ms = _amount(duration_ms, "duration_ms")
    return duration_ms / longest, duration_ms / shortest


def _amount(value: Number, what: str) -> Number:
    """Return a number or an array of numbers, and refuse anything else with a TypeError."""
    kind = getattr(getattr(value, "dtype", None), "kind", "" if not hasattr(value, "detach") else "f")
    if not is_number(value) and kind not in tuple("iuf"):
        raise TypeError(f"{what} must be a number or an array of numbers, got {shown(value)}")
    return value
