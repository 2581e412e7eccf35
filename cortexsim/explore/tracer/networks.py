"""Models as plain numbers, for the JavaScript that runs them in a browser."""

from __future__ import annotations

import base64

import numpy as np


def packed(values: np.ndarray | None, *, halves: bool) -> str | None:
    """Write an array as base64 of little-endian float32, or of float16 where that loses nothing.

    Raises
    ------
    ValueError
        If a number is not finite, or is not exact in float16.
    """
    if values is None:
        return None
    stored = np.ascontiguousarray(values, dtype=np.dtype("<f2" if halves else "<f4"))
    if not np.isfinite(stored).all():
        raise ValueError("a weight is not finite")
    if halves and not np.array_equal(stored.astype(np.float32), np.asarray(values, np.float32)):
        raise ValueError("the weights are not exact in float16: round them when the model is made")
    return base64.b64encode(stored.tobytes()).decode("ascii")
