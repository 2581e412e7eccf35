"""The ten digits as distances from their outline, from which they are drawn at any size, tilt and stroke width."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

ATLAS_SIDE = 192
ATLAS_EXTENT = 1.5  # the atlas shows a square of this side, in units of the digit's height
N_INK_POINTS = 64


class Atlas(NamedTuple):
    """The ten digits as signed distances: how far each point is from the outline.

    A distance gives a clean, anti-aliased edge at every size, rotation and stroke width.
    """

    distance: Tensor  # (digit · row · column,), in units of the digit's height, negative inside
    ink: Tensor  # (digit, point, 2), points x, y inside the stroke
    stroke_width: float  # of the font, in units of the digit's height


@functools.cache
def atlas_on(device: torch.device) -> Atlas:
    """Return the atlas; it is made once for each device."""
    atlas = _atlas()
    return atlas._replace(distance=atlas.distance.to(device), ink=atlas.ink.to(device))


@functools.cache
def _atlas() -> Atlas:
    """Render the ten digits once, large, and measure every point's distance from the outline."""
    # imported here: a machine without Pillow can still use everything else
    from PIL import Image, ImageDraw, ImageFont

    side = 2 * ATLAS_SIDE
    height = side / ATLAS_EXTENT
    font = ImageFont.load_default(100)
    _, top, _, bottom = font.getbbox("1")
    font = ImageFont.load_default(100 * height / (bottom - top))
    distances, ink = [], []
    for digit in "0123456789":
        drawn = Image.new("L", (2 * side, 2 * side))
        ImageDraw.Draw(drawn).text((side // 2, side // 2), digit, fill=255, font=font)
        left, top, right, bottom = drawn.getbbox() or (0, 0, 0, 0)
        corner = ((left + right - side) // 2, (top + bottom - side) // 2)
        picture = drawn.crop((*corner, corner[0] + side, corner[1] + side))
        inside = torch.from_numpy(np.array(picture)) > 127
        distances.append(_outline_distance(inside) / height)
        row, column = torch.nonzero(inside, as_tuple=True)
        chosen = torch.linspace(0, len(row) - 1, N_INK_POINTS).to(torch.int64)
        ink.append((torch.stack((column, row), 1)[chosen] + 0.5 - side / 2) / height)
        if digit == "1":
            # the stem of the 1, a quarter of a height below the middle, is as wide as a stroke
            stroke_width = inside[side // 2 + int(height / 4)].sum().item() / height
    return Atlas(torch.cat(distances), torch.stack(ink), stroke_width)


def _outline_distance(inside: Tensor) -> Tensor:
    """Distance of the atlas's cells from the outline of a shape, negative inside.

    Parameters
    ----------
    inside : Tensor, shape (2 · ATLAS_SIDE, 2 · ATLAS_SIDE), bool

    Returns
    -------
    Tensor, shape (ATLAS_SIDE · ATLAS_SIDE,), in pixels of `inside`
    """
    row, column = torch.nonzero(inside[:, 1:] != inside[:, :-1], as_tuple=True)
    upright = torch.stack((column + 1.0, row + 0.5), 1)
    row, column = torch.nonzero(inside[1:] != inside[:-1], as_tuple=True)
    level = torch.stack((column + 0.5, row + 1.0), 1)
    # measured at a quarter of the pixels' density and interpolated: a distance is smooth
    coarse = ATLAS_SIDE // 2
    x, y = pixels(coarse, inside.device)
    points = torch.stack((x, y), 1) * 4
    edge = torch.cat((upright, level))
    distance = torch.cdist(points, edge, compute_mode="donot_use_mm_for_euclid_dist").amin(1)
    sign = torch.where(inside[points[:, 1].to(torch.int64), points[:, 0].to(torch.int64)], -1.0, 1.0)
    grid = (sign * distance).reshape(1, 1, coarse, coarse)
    return torch.nn.functional.interpolate(grid, scale_factor=2, mode="bilinear").flatten()


def pixels(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres x, y of the pixels of a square, row by row, each of shape (pixel,)."""
    centre = torch.arange(side, device=device) + 0.5
    return centre.repeat(side), centre.repeat_interleave(side)
