"""Variance and covariance of the noise of units, estimated from repeats of the same stimuli."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

KINDS = ("diagonal", "full", "shrunk")

Whiten = Callable[[np.ndarray], np.ndarray]


class Residuals:
    """Residuals of repeats about the mean of their stimulus, and the precision of their noise.

    Parameters
    ----------
    n_units : int
    n_rows : int
        The total number of residuals that will be added. Memory is units², or that of the residuals if they are fewer
        than the units.
    kind : "diagonal", "full" or "shrunk"
        The variance of each unit; the covariance; or the covariance shrunk towards its diagonal, more strongly if there
        are fewer residuals (Schäfer & Strimmer 2005).
    """

    def __init__(self, n_units: int, n_rows: int, kind: str) -> None:
        self.n_units, self.kind, self.dof, self.n = n_units, kind, 0, 0
        self.few = n_rows < n_units and kind != "diagonal"
        self.rows: list[np.ndarray] = []
        self.power = np.zeros(n_units)
        side = 0 if self.few or kind == "diagonal" else n_units
        self.products, self.squares = np.zeros((side, side)), np.zeros((side, side))

    def add(self, responses: np.ndarray) -> None:
        """Add the repeats of some stimuli, (stimulus, repeat, unit)."""
        residuals = (responses - responses.mean(1, keepdims=True)).reshape(-1, self.n_units)
        self.n += len(residuals)
        self.dof += len(responses) * (responses.shape[1] - 1)
        self.power += (residuals**2).sum(0)
        if self.few:
            self.rows.append(residuals)
        elif self.kind != "diagonal":
            self.products += residuals.T @ residuals
            self.squares += (residuals**2).T @ residuals**2

    def silent(self) -> int:
        """Return the number of units that never differ between repeats."""
        return int((self.power == 0).sum())

    def precision(self) -> Whiten:
        """Return the function that multiplies patterns, (..., unit), by the inverse of the covariance of the noise.

        Raises
        ------
        ValueError
            If the covariance has no inverse.
        """
        variance = self.power / self.dof
        if self.kind == "diagonal":
            return lambda responses: responses / variance
        rank = f"{self.n_units} units from {self.dof} degrees of freedom (stimuli x (repeats - 1))"
        if self.kind == "full" and self.dof < self.n_units:
            raise ValueError(f"the covariance of {rank} has no inverse; use noise='shrunk' or 'diagonal'")
        deviation = np.sqrt(variance)
        if self.few:
            scaled = np.concatenate(self.rows) / deviation
            return _precision_of_few(scaled, self.dof, deviation)
        correlation = self.products / self.dof / np.outer(deviation, deviation)
        weight = 1.0
        if self.kind == "shrunk":
            off = ~np.eye(self.n_units, dtype=bool)
            fourth = self.squares / np.outer(variance, variance)
            weight = 1 - _shrinkage(fourth[off].sum(), (correlation[off] ** 2).sum(), self.n, self.dof)
        covariance = np.outer(deviation, deviation) * (weight * correlation + (1 - weight) * np.eye(self.n_units))
        inverse = np.linalg.inv(covariance)
        return lambda responses: responses @ inverse


def _precision_of_few(scaled: np.ndarray, dof: int, deviation: np.ndarray) -> Whiten:
    """Invert a shrunk covariance from fewer residuals than units, (row, unit), by a matrix of the rows.

    Woodbury's identity: (a I + b ZᵀZ)⁻¹ = (I - Zᵀ (a/b I + ZZᵀ)⁻¹ Z) / a, about units of variance 1.
    """
    n, n_units = scaled.shape
    powers, kernel = scaled**2, scaled @ scaled.T
    # sums over all pairs of different units
    fourth = (powers.sum(1) ** 2).sum() - (powers**2).sum()
    correlations = (kernel**2).sum() / dof**2 - n_units
    shrinkage = _shrinkage(fourth, correlations, n, dof)
    if shrinkage == 0:
        raise ValueError(
            f"the covariance of {n_units} units from {dof} degrees of freedom (stimuli x (repeats - 1)) has an "
            "estimated shrinkage of 0, and no inverse without shrinkage; use noise='diagonal'"
        )
    if shrinkage == 1:
        return lambda responses: responses / deviation**2
    ratio = shrinkage * dof / (1 - shrinkage)
    inner = np.linalg.inv(kernel + ratio * np.eye(n))

    def whiten(responses: np.ndarray) -> np.ndarray:
        own = responses / deviation
        return (own - own @ scaled.T @ inner @ scaled) / shrinkage / deviation

    return whiten


def _shrinkage(fourth: float, correlations: float, n: int, dof: int) -> float:
    """Return the shrinkage of the correlations, from 0 to 1, as rsatoolbox estimates it.

    Parameters
    ----------
    fourth : float
        Sum over pairs of units of the sum over residuals of z_j² z_k², z of variance 1.
    correlations : float
        Sum over pairs of units of the squared correlation, by `dof`.
    n, dof : int
        The number of residuals, and their degrees of freedom.

    References
    ----------
    Schäfer, J. & Strimmer, K. (2005). A shrinkage approach to large-scale covariance matrix estimation and implications
    for functional genomics. Statistical Applications in Genetics and Molecular Biology 4.
    """
    squared = correlations * (dof / (n - 1)) ** 2
    spread = n / dof**2 * (fourth / (n - 1) - squared)
    return float(np.clip(spread / squared, 0, 1)) if squared > 0 else 1.0
