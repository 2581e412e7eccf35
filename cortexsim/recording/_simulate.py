"""Show images to a model and keep what its states do: a labelled recording."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim import __version__
from cortexsim._support.checks import finite, unknown, whole
from cortexsim._support.files import refuse_existing
from cortexsim._support.progress import Report, silent
from cortexsim.graph._schedule import Schedule, populate, schedule
from cortexsim.graph.interventions import Amounts, Changes, changes, check_effect, silenced
from cortexsim.graph.transitions import Times
from cortexsim.model._calibrate import mean_deliveries
from cortexsim.model.cortex import Cortex
from cortexsim.model.devices import only_deterministic, placed
from cortexsim.model.hooks import Intervention
from cortexsim.model.lesions import check_lesion, describe_lesion, intact, recalibrated
from cortexsim.model.moments import MissingStatisticsError, Statistics
from cortexsim.model.nets import undisturbed
from cortexsim.recording.build import coordinates_of, energies_of, keep, recording_of, shapes_of
from cortexsim.recording.io import engine_for, open_recording, save_recording, settings
from cortexsim.recording.selection import Record, described, estimate, fitting_batch, portions, refuse_too_large
from cortexsim.recording.stream import Memory, Stream, begun, lazy, settings_of
from cortexsim.stimuli.images import as_images, checksum
from cortexsim.stimuli.presentation import AnyPresentation, checked, flash

__all__ = ["estimate", "simulate"]

QUANTITIES = ("state", "rate")
DTYPES = ("float16", "float32", "float64")


def simulate(
    model: Cortex,
    images: Any,
    presentation: AnyPresentation | None = None,
    *,
    until: int,
    record: Record | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    silence: Mapping[str, Any] | None = None,
    lesion: str = "acute",
    calibrate_on: Any = None,
    gain: Mapping[str, Any] | None = None,
    transition_noise: Mapping[str, Any] | None = None,
    noise: float = 0.0,
    repeats: int = 1,
    labels: Sequence[int] | None = None,
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
    """Show images to a model and keep the activity of its states at every time.

    The model stays as it is: its mode, its statistics and its gradients. Stored statistics are always used.

    Parameters
    ----------
    model : Cortex
    images : Tensor or Dataset
        Shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence; RGB, float in [0, 1]
        or uint8. A Dataset's stimulus coordinates (label, factors) are carried along.
    presentation : Presentation or Mixture, optional
        By default `flash(1)`.
    until : int
        Last time simulated; time 0 is the state right after the pre-net.
    record : sequence of str, or mapping of str to what is kept, optional
        States to keep; by default all. The readout is always kept. A mapping keeps "all" of a state, its
        "spatial_mean", or the units that are listed, by number (counted over channel, y and x) or as (channel, y, x):
        {"V1": "spatial_mean", "V2": "all", "IT": [0, (3, 1, 1)]}. Reduced while it runs, before it is converted to
        `dtype`, so that a large study stays small.
    statistics : Statistics or Presentation, optional
        Statistics to reuse on purpose, in place of those of the presentation; the recording says so.
    silence : mapping of str to times, optional
        Transitions that deliver nothing at these times, e.g. {"V2->V1": range(3, 21)}; None as times is always. A
        state, such as "V2", stands for all transitions that leave it: it delivers nothing, though it still receives,
        and is recorded and read out. "forward", "lateral" or "feedback" stands for all transitions to later states, to
        themselves, or to earlier ones. One that would change nothing, since nothing is delivered then, is refused, and
        so is a transition that is named twice, whatever the times.
    lesion : "acute", "recalibrated" or "mean-replaced"
        What silence, gain and noise on transitions mean for the rest of the model. Acute: the statistics stay those of
        the intact model. Recalibrated: they are taken anew with all of it in place. Mean-replaced: a silenced
        transition delivers, unit by unit, its mean over images shown in this way at this time instead of nothing, and
        one with a gain g delivers 1 - g of its mean besides, so that the states stay populated, and a lesion that only
        shifts means shows as none. Noise shifts no mean: mean-replaced it is what it is acutely.
    calibrate_on : Tensor or Dataset, optional
        The images, usually of the training, on which the statistics or means of a lesion are taken: needed for all
        lesions but the acute, unless `statistics` are those that `calibrate` took with this very intervention.
    gain : mapping of str to (float, times), optional
        What transitions deliver is multiplied by this, e.g. {"V2->V1": (0.5, range(3, 21))}; words as for silence. A
        gain of 0 delivers zeros, whereas silence delivers nothing. Not while the transition is silenced.
    transition_noise : mapping of str to (float, times), optional
        Gaussian noise on what transitions deliver, after the gain; in the same form, and in the units of `noise` at the
        state to which they deliver.
    noise : float
        Gaussian noise on every unit of every state at every time, added to h_j(t) after the sum, so that it acts on all
        that follows. 1 is the standard deviation that the channel has at this time over images and positions, by the
        statistics in use; with a recalibrated lesion, by those of the intact model. Drawn by (seed, stimulus, repeat,
        state, time) alone.
    repeats : int
        How often each stimulus is shown; only the noise differs. Coordinates `target` (index of the stimulus that is
        repeated) and `repeat` tell them apart.
    labels : sequence of int, optional
        Class of each stimulus.
    quantity : "state" or "rate"
        h itself, or relu(BN_t(h)), what the next areas read.
    dtype : "float16", "float32" or "float64"
        Of what is kept. Sums over float16 overflow easily: convert what you read before you add it up.
    seed : int
        Draws masks, the components of a mixture, and noise.
    device : str, optional
        Where to run; by default where the model is. The model is not moved, a copy is.
    batch_size : int, optional
        Stimuli run at once; by default up to 128, as memory allows. A GPU that has too little gets smaller parts, with
        a warning.
    to : path, optional
        Write the recording there and return it opened lazily. To .zarr it goes while it runs, so it may be larger than
        memory; until it is whole, `open_recording` refuses it. To .nc it goes at the end.
    resume : bool
        If `to` holds the finished recording of this very call, open it instead of running again; if it holds a part of
        it (.zarr), go on where it stopped, to the same bytes.
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
        mean `activation` is (stimulus, time, channel), of chosen units (stimulus, time, unit), where coordinates say at
        which channel, y and x each lies. Node `readout` with `logits` (stimulus, time, class) and `populated`. NaN is
        empty; `populated` says so too, with dimensions (stimulus, time) where the stimuli of a mixture differ. `shown`
        says what is on the screen; where there is a mask, `target_energy` and `mask_energy` say how much contrast (RMS
        contrast squared x area x duration) was shown of both up to `until`. The root's attribute `cortexsim` is JSON
        that says how it was made.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message says what is.
    MissingStatisticsError
        If no statistics fit, or they end before `until`.
    MemoryError
        If the recording will not fit in memory.
    FileExistsError
        If there is something at `to`.
    """
    until = whole(until, "until", 1, unit="steps")
    if quantity not in QUANTITIES:
        raise ValueError(unknown("quantity", quantity, QUANTITIES))
    if dtype not in DTYPES:
        raise ValueError(unknown("dtype", dtype, DTYPES))
    batch_size = None if batch_size is None else whole(batch_size, "batch_size", 1)
    if quantity == "rate" and model.normalization == "none":
        raise ValueError("quantity 'rate' is relu(BN(h)), but this model has no normalization; record 'state'")
    pixels = as_images(images)
    model.check_images(pixels)
    presentation = checked(presentation or flash(1)).for_images(pixels)
    kept = portions(model.graph, record)
    _check_noise(model, noise, repeats, transition_noise)
    done = _changes(model, presentation, until, silence, gain, transition_noise)
    check_lesion(lesion, done, calibrate_on, statistics)
    # a transition that delivers its mean runs as ever
    absent = {} if lesion == "mean-replaced" else dict(done.closed)
    model = placed(model, device)
    where = next(model.parameters()).device

    used = None
    if model.normalization != "none":
        used = model.find_statistics(presentation, statistics)
        if lesion != "recalibrated" and used.lesion:
            raise ValueError(
                f"these statistics are of a lesion ({used}), but the lesion is {lesion!r}; "
                "say lesion='recalibrated', or give the intact model's"
            )
        if used.until < until:
            raise MissingStatisticsError(
                f"these statistics end at time {used.until} ({used}), before time {until}; "
                f"calibrate(model, images, until={until}, presentation=...)"
            )
    if lesion == "recalibrated":
        # noise is as strong as in the intact model, whatever the lesion does to the spread of a state
        spread = intact(model, used) if used is not None and (noise or done.noisy) else None
        used = recalibrated(model, used, done, calibrate_on, until)
    else:
        spread = used
    planned = _planned(model, presentation, until, list(kept), absent)
    if used is not None:
        used.check(planned)
    if spread is not None:
        _check_spread(spread, planned, noise, done.noisy)
    n = len(pixels) * repeats
    streamed = to is not None and engine_for(to) == "zarr"
    # what was begun is gone on with in batches of the same size, hence to the same numbers
    there = settings_of(Path(to)) if to is not None and streamed and resume and begun(Path(to)) else None
    if batch_size is None:
        batch_size = there["batch_size"] if there else fitting_batch(model, until, described(kept), dtype)
    batch_size = min(batch_size, n)
    coordinates = coordinates_of(images, labels, len(pixels), until, presentation, seed, repeats)
    made = {
        "version": __version__,
        "graph": model.graph.to_dict(),
        # what fits the model holds its checksum, which takes a while for a large one
        "model": model.checksum() if used is None else used.weights,
        "readout_time": model.readout_time,
        "presentation": presentation.to_dict(),
        "presentation_text": str(presentation),
        "statistics": used and _provenance(used, presentation),
        "images": checksum(pixels),
        "until": until,
        "record": described(kept),
        "silence": {name: times.intervals for name, times in done.closed.items()},
        "lesion": describe_lesion(lesion, done, used, calibrate_on),
        "gain": {name: [amount, times.intervals] for name, (amount, times) in done.scaled.items()},
        "transition_noise": {name: [amount, times.intervals] for name, (amount, times) in done.noisy.items()},
        "noise": float(noise),
        "noise_units": "standard deviations of the channel of the state at this time, by the intact statistics",
        "repeats": int(repeats),
        "quantity": quantity,
        "dtype": dtype,
        "seed": seed,
        "batch_size": batch_size,
        "device": str(where),
        "deterministic": deterministic,
        "input_gain": model.input_gain,
        "normalization": model.normalization,
        "coordinates": _checksum(coordinates),
        "classes": json.loads(images.attrs["classes"]) if "classes" in getattr(images, "attrs", {}) else None,
    }
    if to is not None:
        if there is None and resume and Path(to).exists():
            return _finished(to, made)
        if there is None:
            refuse_existing(to)
        else:
            _refuse_other(to, there, made)
    coordinates |= energies_of(presentation, pixels, until, seed, batch_size, repeats)
    shapes = shapes_of(model, n, until, kept)
    labelling = (kept, coordinates, presentation, planned, absent, made)
    memory = None
    place: Memory | Stream
    if to is None or not streamed:
        refuse_too_large(model, n, until, described(kept), dtype)
        place = memory = Memory(shapes, dtype)
    elif there is None:
        place = Stream.create(Path(to), recording_of(model, lazy(shapes, dtype), *labelling), batch_size)
    else:
        place = Stream(Path(to))
    with place, undisturbed(model), torch.no_grad(), only_deterministic(deterministic):
        normalize = model.normalized_by(used)
        means = {}
        if lesion == "mean-replaced":
            means = mean_deliveries(model, calibrate_on, planned, presentation, normalize, done, seed=seed)
        hook = Intervention(float(noise), done.scaled, done.noisy, means, spread, seed)

        def run(rows: Tensor, arrays: Mapping[str, np.ndarray]) -> None:
            # the repeats of a stimulus are the same trial, mask and all, but for the noise
            index = rows // repeats
            frames = presentation.frames(
                pixels[index].to(where), until, seed=seed, index=index.to(where), others=pixels
            )
            running = model.unroll(frames, planned, normalize, hook.of_batch(index, rows % repeats))
            for time, h in enumerate(running):
                keep(arrays, model, h, time, kept, quantity, normalize)

        batches = place.missing(batch_size)
        left = sum(map(len, batches))
        for batch in _with_bar(batches) if progress else batches:
            report((n - left) / n, f"{n - left:,} of {n:,} stimuli")
            left -= len(batch)
            arrays = place.room(batch)
            _in_memory_there_is(run, batch, arrays)
            place.keep(batch, arrays)
        place.finish()
    if memory is not None:
        recording = recording_of(model, memory.arrays, *labelling)
        if to is None:
            return recording
        save_recording(recording, to)
    assert to is not None
    return open_recording(to)


def _in_memory_there_is(
    run: Callable[[Tensor, Mapping[str, np.ndarray]], None], batch: range, arrays: Mapping[str, np.ndarray]
) -> None:
    """Run a batch; where a GPU's memory is too small for it, run it in ever smaller parts."""
    size, done = len(batch), 0
    while done < len(batch):
        part = batch[done : done + size]
        try:
            run(torch.arange(part.start, part.stop), {name: a[done : done + size] for name, a in arrays.items()})
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
            f"the device's memory is too small for a batch of {len(part)}: going on with {size} at once; "
            f"batch_size={size} saves the attempt",
            stacklevel=3,
        )


