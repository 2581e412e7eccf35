"""Changes of the images in training: random crops and flips, by (seed, image), and shrinking, also of masks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cortexsim._support import randomness
from cortexsim.stimuli.masks import MASKS
from cortexsim.stimuli.presentation import AnyPresentation

PAD = 4  # pixels around the image, of the random crop


def augment(images: Tensor, kind: str, seed: int, index: Tensor) -> Tensor:
    """Crop, turn and flip images, or whole movies, at random, by (seed, index); see `Recipe.augmentation`."""
    if images.ndim == 5:
        # as channels of one image, frames cannot be changed differently
        return augment(images.flatten(1, 2), kind, seed, index).unflatten(1, images.shape[1:3])
    if "turn" in kind:
        quarters = randomness.integers(seed, "turn", index, 4)
        # each turned in all ways at once: a loop over images would wait for a GPU at each
        turned = torch.stack([torch.rot90(images, k, (2, 3)) for k in range(4)])
        images = turned[quarters, torch.arange(len(images), device=images.device)]
    height, width = images.shape[-2:]
    n, device = len(images), images.device
    rows = torch.arange(height, device=device).expand(n, -1)
    columns = torch.arange(width, device=device).expand(n, -1)
    if "flip" in kind:
        flipped = randomness.uniform(seed, "flip", index) < 0.5
        columns = torch.where(flipped[:, None], width - 1 - columns, columns)
    if "crop" in kind:
        shift = randomness.integers(seed, "crop", index, 2 * PAD + 1, (2,))
        rows, columns = rows + shift[:, :1], columns + shift[:, 1:]
        images = F.pad(images, (PAD,) * 4)
    if kind == "none":
        return images
    each = torch.arange(n, device=device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=device)[None, :, None, None]
    return images[each, channel, rows[:, None, :, None], columns[:, None, None, :]]


def augment_with_maps(images: Tensor, labels: Tensor, kind: str, seed: int, index: Tensor) -> tuple[Tensor, Tensor]:
    """Crop, turn and flip images and the labels of their pixels alike; what a crop adds has the label -1."""
    # the draws depend on (seed, index) alone; one picture of both could not represent every label in the images' type
    maps = augment((labels + 1)[:, None], kind, seed, index)
    return augment(images, kind, seed, index), maps[:, 0] - 1


def shrink(images: Tensor, scale: float, multiple: int) -> Tensor:
    """Shrink images, or movies, to a fraction of their side, rounded so that every state has whole pixels."""
    if scale == 1:
        return images
    if images.ndim == 5:
        return shrink(images.flatten(1, 2), scale, multiple).unflatten(1, images.shape[1:3])
    size = [max(round(side * scale / multiple), 1) * multiple for side in images.shape[-2:]]
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    # rounding may leave [0, 1] by very little
    return F.interpolate(pixels, size, mode="bilinear", antialias=True).clamp(0, 1)


class MaskSources:
    """The images from which masks are taken, at the scale at which images are shown.

    Parameters
    ----------
    images : Tensor
    presentation : Presentation or Mixture
    multiple : int
        As for `shrink`.
    """

    def __init__(self, images: Tensor, presentation: AnyPresentation, multiple: int) -> None:
        self._images, self._multiple = images, multiple
        masks = [part.mask for part in presentation.components]
        self._needed = any(isinstance(mask, str) and MASKS[mask].from_others for mask in masks)
        self._scale, self._shrunk = 1.0, images

    def at(self, scale: float) -> Tensor:
        """Return the images at a scale; in full size where no mask is taken from them."""
        if not self._needed or scale == 1:
            return self._images
        if scale != self._scale:
            # in parts, because floating point takes more memory than uint8
            parts = [shrink(part, scale, self._multiple) for part in self._images.split(500)]
            self._scale, self._shrunk = scale, torch.cat(parts)
        return self._shrunk
