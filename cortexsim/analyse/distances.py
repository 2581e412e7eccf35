"""Distances between the patterns of any two stimuli: (stimulus, unit) in, (stimulus, stimulus) out."""

from __future__ import annotations

import numpy as np

from cortexsim.analyse.noise import Whiten


def correlation_distance(patterns: np.ndarray) -> np.ndarray:
    """Return 1 - Pearson's r of any two patterns.

    Parameters
    ----------
    patterns : ndarray, (stimulus, unit)

    Returns
    -------
    ndarray, (stimulus, stimulus)
        Between 0 and 2; NaN if a pattern is constant.
    """
    centred = patterns - patterns.mean(1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))[:, None]
    constant = (patterns == patterns[:, :1]).all(1)
    lengths[constant] = np.nan
    centred /= lengths
    return 1 - np.clip(centred @ centred.T, -1, 1)


def squared_distance(patterns: np.ndarray) -> np.ndarray:
    """Return the squared euclidean distance of any two patterns, divided by the number of units."""
    # distances do not depend on the origin, and rounding errors are smaller near it
    centred = patterns - patterns.mean(0)
    powers = np.einsum("ij,ij->i", centred, centred)
    return np.maximum(powers[:, None] + powers - 2 * centred @ centred.T, 0) / patterns.shape[1]


def crossnobis_distance(repeats: np.ndarray, whiten: Whiten) -> np.ndarray:
    """Return cross-validated squared distances of (stimulus, repeat, unit), divided by the number of units.

    Each repeat is compared with the mean of the others, normalized by the precision of the noise.
    """
    n_repeats = repeats.shape[1]
    total, distances = repeats.sum(1), np.zeros((len(repeats), len(repeats)))
    for k in range(n_repeats):
        products = whiten((total - repeats[:, k]) / (n_repeats - 1)) @ repeats[:, k].T
        own = np.diag(products)
        distances += own[:, None] + own - products - products.T
    return distances / n_repeats / repeats.shape[-1]
