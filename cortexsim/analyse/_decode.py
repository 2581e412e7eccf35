"""Decoding of a label from a state, with a separate decoder at each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xarray as xr

from cortexsim._support.checks import one_of, shown
from cortexsim.analyse.folds import Folds, Groups, Splits, folds_of
from cortexsim.analyse.interval import with_interval
from cortexsim.analyse.node import (
    Labels,
    Node,
    activity_of,
    all_equal,
    name_of,
    patterns,
    time_coordinate,
    times_to_read,
)
from cortexsim.analyse.runs import of_each_run

N_COMPONENTS = 50
REGRESSION = ("r2", "explained_variance", "neg_mean_squared_error", "neg_mean_absolute_error")


class Estimator(Protocol):
    """A decoder of scikit-learn, which can be cloned, fitted and used to predict."""

    def fit(self, X: np.ndarray, y: np.ndarray, /) -> Estimator:
        """Learn from patterns (stimulus, unit) and their labels."""

    def predict(self, X: np.ndarray, /) -> np.ndarray:
        """Return the label of each pattern."""

    def get_params(self, deep: bool = True) -> Mapping[str, object]:
        """Return the parameters that `sklearn.base.clone` copies."""


@of_each_run
def decode(
    node: Node,
    labels: Labels = None,
    estimator: Estimator | None = None,
    cv: Splits = None,
    groups: Groups = None,
    *,
    seed: int = 0,
    score: str | None = None,
    progress: bool = False,
) -> xr.DataArray:
    """Decode a label from a state at every time, with a separate cross-validated decoder at each time.

    One time is read at a time, so the recording may be larger than memory.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or a value for each stimulus.
    estimator : scikit-learn estimator, optional
        Cloned and fitted in each fold, on patterns (stimulus, unit). By default each unit is scaled (units that hardly
        vary are scaled less), and the patterns are reduced to their first 50 principal components (or as many as there
        are units, or training stimuli minus one). A linear discriminant analysis with Ledoit and Wolf's shrinkage, or a
        cross-validated ridge regression, reads the components, so that the number of dimensions does not depend on the
        size of the state. All steps are fitted inside the fold.
    cv : int, splitter or sequence of (train, test), optional
        By default 5 folds, stratified if classes are decoded; the same at all times and for all states.
    groups : str, sequence or False, optional
        Stimuli of the same group are always on the same side of a fold. By default the coordinate `source` or `target`,
        if there is one.
    seed : int
        Seed of the folds.
    score : str, optional
        A scorer of scikit-learn; by default "accuracy", or "r2" for a regressor. "r2" without an estimator makes the
        default decoder a regression, for continuous factors.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        Mean score over folds, with the lowest and the highest fold as `low` and `high`. Folds share their training
        stimuli: a claim about a model rests on seeds, not on folds. NaN where any stimulus is empty. `attrs["chance"]`,
        for accuracy, is the share of the most frequent class. At a time at which the activity is the same for all
        stimuli, the decoder predicts the most frequent class of its training stimuli, or their mean.

    Raises
    ------
    TypeError, ValueError
        If labels are missing, all the same, or continuous while the decoder is a classifier; if a class has fewer
        members than there are folds.

    References
    ----------
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
    Multivariate Analysis 88.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> decoded = cs.analyse.decode(recording["IT"], "label")
    >>> decoded.sel(time=2).item(), decoded.sel(time=8).item()  # IT is empty at t = 2
    (nan, 0.95)
    """
    activity = activity_of(node)
    plan = plan_decoding(activity, labels, estimator, cv, groups, score=score, seed=seed)
    scores = np.full((activity.sizes["time"], len(plan.folds)), np.nan)
    for index in times_to_read(activity, progress, "decoding"):
        responses = patterns(activity, index)
        for fold, decoder in enumerate(plan.fit(responses)):
            scores[index, fold] = plan.test(decoder, responses, fold)
    return plan.summarize(scores, activity, {"time": time_coordinate(activity)})


def decoded_right(
    node: Node, labels: Labels = None, cv: Splits = None, groups: Groups = None, *, seed: int = 0
) -> xr.DataArray:
    """Return for each stimulus whether its class is decoded by the default decoder of the fold that it is held out in.

    Parameters
    ----------
    node, labels, cv, groups, seed
        As for `decode`; the folds must hold out every stimulus once.

    Returns
    -------
    DataArray, (stimulus, time)
        1 or 0; NaN at times at which any stimulus is empty. With folds of equal size its mean over stimuli is the
        result of `decode`.

    Raises
    ------
    TypeError, ValueError
        As for `decode`.
    """
    activity = activity_of(node)
    plan = plan_decoding(activity, labels, None, cv, groups, score="accuracy", seed=seed)
    right = np.full((activity.sizes["stimulus"], activity.sizes["time"]), np.nan)
    for index in times_to_read(activity, False, "decoding"):
        responses = patterns(activity, index)
        for decoder, (_, test) in zip(plan.fit(responses), plan.folds, strict=True):
            right[test, index] = decoder.predict(responses[test]) == plan.truth[test]
    attributes = {"long_name": "class decoded", "units": "1", "of": name_of(activity), "chance": plan.chance}
    return xr.DataArray(right, {"time": time_coordinate(activity)}, ("stimulus", "time"), "right", attributes)


@dataclass(frozen=True)
class DecodingPlan:
    """The settings that are the same at all times: decoder, labels, folds and score.

    Parameters
    ----------
    estimator : scikit-learn estimator
    truth : ndarray, (stimulus,)
        The labels.
    folds : list of (train, test)
    folds_text : str
        How the folds were made.
    score : str
        The name of the score.
    scorer : callable
        Takes a decoder, patterns and labels; returns the score.
    chance : float or None
        The chance level, for accuracy.
    continuous : bool
        The decoder predicts numbers, not classes.
    """

    estimator: Estimator
    truth: np.ndarray
    folds: Folds
    folds_text: str
    score: str
    scorer: Callable[[Estimator, np.ndarray, np.ndarray], float]
    chance: float | None
    continuous: bool

    def fit(self, responses: np.ndarray) -> list[Estimator]:
        """Fit a decoder in each fold to patterns (stimulus, unit); if all are equal, one that ignores them."""
        from sklearn.base import clone

        estimator = self._blind() if all_equal(responses) else self.estimator
        return [clone(estimator).fit(responses[train], self.truth[train]) for train, _ in self.folds]

    def _blind(self) -> Estimator:
        from sklearn.dummy import DummyClassifier, DummyRegressor

        return DummyRegressor() if self.continuous else DummyClassifier(strategy="prior")

    def test(self, decoder: Estimator, responses: np.ndarray, fold: int) -> float:
        """Score a decoder on the test stimuli of its fold."""
        _, test = self.folds[fold]
        if self.score == "accuracy":
            # scikit-learn's scorer gives the same result, but takes longer than the decoder
            return float((decoder.predict(responses[test]) == self.truth[test]).mean())
        try:
            return float(self.scorer(decoder, responses[test], self.truth[test]))
        except (ValueError, AttributeError, TypeError) as error:
            raise ValueError(f"the score {self.score!r} does not fit this decoder or these labels: {error}") from error

    def summarize(
        self, scores: np.ndarray, activity: xr.DataArray, coordinates: Mapping[str, xr.Variable]
    ) -> xr.DataArray:
        """Average scores (..., fold) over folds, and label them."""
        attributes: dict[str, str | float] = {
            "long_name": "decoding accuracy" if self.score == "accuracy" else self.score,
            "units": "1",
            "of": name_of(activity),
            "folds": self.folds_text,
        }
        if self.chance is not None:
            attributes["chance"] = self.chance
        mean = xr.DataArray(scores.mean(-1), coordinates, list(coordinates), "decode", attributes)
        n_folds = scores.shape[-1]
        text = f"lowest to highest over {n_folds} folds of one model"
        return with_interval(mean, scores.min(-1), scores.max(-1), text, n_folds)


def plan_decoding(
    activity: xr.DataArray,
    labels: Labels,
    estimator: Estimator | None,
    cv: Splits,
    groups: Groups,
    *,
    score: str | None,
    seed: int,
) -> DecodingPlan:
    """Choose decoder, folds and score; see `decode` for arguments and errors."""
    from sklearn.base import is_regressor
    from sklearn.metrics import get_scorer, get_scorer_names

    if estimator is not None:
        checked_estimator(estimator)
    if score is not None:
        one_of(score, "score", get_scorer_names())
    continuous = score in REGRESSION if estimator is None else is_regressor(estimator)
    if continuous and score not in (None, *REGRESSION) and "accuracy" in str(score):
        raise ValueError(f"score {score!r} is for classes, but {estimator} predicts numbers: pass score='r2'")
    truth, folds, folds_text = folds_of(activity, labels, groups, cv, continuous=continuous, seed=seed)
    score = score or ("r2" if continuous else "accuracy")
    smallest = min(len(train) for train, _ in folds)
    chance = float(np.unique(truth, return_counts=True)[1].max() / len(truth)) if score == "accuracy" else None
    decoder = default_decoder(continuous, smallest) if estimator is None else estimator
    return DecodingPlan(decoder, truth, folds, folds_text, score, get_scorer(score), chance, continuous)


def checked_estimator(estimator: Estimator) -> Estimator:
    """Return an estimator of scikit-learn, and refuse anything else with a TypeError."""
    needed = ("fit", "predict", "get_params")
    if isinstance(estimator, type) or not all(hasattr(estimator, one) for one in needed):
        kind = f"the class {estimator.__name__}, not an instance" if isinstance(estimator, type) else shown(estimator)
        raise TypeError(f"estimator must be an estimator of scikit-learn, with {', '.join(needed)}, got {kind}")
    return estimator


def default_decoder(continuous: bool, n_train: int) -> Estimator:
    """Return the default decoder, whose number of dimensions does not depend on the state; see `decode`."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline

    from cortexsim.analyse.components import ScaledComponents, ShrunkDiscriminant

    reader = RidgeCV(alphas=np.logspace(-1, 4, 11)) if continuous else ShrunkDiscriminant()
    decoder: Estimator = make_pipeline(ScaledComponents(min(N_COMPONENTS, n_train - 1)), reader)
    return decoder
