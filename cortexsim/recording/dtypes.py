"""The number formats in which activity can be recorded. One added here is offered by every command and panel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class NumberFormat:
    """A number format.

    Parameters
    ----------
    stored : str
        numpy's name of the dtype in memory and on disk.
    overflow : float
        From which magnitude on a value is rounded to infinity: halfway from the largest number to the next. A format in
        which the model computes has none, because what overflows there is infinite before it is recorded.
    rounded : torch.dtype, optional
        What values are rounded to before they are stored, for a format that numpy does not have, such as
        torch.bfloat16: float32 contains each of its numbers.
    """

    stored: str
    overflow: float = math.inf
    rounded: torch.dtype | None = None

    def of(self, values: Tensor) -> Tensor:
        """Round values to this format; they keep their dtype."""
        return values if self.rounded is None else values.to(self.rounded).to(values.dtype)


DTYPES: dict[str, NumberFormat] = {
    "float16": NumberFormat("float16", overflow=65_520.0),
    "float32": NumberFormat("float32"),
    "float64": NumberFormat("float64"),
}
