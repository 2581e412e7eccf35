"""The parts of the default decoder: scaled principal components, and a discriminant that reads them.

The module loads scikit-learn, so it is imported only when a decoder is made.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from cortexsim.analyse.scale import LEAST_SPREAD

LEAST_WITHIN = 1e-12  # variance within classes over that between them: less is rounding


class ScaledComponents(TransformerMixin, BaseEstimator):
    """Scale each unit to mean 0 and standard deviation 1, then keep the first principal components.

    Equivalent to `make_pipeline(StandardScaler(), PCA(n_components))`, except for the signs of components and for units
    that hardly vary: a standard deviation counts as at least a tenth of the root mean square over units. With fewer
    stimuli than units the components come from the stimuli's inner products, which is exact and several times faster
    than a singular value decomposition.

    Parameters
    ----------
    n_components : int
        The largest number of components, limited by the number of units and by the number of stimuli minus one.
    """

    def __init__(self, n_components: int = 50) -> None:
        self.n_components = n_components

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> Self:
        """Estimate means, standard deviations and axes from patterns, shape (stimulus, unit)."""
        from scipy.linalg import eigh

        X = np.asarray(X)
        self.mean_ = X.mean(0, dtype=np.float64).astype(X.dtype)
        scaled = X - self.mean_
        # unlike a sum over columns, einsum makes no squared copy
        spread = np.sqrt(np.einsum("ij,ij->j", scaled, scaled, dtype=np.float64) / len(X)).astype(X.dtype)
        # a unit that is almost silent in these patterns may vary more in others, and would then dominate
        floor = LEAST_SPREAD * np.sqrt((spread**2).mean()) or spread.dtype.type(1)
        self.scale_ = np.maximum(spread, floor)
        scaled /= self.scale_
        n, units = scaled.shape
        n_components = min(self.n_components, n - 1, units)
        products = scaled @ scaled.T if n <= units else scaled.T @ scaled
        size = len(products)
        powers, axes = eigh(products, subset_by_index=(size - n_components, size - 1))
        # a component without variance has no direction
        present = powers > size * np.finfo(X.dtype).eps * max(powers[-1], 0)
        axes = axes[:, present][:, ::-1]
        self.axes_ = scaled.T @ (axes / np.sqrt(powers[present][::-1])) if n <= units else axes
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the components of patterns, shape (stimulus, component)."""
        # dividing the axes by the scale is cheaper than dividing the patterns
        return (np.asarray(X) - self.mean_) @ (self.axes_ / self.scale_[:, None])


class ShrunkDiscriminant(ClassifierMixin, BaseEstimator):
    """A linear discriminant analysis with Ledoit and Wolf's shrinkage.

    Equivalent to scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")`, which checks its input
    for each class of each fold: with 50 components, the checks take ten times as long as the analysis itself. Where all
    patterns of a class are equal, in every class, scikit-learn's guesses; this one takes the class with the nearest.

    References
    ----------
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
    Multivariate Analysis 88.
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Learn to discriminate the classes `y` of patterns, shape (stimulus, component)."""
        from scipy.linalg import lstsq

        X = np.asarray(X, np.float64)
        self.classes_, index, counts = np.unique(y, return_inverse=True, return_counts=True)
        shares = counts / len(index)
        means = np.array([X[index == k].mean(0) for k in range(len(counts))])
        within = sum(share * _shrunk_covariance(X[index == k]) for k, share in enumerate(shares))
        least = LEAST_WITHIN * float(shares @ ((means - shares @ means) ** 2).sum(1))
        if np.trace(within) <= least:
            within = least * np.eye(len(within))
        self.coef_ = lstsq(within, means.T)[0].T
        self.intercept_ = np.log(shares) - (means * self.coef_).sum(1) / 2
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the evidence for each class, shape (stimulus, class); for two classes, (stimulus,) for the second.

        Differences between classes are those of their log posterior probabilities.
        """
        evidence: np.ndarray = np.asarray(X, np.float64) @ self.coef_.T + self.intercept_
        return evidence[:, 1] - evidence[:, 0] if evidence.shape[1] == 2 else evidence

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each pattern."""
        evidence = self.decision_function(X)
        best = (evidence > 0).astype(int) if evidence.ndim == 1 else evidence.argmax(1)
        return self.classes_[best]


def _shrunk_covariance(X: np.ndarray) -> np.ndarray:
    """Return the covariance of patterns, (component, component), shrunk in units of each component's own spread."""
    n, size = X.shape
    if not size:  # the training stimuli do not differ
        return np.zeros((0, 0))
    away = X - X.mean(0)
    spread = away.std(0)
    spread[spread == 0] = 1
    away /= spread
    empirical = away.T @ away / n
    middle = np.trace(empirical) / size
    # the distance of the covariance from a sphere, and the part due to chance (Ledoit & Wolf 2004, from lemma 3.2)
    distance = ((empirical**2).sum() - size * middle**2) / size
    chance = min((((away**2).sum(1) ** 2).sum() / n - (empirical**2).sum()) / (size * n), distance)
    shrinkage = chance / distance if chance > 0 else 0.0
    shrunk = (1 - shrinkage) * empirical + shrinkage * middle * np.eye(size)
    return spread[:, None] * shrunk * spread
