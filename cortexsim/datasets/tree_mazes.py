"""Mazes without loops: which corridors are connected to the orange dot, or which lead from one dot to the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import xarray as xr

from cortexsim._support.checks import one_of, whole
from cortexsim._support.randomness import uniform
from cortexsim.datasets.labels import check_part, chunks, number_of_images
from cortexsim.datasets.target_maps import choose_one, painted, with_maps
from cortexsim.model.modes import own_modes

GOALS = {"component": ("not connected to the dot", "connected to the dot"), "solution": ("off the path", "on the path")}
SMALLER_PART = 0.3  # smallest fraction of all cells in each part of a split maze, if a cut allows it
NEIGHBOURS = np.array([(-1, 0), (0, -1), (0, 1), (1, 0)])


class Trees(NamedTuple):
    """Spanning trees of the cells of a square; cells are numbered row by row."""

    parent: np.ndarray  # (maze, cell); the root is its own parent
    order: np.ndarray  # (maze, cell), the cells as they were visited; the root first


@own_modes()
def mazes(
    n: int,
    *,
    cells: int | None = None,
    size: int | None = None,
    goal: str = "component",
    part: str = "train",
    seed: int = 0,
) -> xr.Dataset:
    """Draw mazes by depth-first search, with corridors and walls of one pixel.

    A maze for the goal "component" has one passage walled up, so that it falls into two parts, each with at least 0.3
    of the cells if a passage allows this. One orange dot is in one part: the target is all of that part. A maze for the
    goal "solution" is whole, and two orange dots mark the ends of the path that is the target.

    Parameters
    ----------
    n : int
        Number of stimuli. The first stimuli of a larger set are those of a smaller one.
    cells : int, optional
        Cells on each side, 3 to 60, 5 if not given; the image has 2 · cells + 1 px.
    size : int, optional
        Side of the image in px in place of the cells, an odd number.
    goal : "component" or "solution"
    part : {"train", "test"}
        The parts are drawn from different random streams.
    seed : int
        The images depend on (seed, part, stimulus index) and the settings alone.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, y, x), uint8; `target` (stimulus, y, x), 1 on what is connected to the dot (or on the
        path) and 0 elsewhere; `line` (stimulus, y, x), all corridors; `distance` (stimulus, y, x), steps along the
        corridors from the cue to each target pixel, -1 off it. Coordinates (stimulus,): `length`, the pixels from the
        cue to the farthest target pixel, both included; `cue_y`, `cue_x`; `end_y`, `end_x`, the farthest target pixel
        (of a solution, the one in the middle of the path); `foil_y`, `foil_x`, a pixel of the other corridors, whose
        straight distance from the cue is that of the far point, or as close to it as possible.

    Raises
    ------
    ValueError
        If an argument is not as above.

    Examples
    --------
    >>> import cortexsim as cs
    >>> mazes = cs.datasets.mazes(10, cells=7)
    >>> mazes["image"].shape
    (10, 3, 15, 15)
    """
    check_part(part)
    cells, seed = _cells_of(cells, size), whole(seed, "seed")
    n = number_of_images(n, 2 * cells + 1)
    goal = one_of(goal, "goal", GOALS)
    purpose = f"mazes/{goal}/{part}"
    drawn = [_draw(seed, purpose, index, cells, goal) for index in chunks(n, 2 * cells + 1, torch.device("cpu"))]
    line, distance, cues = (np.concatenate([piece[k] for piece in drawn]) for k in range(3))
    lengths = distance.max((1, 2)) + 1
    draws = uniform(seed, f"{purpose}/asked", torch.arange(n), (2,)).numpy().astype(np.float64)
    end, foil = _asked_pixels(line, distance, cues[:, 0], lengths - 1 if goal == "component" else lengths // 2, draws)
    places = {"cue": cues[:, 0], "end": end, "foil": foil}
    factors = {"length": lengths} | {f"{what}_{'yx'[k]}": at[:, k] for what, at in places.items() for k in (0, 1)}
    attrs: dict[str, str | int | float] = {
        "name": "mazes",
        "part": part,
        "seed": seed,
        "cells": cells,
        "size": 2 * cells + 1,
        "goal": goal,
    }
    return with_maps(painted(line, cues), distance >= 0, line, distance, factors, classes=GOALS[goal], attrs=attrs)


def _cells_of(cells: int | None, size: int | None) -> int:
    if size is None:
        return whole(5 if cells is None else cells, "cells", 3, 60)
    if cells is not None:
        raise ValueError(f"give either cells or size, which is 2 · cells + 1 px, not both, got {cells!r} and {size!r}")
    size = whole(size, "size", 7, 121, unit="px")
    if size % 2 == 0:
        raise ValueError(f"the side of a maze is 2 · cells + 1 px: allowed are odd numbers from 7 to 121, got {size}")
    return size // 2


def _draw(
    seed: int, purpose: str, index: torch.Tensor, cells: int, goal: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw corridors (stimulus, y, x), distances from the cue (stimulus, y, x) and cues (stimulus, cue, 2)."""

    def drawn(what: str, *shape: int) -> np.ndarray:
        return uniform(seed, f"{purpose}/{what}", index, shape).numpy().astype(np.float64)

    trees = _depth_first(drawn("search", 2 * cells**2), cells)
    cut = _cut(trees, drawn("cut")) if goal == "component" else None
    line = _corridors(trees.parent, cut, cells)
    first = (drawn("cue") * cells**2).astype(np.int64)
    if goal == "component":
        cues = _pixel_of(first, cells)[:, None]
        return line, _distances(line, cues[:, 0]), cues
    other = (first + 1 + (drawn("other cue") * (cells**2 - 1)).astype(np.int64)) % cells**2
    cues = np.stack((_pixel_of(first, cells), _pixel_of(other, cells)), 1)
    there, back = (_distances(line, cues[:, k]) for k in (0, 1))
    whole = there[np.arange(len(line)), cues[:, 1, 0], cues[:, 1, 1]]
    return line, np.where(line & (there + back == whole[:, None, None]), there, -1), cues


