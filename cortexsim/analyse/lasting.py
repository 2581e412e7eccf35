"""Times from which a condition lasts until the end."""

from __future__ import annotations

import numpy as np


def lasting_from(flags: np.ndarray) -> np.ndarray:
    """Return the first position along the last axis from which all flags are set; their number if there is none."""
    lasting = np.logical_and.accumulate(flags[..., ::-1], axis=-1)[..., ::-1]
    return np.where(lasting.any(-1), lasting.argmax(-1), flags.shape[-1])


def times_from(places: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the time at each position, NaN beyond the last."""
    return np.where(places < len(times), times[np.minimum(places, len(times) - 1)].astype(float), np.nan)
