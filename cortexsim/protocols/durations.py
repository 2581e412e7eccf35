"""Flashes of several durations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import xarray as xr

from cortexsim._support.renamed import formerly
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.protocols.conditions import (
    Condition,
    Dimension,
    Options,
    distinct,
    known_options,
    reaches_last,
    readout_time_for,
    run_conditions,
)
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import flash


@formerly(told="report")
def flash_duration(
    model: Cortex,
    data: xr.Dataset,
    *,
    durations: Sequence[int] = (1, 2, 4),
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> xr.Dataset | xr.DataTree:
    """Flash targets for several durations, in steps; returns what `masking` does, along `duration`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> result = cs.protocols.flash_duration(model, curves, durations=(1, 4))
    >>> dict(result["accuracy"].sizes)
    {'duration': 2}
    """
    name = "flash_duration"
    options, model = known_options(name, options), the_cortex(model, name)
    pixels, durations = as_images(data), distinct("durations", durations)
    readout_time = readout_time_for(model, readout_time, 0)
    conditions = [
        Condition({"duration": steps}, flash(steps), pixels, reaches_last(model.graph, flash(steps), readout_time))
        for steps in durations
    ]
    dimensions = {"duration": Dimension("target duration", "steps", durations)}
    return run_conditions(name, model, data, dimensions, conditions, readout_time, record, **options)
