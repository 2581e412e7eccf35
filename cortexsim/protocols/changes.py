"""Protocols: one call shows every target under every condition of an experiment, and reads all out at one time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support import randomness
from cortexsim._support.progress import Report, silent
from cortexsim.analyse._effect import effect
from cortexsim.model.cortex import Cortex
from cortexsim.model.lesions import LESIONS
from cortexsim.protocols.conditions import (
    Condition,
    fraction,
    interval_text,
    reaches_last,
    readout_time_of,
    run,
    several,
)
from cortexsim.protocols.rsvp import rapid_sequence
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_float, as_images
from cortexsim.stimuli.presentation import AnyPresentation, Presentation, checked, flash, masked, sustained

__all__ = ["contrast", "flash_duration", "lesion", "masking", "noise", "occlusion", "rapid_sequence"]

BLANK = "blank"
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


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
    **how: Any,
) -> xr.Dataset | xr.DataTree:
    """Show targets followed by masks: every duration x mask x SOA, read out at one time.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Targets with `label`.
    soas : sequence of int
        Stimulus-onset asynchronies, in steps, none shorter than a duration.
    masks : sequence of str, or mapping of str to str or Tensor
        As for `masked`; a mapping names them.
    durations : sequence of int, or "soa"
        Of the target, in steps. "soa": the target stays until the mask comes, as in Tang et al. (2018); the grid is
        then mask x SOA, and `duration` a coordinate along SOA.
    mask_duration : int, optional
        By default to the end.
    controls : bool
        Whether the target as its own mask ("target") and the same flash without a mask ("blank") are among the
        conditions. A mask that costs no more than the target itself shown again has interrupted nothing, and what is
        lost under "blank" too is lost to the target's end.
    readout_time : int, optional
        Of all conditions. By default the model's own, or later if the longest SOA needs it: SOA plus arrival, the steps
        from the first state to the last.
    record : sequence of str, optional
        States to record; with them, the result is a recording.
    **how
        As for all protocols: `statistics`, `calibrate_on`, `seed`, `batch_size`, `device`; see `Notes`.

    Returns
    -------
    Dataset
        `accuracy` (duration, mask, soa) with its 95 % Wilson interval over stimuli as coordinates `low` and `high`;
        `correct` (duration, mask, soa, stimulus), 1 or 0, for paired tests; `reaches` (duration, mask, soa): whether
        the mask (or, without one, the target) can be in the last state at the readout time. Where it cannot, the others
        are NaN: that a mask which comes too late does nothing is no effect. The blank control is the same at every SOA.
    DataTree
        With `record`: a recording whose stimuli are targets x conditions, told apart by the coordinates `target`,
        `duration`, `mask`, `soa` and `reaches`.

    Raises
    ------
    ValueError
        If there are no labels, no conditions, or an SOA is shorter than a duration.
    MissingStatisticsError
        If no one set of statistics serves all conditions up to the readout time.

    Notes
    -----
    All conditions are normalized with one set of statistics, taken on a mixture that contains them all: the model's, as
    it was trained; or `statistics`, another one on purpose; or one that is taken for this call on the images
    `calibrate_on`, without touching the model.
    """
    named = dict(masks) if isinstance(masks, Mapping) else {str(mask): mask for mask in several("masks", masks)}
    if controls:
        named |= {"target": "target"}
    pixels, soas, tied = as_images(data), several("soas", soas), isinstance(durations, str)
    if isinstance(durations, str):
        if durations != "soa":
            raise ValueError(f"durations must be numbers of steps, or 'soa', got {durations!r}")
        cells = [(soa, soa) for soa in soas]
    else:
        cells = [(steps, soa) for steps in several("durations", durations) for soa in soas]
    shown: dict[tuple[int, str, int], Presentation] = {}
    for duration, soa in cells:
        for name, mask in named.items():
            shown[duration, name, soa] = masked(duration, soa, mask, mask_duration)
        if controls:
            shown[duration, BLANK, soa] = flash(duration)
    readout_time = readout_time_of(model, readout_time, max(soas))
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
    grid = {
        **({} if tied else {"duration": ("target duration", "steps", list(durations))}),
        "mask": ("mask", "", names),
        "soa": ("stimulus-onset asynchrony", "steps", soas),
    }
    done = run("masking", model, data, grid, conditions, readout_time, record, **how)
    if tied and isinstance(done, xr.Dataset):
        return done.assign_coords(duration=("soa", soas, {"long_name": "target duration", "units": "steps"}))
    return done


def flash_duration(
    model: Cortex,
    data: xr.Dataset,
    *,
    durations: Sequence[int] = (1, 2, 4),
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **how: Any,
) -> xr.Dataset | xr.DataTree:
    """Show targets for each of several durations, in steps, then nothing; as `masking`, along `duration`."""
    pixels, durations = as_images(data), several("durations", durations)
    readout_time = readout_time_of(model, readout_time, 0)
    conditions = [
        Condition({"duration": steps}, flash(steps), pixels, reaches_last(model.graph, flash(steps), readout_time))
        for steps in durations
    ]
    grid = {"duration": ("target duration", "steps", durations)}
    return run("flash_duration", model, data, grid, conditions, readout_time, record, **how)


def contrast(
    model: Cortex,
    data: xr.Dataset,
    *,
    contrasts: Sequence[float] = (0.1, 0.25, 0.5, 1.0),
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **how: Any,
) -> xr.Dataset | xr.DataTree:
    """Show targets with a fraction of their RMS contrast about their own mean in each channel; as `masking`.

    Parameters
    ----------
    contrasts : sequence of float
        Above 0, at most 1, which is the image as it is.
    presentation : Presentation, optional
        By default `sustained()`.
    """

    def lowered(pixels: Tensor, fraction: float) -> Tensor:
        if not 0 < fraction <= 1:
            raise ValueError(f"a contrast must be above 0 and at most 1, got {fraction!r}")
        mean = pixels.mean((-2, -1), keepdim=True)
        # rounding must not lead out of [0, 1]
        return (mean + fraction * (pixels - mean)).clamp(0, 1)

    axis = ("contrast", "fraction of the target's RMS contrast", "1", contrasts)
    return _changed(model, data, axis, lowered, presentation, readout_time, record, how)


def noise(
    model: Cortex,
    data: xr.Dataset,
    *,
    levels: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.4),
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    record: Sequence[str] | None = None,
    **how: Any,
) -> xr.Dataset | xr.DataTree:
    """Show targets with Gaussian noise on every pixel and channel, then clipped to [0, 1]; as `masking`.

    Parameters
    ----------
    levels : sequence of float
        Standard deviations of the noise, where pixels range from 0 to 1. A stimulus has the same noise at every level,
        drawn by (seed, stimulus), only stronger.
    presentation : Presentation, optional
        By default `sustained()`.
    """
    seed = how.get("seed", 0)

    def jittered(pixels: Tensor, level: float) -> Tensor:
        if not 0 <= level < float("inf"):
            raise ValueError(f"a level of noise must be a number of at least 0, got {level!r}")
        drawn = randomness.normal(seed, "pixel noise", torch.arange(len(pixels)), pixels.shape[1:])
        return (pixels + level * drawn.to(pixels)).clamp(0, 1)

    axis = ("level", "standard deviation of the noise on the pixels", "1", levels)
    return _changed(model, data, axis, jittered, presentation, readout_time, record, how)


def occlusion(
    model: Cortex,
    data: xr.Dataset,
    *,
    factor: str = "visible_fraction",
    edges: Sequence[float] = EDGES,
    presentation: Presentation | None = None,
    readout_time: int | None = None,
    **how: Any,
) -> xr.Dataset:
    """Show targets and tell the accuracy by how much of them is visible, or by another factor of the data.

    Unlike in `masking`, the conditions have stimuli of their own, so nothing is paired.

    Parameters
    ----------
    factor : str
        A stimulus coordinate of the data, e.g. "visible_fraction" of digits in debris, or "curve_length" of contours.
    edges : sequence of float
        Edges of the bins; the last bin holds its upper edge.
    presentation : Presentation, optional
        By default `sustained()`.

    Returns
    -------
    Dataset
        `accuracy` (bin) with `low` and `high`, and `n` (bin), the number of stimuli; NaN where there are none.
        `correct` (stimulus), with the factor as coordinate. Coordinates `from` and `to` are the edges of a bin.

    Raises
    ------
    ValueError
        If the data lack the factor, or the edges do not rise.
    """
    if factor not in data.coords:
        raise ValueError(f"the data have no coordinate {factor!r}, only {sorted(map(str, data.coords))}")
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"edges must be at least two rising numbers, got {list(edges)}")
    axis = ("all", "all stimuli", "1", [0])
    done = _changed(model, data, axis, lambda pixels, _: pixels, presentation, readout_time, None, how)
    assert isinstance(done, xr.Dataset)
    correct, values = done["correct"].isel(all=0, drop=True), data[factor].values
    within = [(values >= low) & (values < high) for low, high in pairwise(edges)]
    within[-1] |= values == edges[-1]
    summed = np.stack([fraction(correct.values[chosen]) for chosen in within], axis=1)
    about = {"long_name": f"edge of the bin of {factor}", "units": data[factor].attrs.get("units", "1")}
    accuracy = {"long_name": "accuracy", "units": "1", "interval": interval_text("the stimuli of a bin")}
    return xr.Dataset(
        {
            "accuracy": ("bin", summed[0], accuracy),
            "correct": correct.drop_vars(["low", "high"], errors="ignore"),
            "n": ("bin", np.array([int(chosen.sum()) for chosen in within]), {"long_name": "stimuli", "units": "1"}),
        },
        {
            "from": ("bin", list(edges[:-1]), about),
            "to": ("bin", list(edges[1:]), about),
            "low": ("bin", summed[1]),
            "high": ("bin", summed[2]),
        },
        {**done.attrs, "protocol": "occlusion", "factor": factor},
    )


def lesion(
    model: Cortex,
    data: Any,
    silence: Mapping[str, Any] | None = None,
    *,
    until: int,
    gain: Mapping[str, Any] | None = None,
    transition_noise: Mapping[str, Any] | None = None,
    calibrate_on: Any = None,
    presentation: AnyPresentation | None = None,
    record: Sequence[str] | None = None,
    report: Report = silent,
    **how: Any,
) -> xr.Dataset:
    """Cut, weaken or disturb transitions in three ways, and compare each to the intact model.

    Parameters
    ----------
    model : Cortex
    data : Tensor or Dataset
        Stimuli, with `label` if accuracy is wanted.
    silence : mapping of str to times, optional
        What is cut, as for `simulate`.
    until : int
        Last time.
    gain, transition_noise : mapping of str to (float, times), optional
        What is weakened, and what delivers noise besides, as for `simulate`.
    calibrate_on : Tensor or Dataset
        Images, usually of the training, on which the statistics and means are taken.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    record : sequence of str, optional
        States that are compared; by default all.
    report : callable, optional
        Called before each part with the share that is done and what is done next; what it raises ends the run.
    **how
        As for `simulate`: `statistics`, `labels`, `seed`, `batch_size`, `noise`, `repeats`, ...

    Returns
    -------
    Dataset
        As `analyse.effect` returns it, along `version`: "acute", "recalibrated" and "mean-replaced"; see `simulate`. An
        effect that is there in the acute version alone is one of shifted means, and one that the recalibrated version
        lacks, of shifted means or spreads. Besides, `logits` (version, stimulus,
        time, class) and `logits_intact` (stimulus, time, class), NaN where nothing is read out, for the analyses of a
        readout: `analyse.reaction_time(table["logits"].sel(version="acute"), 0.5)`.

    Raises
    ------
    ValueError
        If nothing is cut, weakened or noisy, or there are no images for the statistics.
    """
    given: dict[str, Any] = {"silence": silence, "gain": gain, "transition_noise": transition_noise}
    if not any(given.values()):
        raise ValueError(
            "a lesion cuts, weakens or disturbs something: give silence, such as {'lateral': None}, gain or "
            "transition_noise"
        )
    if calibrate_on is None:
        raise ValueError("a lesion also comes with statistics and means taken on images; give calibrate_on=...")
    n, n_taken = (len(as_images(images)) for images in (data, calibrate_on))
    # taking statistics or means runs all of their images once
    costs = [n, *(n + n_taken * (kind != "acute") for kind in LESIONS)]
    shares = [sum(costs[:place]) / sum(costs) for place in range(len(costs))]
    shared = {"until": until, "record": record, **how}
    report(0.0, f"intact: {n} images")
    intact = simulate(model, data, presentation, **shared)
    versions, logits = [], []
    for kind, share in zip(LESIONS, shares[1:], strict=True):
        taken = (
            "" if kind == "acute" else f", {'statistics' if kind == 'recalibrated' else 'means'} of {n_taken} images"
        )
        report(share, f"{kind}: {n} images{taken}")
        images = None if kind == "acute" else calibrate_on
        recording = simulate(model, data, presentation, lesion=kind, calibrate_on=images, **given, **shared)
        versions.append(effect(recording, intact))
        logits.append(recording["readout"].to_dataset()["logits"])
        del recording  # it may be large, and the next one is on its way
    version = xr.Variable("version", list(LESIONS), {"long_name": "kind of lesion"})
    along = xr.DataArray(version, name="version")
    together = xr.concat(versions, along, coords="all", combine_attrs="drop_conflicts").assign_coords(version=version)
    together["logits"] = xr.concat(logits, along, coords="different", compat="equals").assign_coords(version=version)
    together["logits_intact"] = intact["readout"].to_dataset()["logits"]
    return together


def _changed(
    model: Cortex,
    data: xr.Dataset,
    axis: tuple[str, str, str, Sequence[float]],
    change: Callable[[Tensor, float], Tensor],
    presentation: Presentation | None,
    readout_time: int | None,
    record: Sequence[str] | None,
    how: dict[str, Any],
) -> xr.Dataset | xr.DataTree:
    """Run a protocol whose conditions change the images and not how they are shown."""
    name, long_name, units, given = axis
    values = several(f"{name}s", given)
    shown = checked(presentation or sustained())
    if not isinstance(shown, Presentation):
        raise TypeError("a protocol shows its targets in one way, got a mixture")
    readout_time = readout_time_of(model, readout_time, 0)
    reaches, pixels = reaches_last(model.graph, shown, readout_time), as_float(as_images(data))
    conditions = [Condition({name: value}, shown, change(pixels, value), reaches) for value in values]
    return run(name, model, data, {name: (long_name, units, values)}, conditions, readout_time, record, **how)
