"""Class labels as numbers: checks, and matching of two lists of classes by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from cortexsim._support.checks import unknown
from cortexsim._support.labelled import refuse_missing

BY_TIME = "labels by readout time have the shape (stimulus, time)"


class DifferentClassesError(ValueError):
    """Images belong to classes that a model does not have."""


class DifferentClassesWarning(UserWarning):
    """A model is shown images of classes that it does not have."""


def class_names(value: Any) -> list[str]:
    """Return the names of classes from the attribute `classes` of a Dataset: a JSON list, or a list.

    Raises
    ------
    ValueError
        If it is not a list of names, or a name occurs twice.
    """
    names = value
    if isinstance(value, str):
        try:
            names = json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"the attribute 'classes' must be a JSON list of names, got {value[:80]!r}") from error
    if isinstance(names, np.ndarray):
        names = names.tolist()
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"the attribute 'classes' must be a list of names, got {names!r}")
    texts = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
    twice = sorted({name for name in texts if texts.count(name) > 1})
    if twice:
        raise ValueError(f"the attribute 'classes' must name each class once, but {twice[:5]} occur twice")
    return texts


def class_numbers(
    labels: np.ndarray,
    n_classes: int,
    names: Sequence[str] | None = None,
    *,
    what: str = "labels",
    unasked: bool = False,
) -> np.ndarray:
    """Return labels as class numbers, int64, after checking them.

    Parameters
    ----------
    labels : array, shape (stimulus, ...)
        Whole numbers, or names of classes.
    n_classes : int
    names : sequence of str, optional
        Names of the classes, in order; without them, labels cannot be text.
    what : str
        For the message.
    unasked : bool
        Allow -1, which marks times without a question.

    Raises
    ------
    ValueError
        If labels are missing, are neither whole numbers nor known names, or are out of range.
    """
    refuse_missing(labels, what)
    allowed = f"{-1 if unasked else 0} to {n_classes - 1} for a model of {n_classes} classes"
    if labels.dtype.kind in "UO" and all(isinstance(one, str) for one in labels.ravel().tolist()):
        if names is None:
            raise ValueError(f"{what} must be {allowed}, got text such as {str(labels.flat[0])!r}, and no class names")
        at = {name: number for number, name in enumerate(names)}
        for one in np.unique(labels.astype(str)).tolist():
            if one not in at:
                raise DifferentClassesError(unknown(f"class in {what}", one, names))
        return np.vectorize(at.__getitem__, otypes=[np.int64])(labels.astype(str))
    if labels.dtype.kind not in "iuf":
        kind = "booleans" if labels.dtype.kind == "b" else f"values of the kind {labels.dtype}"
        raise ValueError(f"{what} must be {allowed}, got {kind}")
    if labels.dtype.kind == "f":
        fractions = labels[labels != np.round(labels)]
        if len(fractions) or not np.isfinite(labels).all():
            first = fractions[0] if len(fractions) else "infinity"
            raise ValueError(f"{what} must be {allowed}, got numbers such as {first}")
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < (-1 if unasked else 0) or high >= n_classes:
        raise ValueError(f"{what} must be {allowed}, got {low} to {high}")
    return labels.astype(np.int64)


def refuse_one_hot(labels: np.ndarray, n_classes: int, until: int) -> None:
    """Raise a ValueError if labels (stimulus, time) are one-hot rows, or reach beyond the last readout.

    Parameters
    ----------
    labels : array, shape (stimulus, column)
    n_classes : int
    until : int
        The last time that is read out.
    """
    columns = labels.shape[1]
    # the first column is time 0; some encoders write -1 for 0, which would ask nothing
    two_values = np.isin(labels, (0, 1)).all() or np.isin(labels, (-1, 1)).all()
    all_columns = columns == n_classes or (labels[:, 0] == 1).any()
    if 1 < columns <= n_classes and two_values and all_columns and ((labels == 1).sum(1) == 1).all():
        raise ValueError(
            f"labels of shape {labels.shape} with a single 1 in each row look like one-hot rows of {columns} "
            f"classes: pass class numbers, labels.argmax(1); {BY_TIME}"
        )
    asked = labels.shape[1] if labels.dtype.kind not in "iuf" else int(np.flatnonzero((labels != -1).any(0))[-1:].sum())
    if asked > until:
        raise ValueError(
            f"labels of shape {labels.shape} ask for something at time {asked}, but this model is read out at times 0 "
            f"to {until}; {BY_TIME}"
        )


def renumbered(
    labels: np.ndarray, given: Sequence[str] | None, wanted: Sequence[str], *, unasked: bool = False
) -> np.ndarray:
    """Convert class labels to the numbers of another list of classes, matched by name.

    Parameters
    ----------
    labels : array, shape (stimulus, ...)
        Numbers of the classes `given`, or names.
    given : sequence of str or None
        The class names of these labels; None if they have none, and the numbers refer to `wanted`.
    wanted : sequence of str
        The other list.
    unasked : bool
        Allow -1, which marks times without a question, and stays.

    Raises
    ------
    DifferentClassesError
        If a class that occurs among the labels is not in the other list.
    ValueError
        If the labels are not valid classes.
    """
    texts = labels.dtype.kind in "UO"
    if given is None or texts:
        return class_numbers(labels, len(wanted), wanted, what="label", unasked=unasked)
    numbers = class_numbers(labels, len(given), given, what="label", unasked=unasked)
    if list(given) == list(wanted):
        return numbers
    strange = [given[number] for number in np.unique(numbers[numbers >= 0]).tolist() if given[number] not in wanted]
    if strange:
        raise DifferentClassesError(
            f"the model was trained on the classes {_few(wanted)}, but these images have {_few(given)}: "
            f"{_few(strange)} {'is' if len(strange) == 1 else 'are'} none of the model's"
        )
    place = {name: number for number, name in enumerate(wanted)}
    to = np.array([place.get(name, -1) for name in given], dtype=np.int64)
    return np.where(numbers < 0, numbers, to[numbers])


def _few(names: Sequence[str]) -> str:
    return f"{list(names[:10])}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
