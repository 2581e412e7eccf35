"""Rapid serial visual presentation: a target among distractors in a stream, read out at every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support import randomness
from cortexsim._support.checks import whole
from cortexsim._support.progress import Report, checked, silent
from cortexsim._support.renamed import formerly
from cortexsim.analyse.interval import interval_variables
from cortexsim.analyse.repeats import fraction_of_rows
from cortexsim.graph._schedule import arrival
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.model.classes import matched
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.moments import Statistics
from cortexsim.protocols.conditions import (
    distinct,
    fraction_correct,
    interval_text,
    refuse_maps,
    refuse_names,
    refuse_other_labels,
    shared_statistics,
)
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images, check_images, stimulus_coordinates, without_levels
from cortexsim.stimuli.presentation import AnyPresentation, sequence

OTHER = "other"
# names in the result
RESERVED = (
    "accuracy",
    "arriving",
    "class",
    "correct",
    "followed",
    "followed_high",
    "followed_low",
    "frame",
    "high",
    "item",
    "lag",
    "logits",
    "low",
    "picture",
    "position",
    "reported",
    "reported_high",
    "reported_low",
    "time",
)


@formerly(told="report")
def rapid_sequence(
    model: Cortex,
    data: xr.Dataset,
    *,
    n_frames: int = 8,
    steps_per_frame: int = 1,
    positions: Sequence[int] | None = None,
    until: int | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    calibrate_on: xr.Dataset | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
    report: Report = silent,
) -> xr.Dataset:
    """Show streams of images (RSVP) in which one is the target, and read out at every time: many to many.

    The other frames are stimuli of other classes, drawn by (seed, target, frame) alone: a target has the same
    distractors at every position.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Targets with `label`, and their distractors.
    n_frames, steps_per_frame : int
        Length of a stream, and the steps for which each frame is shown.
    positions : sequence of int, optional
        Of the target in the stream, from 0; by default all.
    until : int, optional
        Last time; by default that at which the end of the last frame has arrived.
    statistics : Statistics or Presentation, optional
        To use instead of the model's own.
    calibrate_on : Dataset, optional
        Images with `label`, usually training images, of which streams are made to take the statistics on.
    seed, batch_size, device
        As for `simulate`.
    report : callable, optional
        Called before each part with the fraction that is done and a message; an exception from it stops the run.

    Returns
    -------
    Dataset
        `accuracy` (position, time) with `low` and `high`, and `correct` (position, time, stimulus): whether the class
        that is read out at a time is the target's. NaN where the last state is empty. `lag` (position, time) is the
        time since the target's onset; before arrival (`attrs["arrival"]`) the readout cannot depend on the target.
        `followed` (position), with `followed_low` and `followed_high`, is the accuracy at the time at which the
        target's last step has arrived by the shortest path, and nothing that came after it: how well a readout keeps up
        with the stream. `reported` (arriving, item), with its ends: at that time for each item in turn, over all
        streams, the share in which the class that is read out is that of each item, or of none that can have arrived
        ("other"); the interval is over targets, because the streams of one target share their distractors. `logits`
        (position, stimulus, time, class) is everything that was read out, and `picture` (position, stimulus, frame) is
        the index of the stimulus in each frame.

    Raises
    ------
    ValueError
        If a number is not allowed, there are no labels, or fewer than two classes.
    MissingStatisticsError
        If the model has no statistics for streams and `calibrate_on` is not given.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(10, part="test")
    >>> model = cs.zoo.load("ventral-stream-digits")
    >>> train = cs.datasets.digits(40)
    >>> result = cs.protocols.rapid_sequence(model, digits, n_frames=3, steps_per_frame=2, calibrate_on=train)
    >>> dict(result["accuracy"].sizes)
    {'position': 3, 'time': 9}
    """
    model = the_cortex(model, "rapid_sequence")
    refuse_maps(model, "a stream")
    n_frames = whole(n_frames, "n_frames", 1, limit=MOST_STEPS)
    listed = range(n_frames) if positions is None else distinct("positions", positions)
    places = [whole(place, "a position") for place in listed]
    if any(place not in range(n_frames) for place in places):
        raise ValueError(f"positions must lie between 0 and {n_frames - 1}, got {places}")
    steps_per_frame = whole(steps_per_frame, "steps_per_frame", 1, unit="steps")
    shown = sequence(steps_per_frame)
    if isinstance(data, xr.Dataset):
        data = matched(model, without_levels(data))
    until = n_frames * steps_per_frame - 1 + arrival(model.graph) if until is None else until
    until, seed = whole(until, "until", 1, unit="steps", limit=MOST_STEPS), whole(seed, "seed")
    report = checked(report)
    refuse_names(data, RESERVED)
    calibration = None if calibrate_on is None else _streams(calibrate_on, n_frames, seed + 1)
    distractors = _distractors(data, n_frames, seed)
    pixels, n = as_images(data), len(distractors)
    # taking statistics runs its streams once
    cost = 0.0 if calibration is None else len(calibration) / n
    if calibration is not None:
        report(0.0, f"statistics of {len(calibration)} other streams")
    presentation = shown.for_images(pixels[torch.from_numpy(distractors)])
    used = shared_statistics(model, [presentation], statistics, calibration, until, seed)
    logits = np.full((len(places), n, until + 1, model.n_classes), np.nan, dtype=np.float32)
    picture = np.broadcast_to(distractors, (len(places), *distractors.shape)).copy()
    for row, place in enumerate(places):
        report((cost + row) / (cost + len(places)), f"target at position {place + 1} of {n_frames}: {n} streams")
        picture[row, :, place] = np.arange(n)
        recording = simulate(
            model,
            pixels[torch.from_numpy(picture[row])],
            shown,
            until=until,
            record=[],
            statistics=used,
            seed=seed,
            batch_size=batch_size,
            device=device,
        )
        logits[row] = recording["readout"].to_dataset()["logits"].values
    about = {
        "protocol": "rapid_sequence",
        "n_frames": n_frames,
        "steps_per_frame": steps_per_frame,
        "arrival": arrival(model.graph),
        "chance": 1 / model.n_classes,
        "statistics": str(used or "none"),
        "model": model.checksum(),
        "seed": seed,
    }
    return _table(data, places, logits, picture, about)


def _table(
    data: xr.Dataset, places: list[int], logits: np.ndarray, picture: np.ndarray, about: dict[str, Any]
) -> xr.Dataset:
    """Compare what is read out at each time with the target's class."""
    label, (n, n_times) = data["label"].values, logits.shape[1:3]
    read = np.asarray(np.isfinite(logits).all(-1))
    predicted = np.where(read[..., None], logits, 0).argmax(-1)
    correct = np.where(read, predicted == label[:, None], np.nan).transpose(0, 2, 1)
    accuracy = np.array([fraction_correct(one) for one in correct.reshape(-1, n)]).T.reshape(3, *correct.shape[:2])
    onset, steps = np.array(places) * about["steps_per_frame"], about["steps_per_frame"]
    # the last time at which nothing that came after the target can have arrived
    followed = np.full((3, len(places)), np.nan)
    for row, time in enumerate(onset + steps - 1 + about["arrival"]):
        if time < n_times:
            followed[:, row] = accuracy[:, row, time]
    times, dims = np.arange(n_times), ("position", "time")
    words = {"long_name": "accuracy for the target", "units": "1", "interval": interval_text(f"{n} stimuli"), "n": n}
    return xr.Dataset(
        {
            "accuracy": (dims, accuracy[0], words),
            "correct": (
                (*dims, "stimulus"),
                correct,
                {"long_name": "the target is classified correctly", "units": "1"},
            ),
            "followed": ("position", followed[0], words),
            "followed_low": ("position", followed[1]),
            "followed_high": ("position", followed[2]),
            **_reported(label, predicted, read, picture, about),
            "logits": (("position", "stimulus", "time", "class"), logits, {"long_name": "logits"}),
            "picture": (("position", "stimulus", "frame"), picture, {"long_name": "stimulus that is shown"}),
        },
        {
            "position": ("position", places, {"long_name": "position of the target in the stream", "units": "frames"}),
            "time": ("time", times, {"long_name": "time", "units": "steps"}),
            "arriving": (
                "arriving",
                np.arange(1, about["n_frames"] + 1),
                {"long_name": "item whose last step arrives"},
            ),
            "item": (
                "item",
                [*map(str, range(1, about["n_frames"] + 1)), OTHER],
                {"long_name": "item whose class is reported"},
            ),
            "lag": (dims, times - onset[:, None], {"long_name": "time since the target's onset", "units": "steps"}),
            "low": (dims, accuracy[1]),
            "high": (dims, accuracy[2]),
            "stimulus": ("stimulus", np.arange(n), {"long_name": "stimulus"}),
            **stimulus_coordinates(data),
        },
        about,
    )


