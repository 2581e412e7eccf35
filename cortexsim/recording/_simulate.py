"""Simulation: showing images to a model, and recording the activity of its states with labels."""

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
from cortexsim._support.progress import Report, checked, silent
from cortexsim._support.renamed import formerly
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.devices import only_deterministic
from cortexsim.model.lesions import mean_deliveries
from cortexsim.model.modes import own_modes, undisturbed
from cortexsim.model.moments import Statistics
from cortexsim.model.plan import Amount, Images
from cortexsim.recording.batch_writer import BatchWriter
from cortexsim.recording.build import label
from cortexsim.recording.description import settings
from cortexsim.recording.dtypes import DTYPES
from cortexsim.recording.io import engine_for, open_recording, save_recording
from cortexsim.recording.plan import RecordingPlan, plan_recording
from cortexsim.recording.selection import Record, as_record, estimate, refuse_too_large
from cortexsim.recording.stream import Memory, Stream, lazy, unfinished_settings
from cortexsim.recording.writable import check_writable
from cortexsim.stimuli.presentation import AnyPresentation

__all__ = ["estimate", "simulate"]


@formerly(told="report")
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

    The model is not changed: it keeps its mode, statistics and gradients. Stored statistics are always used.

    Parameters
    ----------
    model : Cortex
    images : Tensor, array, DataArray or Dataset
        Shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence; RGB, float in [0, 1]
        or uint8. A Dataset or DataArray is read by the names of its dimensions, and the recording gets its stimulus
        coordinates (label, factors). If both it and the model have class names, `label` is the model's number of the
        class; if the model lacks a class, labels are recorded as names, with a warning.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time simulated; time 0 is the state right after the pre-net.
    record : sequence of str, or mapping of str to a part, optional
        States to record; by default all. The readout is always recorded. A mapping selects "all" of a state, its
        "spatial_mean", or a list of units, by number (counted over channel, y and x) or as (channel, y, x):
        {"V1": "spatial_mean", "V2": "all", "IT": [0, (3, 1, 1)]}. Activity is reduced during the run, before it is
        converted to `dtype`, so that a large study stays small.
    statistics : Statistics or Presentation, optional
        Statistics to use instead of those of the presentation; the recording reports this.
    silence : mapping of str to times, optional
        Transitions that deliver nothing at these times, e.g. {"V2->V1": range(3, 21)}; None as times means always. A
        state, such as "V2", selects all transitions that leave it: it delivers nothing, but still receives input, is
        recorded and read out. "forward", "lateral" or "feedback" selects all transitions to later states, to the same
        state, or to earlier states. Silencing that would change nothing, because nothing is delivered at these times,
        is refused, and so is a transition that is selected twice, even at different times.
    lesion : "acute", "recalibrated" or "mean-replaced"
        How the rest of the model responds to silence, gain and noise on transitions. Acute: the statistics remain those
        of the intact model. Recalibrated: they are measured again with the lesion. Mean-replaced: a silenced transition
        delivers, unit by unit, its mean over images under this presentation at this time, and a transition with gain g
        also delivers 1 - g of its mean. States then stay populated, and a lesion that only shifts means has no effect.
        Noise does not shift means, so mean-replaced noise equals acute noise.
    calibrate_on : Tensor or Dataset, optional
        The images, usually training images, on which the statistics or means of a lesion are measured: required for all
        lesions except acute ones, unless `statistics` come from `calibrate` with the same intervention.
    gain : mapping of str to (float, times), optional
        Factors on the output of transitions, e.g. {"V2->V1": (0.5, range(3, 21))}; names as for silence. A gain of 0
        delivers zeros, whereas silence delivers nothing. Not allowed while the transition is silenced.
    transition_noise : mapping of str to (float, times), optional
        Gaussian noise on the output of transitions, after the gain; in the same form, and in the units of `noise` at
        the target state.
    noise : float
        Gaussian noise on every unit of every state at every time, added to h_j(t) after the sum, so that it affects all
        later activity. Its unit is the standard deviation of the channel at this time over images and positions, in the
        statistics in use; with a recalibrated lesion, in those of the intact model; for a model without statistics,
        over the stimuli of this call, which are first run once without noise. It depends only on (seed, stimulus,
        repeat, state, time).
    repeats : int
        Number of times that each stimulus is shown; only the noise differs. The coordinates `target` (index of the
        repeated stimulus) and `repeat` identify the rows.
    labels : sequence of int or str, optional
        Class of each stimulus. Labels with an index (a Series, or a DataArray with the coordinate `stimulus`) are
        aligned to the images if these have the coordinate `stimulus`.
    quantity : "state" or "rate"
        h itself, or relu(BN_t(h)), the input to the next areas; relu(h) for normalization "none".
    dtype : "float16", "float32" or "float64"
        Dtype of the recording. Sums over float16 overflow easily: convert the values before you add them up.
    seed : int
        Seed of the masks, the components of a mixture, and the noise.
    device : str, optional
        Device of the run; by default that of the model. The model is copied, not moved.
    batch_size : int, optional
        Number of stimuli run at once; by default up to 128, as memory allows. If a GPU runs out of memory, the batch is
        split, with a warning.
    to : path, optional
        Write the recording there and return it opened lazily. A .zarr is written during the run, so it may be larger
        than memory; until it is complete, `open_recording` refuses it. A .nc is written at the end.
    resume : bool
        If `to` is the finished recording of the same call, open it instead of running again; if it is unfinished
        (.zarr), complete it, with the same bytes.
    deterministic : bool
        Use only deterministic algorithms, so that a GPU gives the same numbers each time, too.
    progress : bool
        Show a progress bar.
    report : callable, optional
        Called before each batch with the finished fraction of the stimuli and a message. An exception from it stops the
        run, which can be resumed if batches are on disk.

    Returns
    -------
    DataTree
        A node for each state with `activation` (stimulus, time, channel, y, x) and `populated` (time). For a spatial
        mean, `activation` is (stimulus, time, channel); for selected units, (stimulus, time, unit), with coordinates
        for the channel, y and x of each unit. The node `readout` has `logits` (stimulus, time, class) and `populated`.
        NaN means empty, as does `populated` = False, which has the dimensions (stimulus, time) if the stimuli of a
        mixture differ. `shown` is what is on the screen; with a mask, `target_energy` and `mask_energy` are their
        contrast energies (RMS contrast squared x area x duration) up to `until`. `recording.cortex.settings` describes
        how the recording was made.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message says what is.
    MissingStatisticsError
        If no statistics match, or they end before `until`.
    MemoryError
        If the recording does not fit in memory.
    FileExistsError
        If something exists at `to`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> recording = cs.simulate(model, curves, cs.flash(1), until=8, record=["V1", "IT"])
    >>> dict(recording["IT"]["activation"].sizes)
    {'stimulus': 20, 'time': 9, 'channel': 32, 'y': 4, 'x': 4}
    >>> recording["IT"]["populated"].values
    array([False, False, False,  True,  True,  True,  True,  True,  True])
    """
    model, report = the_cortex(model, "simulate"), checked(report)
    to = _destination(to, resume)
    unfinished = unfinished_settings(to) if to is not None and resume else None
    if batch_size is None and unfinished is not None:
        # batches of the same size give the same numbers
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
    """Return the path to write to, or refuse a path that cannot be written, before anything is computed."""
    resume = truth(resume, "resume")
    if to is None:
        return None
    path = as_path(to, "to")
    engine_for(path)
    return path if resume and path.exists() else refuse_existing(path, what="to")


def _sink(plan: RecordingPlan, to: Path | None, unfinished: Mapping[str, Any] | None) -> Memory | Stream:
    """Choose the destination of the recording: memory, a new .zarr, or an unfinished .zarr."""
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
    """Run the missing stimuli, batch by batch."""
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
    """Run a batch; if a GPU runs out of memory, run it in smaller and smaller parts."""
    size, done = len(batch), 0
    while done < len(batch):
        part = batch[done : done + size]
        try:
            _run_rows(plan, part, {name: a[done : done + size] for name, a in arrays.items()})
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = -(-size // 2)
            # the memory of the failed attempt is freed only after the error is handled
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
    """Run some rows of the recording, and write the recorded activity into their arrays."""
    rows = torch.arange(part.start, part.stop)
    # the repeats of a stimulus are the same trial, including its mask, except for the noise
    index, repeat = rows // plan.repeats, rows % plan.repeats
    writer = BatchWriter(plan, arrays)
    for time, h in enumerate(plan.run.run(plan.run.frames(index), plan.hook.of_batch(index, repeat))):
        writer.write(h, time)
    writer.finish()


def _with_bar(batches: Sequence[range]) -> Iterable[range]:
    from tqdm.auto import tqdm

    return tqdm(batches, desc="simulating", unit="batch")


def _finished(path: str | Path, provenance: Mapping[str, Any]) -> xr.DataTree:
    """Open a finished recording, if it was made by the same call."""
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
