"""Checksums of tensors: SHA-256 for provenance, and a cheap one that is computed on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import torch
from torch import Tensor

from cortexsim._support.transforms import outside_of_transforms, unwrapped

WORD = 4  # bytes that the cheap checksum reads at a time
COLUMNS = 1024


def checksum(*parts: str | Tensor, digits: int = 16) -> str:
    """Return a SHA-256 checksum of texts and of the bytes of tensors, in the given order.

    Parameters
    ----------
    *parts : str or Tensor
        A tensor counts by its values, whatever its device, memory format or strides.
    digits : int
        Hexadecimal digits, up to 64.
    """
    digest = hashlib.sha256()
    with outside_of_transforms():
        for part in parts:
            digest.update(part.encode() if isinstance(part, str) else _bytes(unwrapped(part)))
    return digest.hexdigest()[:digits]


def fingerprint(tensors: Iterable[Tensor]) -> int:
    """Return a cheap checksum of tensors on one device: sums of their bits, weighted by position.

    It detects changes within a process: a change of a single element always, other changes with a chance of about one
    in 2**32 to be missed. It depends on strides and on the byte order of the machine, so it must not be saved. The sums
    are of integers, so the order of addition does not matter; the host waits for the device once.
    """
    with outside_of_transforms():
        words = [_words(unwrapped(tensor)) for tensor in tensors if tensor.numel()]
        sums = [part for word in words for part in _weighted_sums(word)]
        if not sums:
            return 0
        joined = torch.cat(sums).long()
        return int((joined * _odd_numbers(len(joined), torch.int64, joined.device)).sum())


def _weighted_sums(words: Tensor) -> list[Tensor]:
    """Sum 32-bit integers row by row, each times the odd number of its column, modulo 2**32.

    An odd number has an inverse modulo 2**32, so any change of a single integer changes the sum.
    """
    columns = _odd_numbers(COLUMNS, torch.int32, words.device)
    whole = len(words) // COLUMNS * COLUMNS
    sums = []
    if whole:
        rows = words[:whole].view(-1, COLUMNS)
        # a matrix product of integers, which needs no copy of the rows, exists only on the CPU
        sums.append(rows @ columns if rows.is_cpu else (rows * columns).sum(1, dtype=torch.int32))
    if whole < len(words):
        sums.append((words[whole:] * columns[: len(words) - whole]).sum(0, keepdim=True, dtype=torch.int32))
    return sums


def _bytes(tensor: Tensor) -> memoryview:
    # as bytes, because numpy has no bfloat16
    return tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data


def _words(tensor: Tensor) -> Tensor:
    """Return the bits of a tensor as 32-bit integers, without a copy if its layout allows."""
    if tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        tensor = tensor.permute(0, 2, 3, 1)
    flat = tensor.contiguous().flatten()
    size = flat.element_size()
    if flat.numel() * size % WORD or flat.storage_offset() * size % WORD:
        aligned = flat.new_zeros(-(-flat.numel() * size // WORD) * WORD // size)
        aligned[: flat.numel()] = flat
        flat = aligned
    return flat.view(torch.int32)


@lru_cache(maxsize=32)
def _odd_numbers(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return n odd numbers that look random, always the same."""
    # outside inference mode and torch.func, because the numbers outlive the call
    with torch.inference_mode(False), torch.no_grad():
        generator = torch.Generator().manual_seed(n)
        edge = torch.iinfo(dtype).max
        return (torch.randint(-edge, edge, (n,), generator=generator, dtype=dtype) | 1).to(device)
