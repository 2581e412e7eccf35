"""Number formats for recording activity: the registry used by all commands and panels."""

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
        numpy's name for the dtype in memory and on disk.
    overflow : float
        The magnitude from which values are rounded to infinity: halfway from the largest number to the next. Formats
        in which the model computes have none, because their overflows are infinite before recording.
    rounded : torch.dtype, optional
        The dtype to which values are rounded before storage, for a format that numpy lacks, such as
        torch.bfloat16, whose numbers are all in float32.
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
