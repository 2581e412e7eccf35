"""Curves of single pixels that never touch, and a map of the pixels on the curve of the orange dot."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr

from cortexsim._support.checks import finite, is_whole, ordered_pair, whole
from cortexsim._support.randomness import integers, uniform
from cortexsim.datasets.labels import check_part, chunks, number_of_images
from cortexsim.datasets.target_maps import choose_one, painted, with_maps
from cortexsim.model.modes import own_modes

SHORTEST, LONGEST = 3, 200  # px
N_CURVES = (2, 6)
NEAR = 4  # px; distractors other than the foil's curve start at most this far, by row and column, from the cue's curve
TRIES = 12  # places tried for the start of each of these distractors

CLASSES = ("another curve", "the dot's curve")
STEPS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
# the eight ways to turn and mirror a square grid, as matrices that act on (row, column)
ISOMETRIES = np.array(
    [[(a, 0), (0, b)] for a in (1, -1) for b in (1, -1)] + [[(0, a), (b, 0)] for a in (1, -1) for b in (1, -1)]
)

# candidates drawn at once for each stimulus that still lacks an image
CANDIDATES = [1, 1, 2, 4, 8, 16, 32] + [64] * 200
# a trial before drawing: number of candidates, and how many of them must fit
N_TRIAL, N_FITTING = 512, 4


class Layout(NamedTuple):
    """Settings that all images of a set have in common."""

    size: int
    n_curves: int
    straight: float
    longest: int


class Placed(NamedTuple):
    """Candidates for images, drawn independently."""

    path: np.ndarray  # (candidate, curve, px, 2), row and column; from far point to cue, from foil to the other end
    fits: np.ndarray  # (candidate,), bool; False where the path is incomplete


@own_modes()
def paths(
    n: int,
    *,
    size: int = 16,
    length: tuple[int, int] = (3, 10),
    n_curves: int = 3,
    straight: float = 2.0,
    part: str = "train",
    seed: int = 0,
) -> xr.Dataset:
    """Draw curves that are one pixel wide and never touch, and mark an end of one of them with an orange dot.

    All curves of an image have the same length. A curve is a random walk to one of the four neighbours, in which no
    pixel touches an earlier one other than its predecessor, not even at a corner.

    Two places have the correct answers yes and no: the *far point*, the other end of the dot's curve, and the *foil*,
    an end of another curve. The foil is the far point, turned or mirrored about the dot: both are equally far from it,
    in every image. If there is room, it is the mirror image about the direction in which the curve leaves the
    dot, so that this direction favours neither. Both are pixels at which a random walk began.

    Parameters
    ----------
    n : int
        Number of stimuli. The first stimuli of a larger set are those of a smaller one.
    size : int
        Side of the image in px, 8 to 256.
    length : (int, int)
        Shortest and longest curve in px, 3 to 200.
    n_curves : int
        Number of curves in each image, 2 to 6.
    straight : float
        How much more probable a step straight ahead is than a turn: 1 gives winding curves, 10 almost straight ones.
    part : {"train", "test"}
        The parts are drawn from different random streams; all ranges are equal.
    seed : int
        The images depend on (seed, part, stimulus index) and the settings alone.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, size, size), uint8; `target` (stimulus, y, x), 1 on the dot's curve and 0 elsewhere;
        `line` (stimulus, y, x), the pixels of all curves; `distance` (stimulus, y, x), steps along the curve from the
        dot, -1 off it. Coordinates (stimulus,): `length` (px), `cue_y`, `cue_x`, `end_y`, `end_x` (the far point),
        `foil_y`, `foil_x`.

    Raises
    ------
    ValueError
        If an argument is not as above, or if curves of this length do not fit: this is tested before drawing, and the
        message says what does fit.

    References
    ----------
    Jolicoeur, Ullman & Mackay (1986), Curve tracing: a possible basic operation in the perception of spatial
    relations. Memory & Cognition 14:129-140.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paths = cs.datasets.paths(10, size=32, length=(20, 20))
    >>> int(paths["target"].isel(stimulus=0).sum())  # pixels of the cue's curve
    20
    """
    check_part(part)
    size, seed = whole(size, "size", 8, 256, unit="px"), whole(seed, "seed")
    n = number_of_images(n, size)
    n_curves = whole(n_curves, "n_curves", *N_CURVES)
    low, high = (int(edge) for edge in ordered_pair(length, "length", SHORTEST, LONGEST))
    if not all(map(is_whole, length)):
        raise ValueError(f"length must be a pair of whole numbers of px, got {length!r}")
    straight = finite(straight, "straight", 0.01)
    layout = Layout(size, n_curves, straight, high)
    _refuse_what_does_not_fit(layout)
    path = np.zeros((n, n_curves, high, 2), dtype=np.int64)
    lengths = np.zeros(n, dtype=np.int64)
    for index in chunks(n, size, torch.device("cpu")):
        rows = slice(int(index[0]), int(index[-1]) + 1)
        lengths[rows] = low + integers(seed, f"paths/{part}/length", index, high - low + 1).numpy()
        path[rows] = _draw(seed, f"paths/{part}", index, lengths[rows], layout)
    return _labelled(
        path,
        lengths,
        size,
        attrs={
            "name": "paths",
            "part": part,
            "seed": seed,
            "size": size,
            "length_low": low,
            "length_high": high,
            "n_curves": n_curves,
            "straight": straight,
        },
    )


def _labelled(path: np.ndarray, lengths: np.ndarray, size: int, attrs: dict[str, str | int | float]) -> xr.Dataset:
    """Draw maps and images of paths of shape (stimulus, curve, px, 2)."""
    n, n_curves, longest, _ = path.shape
    line, distance = np.zeros((n, size, size), dtype=bool), np.full((n, size, size), -1)
    for step in range(longest):
        there = np.flatnonzero(step < lengths)
        for curve in range(n_curves):
            y, x = path[there, curve, step].T
            line[there, y, x] = True
            if curve == 0:
                distance[there, y, x] = lengths[there] - 1 - step
    cue, end, foil = path[np.arange(n), 0, lengths - 1], path[:, 0, 0], path[:, 1, 0]
    places = {"cue": cue, "end": end, "foil": foil}
    factors = {"length": lengths} | {f"{what}_{'yx'[k]}": at[:, k] for what, at in places.items() for k in (0, 1)}
    image = painted(line, cue[:, None])
    return with_maps(image, distance >= 0, line, distance, factors, classes=CLASSES, attrs=attrs)


def _draw(seed: int, purpose: str, index: torch.Tensor, lengths: np.ndarray, layout: Layout) -> np.ndarray:
    """Draw candidates until every stimulus has one that fits, shape (stimulus, curve, px, 2)."""
    path = np.zeros((len(index), layout.n_curves, layout.longest, 2), dtype=np.int64)
    missing = np.arange(len(index))
    for attempt, many in enumerate(CANDIDATES):
        found = _candidates(seed, f"{purpose}/{attempt}", index[missing], lengths[missing], layout, many)
        fits = found.fits.reshape(len(missing), many)
        first = np.arange(len(missing)) * many + fits.argmax(1)
        done = fits.any(1)
        path[missing[done]] = found.path[first[done]]
        missing = missing[~done]
        if not len(missing):
            return path
    raise ValueError(
        f"no {layout.n_curves} curves of {lengths[missing[0]]} px were found on {layout.size} x {layout.size} px in "
        f"{sum(CANDIDATES)} attempts: ask for shorter or fewer curves or a larger image"
    )


def _candidates(seed: int, purpose: str, index: torch.Tensor, lengths: np.ndarray, layout: Layout, many: int) -> Placed:
    """Draw `many` candidates for each stimulus; of shape (stimulus · many, ...)."""
    size, n_curves, straight, longest = layout
    lengths = np.repeat(lengths, many)
    n = len(lengths)

    def drawn(what: str, *shape: int) -> np.ndarray:
        return uniform(seed, f"{purpose}/{what}", index, (many, *shape)).numpy().reshape(n, *shape).astype(np.float64)

    canvas = _Canvas(n, size)
    path = np.zeros((n, n_curves, longest, 2), dtype=np.int64)
    fits = np.ones(n, dtype=bool)
    turns = drawn("turns", n_curves, longest)
    starts = drawn("starts", n_curves, TRIES, 3)
    for curve in range(n_curves):
        if curve == 0:
            start = (starts[:, 0, 0, :2] * size).astype(np.int64)
        elif curve == 1:
            start, possible = _foil(canvas, path[:, 0], lengths, starts[:, 1, 0, 0])
            fits &= possible
        else:
            start, possible = _near(canvas, path[:, 0], lengths, starts[:, curve])
            fits &= possible
        alive = np.flatnonzero(fits)
        grown, whole = canvas.grow(alive, start[alive], lengths[alive], turns[alive, curve], straight)
        path[alive, curve] = grown
        fits[alive] = whole
    return Placed(path, fits)


def _foil(canvas: _Canvas, path: np.ndarray, lengths: np.ndarray, draw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn or mirror the far point about the cue to a free pixel: preferably, mirror it about the curve's direction.

    Parameters
    ----------
    path : array, shape (candidate, px, 2)
        From far point to cue.
    draw : array, shape (candidate,)
        From 0 to 1: chooses among the others where this mirror image is not free.

    Returns
    -------
    foil : array, shape (candidate, 2)
    possible : array, shape (candidate,), bool
    """
    row = np.arange(len(path))
    cue, next_to_cue = path[row, lengths - 1], path[row, lengths - 2]
    images = cue[:, None] + np.einsum("kij,nj->nki", ISOMETRIES, path[:, 0] - cue)
    free = canvas.free(images)
    across = np.where((next_to_cue - cue)[:, :1] != 0, (1, -1), (-1, 1))  # a curve that leaves upwards: mirror columns
    mirrored = (across[:, None, :, None] * np.eye(2, dtype=np.int64) == ISOMETRIES).all((2, 3))
    choice = np.where((free & mirrored).any(1)[:, None], free & mirrored, free)
    return images[row, choose_one(choice, draw)], np.asarray(free.any(1))


