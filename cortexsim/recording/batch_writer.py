"""Writing the activity of a batch, time by time, into the arrays of its recording."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cortexsim.model.activity import Activity
from cortexsim.recording.dtypes import DTYPES

if TYPE_CHECKING:
    from cortexsim.recording.plan import RecordingPlan

# bytes of the largest batch that is kept on a GPU until its end
KEPT = 2**30


class BatchWriter:
    """Write the recorded activity and readout of a batch into its arrays.

    On a GPU the batch is kept there and moved once, at its end, because a move waits for all steps before it.

    Parameters
    ----------
    plan : RecordingPlan
    arrays : mapping of str to array
        The batch's part of the recording by node, shape (row, time, ...).
    """

    def __init__(self, plan: RecordingPlan, arrays: Mapping[str, np.ndarray]) -> None:
        self._plan = plan
        self._arrays = {name: torch.from_numpy(array) for name, array in arrays.items()}
        device = next(plan.run.model.parameters()).device
        self._kept = device.type != "cpu" and sum(array.nbytes for array in arrays.values()) <= KEPT
        self._rooms = self._arrays
        if self._kept:
            self._rooms = {name: torch.full_like(one, math.nan, device=device) for name, one in self._arrays.items()}
        self._largest: dict[tuple[str, int], Tensor] = {}

    def write(self, h: Mapping[str, Activity], time: int) -> None:
        """Write the recorded states and the readout at one time."""
        model, normalize = self._plan.run.model, self._plan.run.chosen
        for name, selection in self._plan.selected.items():
            if name in h:
                values = h[name].values
                recorded = F.relu(normalize(values, name, time)) if self._plan.quantity == "rate" else values
                self._write(name, selection.of(recorded), h[name].rows, time)
        last = model.graph.last
        if last in h:
            self._write("readout", model.post(h[last].values, last, time, normalize), h[last].rows, time)

    def finish(self) -> None:
        """Refuse what does not fit the recording's dtype, and move what was kept.

        Raises
        ------
        ValueError
            If the dtype would round a value to infinity.
        """
        self._check_fits()
        if self._kept:
            for name, array in self._arrays.items():
                array.copy_(self._rooms[name])

    def _write(self, name: str, values: Tensor, rows: Tensor | None, time: int) -> None:
        values, room, form = values.detach(), self._rooms[name], DTYPES[self._plan.dtype]
        if form.overflow < math.inf:
            self._largest[name, time] = _largest(values)
        values = form.of(values)
        if rows is None:
            # transfer, conversion and layout in one pass
            room[:, time].copy_(values)
        else:
            room[rows.to(room.device), time] = values.to(room.device, room.dtype)

    def _check_fits(self) -> None:
        dtype = self._plan.dtype
        if not self._largest:
            return
        for (name, time), largest in zip(self._largest, torch.stack([*self._largest.values()]).tolist(), strict=True):
            if largest >= DTYPES[dtype].overflow:
                raise ValueError(
                    f"{name} reaches {largest:.3g} at time {time}, too large for {dtype}; use dtype='float32'"
                )


def _largest(values: Tensor) -> Tensor:
    """Return the largest magnitude, without NaN."""
    magnitudes = values.abs()
    largest = magnitudes.amax()
    # it is NaN if any value is; on a GPU, looking at it would wait for all steps before
    if largest.device.type != "cpu" or bool(largest.isnan()):
        largest = magnitudes.nan_to_num(0.0, math.inf).amax()
    return largest
