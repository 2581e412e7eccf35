"""Activity of a state at one time: input to the first state, and sums of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from cortexsim._support.transforms import outside_of_graphs


class Activity(NamedTuple):
    """The activity of a state at one time.

    `values` has shape (row, channel, y, x); `rows` are the stimuli for which the state is populated, in order, or
    None for all. A stimulus for which the state is empty has no row: empty is not zero.
    """

    values: Tensor
    rows: Tensor | None = None


class Entrance(NamedTuple):
    """The pictures that are input to the first state at one time.

    `pictures`, shape (row,), are indices of distinct pictures, or None if row k is shown picture k; `rows` are the
    stimuli that are shown a picture, in order, or None for all.
    """

    n: int
    pictures: Tensor | None
    rows: Tensor | None


@outside_of_graphs
def entrances(lookup: Tensor) -> list[Entrance | None]:
    """Return the input at each time; None if nothing is shown for any stimulus.

    Parameters
    ----------
    lookup : Tensor, shape (time, stimulus), int64
        Index of the picture shown for each stimulus; -1 means nothing.
    """
    return [_entrance(at_time) for at_time in lookup]


def _entrance(lookup: Tensor) -> Entrance | None:
    rows = torch.nonzero(lookup >= 0).flatten()
    if not len(rows):
        return None
    pictures, everyone = lookup[rows], len(rows) == len(lookup)
    in_order = everyone and torch.equal(pictures, rows)
    return Entrance(len(rows), None if in_order else pictures, None if everyone else rows)


def entering(entered: Tensor, entrance: Entrance | None) -> Activity | None:
    """Return the input to the first state at one time.

    Parameters
    ----------
    entered : Tensor, shape (picture, channel, y, x)
        The pre-net's response to every distinct picture.
    entrance : Entrance or None
    """
    if entrance is None:
        return None
    n, pictures, rows = entrance
    if pictures is not None:
        return Activity(entered[pictures.to(entered.device)], rows)
    # a slice of everything would cost a copy of its gradient
    return Activity(entered if n == len(entered) else entered[:n], rows)


def total(terms: Sequence[Activity]) -> Activity:
    """Add up the inputs to a state; a stimulus without input gets no row."""
    everyone = [values for values, rows in terms if rows is None]
    some = [(values, rows) for values, rows in terms if rows is not None]
    if not some:
        return Activity(_sum(everyone))
    if everyone:
        added, rows = _sum(everyone), None
        places = [r for _, r in some]
    else:
        rows = torch.unique(torch.cat([r for _, r in some]))
        added = some[0][0].new_zeros(len(rows), *some[0][0].shape[1:])
        places = [torch.searchsorted(rows, r) for _, r in some]
    for (values, _), place in zip(some, places, strict=True):
        added = added.index_add(0, place.to(added.device), values.to(added.dtype))
    return Activity(added, rows)


def in_rows(part: Activity, whole: Activity) -> Tensor:
    """Return the values of a part in the rows of a whole, with zeros for stimuli that the part lacks.

    Parameters
    ----------
    part, whole : Activity
    """
    if part.rows is None:
        return part.values if whole.rows is None else part.values[whole.rows.to(part.values.device)]
    rows = torch.arange(len(whole.values), device=part.rows.device) if whole.rows is None else whole.rows
    kept = torch.isin(part.rows, rows)
    place = torch.searchsorted(rows, part.rows[kept]).to(part.values.device)
    laid_out = part.values.new_zeros(len(rows), *part.values.shape[1:])
    return laid_out.index_copy(0, place, part.values[kept.to(part.values.device)])


def _sum(values: Sequence[Tensor]) -> Tensor:
    first, *rest = values
    for value in rest:
        first = first + value
    return first