def _reported(
    label: np.ndarray, predicted: np.ndarray, read: np.ndarray, picture: np.ndarray, about: dict[str, Any]
) -> dict[str, Any]:
    """Count which item's class is reported as each item's last step has arrived; see `rapid_sequence`."""
    n_frames, steps = about["n_frames"], about["steps_per_frame"]
    classes = label[picture]
    n_places, n = classes.shape[:2]
    shares = np.full((3, n_frames, n_frames + 1), np.nan)
    for place in range(n_frames):
        time = (place + 1) * steps - 1 + about["arrival"]
        if time >= predicted.shape[2] or not read[:, :, time].all():
            continue
        # of two items of one class, the later one; items that cannot have arrived yet count as others
        same = classes[..., place::-1] == predicted[:, :, time, None]
        item = np.where(same.any(-1), place - same.argmax(-1), n_frames)
        # the streams of one target share all other pictures, so they are not independent
        shares[:, place] = fraction_of_rows(np.bincount(item.ravel(), minlength=n_frames + 1), n_places * n, n)
    over = f"{n} targets, in {n_places * n} streams"
    words = {"long_name": "streams", "units": "1", "interval": interval_text(over), "n": n}
    return interval_variables("reported", ("arriving", "item"), shares, words)


def _streams(data: xr.Dataset, n_frames: int, seed: int) -> Tensor:
    """Draw a stream for each stimulus from those of other classes, shape (stimulus, frame, 3, height, width)."""
    chosen = _distractors(data, n_frames, seed)
    return as_images(data)[torch.from_numpy(chosen)]


def _distractors(data: xr.Dataset, n_frames: int, seed: int) -> np.ndarray:
    """Draw stimuli of other classes for each stimulus, shape (stimulus, frame)."""
    if not isinstance(data, xr.Dataset) or "label" not in data.coords:
        raise ValueError("a stream has a target among other classes: the images must be a Dataset with 'label'")
    refuse_other_labels(data)
    label = data["label"].values
    check_images(as_images(data))
    if len(np.unique(label)) < 2:
        raise ValueError(f"a stream needs distractors of another class, but all labels are {label[0]}")
    drawn = randomness.uniform(seed, "distractors", torch.arange(len(label)), (n_frames,)).numpy()
    chosen = np.empty(drawn.shape, dtype=np.int64)
    for value in np.unique(label):
        others = np.flatnonzero(label != value)
        rows = label == value
        chosen[rows] = others[(drawn[rows].astype(np.float64) * len(others)).astype(np.int64)]
    return chosen