def _depth_first(draws: np.ndarray, cells: int) -> Trees:
    """Search all cells depth first, in random order; draws (maze, step) from 0 to 1, at least two steps a cell."""
    n, count, wide = len(draws), cells**2, cells + 2
    row = np.arange(n)
    frame = np.ones((wide, wide), dtype=bool)
    frame[1:-1, 1:-1] = False
    visited = np.tile(frame.reshape(-1), (n, 1))
    inner = np.arange(wide**2).reshape(wide, wide)[1:-1, 1:-1].reshape(-1)
    steps = NEIGHBOURS @ (wide, 1)
    here = inner[(draws[:, -1] * count).astype(np.int64)]
    parent = np.zeros((n, wide**2), dtype=np.int64)
    order = np.zeros((n, count), dtype=np.int64)
    parent[row, here], order[:, 0], visited[row, here] = here, here, True
    found = np.ones(n, dtype=np.int64)
    for draw in draws[:, :-1].T:
        free = ~visited[row[:, None], here[:, None] + steps]
        forward = free.any(1)
        chosen = here + steps[choose_one(free, draw)]
        going, new = row[forward], chosen[forward]
        parent[going, new], order[going, found[going]], visited[going, new] = here[going], new, True
        found[going] += 1
        here = np.where(forward, chosen, parent[row, here])
    number = np.zeros(wide**2, dtype=np.int64)
    number[inner] = np.arange(count)
    return Trees(number[parent[:, inner]], number[order])


def _cut(trees: Trees, draw: np.ndarray) -> np.ndarray:
    """Choose a cell of each tree to cut off from its parent so that both parts are large enough, shape (maze,)."""
    n, count = trees.parent.shape
    row = np.arange(n)
    below = np.ones((n, count), dtype=np.int64)
    for place in range(count - 1, 0, -1):
        cell = trees.order[:, place]
        below[row, trees.parent[row, cell]] += below[row, cell]
    smaller = np.minimum(below, count - below)
    allowed = smaller >= np.minimum(SMALLER_PART * count, smaller.max(1))[:, None]
    return choose_one(allowed, draw)


def _pixel_of(cell: np.ndarray, cells: int) -> np.ndarray:
    return np.stack((2 * (cell // cells) + 1, 2 * (cell % cells) + 1), -1)


def _corridors(parent: np.ndarray, cut: np.ndarray | None, cells: int) -> np.ndarray:
    """Draw cells and the passages to their parents, shape (maze, y, x); none from a cell that is cut off."""
    n, count = parent.shape
    line = np.zeros((n, 2 * cells + 1, 2 * cells + 1), dtype=bool)
    line[:, 1::2, 1::2] = True
    passage = (_pixel_of(np.arange(count), cells) + _pixel_of(parent, cells)) // 2
    maze, cell = np.nonzero(np.ones_like(parent) if cut is None else np.arange(count) != cut[:, None])
    line[maze, passage[maze, cell, 0], passage[maze, cell, 1]] = True
    return line


def _distances(line: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Count the steps along corridors from a pixel to all that it is connected to, shape (maze, y, x); -1 elsewhere."""
    distance = np.full(line.shape, -1)
    front = np.zeros_like(line)
    front[np.arange(len(line)), start[:, 0], start[:, 1]] = True
    step = 0
    while front.any():
        distance[front] = step
        # corridors are never at the edge of the image, so nothing wraps from one side to the other
        grown = np.zeros_like(front)
        for axis in (1, 2):
            grown |= np.roll(front, 1, axis) | np.roll(front, -1, axis)
        front = grown & line & (distance < 0)
        step += 1
    return distance


def _asked_pixels(
    line: np.ndarray, distance: np.ndarray, cue: np.ndarray, steps: np.ndarray, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Choose a target pixel at a number of steps from the cue, and one of the other corridors as far, if possible."""
    size = line.shape[1]
    y, x = np.mgrid[:size, :size]
    end = _chosen(distance == steps[:, None, None], draws[:, 0])
    away = np.hypot(y - cue[:, 0, None, None], x - cue[:, 1, None, None])
    wanted = np.hypot(*(end - cue).T)
    mismatch = np.where(line & (distance < 0), np.abs(away - wanted[:, None, None]), np.inf)
    nearest = mismatch <= mismatch.min((1, 2), keepdims=True) + 1e-9
    return end, _chosen(nearest, draws[:, 1])


def _chosen(allowed: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Choose one of the allowed pixels of each maze, all with the same probability, shape (maze, 2)."""
    flat = choose_one(allowed.reshape(len(allowed), -1), draw)
    return np.stack((flat // allowed.shape[2], flat % allowed.shape[2]), 1)
