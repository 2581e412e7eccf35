"""Masks: shown after the target, matched to its mean and contrast. Draws depend only on (seed, stimulus index)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cortexsim._support import randomness
from cortexsim._support.checks import one_of
from cortexsim.stimuli.images import as_float

PATCHES = 4  # patches of a texture along the shorter side


@dataclass(frozen=True)
class GivenMask:
    """A mask that the user gives as pixels, in a form that can be compared and saved.

    Parameters
    ----------
    shape : tuple of int
        (channel, height, width).
    data : str
        float32 pixels, little-endian, base64.
    """

    shape: tuple[int, ...]
    data: str

    @classmethod
    def of(cls, pixels: Tensor) -> GivenMask:
        """Make a mask from a Tensor of shape (3, height, width) in [0, 1]."""
        if pixels.ndim != 3 or pixels.shape[0] != 3:
            raise ValueError(f"a mask must have shape (3, height, width), got {tuple(pixels.shape)}")
        values = pixels.detach().cpu().to(torch.float32)
        if not bool(((values >= 0) & (values <= 1)).all()):
            raise ValueError("a mask's pixels must lie in [0, 1]")
        return cls(tuple(values.shape), base64.b64encode(values.contiguous().numpy().tobytes()).decode())

    def pixels(self) -> Tensor:
        """Return the mask, shape (3, height, width)."""
        return torch.frombuffer(bytearray(base64.b64decode(self.data)), dtype=torch.float32).reshape(self.shape)


def make_masks(mask: str | GivenMask, targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    """Make a mask for each target.

    Parameters
    ----------
    mask : str or GivenMask
        A name of `MASKS`, or pixels.
    targets : Tensor, shape (stimulus, 3, height, width)
        RGB in [0, 1].
    others : Tensor, shape (stimulus, 3, height, width)
        The whole set, from which some kinds of mask are taken.
    seed : int
    index : Tensor, shape (stimulus,)
        The targets' indices within their set.

    Returns
    -------
    Tensor, shape (stimulus, 3, height, width)

    Raises
    ------
    ValueError
        If a given mask has another shape than the images, or no other image is available.
    """
    if isinstance(mask, GivenMask):
        shape = targets.shape[1:]
        if mask.shape != tuple(shape):
            raise ValueError(f"the mask has shape {mask.shape}, but the images have {tuple(shape)}")
        return match_contrast(mask.pixels().to(targets).expand_as(targets), targets)
    chosen = MASKS[one_of(mask, "mask", MASKS)]
    if chosen.from_others and len(others) < 2:
        raise ValueError(f"a mask of kind {mask!r} needs at least 2 stimuli, got {len(others)}")
    drawn = chosen.draw(targets, others, seed, index)
    return drawn if chosen.has_contrast else match_contrast(drawn, targets)


def _noise(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    return randomness.normal(seed, "mask", index, targets.shape[1:]).to(targets)


def _pixel_shuffled(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    n_channels, height, width = targets.shape[1:]
    order = randomness.permutation(seed, "mask", index, height * width)
    return targets.flatten(2).gather(2, order[:, None].expand(-1, n_channels, -1)).reshape(targets.shape)


def _phase_scrambled(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    noise = randomness.normal(seed, "mask", index, targets.shape[2:]).to(targets)
    # the phases of real noise are antisymmetric, so the result is real; one field for all channels preserves the hues
    phase = torch.fft.rfft2(noise).angle()[:, None]
    spectrum = torch.fft.rfft2(targets)
    return torch.fft.irfft2(torch.polar(spectrum.abs(), spectrum.angle() + phase), s=targets.shape[2:])


def _another_image(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    step = 1 + randomness.integers(seed, "mask", index, len(others) - 1)
    return as_float(others[((index + step) % len(others)).to(others.device)]).to(targets)


def _texture(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    """Tile the field with square patches, each cut at random from a randomly drawn other stimulus."""
    height, width = targets.shape[2:]
    side = max(1, min(height, width) // PATCHES)
    tiles = (-(-height // side), -(-width // side))
    step = 1 + randomness.integers(seed, "texture:stimulus", index, len(others) - 1, tiles)
    partner = (index[:, None, None] + step) % len(others)
    top = randomness.integers(seed, "texture:top", index, height - side + 1, tiles)
    left = randomness.integers(seed, "texture:left", index, width - side + 1, tiles)
    # the tile of each pixel, and its position within the tile
    y, x = torch.arange(height, device=index.device)[:, None], torch.arange(width, device=index.device)
    tile = (slice(None), y // side, x // side)
    place = (partner[tile], top[tile] + y % side, left[tile] + x % side)
    there = tuple(part.to(others.device) for part in place)
    return as_float(others[there[0], :, there[1], there[2]]).permute(0, 3, 1, 2).to(targets)


def _target(targets: Tensor, others: Tensor, seed: int, index: Tensor) -> Tensor:
    return targets


@dataclass(frozen=True)
class Mask:
    """A kind of mask, listed in `MASKS` under its name.

    Parameters
    ----------
    words : str
        Its description in the text of a presentation.
    draw : callable
        Takes (targets, all images, seed, indices of the targets) and returns masks (stimulus, 3, height, width).
    from_others : bool
        It is taken from other images of the set.
    has_contrast : bool
        The masks returned by `draw` already have the targets' mean and contrast.
    whole_picture : bool
        It shows a whole picture rather than a pattern: a control.
    """

    words: str
    draw: Callable[[Tensor, Tensor, int, Tensor], Tensor]
    from_others: bool = False
    has_contrast: bool = False
    whole_picture: bool = False


# the masks by name: presentations, the command line, panels and messages all use this registry
MASKS: dict[str, Mask] = {
    "noise": Mask("noise mask", _noise),
    "phase-scrambled": Mask("phase-scrambled mask", _phase_scrambled),
    "pixel-shuffled": Mask("pixel-shuffled mask", _pixel_shuffled, has_contrast=True),
    "texture": Mask("texture mask", _texture, from_others=True),
    "image": Mask("another image as mask", _another_image, from_others=True, whole_picture=True),
    "target": Mask("the target itself as mask", _target, has_contrast=True, whole_picture=True),
}


def match_contrast(masks: Tensor, targets: Tensor, *, iterations: int = 30) -> Tensor:
    """Give masks the mean and RMS contrast of their targets, in each channel, after clipping to [0, 1].

    Clipping lowers the contrast and shifts the mean, so Newton's method fits threshold and gain alternately to the
    clipped mask. A black and white target is only approximated, because it would need infinite gain.

    Parameters
    ----------
    masks, targets : Tensor, shape (stimulus, 3, height, width)
        RGB; targets in [0, 1].

    Returns
    -------
    Tensor, shape (stimulus, 3, height, width)

    Raises
    ------
    ValueError
        If a mask is uniform in a channel in which its target has contrast.
    """
    over = (-2, -1)
    mean, spread = _moments(targets)
    centre, scale = _moments(masks)
    if bool(((scale < 1e-6) & (spread > 1e-3)).any()):
        raise ValueError("a mask without contrast cannot be given its target's RMS contrast; show flash() for a blank")
    pattern = (masks - centre) / scale.clamp_min(1e-6)
    threshold, log_gain = torch.zeros_like(mean), spread.clamp_min(1e-6).log()
    for _ in range(iterations):
        gain = log_gain.exp()
        raw = mean + gain * (pattern - threshold)
        inside = ((raw > 0) & (raw < 1)).to(raw)
        clipped = raw.clamp(0, 1)
        reached, contrast = _moments(clipped)
        # clipped pixels do not respond to threshold and gain; the floors keep steps short far from the solution
        answers = inside.mean(over, keepdim=True).clamp_min(0.1)
        threshold = threshold - ((mean - reached) / (gain * answers).clamp_min(1e-6)).clamp(-0.5, 0.5)
        elasticity = ((clipped - reached) * gain * (pattern - threshold) * inside).mean(over, keepdim=True)
        elasticity = (elasticity / contrast.square().clamp_min(1e-12)).clamp(0.1, 1)
        log_gain = log_gain + ((spread / contrast.clamp_min(1e-6)).clamp_min(1e-6).log() / elasticity).clamp(-0.7, 0.7)
    return (mean + log_gain.exp() * (pattern - threshold)).clamp(0, 1)


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and RMS contrast (population standard deviation) of each channel."""
    over = (-2, -1)
    return images.mean(over, keepdim=True), images.std(over, keepdim=True, correction=0)
