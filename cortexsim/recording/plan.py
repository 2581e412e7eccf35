"""The plan of a recording: the run, the selection to record, and the provenance."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike

from cortexsim import __version__
from cortexsim._support.checks import finite, one_of, truth, whole
from cortexsim._support.class_numbers import DifferentClassesError, DifferentClassesWarning, class_names
from cortexsim._support.hashing import checksum
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.classes import classes_of, matched, numbers_of
from cortexsim.model.cortex import Cortex
from cortexsim.model.devices import placed
from cortexsim.model.hooks import Intervention
from cortexsim.model.lesions import check_lesion, describe_lesion, with_lesion
from cortexsim.model.moments import Statistics
from cortexsim.model.plan import Amount, Images, RunPlan, plan_run, resolve
from cortexsim.recording.build import coordinates_of
from cortexsim.recording.dtypes import DTYPES
from cortexsim.recording.selection import Record, Selection, as_record, fitting_batch, selections
from cortexsim.stimuli.presentation import AnyPresentation

QUANTITIES = ("state", "rate")


@dataclass(frozen=True, eq=False)
class RecordingPlan:
    """A run, and its recording. Create it with `plan_recording`.

    Parameters
    ----------
    run : RunPlan
    hook : Intervention
        Noise and gains, without the means of a mean-replaced lesion, which must be measured first.
    means_on : Tensor, Dataset or None
        The images on which these means are measured; None without a mean-replaced lesion.
    selected : dict of str to Selection
        The recorded part of each state.
    repeats : int
        Rows of the recording for each stimulus.
    quantity, dtype : str
    batch_size : int
        Number of rows run at once.
    coordinates : dict of str to Variable
        Coordinates of rows and times, and the screen content.
    provenance : dict
        The provenance, as plain values, which is saved in the recording.
    """

    run: RunPlan
    hook: Intervention
    means_on: Images | None
    selected: dict[str, Selection]
    repeats: int
    quantity: str
    dtype: str
    batch_size: int
    coordinates: dict[str, xr.Variable]
    provenance: dict[str, Any]

    @property
    def n(self) -> int:
        """The number of rows: stimuli x repeats."""
        return len(self.run.images) * self.repeats

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the recorded states, (stimulus, time, ...), and of the readout."""
        n, n_times = self.n, self.run.until + 1
        shapes = {name: (n, n_times, *selection.shape) for name, selection in self.selected.items()}
        return {**shapes, "readout": (n, n_times, *self.run.model.readout_shape)}


def plan_recording(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation | None,
    *,
    until: int,
    record: Record | None,
    statistics: Statistics | AnyPresentation | None,
    silence: Mapping[str, Any] | None,
    lesion: str,
    calibrate_on: Images | None,
    gain: Mapping[str, Amount] | None,
    transition_noise: Mapping[str, Amount] | None,
    noise: float,
    repeats: int,
    labels: ArrayLike | None,
    quantity: str,
    dtype: str,
    seed: int,
    device: str | torch.device | None,
    batch_size: int | None,
    deterministic: bool,
) -> RecordingPlan:
    """Check the arguments of `simulate`, and plan the recording; parameters as for `simulate`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message says what is.
    MissingStatisticsError
        If no statistics match, or they end before `until`.
    """
    until = whole(until, "until", 1, unit="steps", limit=MOST_STEPS)
    seed = whole(seed, "seed")
    one_of(quantity, "quantity", QUANTITIES)
    one_of(dtype, "dtype", DTYPES)
    deterministic = truth(deterministic, "deterministic")
    batch_size = None if batch_size is None else whole(batch_size, "batch_size", 1)
    pixels, presentation = resolve(model, images, presentation)
    selected = selections(model.graph, record)
    noise, repeats = _checked_noise(noise, repeats, transition_noise)
    run = plan_run(
        placed(model, device),
        pixels,
        presentation,
        until=until,
        record={name: range(until + 1) for name in [*selected, model.graph.last]},
        silence=silence,
        gain=gain,
        transition_noise=transition_noise,
        silence_runs=lesion == "mean-replaced",
        refuse_no_effect=True,
        seed=seed,
    )
    done = run.interventions
    check_lesion(lesion, done, calibrate_on, statistics)
    run, spread = with_lesion(run, lesion, statistics, calibrate_on, noisy=bool(noise or done.noisy))
    hook = Intervention(noise, done.scaled, done.noisy, {}, spread, seed)
    hook.check(run.schedule)
    if batch_size is None:
        batch_size = fitting_batch(model, until, as_record(selected), dtype)
    batch_size = min(batch_size, len(pixels) * repeats)
    images, labels = _classified(model, images, labels, len(pixels))
    coordinates = coordinates_of(images, labels, len(pixels), until, presentation, seed, repeats)
    provenance = {
        **_provenance(run, model),
        "record": as_record(selected),
        "lesion": describe_lesion(lesion, done, run.statistics, calibrate_on),
        "noise": noise,
        "noise_units": "standard deviations of the channel of the state at this time, "
        + ("by the intact statistics" if model.needs_statistics else "in the intact model, on these stimuli"),
        "repeats": repeats,
        "quantity": quantity,
        "dtype": dtype,
        "batch_size": batch_size,
        "deterministic": deterministic,
        "coordinates": _checksum(coordinates),
        "classes": _classes(model, images, labelled="label" in coordinates),
    }
    means_on = calibrate_on if lesion == "mean-replaced" else None
    return RecordingPlan(run, hook, means_on, selected, repeats, quantity, dtype, batch_size, coordinates, provenance)


