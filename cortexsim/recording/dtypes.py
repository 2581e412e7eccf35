"""The number formats in which activity can be recorded. One added here is offered by every command and panel."""

from __future__ import annotations

import math

# by numpy's name: from which magnitude on a value is rounded to infinity, halfway from the largest number to the next
DTYPES: dict[str, float] = {
    "float16": 65_520.0,
    # the model computes in these itself, and what overflows is infinite before it is recorded
    "float32": math.inf,
    "float64": math.inf,
}