def _near(canvas: _Canvas, path: np.ndarray, lengths: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose the first free one of several pixels near the cue's curve; draws of shape (candidate, try, 3)."""
    row = np.arange(len(path))[:, None]
    along = path[row, (draws[..., 0] * lengths[:, None]).astype(np.int64)]
    places = along + (draws[..., 1:] * (2 * NEAR + 1)).astype(np.int64) - NEAR
    free = canvas.free(places)
    return places[row[:, 0], free.argmax(1)], np.asarray(free.any(1))


class _Canvas:
    """Images under construction: how many pixels of curves each pixel has in its 3 x 3 neighbourhood."""

    BLOCKED = 100

    def __init__(self, n: int, size: int) -> None:
        self.size, self.wide = size, size + 2
        crowd = np.zeros((n, self.wide, self.wide), dtype=np.int8)
        crowd[:, [0, -1]] = crowd[:, :, [0, -1]] = self.BLOCKED
        self.crowd = crowd.reshape(-1)
        self.around = np.array([dy * self.wide + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])

    def free(self, places: np.ndarray) -> np.ndarray:
        """Find which places, shape (candidate, place, 2), lie in the image and touch no curve."""
        inside = ((places >= 0) & (places < self.size)).all(-1)
        row = np.arange(len(places))[:, None]
        return inside & (self.crowd[self._flat(row, places.clip(0, self.size - 1))] == 0)

    def _flat(self, row: np.ndarray, place: np.ndarray) -> np.ndarray:
        return row * self.wide**2 + (place[..., 0] + 1) * self.wide + place[..., 1] + 1

    def _occupy(self, flat: np.ndarray) -> None:
        self.crowd[flat[:, None] + self.around] += 1

    def grow(
        self, row: np.ndarray, start: np.ndarray, lengths: np.ndarray, turns: np.ndarray, straight: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Grow one curve in each of some candidates, from a free pixel.

        Parameters
        ----------
        row : array, shape (curve,)
            Which candidates.
        start : array, shape (curve, 2)
        lengths : array, shape (curve,)
        turns : array, shape (curve, px)
            From 0 to 1: draws the direction of each step.
        straight : float
            Weight of a step straight ahead, relative to a turn.

        Returns
        -------
        path : array, shape (curve, px, 2)
        whole : array, shape (curve,), bool
            False where the curve has run into a dead end.
        """
        path = np.zeros((len(row), turns.shape[1], 2), dtype=np.int64)
        path[:, 0] = start
        alive = np.ones(len(row), dtype=bool)
        heading = np.full(len(row), -1)
        self._occupy(self._flat(row, start))
        for step in range(1, turns.shape[1]):
            going = np.flatnonzero(alive & (step < lengths))
            if not len(going):
                break
            here, before = path[going, step - 1], heading[going]
            ahead = here[:, None] + STEPS
            # a free neighbour touches this pixel alone, and after a turn the one before it as well
            turning = (before[:, None] >= 0) & ((np.arange(4) - before[:, None]) % 2 == 1)
            allowed = self.crowd[self._flat(row[going, None], ahead)] == 1 + turning
            allowed &= (np.arange(4) != (before[:, None] + 2) % 4) | (before[:, None] < 0)
            weight = allowed * np.where(np.arange(4) == before[:, None], straight, 1.0)
            total = weight.sum(1)
            chosen = (weight.cumsum(1) > (turns[going, step] * total)[:, None]).argmax(1)
            alive[going[total == 0]] = False
            on = total > 0
            going, chosen = going[on], chosen[on]
            path[going, step] = ahead[on, chosen]
            heading[going] = chosen
            self._occupy(self._flat(row[going], path[going, step]))
        return path, alive


def _refuse_what_does_not_fit(layout: Layout) -> None:
    """Refuse curves that are too long, as found in a trial, and say what does fit."""
    if _fits(layout):
        return
    fitting, too_long = SHORTEST - 1, layout.longest
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        fitting, too_long = (middle, too_long) if _fits(layout._replace(longest=middle)) else (fitting, middle)
    larger = next((size for size in range(layout.size + 8, 257, 8) if _fits(layout._replace(size=size))), None)
    instead = [f"a length of up to {fitting} px"] if fitting >= SHORTEST else []
    instead += [f"an image of {larger} px"] if larger else []
    raise ValueError(
        f"{layout.n_curves} curves of {layout.longest} px that do not touch do not fit on "
        f"{layout.size} x {layout.size} px: allowed is {' or '.join(instead) or 'a smaller number of curves'}"
    )


@lru_cache(maxsize=1000)
def _fits(layout: Layout) -> bool:
    """Return whether candidates fit often enough, in a trial, to draw the number of images wanted."""
    lengths = np.full(N_TRIAL, layout.longest)
    trial = _candidates(0, "paths/trial", torch.arange(N_TRIAL), lengths, layout, 1)
    return int(trial.fits.sum()) >= N_FITTING
