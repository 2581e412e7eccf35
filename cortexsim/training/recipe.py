"""Recipes of trainings: one frozen dataclass, the paper's recipe and quick ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from cortexsim._support.checks import finite, is_whole, one_of, shown, truth, unknown, whole
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.stimuli.presentation import AnyPresentation, Mixture, Presentation, flash, sustained
from cortexsim.stimuli.text import from_dict

ALLOWED = {
    "optimizer": ("sgd", "adamw"),
    "plan": ("steps", "one-cycle", "cosine"),
    "augmentation": ("none", "crop", "flip", "crop-flip", "turn-flip"),
    "precision": ("auto", "float32", "bfloat16"),
}
ADDED = ("recompute", "progressive", "background", "clip_norm")
MOST_EPOCHS = 100_000
MOST = 1_000_000_000  # images
LARGEST_SEED = 2**31  # multiplied by a million, plus a step's number, it is still a valid seed for torch
LOWEST = 0.02  # of the highest learning rate, with a cosine
LOSS_AT = ("readout", "all")
PLANS = {"growth", "unfolding", "curriculum"}


@dataclass(frozen=True)
class Recipe:
    """The recipe of a training.

    Parameters
    ----------
    epochs : int
        Passes over the training images.
    batch_size : int
        Images per step; a remainder that does not fill a batch is left out of that epoch.
    optimizer : "sgd" (Nesterov unless `nesterov` is False) or "adamw"
    learning_rate : float
        The highest one.
    plan : "one-cycle", "cosine" or "steps"
        Schedule of the learning rate. "one-cycle": a linear rise over the first `warmup` of the training, then a linear
        fall to 0. "cosine": the same rise, and a fall along half a cosine to a fiftieth. "steps": a tenth after 2/3 of
        the training, a hundredth after 5/6.
    warmup : float
        Fraction of the training in which "one-cycle" and "cosine" rise.
    momentum, nesterov, weight_decay
        As in torch.optim; the decay is on kernels and the final layer, not on scales and shifts.
    augmentation : "none", "crop", "flip", "crop-flip" or "turn-flip"
        Crop: pad 4 with black, random crop. Flip: left to right. Turn: by quarters. Drawn for each image and epoch;
        target maps are cropped, flipped and turned with their images, all frames of a movie alike.
    label_smoothing : float
    loss_at : "all", "readout" or int
        Cross-entropy averaged over all times from arrival to the readout time, at the readout time only, or averaged
        over this many last times.
    progressive : (float, int), optional
        `(share, most)`: in this share of the batches, drawn at random, the model first runs 1 to `most` steps without
        gradients, and then for its usual time; the loss is at the times after these steps. It makes answers stable, and
        later times continue the computation of earlier ones (Bansal et al. 2022).
    background : float
        Of target maps, the weight of all pixels off the line together; that of those on the line is 1, the same for
        every class.
    clip_norm : float, optional
        Gradients are scaled down to this norm where they exceed it.
    presentation : Presentation or Mixture
        The presentation in training.
    precision : "auto", "bfloat16" or "float32"
        Of activity in training (autocast); weights are float32. "auto" is bfloat16 where the machine computes with it
        (most GPUs, server CPUs with AVX512-BF16), else float32: emulated, bfloat16 takes several times as long.
    recompute : bool
        Store only the states for the gradients, and compute the rest of each step again in the backward pass: memory
        then hardly grows with the readout time, and a step takes about a fifth longer. It learns the same, and a
        training that was stopped may continue either way.
    growth : tuple of (float, float)
        `(from, scale)`: from this fraction of the training on, images are shrunk to this scale of their side, which
        trains faster; masks are made of the shrunk images. The last scale must be 1.
    unfolding : tuple of (float, int or None)
        `(from, time)`: from this fraction of the training on, readouts up to this time are trained. Short paths come
        first: the feedforward sweep is learned fastest. The last time must be None: the readout time.
    curriculum : tuple of (float, float)
        `(from, share)`: from this fraction of the training on, images are drawn from this share of them, the easiest.
        The last share must be 1.
    difficulty : str, optional
        The coordinate of the data that says how difficult an image is, e.g. "curve_length"; a curriculum needs it.
    validation : float
        Fraction of the training images held out to validate on, balanced over classes; 0 is none.
    calibration_images : int
        Training images on which statistics are taken at the end (a tenth of them at each epoch's end).
    calibrate_until : int or None
        Last time that is calibrated; None is twice the readout time.
    seed : int
        Draws order, augmentation, masks and the validation split.

    Examples
    --------
    >>> import cortexsim as cs
    >>> recipe = cs.Recipe(epochs=2, learning_rate=0.05, presentation=cs.masked(1, 3))
    >>> recipe.batch_size
    128
    """

    epochs: int = 10
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    plan: str = "one-cycle"
    warmup: float = 0.25
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    augmentation: str = "crop-flip"
    label_smoothing: float = 0.1
    loss_at: str | int = "all"
    progressive: tuple[float, int] | None = None
    background: float = 0.1
    clip_norm: float | None = None
    presentation: AnyPresentation = field(default_factory=flash)
    precision: str = "auto"
    recompute: bool = False
    growth: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    unfolding: tuple[tuple[float, int | None], ...] = ((0.0, None),)
    curriculum: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    difficulty: str | None = None
    validation: float = 0.02
    calibration_images: int = 2000
    calibrate_until: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in ALLOWED.items():
            one_of(getattr(self, name), name, allowed)
        if not isinstance(self.presentation, Presentation | Mixture):
            raise TypeError(
                f"presentation must be a Presentation or Mixture, such as flash(1), got {shown(self.presentation)}"
            )
        self._check_numbers()
        self._check_loss()
        for name, what in (("growth", "scale"), ("curriculum", "share")):
            plan = _pairs(getattr(self, name), lambda value: finite(value, "value", 0, 1))
            if plan is None or not _in_order(plan) or not all(value > 0 for _, value in plan) or plan[-1][1] != 1:
                raise ValueError(
                    f"{name} must be (from, {what}) pairs from 0.0 on, in order, with {what}s up to 1 and the last "
                    f"one 1, got {shown(getattr(self, name))}"
                )
            object.__setattr__(self, name, plan)
        unfolding = _pairs(self.unfolding, lambda value: None if value is None else whole(value, "time", 1))
        earlier = [time for _, time in unfolding[:-1]] if unfolding else []
        if (
            unfolding is None
            or not _in_order(unfolding)
            or unfolding[-1][1] is not None
            or None in earlier
            or earlier != sorted(time or 0 for time in earlier)
        ):
            raise ValueError(
                "unfolding must be (from, time) pairs from 0.0 on, in order, with increasing times and the last one "
                f"None (the readout time), got {shown(self.unfolding)}"
            )
        object.__setattr__(self, "unfolding", unfolding)
        if self.difficulty is not None and not isinstance(self.difficulty, str):
            raise TypeError(f"difficulty must be the name of a coordinate, or None, got {shown(self.difficulty)}")
        for _, time in unfolding[:-1]:
            whole(time, "a time of unfolding", 1, unit="steps", limit=MOST_STEPS)
        if len(self.curriculum) > 1 and self.difficulty is None:
            raise ValueError(
                f"the curriculum {self.curriculum!r} needs difficulty, the coordinate of the data that says which "
                "images are easy, e.g. 'curve_length'"
            )

    def _check_numbers(self) -> None:
        for name, most in (("epochs", MOST_EPOCHS), ("batch_size", MOST), ("calibration_images", MOST)):
            object.__setattr__(self, name, whole(getattr(self, name), name, 1, limit=most))
        object.__setattr__(self, "seed", whole(self.seed, "seed", -LARGEST_SEED, LARGEST_SEED))
        if self.calibrate_until is not None:
            object.__setattr__(
                self,
                "calibrate_until",
                whole(self.calibrate_until, "calibrate_until", 1, unit="steps", limit=MOST_STEPS),
            )
        for name in ("recompute", "nesterov"):
            object.__setattr__(self, name, truth(getattr(self, name), name))
        for name in ("learning_rate", "weight_decay", "validation", "label_smoothing", "momentum", "warmup"):
            object.__setattr__(self, name, finite(getattr(self, name), name, 0 if name == "weight_decay" else None))
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate!r}")
        for name in ("validation", "label_smoothing", "momentum", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)!r}")
        if self.optimizer == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs momentum above 0, got 0.0; set nesterov=False for plain SGD")

    def _check_loss(self) -> None:
        if is_whole(self.loss_at):
            object.__setattr__(self, "loss_at", whole(self.loss_at, "loss_at", 1, limit=MOST_STEPS))
        elif not isinstance(self.loss_at, str) or self.loss_at not in LOSS_AT:
            raise ValueError(unknown("loss_at", self.loss_at, (*LOSS_AT, "or a number of last times")))
        object.__setattr__(self, "background", finite(self.background, "background", 0))
        if self.clip_norm is not None:
            object.__setattr__(self, "clip_norm", finite(self.clip_norm, "clip_norm"))
            if self.clip_norm <= 0:
                raise ValueError(f"clip_norm must be above 0, got {self.clip_norm!r}")
        if self.progressive is None:
            return
        pair = _pairs((self.progressive,), lambda most: whole(most, "steps", 1, MOST_STEPS))
        if pair is None or not 0 < pair[0][0] <= 1:
            raise ValueError(
                f"progressive must be (share of the batches, most steps without gradients), such as (0.5, 24), of at "
                f"most {MOST_STEPS:,} steps, got {shown(self.progressive)}"
            )
        object.__setattr__(self, "progressive", pair[0])

    @property
    def brief_calibration_images(self) -> int:
        """Number of images on which statistics are taken at the end of an epoch, to validate."""
        return max(self.calibration_images // 10, 100)

    @classmethod
    def paper(cls, **changes: Any) -> Recipe:
        """Return the recipe of Liao & Poggio (2016) for CIFAR-10.

        SGD with momentum 0.9, batches of 64, 60 epochs, learning rate 0.01, 0.001 from epoch 41, 0.0001 from epoch 51;
        padding by 4, random crops and flips. Epochs and learning rates are recalled, the rest is stated. The paper
        states no weight decay, so there is none. Statistics are taken on all training images. One thing differs: 2 % of
        the training images are held out, to validate on.
        """
        recipe = cls(
            epochs=60,
            batch_size=64,
            learning_rate=0.01,
            plan="steps",
            nesterov=False,
            weight_decay=0.0,
            label_smoothing=0.0,
            loss_at="readout",
            precision="float32",
            calibration_images=50_000,
        )
        return replace(recipe, **changes)

    @classmethod
    def quick(cls, **changes: Any) -> Recipe:
        """Return the fast recipe: few epochs, growing images, bfloat16, one learning-rate cycle, loss at all times."""
        return replace(cls(learning_rate=0.3, growth=((0.0, 0.5), (0.25, 0.75), (0.5, 1.0))), **changes)

    @classmethod
    def digits(cls, **changes: Any) -> Recipe:
        """Return the recipe that learns to classify digits in about a minute: small images and early readouts first.

        The earliest readout costs a fifth of the two later ones and leaves them little to learn.
        """
        recipe = cls(
            epochs=4,
            batch_size=64,
            optimizer="adamw",
            learning_rate=1e-2,
            warmup=0.1,
            augmentation="none",
            label_smoothing=0.0,
            growth=((0.0, 0.5), (0.4, 1.0)),
            unfolding=((0.0, 3), (0.955, None)),
            calibration_images=500,
        )
        return replace(recipe, **changes)

    @classmethod
    def tracing(cls, **changes: Any) -> Recipe:
        """Return the recipe for target maps of short curves, after which a model solves longer ones by running longer.

        For a model with weights shared over time, normalization "channel", post-net "map", initialization "torch" and
        input gain 2. The number of batches matters, not the time that they take: 1,600 of 32 images, as of 12,800
        images, solve curves of six times the trained length; with 1,000 the longest ones fail.

        References
        ----------
        Bansal et al. (2022), End-to-end algorithm synthesis with recurrent networks. NeurIPS 35. (progressive loss)
        """
        recipe = cls(
            epochs=4,
            batch_size=32,
            optimizer="adamw",
            learning_rate=3e-3,
            weight_decay=0.0,
            plan="cosine",
            warmup=1 / 32,
            augmentation="turn-flip",
            label_smoothing=0.0,
            loss_at=4,
            progressive=(0.5, 24),
            clip_norm=1.0,
            presentation=sustained(),
            precision="float32",
            validation=0.0,
        )
        return replace(recipe, **changes)

    @classmethod
    def contours(cls, **changes: Any) -> Recipe:
        """Return the recipe that learns to trace contours in minutes: short curves and early readouts first.

        Trained on all of them at once, a model was still at chance after a thousand steps. With this recipe accuracy
        rises above chance within 900 steps; some seeds stay at chance: restart with another.
        """
        recipe = cls(
            epochs=3,
            batch_size=64,
            optimizer="adamw",
            learning_rate=1e-2,
            warmup=0.1,
            augmentation="flip",
            label_smoothing=0.0,
            presentation=sustained(),
            unfolding=((0.0, 3), (0.65, None)),
            curriculum=((0.0, 0.4), (0.65, 1.0)),
            difficulty="curve_length",
        )
        return replace(recipe, **changes)

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate when this fraction of the training is done."""
        if self.plan == "steps":
            return self.learning_rate * (1 if progress < 2 / 3 else 0.1 if progress < 5 / 6 else 0.01)
        rise = progress / self.warmup if self.warmup else 1.0
        if self.plan == "cosine":
            fall = LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * progress)) / 2
            return self.learning_rate * max(min(rise, 1.0), LOWEST) * fall
        return self.learning_rate * max(min(rise, (1 - progress) / (1 - self.warmup)), 1e-4)

    def scale_at(self, progress: float) -> float:
        """Return the scale of the images when this fraction of the training is done."""
        return [scale for start, scale in self.growth if start <= progress][-1]

    def unfolded_at(self, progress: float) -> int | None:
        """Return the last time whose readout is trained when this fraction is done; None is the readout time."""
        return [time for start, time in self.unfolding if start <= progress][-1]

    def share_at(self, progress: float) -> float:
        """Return the share of the images, the easiest, that are drawn from when this fraction is done."""
        return [share for start, share in self.curriculum if start <= progress][-1]

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, for JSON."""
        plans = {name: [list(pair) for pair in getattr(self, name)] for name in PLANS}
        found = {**asdict(self), "presentation": self.presentation.to_dict(), **plans}
        # a recipe that was saved before a setting existed equals one that is saved now
        for setting in fields(self):
            if setting.name in ADDED and found[setting.name] == setting.default:
                del found[setting.name]
        return found

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Recipe:
        """Build a recipe from `to_dict`'s form."""
        known = {setting.name for setting in fields(cls)}
        unexpected = sorted(set(saved) - known)
        if unexpected:
            raise ValueError(unknown("recipe setting", unexpected[0], sorted(known)))
        changed: dict[str, Any] = {"presentation": from_dict(saved["presentation"])}
        for name in PLANS & set(saved):
            changed[name] = tuple((start, value) for start, value in saved[name])
        if saved.get("progressive"):
            changed["progressive"] = tuple(saved["progressive"])
        return cls(**{**saved, **changed})


def _in_order(pairs: Sequence[tuple[float, Any]]) -> bool:
    starts = [start for start, _ in pairs]
    return bool(starts) and starts[0] == 0 and starts == sorted(starts)


def _pairs(plan: Any, checked: Callable[[Any], Any]) -> tuple[tuple[float, Any], ...] | None:
    """Return pairs of a fraction of the training and a checked value as plain numbers; None if they are not such pairs.

    Parameters
    ----------
    plan : object
    checked : callable
        Returns the plain value, or raises ValueError.
    """
    if not isinstance(plan, tuple | list) or not all(isinstance(one, tuple | list) and len(one) == 2 for one in plan):
        return None
    try:
        return tuple((finite(start, "start", 0, 1), checked(value)) for start, value in plan)
    except ValueError:
        return None
