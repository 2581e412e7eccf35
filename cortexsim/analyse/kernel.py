"""Inner products of patterns, which determine the similarity and dimensionality of states."""

from __future__ import annotations

import numpy as np


def products(patterns: np.ndarray) -> np.ndarray:
    """Return the inner products of patterns about their mean, (stimulus, stimulus)."""
    # about the mean, rounding errors are smaller; a subset of the stimuli is centred again
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


def covariance_without_each(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the squared covariance of two sets of patterns, leaving out each stimulus once, (stimulus,).

    Parameters
    ----------
    one, other : ndarray, (stimulus, stimulus)
        Inner products, not centred by `unbiased`; more than 4 stimuli.

    Notes
    -----
    The unbiased estimate of Song et al. (2012), equation 5, from sums over all stimuli minus those of one.
    """
    k, m = (kernel - np.diag(np.diag(kernel)) for kernel in (one, other))
    n, own_k, own_m, own_km = len(k) - 1, k.sum(0), m.sum(0), (k * m).sum(0)
    pairs = own_km.sum() - 2 * own_km
    quadruples = (own_k.sum() - 2 * own_k) * (own_m.sum() - 2 * own_m)
    triples = own_k @ own_m - own_k * own_m - k @ own_m - m @ own_k + own_km
    squared: np.ndarray = (pairs + quadruples / ((n - 1) * (n - 2)) - 2 * triples / (n - 2)) / (n * (n - 3))
    return squared


def variance_over_pairs(values: np.ndarray, without_each: np.ndarray) -> float:
    """Return the variance, over draws of the stimuli, of a mean over pairs of different stimuli.

    Parameters
    ----------
    values : ndarray, (stimulus, stimulus)
        For each pair of at least 4 stimuli, minus their mean, so that they sum to 0; symmetric, 0 on the diagonal.
    without_each : ndarray, (stimulus,)
        The mean when one stimulus is left out.

    Notes
    -----
    Hoeffding's two parts: that of single stimuli, by the jackknife, and 2 / (n (n - 1)) times the remaining variance of
    pairs. The jackknife contains the second part twice; this is subtracted, but not below 0. Otherwise intervals would
    be too wide if only pairs of stimuli matter, as for states that have more units than there are stimuli.

    References
    ----------
    Hoeffding, W. (1948). A class of statistics with asymptotically normal distribution. Annals of Mathematical
    Statistics 19. Efron, B. & Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9.
    """
    n = len(values)
    own = values.sum(0) / (n - 1)
    left = max(float((values**2).sum() - 2 * n * (own**2).sum()), 0) / (n * (n - 3))
    of_pairs = 2 * left / (n * (n - 1))
    jackknife = float(((without_each - without_each.mean()) ** 2).sum()) * (n - 1) / n
    return max(jackknife - 2 * of_pairs, 0) + of_pairs
