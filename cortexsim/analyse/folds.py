"""Folds of cross-validation: the same training and test stimuli at all times and for all states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim._support.checks import is_whole, seed_of, shown, whole
from cortexsim._support.labelled import array_of, refuse_missing
from cortexsim.analyse.node import Labels, labels_of, stimulus_coordinate, values_for
from cortexsim.analyse.same_stimuli import stimulus_coordinates

N_FOLDS = 5
SOURCES = ("source", "target")


@runtime_checkable
class Splitter(Protocol):
    """A splitter of scikit-learn."""

    def split(
        self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None, /
    ) -> Iterable[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of the training and of the test stimuli of each fold."""


Folds: TypeAlias = list[tuple[np.ndarray, np.ndarray]]
Splits: TypeAlias = int | Splitter | Iterable[tuple[ArrayLike, ArrayLike]] | None
Groups: TypeAlias = str | ArrayLike | Literal[False] | None


def folds_of(
    activity: xr.DataArray, labels: Labels, groups: Groups, cv: Splits, *, continuous: bool, seed: int
) -> tuple[np.ndarray, Folds, str]:
    """Split the stimuli into folds.

    Parameters
    ----------
    activity : DataArray
        As `activity_of` returns it.
    labels : str or sequence, optional
        The labels to decode; see `labels_of`.
    groups : str, sequence, False or None
        Stimuli made from the same image are never on both sides of a fold. None: the coordinate `source` or `target`
        identifies the image, if it exists. False: each stimulus is a separate group.
    cv : int, splitter or sequence of (train, test), optional
        Number of folds, 5 by default; or a splitter of scikit-learn; or the folds themselves.
    continuous : bool
        Labels are numbers to predict instead of classes.
    seed : int
        Seed of the folds.

    Returns
    -------
    tuple
        The labels, the folds, and a description of the folds.

    Raises
    ------
    ValueError
        If there are too few stimuli for these folds; the message says how many folds are possible.
    """
    truth, seed = labels_of(activity, labels), seed_of(seed)
    name, members = _groups(activity, labels, groups)
    if continuous and truth.dtype.kind not in "iufb":
        raise ValueError(f"a regression predicts only numbers, got labels such as {truth[0]!r}")
    if not continuous and truth.dtype.kind == "f" and (truth != np.round(truth)).any():
        raise ValueError(
            f"the labels are continuous, such as {truth[0]:g}: pass score='r2' or a regressor as estimator"
        )
    by = f", grouped by {name}" if name else ""
    own_split = isinstance(cv, bool | str | bytes) or hasattr(cv, "dtype")  # strings and tensors can be split, too
    if not is_whole(cv) and (own_split or isinstance(cv, float)):
        raise ValueError(
            f"cv must be a number of folds, a splitter of scikit-learn or a list of folds, got {shown(cv)}"
        )
    if cv is None or is_whole(cv):
        n_folds = N_FOLDS if cv is None else whole(cv, "cv", 2, unit="folds")
        if continuous:
            _check_numbers(truth, members, name, n_folds)
        else:
            _check_classes(truth, members, name, n_folds)
        kind = "" if continuous else "stratified "
        text = f"{n_folds} {kind}folds{by}, seed {seed}"
        splitter = _splitter(n_folds, seed, continuous=continuous, grouped=members is not None)
    elif isinstance(cv, Splitter):
        text, splitter = f"folds by {cv}{by}", cv
    else:
        folds = _given(cv, len(truth))
        return truth, folds, f"{len(folds)} given folds"
    return truth, list(splitter.split(np.zeros((len(truth), 1)), truth, members)), text


def _given(cv: Any, n: int) -> Folds:
    """Return given folds, as positions of stimuli.

    Raises
    ------
    ValueError
        If they are not pairs of positions, or a stimulus is on both sides of a fold.
    """
    wanted = f"folds must be pairs of positions (train, test), from 0 to {n - 1}"
    try:
        folds = [(array_of(train, "a fold"), array_of(test, "a fold")) for train, test in cv]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wanted}, got {shown(cv)}") from error
    if not folds:
        raise ValueError(f"{wanted}, got none")
    for place, (train, test) in enumerate(folds):
        both = np.concatenate([np.ravel(train), np.ravel(test)])
        fits = both.dtype.kind in "iu" and len(train) and len(test) and both.min() >= 0 and both.max() < n
        if not fits or train.ndim != 1 or test.ndim != 1:
            raise ValueError(f"{wanted}, but fold {place} is not")
        if np.isin(test, train).any():
            raise ValueError(f"test stimuli must not be training stimuli, but in fold {place} some are")
    return folds


def _splitter(n_folds: int, seed: int, *, continuous: bool, grouped: bool) -> Splitter:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    kinds = {
        (False, False): StratifiedKFold,
        (False, True): StratifiedGroupKFold,
        (True, False): KFold,
        (True, True): GroupKFold,
    }
    splitter: Splitter = kinds[continuous, grouped](n_folds, shuffle=True, random_state=seed)
    return splitter


def _groups(activity: xr.DataArray, labels: Labels, groups: Groups) -> tuple[str | None, np.ndarray | None]:
    """Return the name of the groups and the group of each stimulus; None if each stimulus is a separate group."""
    if groups is False:
        return None, None
    if groups is None:
        known = [name for name in SOURCES if name in stimulus_coordinates(activity)]
        if not known:
            return None, None
        groups = known[0]
    if isinstance(groups, str):
        if groups == ("label" if labels is None else labels if isinstance(labels, str) else None):
            raise ValueError(
                f"{groups} is both decoded and the group of a stimulus, so no class would be in training and test; "
                f"pass groups=False to split repeats of one image"
            )
        return groups, stimulus_coordinate(activity, groups)
    if groups is True:
        raise TypeError("groups must be a coordinate of the stimuli, a value for each of them, or False, got True")
    members = values_for(activity, groups, "groups")
    refuse_missing(members, "groups", hint="give each stimulus a group")
    return "groups", members if members.dtype.kind != "O" else members.astype(str)


def _check_classes(truth: np.ndarray, groups: np.ndarray | None, name: str | None, n_folds: int) -> None:
    """Refuse folds in which a class would be missing."""
    for value in np.unique(truth):
        of_class = truth == value
        n = int(of_class.sum()) if groups is None else len(np.unique(groups[of_class]))
        if n < n_folds:
            what = "stimuli" if groups is None else f"different values of {name}"
            most = f"pass cv={n} or fewer" if n > 1 else "leave it out"
            raise ValueError(f"class {value} has {n} {what}, fewer than the {n_folds} folds; {most}")


def _check_numbers(truth: np.ndarray, groups: np.ndarray | None, name: str | None, n_folds: int) -> None:
    """Refuse folds with fewer than two stimuli, in which no variance can be explained."""
    n = len(truth) if groups is None else len(np.unique(groups))
    least = 2 * n_folds if groups is None else n_folds
    if n < least:
        what = "stimuli" if groups is None else f"different values of {name}"
        raise ValueError(f"{n_folds} folds of a regression need at least {least} {what}, got {n}; pass a smaller cv")
