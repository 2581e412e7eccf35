"""Digits among fragments of other digits and under occluders, drawn on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import is_whole, ordered_pair, unknown, whole
from cortexsim._support.randomness import integers, uniform
from cortexsim.datasets.glyphs import ATLAS_EXTENT, ATLAS_SIDE, N_INK_POINTS, Atlas, atlas_on, pixels
from cortexsim.datasets.labels import (
    balanced_labels,
    check_part,
    chunks,
    device_named,
    labelled,
    number_of_images,
)
from cortexsim.model.modes import own_modes

CLASSES = tuple("0123456789")
DEBRIS = {"none": (0, 0), "light": (1, 4), "heavy": (6, 12)}
OCCLUSION = {"none": (0.0, 0.0), "light": (0.05, 0.2), "heavy": (0.3, 0.5)}
MAX_DEBRIS = 64
MAX_OCCLUSION = 0.9

# Interleaved bands: the sizes and tilts of test digits never occur in training, but lie between those that do.
SCALE = {"train": ((0.56, 0.64), (0.72, 0.8)), "test": ((0.65, 0.71),)}  # fraction of the image's side
TILT = {"train": ((0.0, 8.0), (17.0, 25.0)), "test": ((9.0, 16.0),)}  # degrees, to either side
SHEAR = (-0.3, 0.3)
STROKE_WIDTH = (0.09, 0.18)  # fraction of the digit's height
N_OCCLUDERS = (2, 4)
TINT = 0.12  # how far each of red, green and blue may be from the luminance
CONTRAST = (0.4, 0.6)  # luminance difference of target and background; 1 is white on black


class Pose(NamedTuple):
    """Positions and shapes of digits; each of shape (stimulus, ...)."""

    digit: Tensor
    x: Tensor  # px, pixel centres are at whole numbers + 0.5
    y: Tensor
    scale: Tensor  # px
    rotation: Tensor  # degrees
    shear: Tensor
    stroke_width: Tensor


@own_modes()
def digits(
    n: int,
    *,
    part: str = "train",
    seed: int = 0,
    debris: str | tuple[int, int] = "light",
    occlusion: str | tuple[float, float] = "light",
    size: int = 32,
    device: str | torch.device = "cpu",
) -> xr.Dataset:
    """Draw digits in debris, after Spoerer et al. (2017).

    From back to front: a plain background, the debris (fragments of other digits than the target), the target,
    the occluders (2 to 4 round-ended bars or discs, thickened together until they cover the drawn fraction of the
    target). So nothing but an occluder ever hides the target. All colours are random; background, target and
    occluders differ in luminance, and neither colour nor position reveals the class.

    The parts differ in two parameters: in "train" the digit is 56-64 % or 72-80 % of the image's side high and
    tilted by 0-8° or 17-25° to either side, in "test" 65-71 % and 9-16°. All others have the same ranges:
    shear -0.3 to 0.3, stroke width 9-18 % of the height, position as far from the centre as the canvas allows.

    Parameters
    ----------
    n : int
        Number of stimuli. The first stimuli of a larger set are those of a smaller one; classes are balanced.
    part : {"train", "test"}
        The parts are drawn from different random streams and, as said above, different ranges.
    seed : int
        The images depend on (seed, part, stimulus index) and the settings alone.
    debris : {"none", "light", "heavy"} or (int, int)
        Lowest and highest number of fragments; "light" is (1, 4), "heavy" (6, 12).
    occlusion : {"none", "light", "heavy"} or (float, float)
        Lowest and highest fraction of the target that is covered; "light" is (0.05, 0.2), "heavy" (0.3, 0.5).
    size : int
        Side of the image in px, 16 to 256. Everything scales with it.
    device : str or torch.device
        Where to compute. The result is in main memory; another device may differ by a grey level.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, size, size), uint8; coordinates `label`, `visible_fraction`, `x_offset`, `y_offset`,
        `scale`, `rotation`, `shear`, `stroke_width`, `n_debris`, `n_occluders`, all (stimulus,).

    Raises
    ------
    ValueError
        If `n`, `part`, `debris`, `occlusion`, `size` or `device` is not as above.

    Notes
    -----
    The digits are those of Aileron Regular by Sora Sagano, released under CC0 1.0 (no rights reserved), which Pillow
    includes as its built-in font.

    References
    ----------
    Spoerer, McClure & Kriegeskorte (2017), Recurrent convolutional neural networks: a better model of biological
    object recognition. Frontiers in Psychology 8:1551.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(20, occlusion="heavy")
    >>> sorted(set(digits["label"].values.tolist()))
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    check_part(part)
    size, seed = whole(size, "size", 16, 256), whole(seed, "seed")
    n = number_of_images(n, size)
    n_debris = _named_range("debris", debris, DEBRIS, MAX_DEBRIS)
    covered = _named_range("occlusion", occlusion, OCCLUSION, MAX_OCCLUSION)
    computing = device_named(device)
    atlas = atlas_on(computing)
    images = np.empty((n, 3, size, size), dtype=np.uint8)
    pieces = []
    for index in chunks(n, size, computing):
        scene = _Scene(seed, part, index, size, atlas)
        image, factors = scene.draw((int(n_debris[0]), int(n_debris[1])), covered)
        images[int(index[0]) : int(index[-1]) + 1] = image.cpu().numpy()
        pieces.append(factors)
    return labelled(
        images,
        {name: torch.cat([piece[name] for piece in pieces]).cpu().numpy() for name in pieces[0]},
        classes=CLASSES,
        attrs={
            "name": "digits in debris",
            "part": part,
            "seed": seed,
            "size": size,
            "debris_low": int(n_debris[0]),
            "debris_high": int(n_debris[1]),
            "occlusion_low": covered[0],
            "occlusion_high": covered[1],
        },
    )