def _checked_noise(noise: float, repeats: int, transition_noise: Mapping[str, Amount] | None) -> tuple[float, int]:
    noise, repeats = finite(noise, "noise", 0, unit="standard deviations"), whole(repeats, "repeats", 1)
    if repeats > 1 and not noise and not transition_noise:
        raise ValueError(f"{repeats} repeats without noise would all be equal; give noise=..., or repeats=1")
    return noise, repeats


def _provenance(run: RunPlan, model: Cortex) -> dict[str, Any]:
    """Describe a run as plain values, with the checksum of the original model even if a recalibrated copy runs."""
    used, done = run.statistics, run.interventions
    return {
        "version": __version__,
        "graph": model.graph.to_dict(),
        # matching statistics contain the checksum of the model, which is slow to compute for a large model
        "model": model.checksum() if used is None else used.weights,
        "readout_time": model.readout_time,
        "presentation": run.presentation.to_dict(),
        "presentation_text": str(run.presentation),
        "statistics": used and _describe_statistics(used, run),
        "images": checksum(run.images),
        "until": run.until,
        "silence": {name: times.intervals for name, times in done.closed.items()},
        "gain": {name: [amount, times.intervals] for name, (amount, times) in done.scaled.items()},
        "transition_noise": {name: [amount, times.intervals] for name, (amount, times) in done.noisy.items()},
        "seed": run.seed,
        "device": str(next(run.model.parameters()).device),
        "input_gain": model.input_gain,
        "normalization": model.normalization,
    }


def _describe_statistics(used: Statistics, run: RunPlan) -> dict[str, Any]:
    # the same weights with other transitions, such as another shortcut, have other activity
    of_another = json.loads(used.graph) != json.loads(json.dumps(run.model.graph.to_dict()))
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
        "reused": not used.presentation.contains(run.presentation),
        **({"graph": used.graph} if of_another else {}),
    }


def _classified(model: Cortex, images: Images, labels: ArrayLike | None, n: int) -> tuple[Images, np.ndarray | None]:
    """Return the images and labels with the class numbers of the model, if class names are known.

    A model can be shown images of classes that it does not have: their labels are recorded as names, which cannot be
    confused with classes of the readout.
    """
    given = None if labels is None else numbers_of(model, labels, images, n)
    if not isinstance(images, xr.Dataset):
        return images, given
    own_label = images["label"] if "label" in images.coords and images["label"].dims == ("stimulus",) else None
    if given is not None and own_label is not None and np.array_equal(given, own_label.values):
        given = None  # the label of the images, by their own numbers
    if given is not None:
        _warn_of_other_numbers(model, images, given)
    if own_label is None or given is not None:
        return images, given
    texts = images["label"].dtype.kind in "UO"
    if classes_of(model) is None or not (texts or "classes" in images.attrs):
        return images, given
    try:
        return matched(model, images), given
    except DifferentClassesError as error:
        warnings.warn(f"{error}; the labels are recorded as names", DifferentClassesWarning, stacklevel=4)
    if texts:
        return images, given
    named = np.array(class_names(images.attrs["classes"]))[images["label"].values.astype(int)]
    return images.assign_coords(
        label=("stimulus", named, {"long_name": "class of the image, none of the model's"})
    ), given


def _classes(model: Cortex, images: Images, *, labelled: bool) -> list[str] | None:
    """Return the class names of the readout: those of the model, otherwise those of the images, if they fit."""
    own = classes_of(model)
    if own is not None or not isinstance(images, xr.Dataset) or "classes" not in images.attrs:
        return own
    names = class_names(images.attrs["classes"])
    if len(names) == model.n_classes:
        return names
    if not labelled:
        return None
    warnings.warn(
        f"the images have {len(names)} classes, {names[:10]}, but the model reads out {model.n_classes} without names: "
        "labels are taken for their numbers; name them in model.classes",
        DifferentClassesWarning,
        stacklevel=4,
    )
    return None


def _warn_of_other_numbers(model: Cortex, images: xr.Dataset, labels: np.ndarray) -> None:
    """Warn if class numbers that are given separately could refer to the images' classes instead of the model's."""
    own = classes_of(model)
    if own is None or "classes" not in images.attrs or labels.dtype.kind not in "iu":
        return
    given = class_names(images.attrs["classes"])
    if given != own and labels.max(initial=0) < len(given):
        warnings.warn(
            f"labels= are numbers, taken for those of the model's classes, {own[:10]}, and not of the images' classes, "
            f"{given[:10]}, which are in another order; pass the names of classes instead",
            DifferentClassesWarning,
            stacklevel=4,
        )


def _checksum(coordinates: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(coordinates):
        values = np.asarray(coordinates[name])
        digest.update(f"{name} {values.tolist()}".encode())
    return digest.hexdigest()[:16]