def _with_bar(batches: Sequence[range]) -> Iterable[range]:
    from tqdm.auto import tqdm

    return tqdm(batches, desc="simulating", unit="batch")


def _check_noise(model: Cortex, noise: float, repeats: int, transition_noise: Mapping[str, Any] | None) -> None:
    finite(noise, "noise", 0, unit="standard deviations")
    whole(repeats, "repeats", 1)
    if repeats > 1 and not noise and not transition_noise:
        raise ValueError(f"{repeats} repeats without noise would all be equal; give noise=..., or repeats=1")
    if (noise or transition_noise) and model.normalization == "none":
        raise ValueError(
            "noise is given in standard deviations that the statistics know, but this model has no normalization, "
            "hence no statistics"
        )


def _changes(
    model: Cortex,
    presentation: AnyPresentation,
    until: int,
    silence: Mapping[str, Any] | None,
    gain: Mapping[str, Any] | None,
    transition_noise: Mapping[str, Any] | None,
) -> Changes:
    """Spell out silences, gains and noise by transition, and refuse what would change nothing."""
    graph = model.graph
    closed = silenced(graph, silence)
    check_effect(graph, silence, [populate(graph, part, until) for part in presentation.components], "silencing")
    done = changes(graph, silence, gain, transition_noise)
    fronts = [populate(graph, part, until, closed) for part in presentation.components]
    for given, doing in ((gain, "a gain on"), (transition_noise, "noise on")):
        words = {word: value[1] if isinstance(value, tuple) else None for word, value in (given or {}).items()}
        check_effect(graph, words, fronts, doing)
    return done


