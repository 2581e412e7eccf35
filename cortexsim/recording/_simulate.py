"""Simulation: images are shown to a model, and what its states do is recorded with labels."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim._support.checks import truth
from cortexsim._support.files import as_path, refuse_existing
from cortexsim._support.progress import Report, silent
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.devices import only_deterministic
from cortexsim.model.lesions import mean_deliveries
from cortexsim.model.moments import Statistics
from cortexsim.model.nets import own_modes, undisturbed
from cortexsim.model.plan import Amount, Images
from cortexsim.recording.build import label, write_step
from cortexsim.recording.description import settings
from cortexsim.recording.dtypes import DTYPES
from cortexsim.recording.io import engine_for, open_recording, save_recording
from cortexsim.recording.plan import RecordingPlan, plan_recording
from cortexsim.recording.selection import Record, as_record, estimate, refuse_too_large
from cortexsim.recording.stream import Memory, Stream, lazy, unfinished_settings
from cortexsim.recording.writable import check_writable
from cortexsim.stimuli.presentation import AnyPresentation

__all__ = ["estimate", "simulate"]


@own_modes()
def simulate(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation | None = None,
    *,
    until: int,
    record: Record | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    silence: Mapping[str, Any] | None = None,
    lesion: str = "acute",
    calibrate_on: Images | None = None,
    gain: Mapping[str, Amount] | None = None,
    transition_noise: Mapping[str, Amount] | None = None,
    noise: float = 0.0,
    repeats: int = 1,
    labels: ArrayLike | None = None,
    quantity: str = "state",
    dtype: str = "float32",
    seed: int = 0,
    device: str | torch.device | None = None,
    batch_size: int | None = None,
    to: str | Path | None = None,
    resume: bool = False,
    deterministic: bool = False,
    progress: bool = False,
    report: Report = silent,
) -> xr.DataTree:
    """Show images to a model and record the activity of its states at every time.

    The model stays as it is: its mode, its statistics and its gradients. Stored statistics are always used.

    Parameters
    ----------
    model : Cortex
    images : Tensor, array, DataArray or Dataset
        Shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence; RGB, float in [0, 1]
        or uint8. A Dataset or DataArray is read by the names of its dimensions, and the recording gets its stimulus
        coordinates (label, factors). Where it and the model name their classes, `label` is the number of the class of
        this name in the model; of classes that the model does not have, the names, with a warning.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time simulated; time 0 is the state right after the pre-net.
    record : sequence of str, or mapping of str to a part, optional
        States to record; by default all. The readout is always recorded. A mapping selects "all" of a state, its
        "spatial_mean", or the units that are listed, by number (counted over channel, y and x) or as (channel, y, x):
        {"V1": "spatial_mean", "V2": "all", "IT": [0, (3, 1, 1)]}. Activity is reduced during the run, before it is
        converted to `dtype`, so that a large study stays small.
    statistics : Statistics or Presentation, optional
        Statistics to reuse on purpose, in place of those of the presentation; the recording says so.
    silence : mapping of str to times, optional
        Transitions that deliver nothing at these times, e.g. {"V2->V1": range(3, 21)}; None as times is always. A
        state, such as "V2", stands for all transitions that leave it: it delivers nothing, though it still receives,
        and is recorded and read out. "forward", "lateral" or "feedback" stands for all transitions to later states, to
        themselves, or to earlier ones. A silence that would change nothing, since nothing is delivered then, is
        refused, and so is a transition that is named twice, whatever the times.
    lesion : "acute", "recalibrated" or "mean-replaced"
        What silence, gain and noise on transitions mean for the rest of the model. Acute: the statistics stay those of
        the intact model. Recalibrated: they are taken again with all of it in place. Mean-replaced: a silenced
        transition delivers, unit by unit, its mean over images shown in this way at this time instead of nothing, and
        one with a gain g also delivers 1 - g of its mean, so that the states stay populated, and a lesion that only
        shifts means has no effect. Noise shifts no mean: mean-replaced, it is what it is in the acute version.
    calibrate_on : Tensor or Dataset, optional
        The images, usually training images, on which the statistics or means of a lesion are taken: needed for all
        lesions but the acute, unless `statistics` are those that `calibrate` took with this very intervention.
    gain : mapping of str to (float, times), optional
        Factors on what transitions deliver, e.g. {"V2->V1": (0.5, range(3, 21))}; names as for silence. A gain of 0
        delivers zeros, whereas silence delivers nothing. Not while the transition is silenced.
    transition_noise : mapping of str to (float, times), optional
        Gaussian noise on what transitions deliver, after the gain; in the same form, and in the units of `noise` at the
        state to which they deliver.
    noise : float
        Gaussian noise on every unit of every state at every time, added to h_j(t) after the sum, so that it acts on all
        that follows. 1 is the standard deviation that the channel has at this time over images and positions, by the
        statistics in use; with a recalibrated lesion, by those of the intact model; of a model without statistics, over
        the stimuli of this call, which are run once without noise for that. Drawn by (seed, stimulus, repeat,
        state, time) alone.
    repeats : int
        How often each stimulus is shown; only the noise differs. Coordinates `target` (index of the stimulus that is
        repeated) and `repeat` identify the rows.
    labels : sequence of int or str, optional
        Class of each stimulus. Labels with an index (a Series, or a DataArray with the coordinate `stimulus`) are put
        in the order of the images where these have the coordinate `stimulus`.
    quantity : "state" or "rate"
        h itself, or relu(BN_t(h)), what the next areas read; relu(h) for normalization "none".
    dtype : "float16", "float32" or "float64"
        Of what is recorded. Sums over float16 overflow easily: convert what you read before you add it up.
    seed : int
        Draws masks, the components of a mixture, and noise.
    device : str, optional
        Where to run; by default where the model is. The model is not moved, a copy is.
    batch_size : int, optional
        Stimuli run at once; by default up to 128, as memory allows. A GPU that runs out of memory gets smaller parts,
        with a warning.
    to : path, optional
        Write the recording there and return it opened lazily. A .zarr is written during the run, so it may be larger
        than memory; until it is complete, `open_recording` refuses it. A .nc is written at the end.
    resume : bool
        If `to` is the finished recording of this very call, open it instead of running again; if it is an unfinished
        one (.zarr), complete it, to the same bytes.
    deterministic : bool
        Use deterministic algorithms only, so that a GPU too gives the same numbers each time.
    progress : bool
        Show a progress bar.
    report : callable, optional
        Called before each batch with the fraction of the stimuli that are done and a message. An exception from it
        stops the run; batches that are on disk already can be resumed.

    Returns
    -------
    DataTree
        A node for each state with `activation` (stimulus, time, channel, y, x) and `populated` (time); of a spatial
        mean `activation` is (stimulus, time, channel), of selected units (stimulus, time, unit), where coordinates give
        the channel, y and x of each. Node `readout` with `logits` (stimulus, time, class) and `populated`. NaN is
        empty; `populated` says so too, with dimensions (stimulus, time) where the stimuli of a mixture differ. `shown`
        says what is on the screen; where there is a mask, `target_energy` and `mask_energy` say how much contrast (RMS
        contrast squared x area x duration) was shown of both up to `until`. `recording.cortex.settings` says how it was
        made.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message says what is.
    MissingStatisticsError
        If no statistics fit, or they end before `until`.
    MemoryError
        If the recording does not fit in memory.
    FileExistsError
        If something exists at `to`.
    """
    model = the_cortex(model, "simulate")
    to = _destination(to, resume)
    unfinished = unfinished_settings(to) if to is not None and resume else None
    if batch_size is None and unfinished is not None:
        # with batches of the same size the numbers are the same
        batch_size = unfinished["batch_size"]
    plan = plan_recording(
        model,
        images,
        presentation,
        until=until,
        record=record,
        statistics=statistics,
        silence=silence,
        lesion=lesion,
        calibrate_on=calibrate_on,
        gain=gain,
        transition_noise=transition_noise,
        noise=noise,
        repeats=repeats,
        labels=labels,
        quantity=quantity,
        dtype=dtype,
        seed=seed,
        device=device,
        batch_size=batch_size,
        deterministic=deterministic,
    )
    if to is not None and resume and unfinished is None and to.exists():
        return _finished(to, plan.provenance)
    sink = _sink(plan, to, unfinished)
    with sink, undisturbed(plan.run.model), torch.no_grad(), only_deterministic(deterministic):
        _run(plan, sink, progress, report)
    if isinstance(sink, Memory):
        recording = label(plan, sink.arrays)
        if to is None:
            return recording
        save_recording(recording, to)
    assert to is not None
    return open_recording(to)


def _destination(to: str | Path | None, resume: bool) -> Path | None:
    """Return the path to write to, and refuse one where nothing can be written, before anything is computed."""
    resume = truth(resume, "resume")
    if to is None:
        return None
    path = as_path(to, "to")
    engine_for(path)
    return path if resume and path.exists() else refuse_existing(path, what="to")


def _sink(plan: RecordingPlan, to: Path | None, unfinished: Mapping[str, Any] | None) -> Memory | Stream:
    """Choose where the recording goes: to memory, to a new .zarr, or to one that is unfinished."""
    if to is not None and unfinished is not None:
        _refuse_different(to, unfinished, plan.provenance)
        return Stream(to)
    if to is not None:
        check_writable(plan.coordinates, to, engine_for(to), "of the images")
        if engine_for(to) == "zarr":
            return Stream.create(to, label(plan, lazy(plan.shapes, DTYPES[plan.dtype].stored)), plan.batch_size)
    refuse_too_large(plan.run.model, plan.n, plan.run.until, as_record(plan.selected), plan.dtype)
    return Memory(plan.shapes, DTYPES[plan.dtype].stored)


def _run(plan: RecordingPlan, sink: Memory | Stream, progress: bool, report: Report) -> None:
    """Run what the sink lacks, batch by batch."""
    if plan.means_on is not None:
        plan = replace(plan, hook=replace(plan.hook, means=mean_deliveries(plan.run, plan.means_on)))
    batches = sink.missing(plan.batch_size)
    left = sum(map(len, batches))
    for batch in _with_bar(batches) if progress else batches:
        report((plan.n - left) / plan.n, f"{plan.n - left:,} of {plan.n:,} stimuli")
        left -= len(batch)
        arrays = sink.room(batch)
        _run_halving_on_oom(plan, batch, arrays)
        sink.write(batch, arrays)
    sink.finish()


def _run_halving_on_oom(plan: RecordingPlan, batch: range, arrays: Mapping[str, np.ndarray]) -> None:
    """Run a batch; where a GPU runs out of memory, run it in ever smaller parts."""
    size, done = len(batch), 0
    while done < len(batch):
        part = batch[done : done + size]
        try:
            _run_rows(plan, part, {name: a[done : done + size] for name, a in arrays.items()})
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = -(-size // 2)
            # the memory of what failed is free only when the error is gone
        else:
            done += len(part)
            continue
        torch.cuda.empty_cache()
        warnings.warn(
            f"the device's memory is too small for a batch of {len(part)}: continuing with {size} at once; "
            f"batch_size={size} saves the attempt",
            stacklevel=4,
        )


def _run_rows(plan: RecordingPlan, part: range, arrays: Mapping[str, np.ndarray]) -> None:
    """Run some rows of the recording, and write what is recorded of them into their arrays."""
    rows = torch.arange(part.start, part.stop)
    # the repeats of a stimulus are the same trial, mask and all, but for the noise
    index, repeat = rows // plan.repeats, rows % plan.repeats
    for time, h in enumerate(plan.run.run(plan.run.frames(index), plan.hook.of_batch(index, repeat))):
        write_step(plan, arrays, h, time)


def _with_bar(batches: Sequence[range]) -> Iterable[range]:
    from tqdm.auto import tqdm

    return tqdm(batches, desc="simulating", unit="batch")


def _finished(path: str | Path, provenance: Mapping[str, Any]) -> xr.DataTree:
    """Open a finished recording, if it is the one that this call makes."""
    recording = open_recording(path)
    try:
        _refuse_different(path, settings(recording), provenance)
    except FileExistsError:
        recording.close()
        raise
    return recording


def _refuse_different(path: str | Path, found: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    # through JSON, where tuples become lists
    wanted = json.loads(json.dumps(provenance))
    different = sorted(key for key, value in wanted.items() if found.get(key) != value)
    if different:
        raise FileExistsError(
            f"the recording at {path} differs in {different}; choose a different path or remove it first"
        )
