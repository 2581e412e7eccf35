"""Similarity of dissimilarities of which each counts several times, as after drawing stimuli with replacement."""

from __future__ import annotations

import numpy as np

METHODS = ("spearman", "pearson", "cosine", "rho-a")


class CountedPairs:
    """Vectors of dissimilarities, sorted once, so that their similarity under other counts takes no sorting.

    With every pair counted as often as it is drawn, a rank is the number of draws that are smaller, and half of those
    that are equal: a running sum of the counts in sorted order. So the numbers are those that rsatoolbox gives when the
    drawn pairs are written out one by one.

    Parameters
    ----------
    ours : ndarray, shape (mine, pair)
    its : ndarray, shape (other, pair)
        Of the same pairs; no NaN.
    method : str
        One of `METHODS`.
    """

    def __init__(self, ours: np.ndarray, its: np.ndarray, method: str) -> None:
        self._n_ours, self._values, self._method = len(ours), np.concatenate([ours, its]).astype(float), method
        if method in ("spearman", "rho-a"):
            self._order = np.argsort(self._values, 1, kind="stable")
            run = np.take_along_axis(self._values, self._order, 1)
            # where in sorted order the values that equal each pair's begin, and where they have ended
            self._begin = np.array([np.searchsorted(a, v) for a, v in zip(run, self._values, strict=True)])
            self._end = np.array([np.searchsorted(a, v, "right") for a, v in zip(run, self._values, strict=True)])

    def similarity(self, counts: np.ndarray) -> np.ndarray:
        """Return the similarity of each of mine with each of the others.

        Parameters
        ----------
        counts : ndarray, shape (pair,)
            How often each pair counts; 0 leaves it out.

        Returns
        -------
        ndarray, shape (mine, other)
            NaN where one of them does not vary over the pairs that count.
        """
        counts = counts.astype(float)
        values, n = self._values, counts.sum()
        if self._method in ("spearman", "rho-a"):
            below = np.zeros((len(values), values.shape[1] + 1))
            np.cumsum(counts[self._order], axis=1, out=below[:, 1:])
            values = (np.take_along_axis(below, self._begin, 1) + np.take_along_axis(below, self._end, 1) + 1) / 2
        if self._method != "cosine":
            values = values - (values @ counts)[:, None] / n
        ours, its = values[: self._n_ours], values[self._n_ours :]
        products = (ours * counts) @ its.T
        if self._method == "rho-a":
            return 12 * products / (n**3 - n)
        # what is constant but for rounding has no direction
        power = values**2 @ counts
        power[power <= 1e-24 * np.abs(self._values).max() ** 2 * n] = np.nan
        norm = np.sqrt(power)
        return products / norm[: self._n_ours, None] / norm[self._n_ours :]
