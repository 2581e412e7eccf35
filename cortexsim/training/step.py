"""One step of a training: its batch, as it is shown, and the loss of the readouts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cortexsim.model.cortex import Cortex
from cortexsim.model.plan import RunPlan
from cortexsim.stimuli.frames import Frames
from cortexsim.training.evaluate import labels_at
from cortexsim.training.recipe import Recipe
from cortexsim.training.target_maps import exactly_right, map_loss, pixel_weights


@dataclass(frozen=True)
class Batch:
    """The batch of one step.

    Parameters
    ----------
    plan : RunPlan
    lookup : Tensor, shape (time, stimulus)
        What is shown when; see `Frames`.
    tensors : tuple of Tensor
        The distinct pictures, their labels, and the labels of the batch of all processes.
    times : list of int
        The trained readout times.
    warmup : int
        Steps without gradients that come first, and that the readouts are later by.
    seed : int
        Of the random numbers of the user's modules.
    """

    plan: RunPlan
    lookup: Tensor
    tensors: tuple[Tensor, Tensor, Tensor]
    times: list[int]
    warmup: int
    seed: int

    @property
    def kind(self) -> Hashable | None:
        """All that a captured step keeps; None if the stimuli of the batch are shown different things."""
        shown = self.lookup >= 0
        each_its_own = self.lookup == torch.arange(self.lookup.shape[1], device="cpu")
        if not bool(torch.where(shown.any(1, keepdim=True), each_its_own, True).all()):
            return None
        when = tuple(shown.any(1).tolist())
        described = tuple((one.shape, one.dtype) for one in self.tensors)
        return when, described, tuple(self.times), self.warmup, self.plan.model.input_gain


def loss_of(
    batch: Batch, recipe: Recipe, precision: str, images: Tensor, labels: Tensor, whole: Tensor
) -> tuple[Tensor, Tensor]:
    """Show a batch; return the loss, and the answers at each trained readout time: the number right, and of all.

    Loss and answers, shape (2, time), are shares: those of all processes add up to the batch's. Nothing here waits for
    a GPU.

    Parameters
    ----------
    batch : Batch
    recipe : Recipe
    precision : "float32" or "bfloat16"
    images : Tensor, shape (frame, 3, height, width)
        Each distinct picture.
    labels : Tensor, shape (stimulus,), (stimulus, time) or (stimulus, y, x)
    whole : Tensor
        The labels of the batch of all processes.
    """
    model, times = batch.plan.model, batch.times
    mixed = torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16")
    with _seeded(model, batch.seed), mixed, _fresh_casts():
        read_at = [time + batch.warmup for time in times]
        frames = Frames(images, batch.lookup)
        logits = batch.plan.read(frames, read_at, recompute=recipe.recompute, warmup=batch.warmup)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if labels.ndim == 3:
        weights = pixel_weights(labels, whole, model.n_classes, recipe.background)
        loss = map_loss(logits, labels, weights, recipe.label_smoothing)
        right = exactly_right(logits.detach().argmax(2), labels).float().sum(1)
        return loss, torch.stack((right, torch.full_like(right, len(labels))))
    labels, n_asked = labels_at(labels, times), (labels_at(whole, times) >= 0).sum()
    loss = F.cross_entropy(
        logits.flatten(0, 1),
        labels.flatten(),
        label_smoothing=recipe.label_smoothing,
        ignore_index=-1,
        reduction="sum",
    )
    right = (logits.detach().argmax(-1) == labels).float().sum(1)
    # where nobody is asked, the sum is 0
    return loss / n_asked.clamp(min=1), torch.stack((right, (labels >= 0).float().sum(1)))


def fraction_right(answers: Tensor) -> Tensor:
    """Return the fraction of the answers that are right at each time, shape (time,); NaN where nobody was asked.

    Parameters
    ----------
    answers : Tensor, shape (step, 2, time)
        The number right and of all; see `loss_of`.
    """
    right, asked = answers.unbind(1)
    if bool((asked == asked[:1]).all()):
        # the same number, rounded as in the records of earlier trainings
        return (right / asked).mean(0)
    return right.sum(0) / asked.sum(0)


@contextmanager
def _fresh_casts() -> Iterator[None]:
    """Cast the weights again in each step: within a caller's autocast, torch would keep the casts of the first."""
    torch.clear_autocast_cache()
    try:
        yield
    finally:
        torch.clear_autocast_cache()


@contextmanager
def _seeded(model: Cortex, seed: int) -> Iterator[None]:
    """Seed the random numbers of the user's modules; without such modules, leave torch's generators unchanged."""
    if not model.own_modules():
        yield
        return
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
