"""The trials of a session: which digit is flashed, and how soon its mask follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cortexsim.datasets.registry import draw
from cortexsim.stimuli.images import as_float, as_images
from cortexsim.stimuli.masks import make_masks

DATA = {"name": "digits", "part": "test"}
CLASSES = tuple(range(10))
NO_MASK = "no mask"
SOAS_MS = {"17 ms": 17, "50 ms": 50, "100 ms": 100}
CONDITIONS = (*SOAS_MS, NO_MASK)
EACH = 5  # trials of each condition in a round
N_TRIALS = EACH * len(CONDITIONS)
N_SPARE = 20  # images for trials that are repeated, because the browser missed a picture


@dataclass(frozen=True)
class Round:
    """The stimuli of one round of trials; the same number gives the same round.

    Attributes
    ----------
    number : int
        From 0 on.
    conditions : list of str
        Of each trial, in random order: a key of `SOAS_MS`, or `NO_MASK`.
    digits : list of int
        Of each image, those of repeated trials included.
    pixels : bytes
        (image, target or mask, y, x, RGB), one byte a value.
    size : int
        Side of the images, px.
    """

    number: int
    conditions: list[str]
    digits: list[int]
    pixels: bytes
    size: int


def round_of(number: int) -> Round:
    """Draw a round: digits in debris, and for each a noise mask of the same mean and contrast.

    Parameters
    ----------
    number : int
        The seed of the images, the masks and the order.
    """
    n = N_TRIALS + N_SPARE
    images = draw({**DATA, "seed": number}, n)
    targets = as_float(as_images(images))
    masks = make_masks("noise", targets, targets, number, torch.arange(n))
    both = torch.stack([targets, masks], 1).permute(0, 1, 3, 4, 2)
    pixels = (255 * both).round().to(torch.uint8).contiguous().numpy().tobytes()
    order = np.random.default_rng(number).permutation(N_TRIALS)
    conditions = [CONDITIONS[k % len(CONDITIONS)] for k in order.tolist()]
    return Round(number, conditions, images["label"].values.tolist(), pixels, targets.shape[-1])
