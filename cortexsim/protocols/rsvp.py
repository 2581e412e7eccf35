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
from cortexsim._support.progress import Report, silent
from cortexsim.graph._schedule import arrival
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.protocols.conditions import fraction, interval_text, one_set, several
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images, check_images, stimulus_coordinates
from cortexsim.stimuli.presentation import AnyPresentation, sequence


def rapid_sequence(
    model: Cortex,
    data: xr.Dataset,
    *,
    n_frames: int = 8,
    steps_per_frame: int = 1,
    positions: Sequence[int] | None = None,
    until: int | None = None,
    statistics: Statistics | AnyPresentation | None = None,
    calibrate_on: Any = None,
    seed: int = 0,
    batch_size: int | None = None,
    device: Any = None,
    report: Report = silent,
) -> xr.Dataset:
    """Show streams of images (RSVP) in which one is the target, and read out at every time: many to many.

    The other frames are stimuli of other classes, drawn by (seed, target, frame) alone: a target sees the same
    distractors wherever in the stream it stands.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Targets with `label`, and their distractors.
    n_frames, steps_per_frame : int
        Length of a stream, and the steps for which each frame is shown.
    positions : sequence of int, optional
        Of the target in the stream, from 0; by default every one.
    until : int, optional
        Last time; by default when the last frame has passed, and arrived.
    statistics : Statistics or Presentation, optional
        To use on purpose.
    calibrate_on : Dataset, optional
        Images with `label`, usually of the training, of which streams are made to take the statistics on.
    seed, batch_size, device
        As for `simulate`.
    report : callable, optional
        Called before each part with the share that is done and what is done next; what it raises ends the run.

    Returns
    -------
    Dataset
        `accuracy` (position, time) with `low` and `high`, and `correct` (position, time, stimulus): whether what is
        named at a time is the target's class. NaN where the last state is empty. `lag` (position, time) is the time
        since the target's onset; before arrival (`attrs["arrival"]`) nothing of the target can be known.
        `followed` (position), with `followed_low` and `followed_high`, is the accuracy at the time at which the
        target's last step has arrived straight up, and whatever came after it has not: how well a readout keeps up with
        the stream. `logits` (position, stimulus, time, class) are all that was read out, and `picture` (position,
        stimulus, frame) says which stimulus of the data stood where.

    Raises
    ------
    ValueError
        If a number is not allowed, there are no labels, or not two classes.
    MissingStatisticsError
        If the model has no statistics for streams and `calibrate_on` is not given.
    """
    n_frames = whole(n_frames, "n_frames", 1)
    places = list(range(n_frames)) if positions is None else several("positions", positions)
    if any(place not in range(n_frames) for place in places):
        raise ValueError(f"positions must lie between 0 and {n_frames - 1}, got {places}")
    shown = sequence(steps_per_frame)
    until = n_frames * steps_per_frame - 1 + arrival(model.graph) if until is None else until
    of_streams = None if calibrate_on is None else _streams(calibrate_on, n_frames, seed + 1)
    others = _strangers(data, n_frames, seed)
    pixels, label = as_images(data), data["label"].values
    # taking statistics runs its streams once
    cost = (0 if of_streams is None else len(of_streams)) / len(label)
    if of_streams is not None:
        report(0.0, f"statistics of {len(of_streams)} other streams")
    presentation = shown.for_images(pixels[torch.from_numpy(others)])
    used = one_set(model, [presentation], statistics, of_streams, until, seed)
    shape = (len(places), len(label), until + 1)
    logits = np.full((*shape, model.n_classes), np.nan, dtype=np.float32)
    picture = np.broadcast_to(others, (len(places), *others.shape)).copy()
    for row, place in enumerate(places):
        report((cost + row) / (cost + len(places)), f"target at place {place + 1} of {n_frames}: {len(label)} streams")
        picture[row, :, place] = np.arange(len(label))
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
    read = np.asarray(np.isfinite(logits).all(-1))
    named = np.where(read[..., None], logits, 0).argmax(-1)
    correct = np.where(read, named == label[:, None], np.nan).transpose(0, 2, 1)
    summed = np.array([fraction(one) for one in correct.reshape(-1, len(label))]).T.reshape(3, *correct.shape[:2])
    times, dims = np.arange(until + 1), ("position", "time")
    lag = times - np.array(places)[:, None] * steps_per_frame
    leaving = [(place + 1) * steps_per_frame - 1 + arrival(model.graph) for place in places]
    followed = np.full((3, len(places)), np.nan)
    for row, time in enumerate(leaving):
        if time <= until:
            followed[:, row] = summed[:, row, time]
    about = {"long_name": "accuracy for the target", "units": "1", "interval": interval_text(f"{len(label)} stimuli")}
    return xr.Dataset(
        {
            "accuracy": (dims, summed[0], {**about, "n": len(label)}),
            "correct": ((*dims, "stimulus"), correct, {"long_name": "the target's class is named", "units": "1"}),
            "followed": ("position", followed[0], {**about, "n": len(label)}),
            "followed_low": ("position", followed[1]),
            "followed_high": ("position", followed[2]),
            "logits": (("position", "stimulus", "time", "class"), logits, {"long_name": "logits"}),
            "picture": (("position", "stimulus", "frame"), picture, {"long_name": "stimulus that is shown"}),
        },
        {
            "position": ("position", places, {"long_name": "position of the target in the stream", "units": "frames"}),
            "time": ("time", times, {"long_name": "time", "units": "steps"}),
            "lag": (dims, lag, {"long_name": "time since the target's onset", "units": "steps"}),
            "low": (dims, summed[1]),
            "high": (dims, summed[2]),
            "stimulus": ("stimulus", np.arange(len(label)), {"long_name": "stimulus"}),
            **stimulus_coordinates(data),
        },
        {
            "protocol": "rapid_sequence",
            "n_frames": n_frames,
            "steps_per_frame": steps_per_frame,
            "arrival": arrival(model.graph),
            "chance": 1 / model.n_classes,
            "statistics": str(used or "none"),
            "model": model.checksum(),
            "seed": seed,
        },
    )


def _streams(data: xr.Dataset, n_frames: int, seed: int) -> Tensor:
    """Draw a stream for each stimulus from those of other classes, shape (stimulus, frame, 3, height, width)."""
    chosen = _strangers(data, n_frames, seed)
    return as_images(data)[torch.from_numpy(chosen)]


def _strangers(data: xr.Dataset, n_frames: int, seed: int) -> np.ndarray:
    """Draw stimuli of other classes for each stimulus, shape (stimulus, frame)."""
    if not isinstance(data, xr.Dataset) or "label" not in data.coords:
        raise ValueError("a stream has a target among other classes: the images must be a Dataset with 'label'")
    label = data["label"].values
    check_images(as_images(data))
    if len(np.unique(label)) < 2:
        raise ValueError(f"a stream needs distractors of another class, but all labels are {label[0]}")
    drawn = randomness.uniform(seed, "distractors", torch.arange(len(label)), (n_frames,)).numpy()
    chosen = np.empty(drawn.shape, dtype=np.int64)
    for value in np.unique(label):
        strangers = np.flatnonzero(label != value)
        rows = label == value
        chosen[rows] = strangers[(drawn[rows].astype(np.float64) * len(strangers)).astype(np.int64)]
    return chosen
