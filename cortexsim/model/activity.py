"""What a state holds at one time, and how what arrives at it is added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Activity(NamedTuple):
    """What a state holds at one time.

    `values` has shape (row, channel, y, x); `rows` are the stimuli for which the state is populated, in order, or
    None for all. A stimulus for which it is empty has no row: empty is not zero.
    """

    values: Tensor
    rows: Tensor | None = None


def entering(entered: Tensor, lookup: Tensor) -> Activity | None:
    """Pick what enters at one time.

    Parameters
    ----------
    entered : Tensor, shape (frame, channel, y, x)
        The pre-net's response to every distinct picture.
    lookup : Tensor, shape (stimulus,), int64
        Which picture each stimulus is shown; -1 is nothing.
    """
    rows = torch.nonzero(lookup >= 0).flatten()
    if not len(rows):
        return None
    pictures = lookup[rows]
    if len(rows) == len(lookup) and torch.equal(pictures, rows):
        return Activity(entered[: len(rows)])
    return Activity(entered[pictures.to(entered.device)], None if len(rows) == len(lookup) else rows)


def total(terms: Sequence[Activity]) -> Activity:
    """Add up what arrives at a state; a stimulus for which nothing arrives gets no row."""
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


def _sum(values: Sequence[Tensor]) -> Tensor:
    first, *rest = values
    for value in rest:
        first = first + value
    return first
