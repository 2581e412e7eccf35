"""Model time as wall-clock time: an assumption that the user makes, and that every figure states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

# Liao & Poggio (2016), as recalled: a step takes about 20 to 50 ms in cortex
PAPER_STEP_MS = (20.0, 50.0)


@dataclass(frozen=True, kw_only=True)
class Milliseconds:
    """What is assumed of a step's length: at time t it is `onset_ms + step_ms * t` after the image appeared.

    Time 0 is when the first state holds the image. So `onset_ms` is the latency of that state: about 66 ms for V1 of
    the macaque (Schmolesky et al. 1998, recalled). The paper takes a step for 20 to 50 ms (recalled).

    Parameters
    ----------
    onset_ms : float
        When time 0 is, in ms after the onset of the image.
    step_ms : float
        How long a step takes, in ms.

    Raises
    ------
    TypeError
        If one is not a number.
    ValueError
        If `step_ms` is not positive, `onset_ms` is negative, or one is not finite.
    """

    onset_ms: float
    step_ms: float

    def __post_init__(self) -> None:
        for name in ("onset_ms", "step_ms"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
                raise TypeError(f"{name} must be a number of milliseconds, got {value!r}")
        if not math.isfinite(self.onset_ms) or self.onset_ms < 0:
            raise ValueError(f"onset_ms must be at least 0 ms, got {self.onset_ms!r}")
        if not math.isfinite(self.step_ms) or self.step_ms <= 0:
            raise ValueError(
                f"step_ms must be more than 0 ms, got {self.step_ms!r}; the paper takes 20 to 50 (recalled)"
            )

    def __str__(self) -> str:
        return f"time (ms) = {self.onset_ms:g} + {self.step_ms:g} t, assumed"

    def of(self, time: Any) -> Any:
        """Give the wall-clock time of a model time, in ms after the onset of the image; arrays as well."""
        return self.onset_ms + self.step_ms * time

    def lasting(self, steps: Any) -> Any:
        """Give how long a number of steps lasts, in ms: a duration or an SOA, which has no onset in it."""
        return self.step_ms * steps

    def add_to(self, array: xr.DataArray | xr.Dataset) -> xr.DataArray | xr.Dataset:
        """Add the coordinate `time_ms` beside `time`.

        Parameters
        ----------
        array : DataArray or Dataset
            With the coordinate `time`, in steps.

        Returns
        -------
        DataArray or Dataset
            A copy whose `time_ms` says in its `long_name` what was assumed.

        Raises
        ------
        ValueError
            If there is no coordinate `time`, or its unit is another than steps.
        """
        if "time" not in array.coords:
            raise ValueError(
                f"there is no coordinate 'time' to give milliseconds, only {sorted(map(str, array.coords))}"
            )
        units = array["time"].attrs.get("units", "steps")
        if units != "steps":
            raise ValueError(f"the coordinate 'time' is in {units!r} already: milliseconds are made from steps")
        named = {"units": "ms", "long_name": f"time after image onset, assumed {self.onset_ms:g} + {self.step_ms:g} t"}
        return array.assign_coords(time_ms=(array["time"].dims, self.of(array["time"].values), named))


def in_steps(duration_ms: Any) -> tuple[Any, Any]:
    """Give how many steps a duration may be, by the paper's 20 to 50 ms a step (recalled).

    Parameters
    ----------
    duration_ms : float or array
        Such as an SOA, in ms.

    Returns
    -------
    fewest, most
        At 50 and at 20 ms a step: 25 ms are 0.5 to 1.25 steps.

    References
    ----------
    Liao & Poggio (2016), as recalled: a step takes about 20 to 50 ms of wall-clock time.
    """
    shortest, longest = PAPER_STEP_MS
    return duration_ms / longest, duration_ms / shortest
