"""Probabilities of the classes, from the logits of a readout."""

from __future__ import annotations

import numpy as np
import xarray as xr


def softmax(logits: xr.DataArray) -> xr.DataArray:
    """Turn logits into probabilities over the dimension `class`; NaN stays NaN."""
    wide = logits.astype(np.float64)
    exponent = xr.apply_ufunc(np.exp, wide - wide.max("class", skipna=False))
    return exponent / exponent.sum("class", skipna=False)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (stimulus, class) into logarithms of probabilities, which are finite even for unlikely classes."""
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
