"""The default decoder: each unit scaled, as many principal components for every state, a discriminant that reads those.

Loads scikit-learn, so it is imported only where something is decoded.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from cortexsim.analyse.scale import LEAST_SPREAD


class ScaledComponents(TransformerMixin, BaseEstimator):
    """Scale each unit to mean 0 and standard deviation 1, then keep the first principal components.

    The same as `make_pipeline(StandardScaler(), PCA(n_components))` but for the components' signs, and for units that
    hardly vary: a standard deviation counts as at least a tenth of the root mean square over units. With fewer stimuli
    than units it takes the components from the stimuli's inner products, several times faster than a singular value
    decomposition, and exactly.

    Parameters
    ----------
    n_components : int
        At most this many: no more than there are units, or stimuli less one.
    """

    def __init__(self, n_components: int = 50) -> None:
        self.n_components = n_components

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Take means, standard deviations and axes from these patterns, shape (stimulus, unit)."""
        from scipy.linalg import eigh

        X = np.asarray(X)
        self.mean_ = X.mean(0, dtype=np.float64).astype(X.dtype)
        scaled = X - self.mean_
        # unlike a sum over columns, einsum keeps no squared copy
        spread = np.sqrt(np.einsum("ij,ij->j", scaled, scaled, dtype=np.float64) / len(X)).astype(X.dtype)
        # one that is almost silent here may speak up elsewhere, and would drown all others
        floor = LEAST_SPREAD * np.sqrt((spread**2).mean()) or spread.dtype.type(1)
        self.scale_ = np.maximum(spread, floor)
        scaled /= self.scale_
        n, units = scaled.shape
        kept = min(self.n_components, n - 1, units)
        products = scaled @ scaled.T if n <= units else scaled.T @ scaled
        size = len(products)
        powers, axes = eigh(products, subset_by_index=(size - kept, size - 1))
        # what is left of nothing has no direction
        present = powers > size * np.finfo(X.dtype).eps * max(powers[-1], 0)
        axes = axes[:, present][:, ::-1]
        self.axes_ = scaled.T @ (axes / np.sqrt(powers[present][::-1])) if n <= units else axes
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the components of patterns, shape (stimulus, component)."""
        # the axes are small, the patterns are not: the scale goes into the axes
        return (np.asarray(X) - self.mean_) @ (self.axes_ / self.scale_[:, None])


class ShrunkDiscriminant(ClassifierMixin, BaseEstimator):
    """A linear discriminant analysis with Ledoit and Wolf's shrinkage.

    The same as scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")`. That one checks its input
    anew for each class of each fold, which takes ten times as long as the analysis itself of some 50 components.

    References
    ----------
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
    Multivariate Analysis 88.
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Learn to tell apart the classes `y` of patterns, shape (stimulus, component)."""
        from scipy.linalg import lstsq

        X = np.asarray(X, np.float64)
        self.classes_, place, counts = np.unique(y, return_inverse=True, return_counts=True)
        shares = counts / len(place)
        means = np.array([X[place == k].mean(0) for k in range(len(counts))])
        within = sum(share * _shrunk_covariance(X[place == k]) for k, share in enumerate(shares))
        self.coef_ = lstsq(within, means.T)[0].T
        self.intercept_ = np.log(shares) - (means * self.coef_).sum(1) / 2
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return how much speaks for each class, shape (stimulus, class); for two classes, (stimulus,) for the second.

        Differences between classes are those of their log posterior probabilities.
        """
        found = np.asarray(X, np.float64) @ self.coef_.T + self.intercept_
        return found[:, 1] - found[:, 0] if found.shape[1] == 2 else found

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each pattern."""
        found = self.decision_function(X)
        return self.classes_[(found > 0).astype(int) if found.ndim == 1 else found.argmax(1)]


def _shrunk_covariance(X: np.ndarray) -> np.ndarray:
    """Return the covariance of patterns, (component, component), shrunk in units of each component's own spread."""
    n, size = X.shape
    away = X - X.mean(0)
    spread = away.std(0)
    spread[spread == 0] = 1
    away /= spread
    empirical = away.T @ away / n
    middle = np.trace(empirical) / size
    # how far the covariance is from a sphere, and how much of that is chance (Ledoit & Wolf 2004, lemma 3.2 and on)
    distance = ((empirical**2).sum() - size * middle**2) / size
    chance = min((((away**2).sum(1) ** 2).sum() / n - (empirical**2).sum()) / (size * n), distance)
    shrinkage = chance / distance if chance > 0 else 0.0
    shrunk = (1 - shrinkage) * empirical + shrinkage * middle * np.eye(size)
    return spread[:, None] * shrunk * spread
