"""How noise is spread over units and shared between them, from what repeats of the same stimuli leave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

KINDS = ("diagonal", "full", "shrunk")

Whiten = Callable[[np.ndarray], np.ndarray]


class Residuals:
    """Adds up residuals of repeats, and gives the precision of their noise.

    Parameters
    ----------
    n_units : int
    n_rows : int
        How many residuals will be added in all. What is kept is units², or the residuals themselves where they are
        fewer than the units.
    kind : "diagonal", "full" or "shrunk"
        The variance of each unit alone; the covariance; or the covariance shrunk towards its diagonal as far as the
        residuals are too few to tell (Schäfer & Strimmer 2005).
    """

    def __init__(self, n_units: int, n_rows: int, kind: str) -> None:
        self.n_units, self.kind, self.dof, self.n = n_units, kind, 0, 0
        self.few = n_rows < n_units and kind != "diagonal"
        self.rows: list[np.ndarray] = []
        self.power = np.zeros(n_units)
        side = 0 if self.few or kind == "diagonal" else n_units
        self.products, self.squares = np.zeros((side, side)), np.zeros((side, side))

    def add(self, read: np.ndarray) -> None:
        """Take in the repeats of some stimuli, (stimulus, repeat, unit)."""
        left = (read - read.mean(1, keepdims=True)).reshape(-1, self.n_units)
        self.n += len(left)
        self.dof += len(read) * (read.shape[1] - 1)
        self.power += (left**2).sum(0)
        if self.few:
            self.rows.append(left)
        elif self.kind != "diagonal":
            self.products += left.T @ left
            self.squares += (left**2).T @ left**2

    def silent(self) -> int:
        """Return how many units never differ between repeats."""
        return int((self.power == 0).sum())

    def precision(self) -> Whiten:
        """Return what multiplies patterns, (..., unit), by the inverse of the covariance of the noise.

        Raises
        ------
        ValueError
            If the covariance has no inverse.
        """
        variance = self.power / self.dof
        if self.kind == "diagonal":
            return lambda read: read / variance
        rank = f"{self.n_units} units from {self.dof} degrees of freedom (stimuli x (repeats - 1))"
        if self.kind == "full" and self.dof < self.n_units:
            raise ValueError(f"the covariance of {rank} has no inverse; use noise='shrunk' or 'diagonal'")
        deviation = np.sqrt(variance)
        if self.few:
            scaled = np.concatenate(self.rows) / deviation
            return _precision_of_few(scaled, self.dof, deviation)
        correlation = self.products / self.dof / np.outer(deviation, deviation)
        kept = 1.0
        if self.kind == "shrunk":
            off = ~np.eye(self.n_units, dtype=bool)
            fourth = self.squares / np.outer(variance, variance)
            kept = 1 - _shrinkage(fourth[off].sum(), (correlation[off] ** 2).sum(), self.n, self.dof)
        covariance = np.outer(deviation, deviation) * (kept * correlation + (1 - kept) * np.eye(self.n_units))
        inverse = np.linalg.inv(covariance)
        return lambda read: read @ inverse


def _precision_of_few(scaled: np.ndarray, dof: int, deviation: np.ndarray) -> Whiten:
    """Invert a shrunk covariance from fewer residuals than units, (row, unit): a matrix of the rows is enough.

    Woodbury's identity: (a I + b ZᵀZ)⁻¹ = (I - Zᵀ (a/b I + ZZᵀ)⁻¹ Z) / a, about units of variance 1.
    """
    n, n_units = scaled.shape
    powers, kernel = scaled**2, scaled @ scaled.T
    # sums over all pairs of units, less each with itself
    fourth = (powers.sum(1) ** 2).sum() - (powers**2).sum()
    correlations = (kernel**2).sum() / dof**2 - n_units
    shrinkage = _shrinkage(fourth, correlations, n, dof)
    if shrinkage == 0:
        raise ValueError(
            f"the covariance of {n_units} units from {dof} degrees of freedom (stimuli x (repeats - 1)) needs no "
            "shrinkage by its estimate, and has no inverse without; use noise='diagonal'"
        )
    if shrinkage == 1:
        return lambda read: read / deviation**2
    ratio = shrinkage * dof / (1 - shrinkage)
    inner = np.linalg.inv(kernel + ratio * np.eye(n))

    def whiten(read: np.ndarray) -> np.ndarray:
        own = read / deviation
        return (own - own @ scaled.T @ inner @ scaled) / shrinkage / deviation

    return whiten


def _shrinkage(fourth: float, correlations: float, n: int, dof: int) -> float:
    """Return how far the correlations are to be shrunk, from 0 to 1, as rsatoolbox estimates it.

    Parameters
    ----------
    fourth : float
        Sum over pairs of units of the sum over residuals of z_j² z_k², z of variance 1.
    correlations : float
        Sum over pairs of units of the squared correlation, by `dof`.
    n, dof : int
        Residuals, and their degrees of freedom.

    References
    ----------
    Schäfer, J. & Strimmer, K. (2005). A shrinkage approach to large-scale covariance matrix estimation and implications
    for functional genomics. Statistical Applications in Genetics and Molecular Biology 4.
    """
    squared = correlations * (dof / (n - 1)) ** 2
    spread = n / dof**2 * (fourth / (n - 1) - squared)
    return float(np.clip(spread / squared, 0, 1)) if squared > 0 else 1.0