def _check_spread(used: Statistics, planned: Schedule, noise: float, noisy: Amounts) -> None:
    """Refuse noise on a state whose standard deviation is not known at a time, before the first step."""
    for name, time in planned:
        if noise or (name in noisy and time in noisy[name][1]):
            used.at(planned.graph.transition(name).target, time)


def _planned(
    model: Cortex, presentation: AnyPresentation, until: int, names: list[str], closed: Mapping[str, Times]
) -> Schedule:
    fronts = [populate(model.graph, component, until, closed) for component in presentation.components]
    readable = {time for time in range(until + 1) if any(model.graph.last in front[time] for front in fronts)}
    wanted = {name: set(range(until + 1)) for name in names}
    wanted[model.graph.last] = wanted.get(model.graph.last, set()) | readable
    planned = schedule(model.graph, (), presentation, record=wanted, until=until, silence=closed)
    model.check_weights(planned)
    return planned


def _checksum(coordinates: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(coordinates):
        values = np.asarray(coordinates[name])
        digest.update(f"{name} {values.tolist()}".encode())
    return digest.hexdigest()[:16]


def _provenance(used: Statistics, presentation: AnyPresentation) -> dict[str, Any]:
    return {
        "presentation": used.presentation.to_dict(),
        "presentation_text": str(used.presentation),
        "until": used.until,
        "weights": used.weights,
        "images": used.images,
        "n_images": used.n_images,
        "seed": used.seed,
        "lesion": used.lesion,
        "change": used.change,
        "reused": not used.presentation.contains(presentation),
    }


def _finished(path: str | Path, made: dict[str, Any]) -> xr.DataTree:
    recording = open_recording(path)
    try:
        _refuse_other(path, settings(recording), made)
    except FileExistsError:
        recording.close()
        raise
    return recording


def _refuse_other(path: str | Path, there: Mapping[str, Any], made: dict[str, Any]) -> None:
    # through JSON, where tuples become lists
    different = sorted(key for key, value in json.loads(json.dumps(made)).items() if there.get(key) != value)
    if different:
        raise FileExistsError(
            f"{path} holds another recording: it differs in {different}; choose another path or remove it first"
        )
