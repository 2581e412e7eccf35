"""Lesions: transitions that are silenced, weakened or noisy, in three versions, compared with the intact model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from cortexsim._support.progress import Report, silent
from cortexsim._support.renamed import formerly
from cortexsim.analyse._effect import effect
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.lesions import lesions_of
from cortexsim.model.plan import Amount, Images
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation

# for progress messages: what each kind of lesion runs in addition to the stimuli
CALIBRATION = {"acute": "", "recalibrated": ", statistics of {} images", "mean-replaced": ", means of {} images"}


@formerly(told="report")
def lesion(
    model: Cortex,
    data: Images,
    silence: Mapping[str, Any] | None = None,
    *,
    until: int,
    gain: Mapping[str, Amount] | None = None,
    transition_noise: Mapping[str, Amount] | None = None,
    calibrate_on: Images | None = None,
    presentation: AnyPresentation | None = None,
    record: Sequence[str] | None = None,
    report: Report = silent,
    **options: Any,
) -> xr.Dataset:
    """Silence, weaken or disturb transitions, and compare three versions of it with the intact model.

    Parameters
    ----------
    model : Cortex
    data : Tensor or Dataset
        Stimuli, with `label` if accuracy is wanted.
    silence : mapping of str to times, optional
        Transitions to silence, as for `simulate`.
    until : int
        Last time.
    gain, transition_noise : mapping of str to (float, times), optional
        Transitions to weaken, and transitions to add noise to, as for `simulate`.
    calibrate_on : Tensor or Dataset
        Images, usually training images, on which the statistics and means are taken.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    record : sequence of str, optional
        States to compare; by default all.
    report : callable, optional
        Called before each part with the fraction that is done and a message; an exception from it stops the run.
    **options
        As for `simulate`: `statistics`, `labels`, `seed`, `batch_size`, `noise`, `repeats`, ...

    Returns
    -------
    Dataset
        As `analyse.effect` returns it, along `version`: "acute", "recalibrated" and "mean-replaced"; see `simulate`. A
        model that takes its moments from each image has nothing to recalibrate, and that version is left out. An
        effect in the acute version only is due to shifted means; an effect that the recalibrated version lacks is due
        to shifted means or spreads. Also `logits` (version, stimulus, time, class) and `logits_intact` (stimulus, time,
        class), NaN where nothing is read out, for the analyses of a readout:
        `analyse.reaction_time(table["logits"].sel(version="acute"), 0.5)`.

    Raises
    ------
    ValueError
        If nothing is silenced, weakened or noisy, or there are no images for the statistics.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> train = cs.datasets.contours(40)
    >>> cut = {"lateral": range(4, 9)}
    >>> result = cs.protocols.lesion(model, curves, cut, until=8, calibrate_on=train, presentation=cs.sustained())
    >>> result["version"].values.tolist()
    ['acute', 'recalibrated', 'mean-replaced']
    """
    model = the_cortex(model, "lesion")
    changes: dict[str, Any] = {"silence": silence, "gain": gain, "transition_noise": transition_noise}
    if not any(changes.values()):
        raise ValueError(
            "a lesion silences, weakens or disturbs something: give silence, such as {'lateral': None}, gain or "
            "transition_noise"
        )
    if calibrate_on is None:
        raise ValueError("a lesion needs images to take statistics and means on; give calibrate_on=...")
    n, n_calibration = (len(as_images(images)) for images in (data, calibrate_on))
    kinds = lesions_of(model)
    # taking statistics or means runs all of their images once
    costs = [n, *(n + n_calibration * (kind != "acute") for kind in kinds)]
    shares = [sum(costs[:place]) / sum(costs) for place in range(len(costs))]
    shared = {"until": until, "record": record, **options}
    report(0.0, f"intact: {n} images")
    intact = simulate(model, data, presentation, **shared)
    versions, logits = [], []
    for kind, share in zip(kinds, shares[1:], strict=True):
        report(share, f"{kind}: {n} images{CALIBRATION[kind].format(n_calibration)}")
        images = None if kind == "acute" else calibrate_on
        recording = simulate(model, data, presentation, lesion=kind, calibrate_on=images, **changes, **shared)
        versions.append(effect(recording, intact))
        logits.append(recording["readout"].to_dataset()["logits"])
        del recording  # it may be large, and the next one needs its memory
    version = xr.Variable("version", list(kinds), {"long_name": "kind of lesion"})
    along = xr.DataArray(version, name="version")
    table = xr.concat(versions, along, coords="all", combine_attrs="drop_conflicts").assign_coords(version=version)
    table["logits"] = xr.concat(logits, along, coords="different", compat="equals").assign_coords(version=version)
    table["logits_intact"] = intact["readout"].to_dataset()["logits"]
    return table
