"""Random numbers that depend only on seed, stimulus and position: not on batch, device or earlier draws."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from cortexsim._support.checks import whole

_MASK = (1 << 64) - 1
TORCH_SEEDS = (-(2**63), 2**63 - 1)


def torch_seed(seed: object) -> int:
    """Return a seed that a generator of torch takes.

    Raises
    ------
    ValueError
        If it is not a whole number of 64 bits.
    """
    return whole(seed, "seed", *TORCH_SEEDS)


def _signed(value: int) -> int:
    """Return the 64-bit pattern of `value` as a signed integer, which is what torch stores."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value


def _mix(z: Tensor) -> Tensor:
    """Scramble 64-bit integers: the finalizer of SplitMix64 (Steele, Lea & Flood 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        # torch shifts int64 arithmetically; the mask turns it into the logical shift of the published function
        z = (z ^ ((z >> shift) & ((1 << (64 - shift)) - 1))) * _signed(factor)
    return z ^ ((z >> 31) & ((1 << 33) - 1))


def bits(seed: int, purpose: str, index: Tensor, n: int) -> Tensor:
    """Draw `n` 64-bit integers for each stimulus.

    Parameters
    ----------
    seed : int
        The experiment's seed.
    purpose : str
        A name for their use; different purposes give independent numbers.
    index : Tensor, shape (stimulus,), int64
        The stimulus indices within their set.
    n : int
        Numbers for each stimulus.

    Returns
    -------
    Tensor, shape (stimulus, n), int64
        The same on every device and for every split into batches.

    Raises
    ------
    ValueError
        If the seed is not a whole number.
    """
    seed = whole(seed, "seed")
    golden = _signed(0x9E3779B97F4A7C15)
    # mixed on the CPU: a number that is copied to a GPU waits for all work there
    of_seed = _signed(seed * 0x100000001B3 + zlib.crc32(purpose.encode()))
    start = int(_mix(torch.tensor(of_seed, dtype=torch.int64, device="cpu")))
    stimulus = _mix(index.to(torch.int64) * golden + start)
    place = torch.arange(1, n + 1, device=index.device, dtype=torch.int64)
    return _mix(stimulus[:, None] + place * golden)


def uniform(seed: int, purpose: str, index: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Draw numbers uniformly from [0, 1).

    Returns
    -------
    Tensor, shape (stimulus, *shape), float32
    """
    drawn = bits(seed, purpose, index, math.prod(shape))
    # 24 bits: every value is exact in float32, so none rounds to 1
    return (((drawn >> 40) & 0xFFFFFF).to(torch.float32) / 0x1000000).reshape(len(index), *shape)


def normal(seed: int, purpose: str, index: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Draw numbers from the standard normal distribution (Box & Muller 1958).

    Returns
    -------
    Tensor, shape (stimulus, *shape), float32
    """
    radius = uniform(seed, purpose + ":radius", index, shape)
    angle = uniform(seed, purpose + ":angle", index, shape)
    return torch.sqrt(-2 * torch.log1p(-radius)) * torch.cos(2 * math.pi * angle)


def integers(seed: int, purpose: str, index: Tensor, high: int, shape: Sequence[int] = ()) -> Tensor:
    """Draw whole numbers from 0 to `high` - 1.

    Returns
    -------
    Tensor, shape (stimulus, *shape), int64
    """
    return (uniform(seed, purpose, index, shape).to(torch.float64) * high).to(torch.int64)


def permutation(seed: int, purpose: str, index: Tensor, n: int) -> Tensor:
    """Draw an order of 0 .. n - 1 for each stimulus.

    Returns
    -------
    Tensor, shape (stimulus, n), int64
    """
    return torch.argsort(bits(seed, purpose, index, n), dim=1, stable=True)
