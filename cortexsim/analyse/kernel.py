"""Inner products of patterns: all that the similarity and the dimensionality of states depend on."""

from __future__ import annotations

import numpy as np


def products(patterns: np.ndarray) -> np.ndarray:
    """Return the inner products of patterns about their mean, (stimulus, stimulus)."""
    # about the mean less is lost to rounding; a subset of the stimuli is centred again
    centred_patterns = patterns.astype(np.float64)
    centred_patterns -= centred_patterns.mean(0)
    return centred_patterns @ centred_patterns.T


def centred(kernel: np.ndarray) -> np.ndarray:
    """Move the origin of inner products to the patterns' mean."""
    means = kernel.mean(0)
    return kernel - means - means[:, None] + means.mean()


def unbiased(kernel: np.ndarray) -> np.ndarray:
    """Centre inner products so that unrelated patterns are orthogonal on average.

    References
    ----------
    Song, L. et al. (2012). Feature selection via dependence maximization. JMLR 13. Székely, G. & Rizzo, M. (2014).
    Partial distance correlation with methods for dissimilarities. Annals of Statistics 42.
    """
    n = len(kernel)
    off = kernel - np.diag(np.diag(kernel))
    sums = off.sum(0)
    moved = off - sums / (n - 2) - sums[:, None] / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(moved, 0)
    return moved
