"""Layout of a presentation over time: the pictures, and their index by time and stimulus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cortexsim.stimuli.images import as_float
from cortexsim.stimuli.masks import make_masks

if TYPE_CHECKING:
    from cortexsim.stimuli.presentation import AnyPresentation


@dataclass(frozen=True)
class Frames:
    """The pictures that are shown, and when.

    Parameters
    ----------
    images : Tensor, shape (frame, 3, height, width)
        Each distinct picture once. The targets (or their first frames) come first, one for each stimulus.
    lookup : Tensor, shape (time, stimulus), int64
        Index of the picture shown for each stimulus at each time; -1 means nothing.
    """

    images: Tensor
    lookup: Tensor

    def energies(self) -> tuple[Tensor, Tensor]:
        """Return the contrast energy of each stimulus's target and of its mask, each of shape (stimulus,), float64.

        RMS contrast squared x area x duration: the variance of the pixels (in [0, 1]) about the picture's mean in each
        channel, averaged over the channels, times the pixels of a channel, summed over the steps at which it is shown.
        RMS contrast is the standard deviation of luminance, as in Peli (1990). Not for a sequence, which has no mask.
        """
        n = self.lookup.shape[1]
        area = self.images.shape[-2] * self.images.shape[-1]
        energy = self.images.double().var((-2, -1), correction=0).mean(1).cpu() * area
        shown = self.lookup >= 0
        at_each = energy[self.lookup.clamp_min(0)]
        # the first pictures are the targets; the others are masks, including targets used as their own mask
        return tuple((at_each * (shown & chosen)).sum(0) for chosen in (self.lookup < n, self.lookup >= n))  # type: ignore[return-value]


def lay_out(
    presentation: AnyPresentation,
    images: Tensor,
    until: int,
    *,
    seed: int,
    index: Tensor | None,
    others: Tensor | None,
) -> Frames:
    """Lay out the pictures shown for each stimulus over time; see `Presentation.frames`."""
    n, device = len(images), images.device
    index = torch.arange(n, device=device) if index is None else index.to(device)
    presentation = presentation.for_images(images)
    images, others = as_float(images), images if others is None else others
    # frame-major, so that the first n pictures are the first frames, in order
    pictures = [images.transpose(0, 1).flatten(0, 1) if images.ndim == 5 else images]
    # the lookup stays on the CPU, where the time loop reads it without waiting for a GPU
    if len(presentation.components) == 1:
        drawn = torch.zeros(n, dtype=torch.int64, device="cpu")
    else:
        drawn = presentation.draw(seed, index).cpu()
    lookup = torch.full((until + 1, n), -1, dtype=torch.int64, device="cpu")
    every = torch.arange(n, device="cpu")
    for k, component in enumerate(presentation.components):
        rows = every[drawn == k]
        masks = {time for time in range(until + 1) if component.shown(time) == "mask"}
        if masks and component.mask is not None and len(rows):
            start = sum(len(p) for p in pictures)
            pictures.append(make_masks(component.mask, images[rows.to(device)], others, seed, index[rows.to(device)]))
        for time in range(until + 1):
            match component.shown(time):
                case "image":
                    lookup[time, rows] = rows + n * (time // (component.steps_per_frame or until + 1))
                case "mask" if len(rows):
                    lookup[time, rows] = start + torch.arange(len(rows), device="cpu")
    return Frames(torch.cat(pictures) if len(pictures) > 1 else pictures[0], lookup)