def _named_range(
    what: str, got: object, names: Mapping[str, tuple[float, float]], highest: float
) -> tuple[float, float]:
    """Return the range that a name such as "light" stands for; any other range is checked."""
    if isinstance(got, str):
        if got not in names:
            raise ValueError(unknown(what, got, names) + f", or a pair (lowest, highest) up to {highest:g}")
        return names[got]
    if what == "debris" and isinstance(got, tuple | list) and not all(map(is_whole, got)):
        raise ValueError(f"debris must be a pair of whole numbers, or one of {list(names)}, got {got!r}")
    return ordered_pair(got, what, 0, highest)


class _Scene:
    """A chunk of stimuli while they are drawn, layer by layer."""

    def __init__(self, seed: int, part: str, index: Tensor, size: int, atlas: Atlas) -> None:
        self.seed, self.part, self.index, self.size, self.atlas = seed, part, index, size, atlas
        self.label = balanced_labels(seed, f"digits/{part}/label", index, 10)
        self.background = self.uniform("background")
        self.contrast = self.uniform("contrast", (), *CONTRAST)

    def uniform(self, what: str, shape: tuple[int, ...] = (), low: float = 0, high: float = 1) -> Tensor:
        """Draw numbers of (seed, part, stimulus) alone, shape (stimulus, *shape)."""
        return low + (high - low) * uniform(self.seed, f"digits/{self.part}/{what}", self.index, shape)

    def integers(self, what: str, high: int, shape: tuple[int, ...] = ()) -> Tensor:
        return integers(self.seed, f"digits/{self.part}/{what}", self.index, high, shape)

    def draw(self, n_debris: tuple[int, int], covered: tuple[float, float]) -> tuple[Tensor, dict[str, Tensor]]:
        """Draw the layers from back to front.

        Returns
        -------
        image : Tensor, shape (stimulus, 3, size, size), uint8
        factors : dict from str to Tensor, shape (stimulus,)
        """
        count = n_debris[0] + self.integers("debris count", n_debris[1] - n_debris[0] + 1)
        rgb = self.colour("background", self.background)[:, :, None].expand(-1, -1, self.size**2).contiguous()
        if n_debris[1]:
            rgb = self.over_debris(rgb, n_debris[1], count)
        pose = self.pose("target", self.label)
        target = self.coverage(pose)
        rgb = _over(rgb, self.colour("target", self.background + self.contrast), target)
        occluders = torch.zeros_like(self.label)
        hidden = torch.zeros_like(target)
        if covered[1]:
            rgb, hidden, occluders = self.over_occluders(rgb, pose, target, covered)
        factors = {
            "label": self.label,
            "visible_fraction": 1 - (target * hidden).sum(1) / target.sum(1),
            "x_offset": pose.x - self.size / 2,
            "y_offset": pose.y - self.size / 2,
            "scale": pose.scale,
            "rotation": pose.rotation,
            "shear": pose.shear,
            "stroke_width": pose.stroke_width,
            "n_debris": count,
            "n_occluders": occluders,
        }
        image = (rgb * 255 + 0.5).to(torch.uint8).reshape(-1, 3, self.size, self.size)
        return image, factors

    def pose(self, what: str, digit: Tensor, shape: tuple[int, ...] = ()) -> Pose:
        """Draw position, size, tilt and shear within the part's ranges; larger digits are nearer to the centre."""
        scale = self.size * _in_bands(self.uniform(what + " scale", shape), SCALE[self.part])
        tilt = _in_bands(self.uniform(what + " tilt", shape), TILT[self.part])
        rotation = torch.where(self.uniform(what + " side", shape) < 0.5, -tilt, tilt)
        shear = self.uniform(what + " shear", shape, *SHEAR)
        # the sheared and rotated box of a digit stays within the canvas, if it fits at all
        cosine, sine = _direction(tilt)
        half_width, half_height = 0.33 + 0.5 * shear.abs(), 0.53
        reach_x = (self.size / 2 - scale * (cosine * half_width + sine * half_height)).clamp(min=0)
        reach_y = (self.size / 2 - scale * (sine * half_width + cosine * half_height)).clamp(min=0)
        return Pose(
            digit,
            self.size / 2 + reach_x * self.uniform(what + " x", shape, -1, 1),
            self.size / 2 + reach_y * self.uniform(what + " y", shape, -1, 1),
            scale,
            rotation,
            shear,
            self.uniform(what + " stroke", shape, *STROKE_WIDTH),
        )

    def colour(self, what: str, luminance: Tensor) -> Tensor:
        """Tint a luminance, shape (stimulus, ..., 3); luminances wrap around, so no offset needs a sign."""
        tint = self.uniform(what + " tint", (*luminance.shape[1:], 3), -TINT, TINT)
        return ((luminance % 1)[..., None] + tint).clamp(0, 1)

    def coverage(self, pose: Pose) -> Tensor:
        """Draw one whole digit for each stimulus, shape (stimulus, pixel), 0 to 1."""
        x, y = pixels(self.size, self.index.device)
        return _digit(self.atlas, Pose(*(value[:, None] for value in pose)), x, y)

    def over_debris(self, rgb: Tensor, n: int, count: Tensor) -> Tensor:
        """Lay fragments of other digits over the background: a round crop about a point of the stroke of each."""
        other = (self.label[:, None] + 1 + self.integers("debris digit", 9, (n,))) % 10
        pose = self.pose("debris", other, (n,))
        radius = self.uniform("debris radius", (n,), 0.09, 0.16) * self.size
        margin = int(0.16 * self.size) + 1
        side, wide = 2 * margin + 1, self.size + 2 * margin
        centre_x = self.uniform("debris x", (n,)) * self.size
        centre_y = self.uniform("debris y", (n,)) * self.size
        ink = self.atlas.ink[other, self.integers("debris point", N_INK_POINTS, (n,))]
        ink_x, ink_y = _turned(ink[..., 0], ink[..., 1], pose)
        pose = pose._replace(x=centre_x - ink_x, y=centre_y - ink_y)
        # a fragment is smaller than the image: only the pixels of a square about it are computed
        column, row = centre_x.floor()[..., None], centre_y.floor()[..., None]
        x, y = pixels(side, self.index.device)
        x, y = x + column - margin, y + row - margin
        alpha = _digit(self.atlas, Pose(*(value[..., None] for value in pose)), x, y)
        distance = torch.sqrt((x - centre_x[..., None]) ** 2 + (y - centre_y[..., None]) ** 2)
        alpha = alpha * (0.5 + radius[..., None] - distance).clamp(0, 1)
        alpha = alpha * (torch.arange(n, device=count.device) < count[:, None])[..., None]
        place = ((y.floor() + margin) * wide + x.floor() + margin).to(torch.int64)
        colour = self.colour("debris", self.background[:, None] + self.uniform("debris contrast", (n,), 0.25, 0.75))
        square = rgb.reshape(-1, 3, self.size, self.size)
        canvas = torch.nn.functional.pad(square, (margin,) * 4).flatten(2)
        for k in range(n):
            spot = place[:, k, None].expand(-1, 3, -1)
            canvas.scatter_(2, spot, _over(canvas.gather(2, spot), colour[:, k], alpha[:, k]))
        canvas = canvas.reshape(-1, 3, wide, wide)
        return canvas[:, :, margin:-margin, margin:-margin].flatten(2)

    def over_occluders(
        self, rgb: Tensor, pose: Pose, target: Tensor, covered: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Lay round-ended bars over the target, all of one thickness, which covers the drawn fraction of it.

        Returns
        -------
        rgb : Tensor, shape (stimulus, 3, pixel)
        hidden : Tensor, shape (stimulus, pixel)
            How much of each pixel the occluders cover together.
        count : Tensor, shape (stimulus,)
        """
        fewest, most = N_OCCLUDERS
        count = fewest + self.integers("occluder count", most - fewest + 1)
        shape = (most,)
        centre_x = pose.x[:, None] + self.uniform("occluder x", shape, -0.35, 0.35) * pose.scale[:, None]
        centre_y = pose.y[:, None] + self.uniform("occluder y", shape, -0.45, 0.45) * pose.scale[:, None]
        cosine, sine = _direction(self.uniform("occluder angle", shape, 0, 180))
        # discs and bars are equally frequent
        half_length = self.uniform("occluder length", shape, -0.3, 0.3).clamp(min=0) * self.size
        x, y = pixels(self.size, self.index.device)
        dx, dy = x - centre_x[..., None], y - centre_y[..., None]
        along = dx * cosine[..., None] + dy * sine[..., None]
        along = along - torch.minimum(torch.maximum(along, -half_length[..., None]), half_length[..., None])
        across = dy * cosine[..., None] - dx * sine[..., None]
        distance = torch.sqrt(along**2 + across**2)
        absent = torch.arange(most, device=count.device) >= count[:, None]
        distance = distance.masked_fill(absent[..., None], torch.inf)
        thickness = _thickness(distance, target, self.uniform("covered", (), *covered))
        # halfway between target and background in luminance, so that an occluder cannot be mistaken for either
        halfway = self.background + self.contrast / 2
        luminance = halfway[:, None] + 0.5 * self.integers("occluder polarity", 2, shape)
        colour = self.colour("occluder", luminance)
        for k in range(most):
            rgb = _over(rgb, colour[:, k], _bar(distance[:, k], thickness))
        return rgb, _hidden(distance, thickness), count


def _bar(distance: Tensor, thickness: Tensor) -> Tensor:
    """Opacity (stimulus, pixel) of bars of half-thickness (stimulus,), by the pixels' distance from their axes, px."""
    return (0.5 + thickness[:, None] - distance).clamp(0, 1)


def _hidden(distance: Tensor, thickness: Tensor) -> Tensor:
    """Return the fraction of each pixel that bars cover together, shape (stimulus, pixel)."""
    open_ = torch.ones_like(distance[:, 0])
    for k in range(distance.shape[1]):
        open_ = open_ * (1 - _bar(distance[:, k], thickness))
    return 1 - open_


def _thickness(distance: Tensor, target: Tensor, covered: Tensor) -> Tensor:
    """Find the half-thickness in px at which bars cover the wanted fraction of the target, by bisection.

    Parameters
    ----------
    distance : Tensor, shape (stimulus, bar, pixel)
        Distance of each pixel from each bar's axis, px.
    target : Tensor, shape (stimulus, pixel)
    covered : Tensor, shape (stimulus,)

    Returns
    -------
    Tensor, shape (stimulus,)
    """
    wanted = covered * target.sum(1)
    low = torch.full_like(covered, -0.5)
    high = torch.full_like(covered, distance.shape[2] ** 0.5)
    for _ in range(15):
        middle = (low + high) / 2
        enough = (target * _hidden(distance, middle)).sum(1) >= wanted
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    return high


def _over(rgb: Tensor, colour: Tensor, alpha: Tensor) -> Tensor:
    """Paint a colour (stimulus, 3) over pixels (stimulus, 3, pixel) with opacity alpha (stimulus, pixel)."""
    return rgb + alpha[:, None] * (colour[..., None] - rgb)


def _digit(atlas: Atlas, pose: Pose, x: Tensor, y: Tensor) -> Tensor:
    """Opacity of digits at the points x, y (px); pose and points broadcast against each other."""
    cosine, sine = _direction(pose.rotation)
    dx, dy = x - pose.x, y - pose.y
    up = (dy * cosine - dx * sine) / pose.scale
    right = (dx * cosine + dy * sine) / pose.scale - pose.shear * up
    to_cell = ATLAS_SIDE / ATLAS_EXTENT
    column = (right * to_cell + ATLAS_SIDE / 2).clamp(0, ATLAS_SIDE - 1).to(torch.int32)
    row = (up * to_cell + ATLAS_SIDE / 2).clamp(0, ATLAS_SIDE - 1).to(torch.int32)
    cell = pose.digit.to(torch.int32) * ATLAS_SIDE**2 + row * ATLAS_SIDE + column
    distance = atlas.distance.index_select(0, cell.flatten()).reshape(cell.shape)
    thicker = (pose.stroke_width - atlas.stroke_width) / 2
    return (0.5 + (thicker - distance) * pose.scale).clamp(0, 1)


def _turned(right: Tensor, up: Tensor, pose: Pose) -> tuple[Tensor, Tensor]:
    """Map a point of the glyph to px from the digit's centre: shear, scale, rotation."""
    cosine, sine = _direction(pose.rotation)
    right, up = (right + pose.shear * up) * pose.scale, up * pose.scale
    return right * cosine - up * sine, right * sine + up * cosine


def _direction(degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine. The last bit of a cosine depends on a number's place in its vector, so it is rounded off."""
    angle = torch.deg2rad(degrees.to(torch.float64))
    return torch.cos(angle).to(torch.float32), torch.sin(angle).to(torch.float32)


def _in_bands(u: Tensor, bands: tuple[tuple[float, float], ...]) -> Tensor:
    """Map numbers from [0, 1) evenly onto a union of intervals."""
    widths = [high - low for low, high in bands]
    place = u * sum(widths)
    value = bands[0][0] + place
    passed = 0.0
    for (low, _), width in zip(bands, widths, strict=True):
        value = torch.where(place >= passed, low + place - passed, value)
        passed += width
    return value
