"""Masking: targets followed by masks, at every duration, mask and SOA, with controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import xarray as xr
from torch import Tensor

from cortexsim._support.checks import truth
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
from cortexsim.stimuli.presentation import Presentation, flash, masked

BLANK = "blank"


@formerly(told="report")
def masking(
    model: Cortex,
    data: xr.Dataset,
    *,
    soas: Sequence[int] = (1, 2, 4),
    masks: Sequence[str] | Mapping[str, str | Tensor] = ("noise",),
    durations: Sequence[int] | str = (1,),
    mask_duration: int | None = None,
    controls: bool = True,
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    latch: float | None = None,
    by: str | None = None,
    **options: Unpack[Options],
) -> xr.Dataset | xr.DataTree:
    """Show targets followed by masks: every duration x mask x SOA, read out at one time.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Targets with `label`; for a model that reads out a map, with target maps: it is read at the far point (correct:
        yes) and at the foil (correct: no), and `correct` is the mean of the two.
    soas : sequence of int
        Stimulus-onset asynchronies, in steps, none shorter than a duration.
    masks : sequence of str, or mapping of str to str or Tensor
        As for `masked`; a mapping names them.
    durations : sequence of int, or "soa"
        Of the target, in steps. "soa": the target stays until the mask comes, as in Tang et al. (2018); the dimensions
        are then mask x SOA, and `duration` is a coordinate along SOA.
    mask_duration : int, optional
        By default until the end.
    controls : bool
        Add the target as its own mask ("target") and the same flash without a mask ("blank") to the conditions. If a
        mask costs no more than showing the target again, it has interrupted nothing. A loss that also occurs in "blank"
        is due to the end of the target, not to the mask.
    readout_time : int, optional
        Of all conditions. By default the model's own, or later if the longest SOA needs it: SOA plus arrival, the steps
        from the first state to the last.
    record : sequence of str, optional
        States to record; with them, the result is a recording.
    latch : float, optional
        Keep each decision once it reaches this threshold (0: the larger logit), even if the state changes later;
        see `analyse.latched`.
    by : str, optional
        A coordinate of the stimuli, such as "length": accuracy then has it as its last dimension.
    **options
        As for all protocols: `statistics` and `calibrate_on`, see `Notes`; `seed`, `batch_size` and `device`, as for
        `simulate`; `report`, called before each condition with the fraction that is done and a message.

    Returns
    -------
    Dataset
        `accuracy` (duration, mask, soa) with its 95 % Wilson interval over stimuli as coordinates `low` and `high`;
        `correct` (duration, mask, soa, stimulus), 1 or 0, for paired tests; `reaches` (duration, mask, soa): whether
        the mask (or, without one, the target) can be in the last state at the readout time. Where it cannot, accuracy
        is NaN: a mask that comes too late has no effect to measure. The blank control is the same at every SOA.
    DataTree
        With `record`: a recording whose stimuli are targets x conditions, with the coordinates `target`, `duration`,
        `mask`, `soa` and `reaches`.

    Raises
    ------
    ValueError
        If there are no labels, no conditions, or an SOA is shorter than a duration; if `by` is not a coordinate of the
        stimuli, or `latch` or `by` is given with `record`.
    MissingStatisticsError
        If no single set of statistics covers all conditions up to the readout time.

    Notes
    -----
    All conditions are normalized with one set of statistics, taken on a mixture that contains them all: the model's
    own; or `statistics`, a deliberately different set; or a set that is taken for this call on the images
    `calibrate_on`, which leaves the model unchanged.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> result = cs.protocols.masking(model, curves, soas=(1, 4))
    >>> result["mask"].values.tolist()
    ['noise', 'target', 'blank']
    >>> dict(result["accuracy"].sizes)
    {'duration': 1, 'mask': 3, 'soa': 2}
    """
    options, model = known_options("masking", options), the_cortex(model, "masking")
    named = dict(masks) if isinstance(masks, Mapping) else {str(mask): mask for mask in distinct("masks", masks)}
    controls = truth(controls, "controls")
    if controls:
        named |= {"target": "target"}
    pixels, soas, tied = as_images(data), distinct("soas", soas), isinstance(durations, str)
    if isinstance(durations, str):
        if durations != "soa":
            raise ValueError(f"durations must be numbers of steps, or 'soa', got {durations!r}")
        cells = [(soa, soa) for soa in soas]
    else:
        cells = [(steps, soa) for steps in distinct("durations", durations) for soa in soas]
    shown: dict[tuple[int, str, int], Presentation] = {}
    for duration, soa in cells:
        for name, mask in named.items():
            shown[duration, name, soa] = masked(duration, soa, mask, mask_duration)
        if controls:
            shown[duration, BLANK, soa] = flash(duration)
    readout_time = readout_time_for(model, readout_time, max(soas))
    conditions = [
        Condition(
            {"duration": duration, "mask": name, "soa": soa},
            presentation,
            pixels,
            reaches_last(model.graph, presentation, readout_time),
        )
        for (duration, name, soa), presentation in shown.items()
    ]
    names = [*named, *([BLANK] if controls else [])]
    dimensions = {
        **({} if tied else {"duration": Dimension("target duration", "steps", list(durations))}),
        "mask": Dimension("mask", "", names),
        "soa": Dimension("stimulus-onset asynchrony", "steps", soas),
    }
    result = run_conditions(
        "masking",
        model,
        data,
        dimensions,
        conditions,
        readout_time,
        record,
        latch=latch,
        by=by,
        **options,
    )
    if tied and isinstance(result, xr.Dataset):
        return result.assign_coords(duration=("soa", soas, {"long_name": "target duration", "units": "steps"}))
    return result
