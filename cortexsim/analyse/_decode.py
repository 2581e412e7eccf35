"""What can be read from a state at each time by a decoder of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.folds import Folds, folds_of
from cortexsim.analyse.interval import with_interval
from cortexsim.analyse.node import content, name_of, patterns, refuse_constant, time_coordinate, times_to_read

N_COMPONENTS = 50
REGRESSION = ("r2", "explained_variance", "neg_mean_squared_error", "neg_mean_absolute_error")


def decode(
    node: Any,
    labels: Any = None,
    estimator: Any = None,
    cv: Any = None,
    groups: Any = None,
    *,
    seed: int = 0,
    score: str | None = None,
    progress: bool = False,
) -> xr.DataArray:
    """Decode a label from a state at every time, each time by a decoder of its own, with cross-validation.

    One time is read at a time, so that a recording larger than memory will do.

    Parameters
    ----------
    node : DataTree, Dataset or DataArray
        Such as recording["V4"]; activation (stimulus, time, ...).
    labels : str or sequence, optional
        A stimulus coordinate, by default `label`; or one for each stimulus.
    estimator : scikit-learn estimator, optional
        Cloned and fitted in each fold, on patterns (stimulus, unit). By default each unit is scaled (those that
        hardly vary less), the patterns are reduced to their first 50 principal components (or as many as there are
        units, or stimuli to learn from, less one), and a linear discriminant analysis with Ledoit and Wolf's
        shrinkage, or a cross-validated ridge regression, reads those: so a large state has no more dimensions to read
        than a small one. All of it is fitted inside the fold.
    cv : int, splitter or sequence of (train, test), optional
        By default 5 folds; stratified where classes are decoded; the same at all times and for all states.
    groups : str, sequence or False, optional
        What keeps stimuli on the same side of a fold; by default the coordinate `source` or `target`, if there is one.
    seed : int
        Draws the folds.
    score : str, optional
        A scorer of scikit-learn; by default "accuracy", or "r2" for a regressor. "r2" without an estimator makes the
        default decoder a regression, for continuous factors.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray, (time,)
        Mean score over folds, with the lowest and the highest fold as `low` and `high`. Folds share what they learn
        from: a claim about a model rests on seeds, not on folds. NaN where any stimulus is empty. `attrs["chance"]`,
        for accuracy, is the share of the most frequent class.

    Raises
    ------
    TypeError, ValueError
        If labels are missing, of one class only, or continuous and the decoder is not; if a class has fewer members
        than there are folds; if the activity is constant.

    References
    ----------
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
    Multivariate Analysis 88.
    """
    held = content(node)
    plan = planned(held, labels, estimator, cv, groups, score=score, seed=seed)
    scores = np.full((held.sizes["time"], len(plan["folds"])), np.nan)
    for place in times_to_read(held, progress, "decoding"):
        read = patterns(held, place)
        refuse_constant(read, held, place)
        for k, decoder in enumerate(fitted(plan, read)):
            scores[place, k] = tested(plan, decoder, read, k)
    return summarized(scores, held, plan, {"time": time_coordinate(held)})


def planned(
    held: xr.DataArray, labels: Any, estimator: Any, cv: Any, groups: Any, *, score: str | None, seed: int
) -> dict[str, Any]:
    """Settle everything that is the same at all times: decoder, folds, score."""
    from sklearn.base import is_regressor
    from sklearn.metrics import get_scorer, get_scorer_names

    from cortexsim._support.checks import unknown

    if estimator is not None and not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TypeError(f"estimator must be one of scikit-learn's, with fit and get_params, got {estimator!r}")
    if score is not None and score not in get_scorer_names():
        raise ValueError(unknown("score", score, get_scorer_names()))
    continuous = score in REGRESSION if estimator is None else is_regressor(estimator)
    truth, folds, how = folds_of(held, labels, groups, cv, continuous=continuous, seed=seed)
    score = score or ("r2" if continuous else "accuracy")
    smallest = min(len(train) for train, _ in folds)
    chance = np.unique(truth, return_counts=True)[1].max() / len(truth) if score == "accuracy" else None
    return {
        "estimator": default_decoder(continuous, smallest) if estimator is None else estimator,
        "truth": truth,
        "folds": folds,
        "how": how,
        "score": score,
        "scorer": get_scorer(score),
        "chance": chance,
    }


def default_decoder(continuous: bool, n_train: int) -> Any:
    """Return a decoder of matched dimensions: see `decode`."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline

    from cortexsim.analyse.components import ScaledComponents, ShrunkDiscriminant

    reader = RidgeCV(alphas=np.logspace(-1, 4, 11)) if continuous else ShrunkDiscriminant()
    return make_pipeline(ScaledComponents(min(N_COMPONENTS, n_train - 1)), reader)


def fitted(plan: dict[str, Any], read: np.ndarray) -> list[Any]:
    """Fit a decoder in each fold."""
    from sklearn.base import clone

    folds: Folds = plan["folds"]
    return [clone(plan["estimator"]).fit(read[train], plan["truth"][train]) for train, _ in folds]


def tested(plan: dict[str, Any], decoder: Any, read: np.ndarray, fold: int) -> float:
    """Score a decoder on the stimuli of its fold that it has not seen."""
    test = plan["folds"][fold][1]
    if plan["score"] == "accuracy":
        # scikit-learn's scorer gives the same and takes longer than the decoder
        return float((decoder.predict(read[test]) == plan["truth"][test]).mean())
    return float(plan["scorer"](decoder, read[test], plan["truth"][test]))


def summarized(scores: np.ndarray, held: xr.DataArray, plan: dict[str, Any], coordinates: Any) -> xr.DataArray:
    """Average scores (..., fold) over folds, and label them."""
    attributes = {
        "long_name": "decoding accuracy" if plan["score"] == "accuracy" else str(plan["score"]),
        "units": "1",
        "of": name_of(held),
        "folds": plan["how"],
    }
    if plan["chance"] is not None:
        attributes["chance"] = float(plan["chance"])
    mean = xr.DataArray(scores.mean(-1), coordinates, list(coordinates), "decode", attributes)
    text = f"lowest to highest over {scores.shape[-1]} folds; a claim about a model rests on seeds, not on folds"
    return with_interval(mean, scores.min(-1), scores.max(-1), text, scores.shape[-1])
