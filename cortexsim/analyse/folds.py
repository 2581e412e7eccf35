"""Which stimuli a decoder learns from and which it is tested on: the same folds at all times, for all states."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cortexsim.analyse.node import labels_of, stimulus_coordinate, stimulus_coordinates

N_FOLDS = 5
SOURCES = ("source", "target")

Folds = list[tuple[np.ndarray, np.ndarray]]


def folds_of(
    held: xr.DataArray, labels: Any, groups: Any, cv: Any, *, continuous: bool, seed: int
) -> tuple[np.ndarray, Folds, str]:
    """Split the stimuli into folds.

    Parameters
    ----------
    held : DataArray
        By `content`.
    labels : str or sequence, optional
        What is decoded; see `labels_of`.
    groups : str, sequence, False or None
        Stimuli made from one image never stand on both sides of a fold. None: the coordinate `source` or `target`
        says which do, where there is one. False: each stands for itself.
    cv : int, splitter or sequence of (train, test), optional
        Number of folds, 5 by default; or scikit-learn's own splitter; or the folds themselves.
    continuous : bool
        Whether the labels are numbers to predict and not classes.
    seed : int
        Draws the folds.

    Returns
    -------
    tuple
        The labels, the folds, and how they were made.

    Raises
    ------
    ValueError
        If the labels do not allow for these folds; the message says how many are possible.
    """
    truth = labels_of(held, labels)
    name, together = _groups(held, labels, groups)
    if continuous and truth.dtype.kind not in "iufb":
        raise ValueError(f"only numbers can be predicted by a regression, got labels such as {truth[0]!r}")
    if not continuous and truth.dtype.kind == "f" and (truth != np.round(truth)).any():
        raise ValueError(
            f"the labels are continuous, such as {truth[0]:g}: pass score='r2' or a regressor as estimator"
        )
    by = f", grouped by {name}" if name else ""
    if cv is None or isinstance(cv, int):
        n_folds = N_FOLDS if cv is None else cv
        if n_folds < 2:
            raise ValueError(f"cv must be at least 2 folds, got {cv}")
        if continuous:
            _check_numbers(truth, together, name, n_folds)
        else:
            _check_classes(truth, together, name, n_folds)
        kind = "" if continuous else "stratified "
        how = f"{n_folds} {kind}folds{by}, seed {seed}"
        splitter = _splitter(n_folds, seed, continuous=continuous, grouped=together is not None)
    elif hasattr(cv, "split"):
        how, splitter = f"folds by {cv}{by}", cv
    else:
        folds = [(np.asarray(train), np.asarray(test)) for train, test in cv]
        return truth, folds, f"{len(folds)} given folds"
    return truth, list(splitter.split(np.zeros((len(truth), 1)), truth, together)), how


def _splitter(n_folds: int, seed: int, *, continuous: bool, grouped: bool) -> Any:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    kinds = {
        (False, False): StratifiedKFold,
        (False, True): StratifiedGroupKFold,
        (True, False): KFold,
        (True, True): GroupKFold,
    }
    return kinds[continuous, grouped](n_folds, shuffle=True, random_state=seed)


def _groups(held: xr.DataArray, labels: Any, groups: Any) -> tuple[str | None, np.ndarray | None]:
    if groups is False:
        return None, None
    if groups is None:
        known = [name for name in SOURCES if name in stimulus_coordinates(held)]
        if not known:
            return None, None
        groups = known[0]
    if isinstance(groups, str):
        if groups == labels:
            raise ValueError(
                f"{groups} is what is decoded and what keeps stimuli together, so that no class could be tested on; "
                f"pass groups=False to split repeats of one image"
            )
        return groups, stimulus_coordinate(held, groups)
    found = np.asarray(groups)
    if found.shape != (held.sizes["stimulus"],):
        raise ValueError(f"groups must be one for each of the {held.sizes['stimulus']} stimuli, got {found.shape}")
    return "groups", found


def _check_classes(truth: np.ndarray, together: np.ndarray | None, name: str | None, n_folds: int) -> None:
    """Refuse folds that some class would be missing from."""
    for value in np.unique(truth):
        members = truth == value
        n = int(members.sum()) if together is None else len(np.unique(together[members]))
        if n < n_folds:
            what = "stimuli" if together is None else f"different values of {name}"
            most = f"pass cv={n} or fewer" if n > 1 else "leave it out"
            raise ValueError(f"class {value} has {n} {what}, fewer than the {n_folds} folds; {most}")


def _check_numbers(truth: np.ndarray, together: np.ndarray | None, name: str | None, n_folds: int) -> None:
    """Refuse folds with fewer than two stimuli, in which no variance can be explained."""
    n = len(truth) if together is None else len(np.unique(together))
    least = 2 * n_folds if together is None else n_folds
    if n < least:
        what = "stimuli" if together is None else f"different values of {name}"
        raise ValueError(f"{n_folds} folds of a regression need at least {least} {what}, got {n}; pass a smaller cv")
