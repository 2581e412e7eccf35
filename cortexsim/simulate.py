"""Show images to a model and keep what its states do: a labelled recording."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from cortexsim import __version__
from cortexsim.activity import Activity
from cortexsim.files import refuse_existing
from cortexsim.images import as_images, checksum, stimulus_coordinates
from cortexsim.model import Cortex, undisturbed
from cortexsim.presentation import SHOWN, AnyPresentation, Mixture, checked, flash
from cortexsim.recording import (
    ATTRIBUTE,
    engine_for,
    flags,
    open_recording,
    save_recording,
    settings,
)
from cortexsim.schedule import Schedule, populate, schedule
from cortexsim.silence import check_effect, silenced
from cortexsim.statistics import MissingStatisticsError, Normalize, Statistics
from cortexsim.suggest import unknown
from cortexsim.transition import Times

QUANTITIES = ("state", "rate")
DTYPES = ("float16", "float32", "float64")
TAKEN = ("activation", "channel", "class", "component", "logits", "populated", "shown", "time", "x", "y")


def simulate(
    model: Cortex,
    images: Any,
    presentation: AnyPresentation | None = None,
    *,
    until: int,
    record: Sequence[str] | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    silence: Mapping[str, Any] | None = None,
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
    record : sequence of str, optional
        States to keep; by default all. The readout is always kept.
    statistics : Statistics or Presentation, optional
        Statistics to reuse on purpose, in place of those of the presentation; the recording says so.
    silence : mapping of str to times, optional
        Transitions that deliver nothing at these times, e.g. {"V2->V1": range(3, 21)}; None as times is always.
        "forward", "lateral" or "feedback" stands for all transitions to later states, to themselves, or to earlier
        ones. One that would change nothing, since nothing is delivered then, is refused. The statistics stay those of
        the intact model.
    labels : sequence of int, optional
        Class of each stimulus.
    quantity : "state" or "rate"
        h itself, or relu(BN_t(h)), what the next areas read.
    dtype : "float16", "float32" or "float64"
        Of what is kept. Sums over float16 overflow easily: convert what you read before you add it up.
    seed : int
        Draws masks and the components of a mixture.
    device : str, optional
        Where to run; by default where the model is. The model is not moved, a copy is.
    batch_size : int, optional
        Stimuli run at once; by default up to 128.
    to : path, optional
        Write the recording there (.zarr or .nc) and return it opened lazily.
    resume : bool
        If `to` holds the finished recording of this very call, open it instead of running again.
    deterministic : bool
        Use deterministic algorithms only, so that a GPU too gives the same numbers each time.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataTree
        A node for each state with `activation` (stimulus, time, channel, y, x) and `populated` (time); node `readout`
        with `logits` (stimulus, time, class) and `populated`. NaN is empty; `populated` says so too, with dimensions
        (stimulus, time) where the stimuli of a mixture differ. `shown` says what is on the screen. The root's attribute
        `cortexsim` is JSON that says how it was made.

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
    if not isinstance(until, int) or isinstance(until, bool) or until < 1:
        raise ValueError(f"until must be a whole number of steps, at least 1, got {until!r}")
    if quantity not in QUANTITIES:
        raise ValueError(unknown("quantity", quantity, QUANTITIES))
    if dtype not in DTYPES:
        raise ValueError(unknown("dtype", dtype, DTYPES))
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if quantity == "rate" and model.normalization == "none":
        raise ValueError("quantity 'rate' is relu(BN(h)), but this model has no normalization; record 'state'")
    pixels = as_images(images)
    model.check_images(pixels)
    presentation = checked(presentation or flash(1)).for_images(pixels)
    names = _recorded(model, record)
    closed = silenced(model.graph, silence)
    check_effect(model.graph, silence, [populate(model.graph, part, until) for part in presentation.components])
    model = _placed(model, device)
    where = next(model.parameters()).device

    used = None
    if model.normalization != "none":
        used = model.find_statistics(presentation, statistics)
        if used.until < until:
            raise MissingStatisticsError(
                f"these statistics end at time {used.until} ({used}), before time {until}; "
                f"calibrate(model, images, until={until}, presentation=...)"
            )
    planned = _planned(model, presentation, until, names, closed)
    if used is not None:
        used.check(planned)
    batch_size = min(batch_size or 128, len(pixels))
    coordinates = _coordinates(images, labels, len(pixels), until, presentation, seed)
    made = {
        "version": __version__,
        "graph": model.graph.to_dict(),
        "model": model.checksum(),
        "readout_time": model.readout_time,
        "presentation": presentation.to_dict(),
        "presentation_text": str(presentation),
        "statistics": used and _provenance(used, presentation),
        "images": checksum(pixels),
        "until": until,
        "record": names,
        "silence": {name: times.intervals for name, times in closed.items()},
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
        engine_for(to)
        if resume and Path(to).exists():
            return _finished(to, made)
        refuse_existing(to)
    _refuse_too_large(model, len(pixels), until, names, dtype)
    arrays = _empty_arrays(model, len(pixels), until, names, dtype)
    with undisturbed(model), torch.no_grad(), _deterministic(deterministic):
        # the mode is evaluation now, so this takes the stored statistics
        normalize = model.normalizer(presentation, used)
        batches = torch.arange(len(pixels)).split(batch_size)
        for index in _with_bar(batches) if progress else batches:
            frames = presentation.frames(
                pixels[index].to(where), until, seed=seed, index=index.to(where), others=pixels
            )
            for time, h in enumerate(model.unroll(frames, planned, normalize)):
                _keep(arrays, model, h, index, time, names, quantity, normalize)
    recording = _recording(model, arrays, coordinates, presentation, planned, closed, made, seed)
    if to is None:
        return recording
    save_recording(recording, to)
    return open_recording(to)


def estimate(
    model: Cortex, n_stimuli: int, *, until: int, record: Sequence[str] | None = None, dtype: str = "float32"
) -> int:
    """Return the bytes that a recording takes in memory."""
    units = sum(s.features * s.height * s.width for s in model.graph.states if s.name in _recorded(model, record))
    return n_stimuli * (until + 1) * (units + model.n_classes) * np.dtype(dtype).itemsize


def _refuse_too_large(model: Cortex, n: int, until: int, names: list[str], dtype: str) -> None:
    import psutil

    needed = estimate(model, n, until=until, record=names, dtype=dtype)
    free = psutil.virtual_memory().available
    if needed > 0.9 * free:
        half = "" if dtype == "float16" else ", dtype='float16'"
        fits = int(n * 0.9 * free / needed)
        raise MemoryError(
            f"recording {n} stimuli at {until + 1} times of {', '.join(names) or 'the readout'} takes "
            f"{needed / 1e9:,.1f} GB, but {free / 1e9:,.1f} GB of memory is free; record fewer states (record=[...])"
            f"{half}, fewer times (until=...), or fewer stimuli (at most {fits})"
        )


def _with_bar(batches: Sequence[Tensor]) -> Iterable[Tensor]:
    from tqdm.auto import tqdm

    return tqdm(batches, desc="simulating", unit="batch")


def _recorded(model: Cortex, record: Sequence[str] | None) -> list[str]:
    if record is None:
        return model.graph.state_names
    if isinstance(record, str):
        raise TypeError(f"record must be a sequence of states, such as [{record!r}], got {record!r}")
    record = list(record)
    strangers = [name for name in record if name not in model.graph.state_names]
    if strangers:
        raise ValueError(f"cannot record {strangers}: the states are {model.graph.state_names}")
    return [name for name in model.graph.state_names if name in record]


def _placed(model: Cortex, device: str | torch.device | None) -> Cortex:
    if device is None:
        return model
    where = checked_device(device)
    here = next(model.parameters()).device
    if where.type == here.type and where.index in (None, here.index):
        return model
    return copy.deepcopy(model).to(where)


def checked_device(device: str | torch.device) -> torch.device:
    """Return a device that is there.

    Raises
    ------
    ValueError
        If it is unknown or absent; the message says what there is.
    """
    there = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    try:
        where = torch.device(device)
    except RuntimeError:
        raise ValueError(unknown("device", device, there)) from None
    if where.type not in {name.split(":")[0] for name in there} or (
        where.index is not None and where.type == "cuda" and where.index >= torch.cuda.device_count()
    ):
        raise ValueError(f"device {str(device)!r} was asked for, but this machine has {there}")
    return where


def _planned(
    model: Cortex, presentation: AnyPresentation, until: int, names: list[str], closed: dict[str, Times]
) -> Schedule:
    fronts = [populate(model.graph, component, until, closed) for component in presentation.components]
    readable = {time for time in range(until + 1) if any(model.graph.last in front[time] for front in fronts)}
    wanted = {name: set(range(until + 1)) for name in names}
    wanted[model.graph.last] = wanted.get(model.graph.last, set()) | readable
    planned = schedule(model.graph, (), presentation, record=wanted, until=until, silence=closed)
    model.check_weights(planned)
    return planned


def _coordinates(
    images: Any, labels: Sequence[int] | None, n: int, until: int, presentation: AnyPresentation, seed: int
) -> dict[str, Any]:
    coordinates: dict[str, Any] = {
        "stimulus": xr.Variable("stimulus", np.arange(n), {"long_name": "stimulus"}),
        "time": xr.Variable("time", np.arange(until + 1), {"long_name": "time", "units": "steps"}),
        **stimulus_coordinates(images),
    }
    taken = sorted({*TAKEN} & {*stimulus_coordinates(images)})
    if taken:
        raise ValueError(f"the images' coordinates {taken} have names that a recording uses itself; rename them")
    if labels is not None:
        given = np.asarray(labels)
        if given.shape != (n,):
            raise ValueError(f"labels must be one for each of the {n} stimuli, got shape {given.shape}")
        coordinates["label"] = xr.Variable("stimulus", given, {"long_name": "class"})
    shown = np.array([[SHOWN.index(part.shown(time)) for time in range(until + 1)] for part in presentation.components])
    if isinstance(presentation, Mixture):
        drawn = presentation.draw(seed, torch.arange(n)).numpy()
        coordinates["component"] = xr.Variable("stimulus", drawn, {"long_name": "component of the mixture"})
        coordinates["shown"] = flags(shown[drawn], ("stimulus", "time"))
    else:
        coordinates["shown"] = flags(shown[0], ("time",))
    return coordinates


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
        "change": used.change,
        "reused": not used.presentation.contains(presentation),
    }


def _finished(path: str | Path, made: dict[str, Any]) -> xr.DataTree:
    recording = open_recording(path)
    there = settings(recording)
    # through JSON, where tuples become lists
    different = sorted(key for key, value in json.loads(json.dumps(made)).items() if there.get(key) != value)
    if different:
        recording.close()
        raise FileExistsError(
            f"{path} holds another recording: it differs in {different}; choose another path or remove it first"
        )
    return recording


def _empty_arrays(model: Cortex, n: int, until: int, names: list[str], dtype: str) -> dict[str, np.ndarray]:
    states = [state for state in model.graph.states if state.name in names]
    shapes: dict[str, tuple[int, ...]] = {s.name: (n, until + 1, s.features, s.height, s.width) for s in states}
    shapes["readout"] = (n, until + 1, model.n_classes)
    return {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}


def _keep(
    arrays: dict[str, np.ndarray],
    model: Cortex,
    h: Mapping[str, Activity],
    index: Tensor,
    time: int,
    names: list[str],
    quantity: str,
    normalize: Normalize,
) -> None:
    for name in names:
        if name in h:
            values = h[name].values
            kept = F.relu(normalize(values, name, time)) if quantity == "rate" else values
            _write(arrays[name], kept, h[name], index, time, name)
    if model.graph.last in h:
        last = h[model.graph.last]
        logits = model.post(last.values, model.graph.last, time, normalize)
        _write(arrays["readout"], logits, last, index, time, "readout")


def _write(array: np.ndarray, values: Tensor, at: Activity, index: Tensor, time: int, name: str) -> None:
    stimuli = (index if at.rows is None else index[at.rows]).numpy()
    array[stimuli, time] = _cast(values, array.dtype, name, time)


def _cast(values: Tensor, dtype: np.dtype, name: str, time: int) -> np.ndarray:
    wide = values.detach().cpu().double() if values.dtype == torch.float64 else values.detach().cpu().float()
    with np.errstate(over="ignore"):
        cast = wide.numpy().astype(dtype)
    if dtype == np.float16 and np.isinf(cast).any():
        raise ValueError(
            f"{name} reaches {float(wide.abs().max()):.3g} at time {time}, too large for float16; use dtype='float32'"
        )
    return cast


def _recording(
    model: Cortex,
    arrays: dict[str, np.ndarray],
    coordinates: dict[str, Any],
    presentation: AnyPresentation,
    planned: Schedule,
    closed: dict[str, Times],
    made: dict[str, Any],
    seed: int,
) -> xr.DataTree:
    fronts = [populate(model.graph, part, planned.until, closed) for part in presentation.components]
    nodes: dict[str, xr.Dataset] = {}
    for name, values in arrays.items():
        state = model.graph.last if name == "readout" else name
        front = np.array([[state in states for states in part] for part in fronts])
        if (front == front[0]).all():
            populated = xr.Variable("time", front[0])
        else:
            populated = xr.Variable(("stimulus", "time"), front[coordinates["component"].values])
        populated.attrs["long_name"] = "holds activity (not empty)"
        if name == "readout":
            variable = xr.Variable(("stimulus", "time", "class"), values, {"long_name": "logits"})
            variables = {"logits": variable, "populated": populated}
            own = {"class": np.arange(model.n_classes)}
        else:
            text = f"{'rate' if made['quantity'] == 'rate' else 'activation'} of {name}"
            dims = ("stimulus", "time", "channel", "y", "x")
            variables = {
                "activation": xr.Variable(dims, values, {"long_name": text, "units": "a.u."}),
                "populated": populated,
            }
            own = {}
        # on every node: coordinates without an index are not inherited, and a node taken alone loses its parent
        nodes[name] = xr.Dataset(variables, {**coordinates, **own})
    root = xr.Dataset(attrs={ATTRIBUTE: json.dumps(made)})
    return xr.DataTree.from_dict({"/": root, **nodes})


@contextmanager
def _deterministic(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )
    # on a GPU torch refuses the final layer's product without this
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace or ":4096:8"
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        if workspace is None:
            del os.environ["CUBLAS_WORKSPACE_CONFIG"]
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = before[2]
