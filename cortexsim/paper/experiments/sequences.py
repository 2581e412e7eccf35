"""Sequences in and out: which digit was shown k steps ago? Liao & Poggio (2016), section 3, on a task of our own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr

from cortexsim import datasets
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.part import ERROR, TIME, Bench, Part, built, fit
from cortexsim.paper.experiments.scale import Scale
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import flash, sequence
from cortexsim.training.evaluate import accuracies, asked_times
from cortexsim.training.recipe import Recipe

MODEL = "fully-recurrent-2-state"
N_FRAMES = 5
UNTIL = 6
# an image or a movie; a label at the last time or at every time
KINDS = {
    "one-to-one": (False, False),
    "one-to-many": (False, True),
    "many-to-one": (True, False),
    "many-to-many": (True, True),
}
MOST_STIMULI = 20_000


def movies(n: int, *, kind: str, lag: int, part: str, size: int, seed: int = 0) -> xr.Dataset:
    """Draw digits, or movies of digits that change at every step; the label is the digit of some steps ago.

    Parameters
    ----------
    n : int
        Number of stimuli.
    kind : str
        "one-to-one", "one-to-many" (a single digit, labelled at the last time or from the lag on), "many-to-one" or
        "many-to-many" (`N_FRAMES` digits one after the other, likewise).
    lag : int
        Steps between a frame and the time at which it is the label; of a single digit, the first labelled time.
    part : "train" or "test"
    size : int
        Side in pixels.
    seed : int

    Returns
    -------
    Dataset
        `image` (stimulus, channel, y, x) or (stimulus, frame, channel, y, x), uint8; `label` (stimulus, time), -1 at
        times without a label.
    """
    movie, many = KINDS[kind]
    n_frames = N_FRAMES if movie else 1
    drawn = datasets.digits(n * n_frames, part=part, seed=seed, debris="none", occlusion="none", size=size)
    # `digits` balances every ten of them, so one digit of a movie would reveal others
    order = torch.randperm(n * n_frames, generator=torch.Generator().manual_seed(seed)).numpy()
    pixels = drawn["image"].values[order].reshape(n, n_frames, 3, size, size)
    digits = drawn["label"].values[order].reshape(n, n_frames)
    label = np.full((n, UNTIL + 1), -1, dtype=np.int64)
    last = N_FRAMES - 1 + lag if movie else UNTIL
    for time in range(lag if many else last, min(last, UNTIL) + 1):
        label[:, time] = digits[:, time - lag if movie else 0]
    image = (
        (("stimulus", "frame", "channel", "y", "x"), pixels)
        if movie
        else (("stimulus", "channel", "y", "x"), pixels[:, 0])
    )
    attrs = {"name": "digits", "part": part, "classes": drawn.attrs["classes"]}
    return xr.Dataset({"image": image}, {"label": (("stimulus", "time"), label)}, attrs)


@dataclass(frozen=True)
class Sequence:
    """A 2-state fully recurrent network that is trained to classify what it saw some steps ago.

    Parameters
    ----------
    label : str
    kind : str
        One of `KINDS`.
    lag : int
        See `movies`.
    seed : int
    """

    label: str
    kind: str
    lag: int
    seed: int = 0

    @property
    def last(self) -> int:
        """The last labelled time."""
        return min(N_FRAMES - 1 + self.lag, UNTIL) if KINDS[self.kind][0] else UNTIL

    def recipe(self, scale: Scale, material: Material) -> Recipe:
        """Return the recipe of its training."""
        return replace(
            scale.recipe,
            augmentation="none",
            presentation=sequence(1) if KINDS[self.kind][0] else flash(1),
            loss_at="all",
            calibrate_until=self.last,
            seed=self.seed,
        )

    def do(self, bench: Bench) -> xr.Dataset:
        """Train it if it is not trained yet, and test it at every labelled time."""
        scale = bench.scale
        train, test = (
            movies(bench.material.n(part), kind=self.kind, lag=self.lag, part=part, size=scale.side, seed=self.seed)
            for part in ("train", "test")
        )
        labels = torch.from_numpy(test["label"].values)
        times = asked_times(labels) or []
        model = built(MODEL, scale, 10, seed=self.seed, readout_time=self.last).to(bench.device)
        recipe = self.recipe(scale, bench.material)
        measured, model = fit(self, model, train, recipe, bench)
        measured["n_parameters"] = model.n_parameters()
        measured["readout_time"] = model.readout_time
        found = dict.fromkeys(times, math.nan)
        if not bool(measured["diverged"]):
            images = as_images(test).to(bench.device)
            found = accuracies(model, images, labels.to(bench.device), times, recipe.presentation)
        measured["test_error"] = (("statistics", "time"), [[1 - found[time] for time in times]], ERROR)
        measured["error"] = ((), 1 - found[times[-1]], ERROR)
        return measured.assign_coords(statistics=["calibrated"], time=("time", times, TIME))


def _plan(scale: Scale, seed: int) -> tuple[Part, ...]:
    return (
        Sequence("one-to-one, asked at t = 6", "one-to-one", 1, seed),
        Sequence("one-to-many, asked from t = 1", "one-to-many", 1, seed),
        *(
            Sequence(f"{kind}, {lag} {'step' if lag == 1 else 'steps'} ago", kind, lag, seed)
            for kind in ("many-to-one", "many-to-many")
            for lag in (1, 2)
        ),
    )


SEQUENCES = Experiment(
    "sequences",
    "One or many images in, one or many answers out",
    "Can one network with one set of weights remember a digit, or say which one it saw some steps ago?",
    _plan,
    paper="The paper names the four kinds (S) and shows no result for them, so there is nothing to compare with. The "
    "task is our own: a new digit at every step, and which one was shown 1 or 2 steps ago. Statistics are taken on "
    "such sequences.",
    figures=("time", "epoch"),
    own_data="digits",
    own_name="digits without debris and occluders",
    most_stimuli=MOST_STIMULI,
    not_drawn="No point: nothing is asked at that time.",
    chance_error=0.9,
)
