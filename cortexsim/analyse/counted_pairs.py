"""Similarity of counted dissimilarities, as in a bootstrap that draws stimuli with replacement."""

from __future__ import annotations

import numpy as np

METHODS = ("spearman", "pearson", "cosine", "rho-a")


class CountedPairs:
    """Vectors of dissimilarities, sorted once, so that their similarity for given counts needs no sorting.

    The rank of a pair is the number of smaller draws, plus half the number of equal draws: a running sum of the counts
    in sorted order. The results equal those of rsatoolbox for the list of drawn pairs.

    Parameters
    ----------
    first : ndarray, shape (first, pair)
    second : ndarray, shape (second, pair)
        For the same pairs; without NaN.
    method : str
        One of `METHODS`.
    """

    def __init__(self, first: np.ndarray, second: np.ndarray, method: str) -> None:
        self._n_first, self._values, self._method = len(first), np.concatenate([first, second]).astype(float), method
        if method in ("spearman", "rho-a"):
            self._order = np.argsort(self._values, 1, kind="stable")
            in_order = np.take_along_axis(self._values, self._order, 1)
            # positions in sorted order at which the values equal to each pair's begin and end
            rows = list(zip(in_order, self._values, strict=True))
            self._begin = np.array([np.searchsorted(row, values) for row, values in rows])
            self._end = np.array([np.searchsorted(row, values, "right") for row, values in rows])

    def similarity(self, counts: np.ndarray) -> np.ndarray:
        """Return the similarity of each first vector with each second vector.

        Parameters
        ----------
        counts : ndarray, shape (pair,)
            The number of times that each pair counts; 0 leaves it out.

        Returns
        -------
        ndarray, shape (first, second)
            NaN if one of the two does not vary over the counted pairs.
        """
        counts = counts.astype(float)
        values, n = self._values, counts.sum()
        if self._method in ("spearman", "rho-a"):
            below = np.zeros((len(values), values.shape[1] + 1))
            np.cumsum(counts[self._order], axis=1, out=below[:, 1:])
            values = (np.take_along_axis(below, self._begin, 1) + np.take_along_axis(below, self._end, 1) + 1) / 2
        if self._method != "cosine":
            values = values - (values @ counts)[:, None] / n
        first, second = values[: self._n_first], values[self._n_first :]
        products = (first * counts) @ second.T
        if self._method == "rho-a":
            return 12 * products / (n**3 - n)
        # a vector that is constant except for rounding has no direction
        power = values**2 @ counts
        power[power <= 1e-24 * np.abs(self._values).max() ** 2 * n] = np.nan
        norm = np.sqrt(power)
        return products / norm[: self._n_first, None] / norm[self._n_first :]
