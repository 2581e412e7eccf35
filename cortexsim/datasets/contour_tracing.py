"""Two curves and two dots: images in which only tracing shows whether both dots are on the same curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from cortexsim._support.checks import ordered_pair, truth, whole
from cortexsim._support.randomness import integers, normal, uniform
from cortexsim.datasets.labels import (
    balanced_labels,
    check_part,
    chunks,
    device_named,
    labelled,
    number_of_images,
)
from cortexsim.datasets.target_maps import with_maps
from cortexsim.model.modes import own_modes

ANSWERS = ("different", "same")
LENGTH = (0.25, 0.875)  # default range of the curves' length, as a fraction of the image's side
SHORTEST_PX = 4.0  # below, the two dots would touch
LONGEST = 1.0  # fraction of the image's side; beyond, too few pairs of curves fit
GAP_PX = 3.0  # between centre lines: lines are 1.2 px wide, so 1.8 px stay between them
MARGIN_PX = 1.5  # so that a dot at the edge is complete
LINE_HALF_WIDTH_PX = 0.6
DOT_RADIUS_PX = 1.0
BEND = 8.0  # how strongly the curves wind, rad for each image side of length

COVERED = 0.4  # of a pixel; one that is covered less is not part of a line
CLASSES = ("another curve", "the dot's curve")

SEGMENT = 0.75  # segments of a curve for each px of the image's side: a segment is then at most 1.3 px long
N_BENDS = 3
# pairs of curves drawn at once for each stimulus that still lacks one
CANDIDATES = [16, 16, 32] + [64] * 300

BLACK, WHITE, ORANGE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.35, 0.0)


class Pair(NamedTuple):
    """Two curves of equal length, one pair for each stimulus."""

    points: Tensor  # (stimulus, curve, point, 2), x and y in px, pixel centres at whole numbers + 0.5
    gap: Tensor  # (stimulus,), px


@own_modes()
def contours(
    n: int,
    *,
    part: str = "train",
    seed: int = 0,
    size: int = 32,
    length: tuple[float, float] | None = None,
    targets: bool = False,
    matched: bool = False,
    device: str | torch.device = "cpu",
) -> xr.Dataset:
    """Draw two curves and two dots: are both dots on the same curve? After Pathfinder (Linsley et al. 2018).

    Both curves of an image have the same length, are smooth and white on black, and their centre lines are 3 px apart
    or more. The orange dots sit on ends of curves. The four ends a0, a1 (curve A) and b0, b1 (curve B) lie on a kite:
    ``|a0 b0| = |a0 a1|`` and ``|a1 b1| = |b0 b1|``. The answer only chooses which two ends are marked: "same" marks
    one of the pairs (a0, a1) and (b0, b1), "different" one of (a0, b0) and (a1, b1), each with probability 1/2. So,
    whatever the answer: the curves have the same distribution, every end is marked equally often, and the distance
    between the dots has the same distribution. The only remaining cue is where the curve from a dot leads.

    A short curve can be judged from the direction in which it leaves its dot. Of up to 16 pairs of curves, the one
    whose directions are least informative is taken; the best threshold on them is right on 97 % at 8 px, 82 % at 12 px,
    69 % at 16 px, 60 % at 28 px (size 32): the longer a curve, the more it has to be traced.

    Parameters
    ----------
    n : int
        Number of stimuli. The first stimuli of a larger set are those of a smaller one; answers are balanced.
    part : {"train", "test"}
        The parts are drawn from different random streams; all ranges are equal.
    seed : int
        The images depend on (seed, part, stimulus index) and the settings alone.
    size : int
        Side of the image in px, 16 to 128. The width of lines and dots and the gap do not scale with it.
    length : (float, float), optional
        Shortest and longest curve in px, from 4 px to the side of the image; 0.25 to 0.875 of the side if not
        given (8 to 28 px at 32).
    targets : bool
        Mark a single end, a0 or b1, and ask which pixels lie on its curve, in place of a yes or no about two ends. The
        curves are the same. The foil, an end of the other curve, is as far from the dot as the far point is.
    matched : bool
        Stimuli come in pairs of the same length, one of each answer: stimuli 0 and 1, 2 and 3, ... Otherwise answers
        are balanced over the whole set, but not exactly within a bin of lengths, where a guess can then be right more
        or less often than half of the time.
    device : str or torch.device
        Where to compute. The result is in main memory; another device may differ by a grey level.

    Returns
    -------
    Dataset
        `image` (stimulus, 3, size, size), uint8; coordinates `label` (1: same curve), `curve_length` (px along the
        curve from dot to dot for "same", and of both curves for either answer), `dot_distance` and `curve_gap`, all
        (stimulus,). With `targets`: `image`, `target`, `line` and `distance`, and coordinates, as of `paths`, where a
        pixel counts as part of a line if a curve covers 0.4 of it; and `curve_gap`.

    Raises
    ------
    ValueError
        If `n`, `part`, `size`, `length` or `device` is not as above, if `matched` is combined with `targets`, which
        have no answer, or if no two such curves fit in the image.

    References
    ----------
    Linsley, Kim, Veerabadran, Windolf & Serre (2018), Learning long-range spatial dependencies with horizontal gated
    recurrent units. NeurIPS 31.
    Jolicoeur, Ullman & Mackay (1986), Curve tracing: a possible basic operation in the perception of spatial
    relations. Memory & Cognition 14:129-140.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(10, part="test", length=(14, 20))
    >>> curves["image"].shape
    (10, 3, 32, 32)
    >>> float(curves["curve_length"].min()) >= 14
    True
    """
    check_part(part)
    size, seed = whole(size, "size", 16, 128), whole(seed, "seed")
    n = number_of_images(n, size)
    allowed = (SHORTEST_PX, LONGEST * size)
    length = (LENGTH[0] * size, LENGTH[1] * size) if length is None else length
    low, high = ordered_pair(length, "length", *allowed)
    matched, targets = truth(matched, "matched"), truth(targets, "targets")
    if matched and targets:
        raise ValueError("matched=True pairs the two answers of a length, but with targets=True there are no answers")
    computing = device_named(device)
    purpose = f"contours/{part}"
    attrs: dict[str, str | int | float] = {
        "name": "contour tracing",
        "part": part,
        "seed": seed,
        "size": size,
        "length_low": low,
        "length_high": high,
    }
    if matched:
        attrs["matched"] = 1
    images, pieces = [], []
    for index in chunks(n, size, computing):
        of_length = index // 2 if matched else index
        curve_length = low + (high - low) * uniform(seed, f"{purpose}/length", of_length).to(torch.float64)
        pair = _draw_pairs(seed, purpose, index, curve_length, size)
        which = integers(seed, f"{purpose}/which", index, 2)
        if targets:
            dots, factors = _mark_one(pair, which, curve_length, size)
        else:
            if matched:
                label = (integers(seed, f"{purpose}/first label", of_length, 2) + index) % 2
            else:
                label = balanced_labels(seed, f"{purpose}/label", index, 2)
            dots = _choose_dots(pair.points, label, which)
            factors = {"label": label, "curve_length": curve_length, "dot_distance": _length(dots[:, 1] - dots[:, 0])}
        images.append(_render(pair.points, dots, size).cpu().numpy())
        pieces.append({name: values.cpu() for name, values in {**factors, "curve_gap": pair.gap}.items()})
    drawn = {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}
    arrays = {name: (v.float() if v.is_floating_point() else v).numpy() for name, v in drawn.items()}
    if not targets:
        return labelled(np.concatenate(images), arrays, classes=ANSWERS, attrs=attrs)
    target, line, distance = (arrays.pop(name) for name in ("target", "line", "distance"))
    attrs["targets"] = 1
    return with_maps(np.concatenate(images), target, line, distance, arrays, classes=CLASSES, attrs=attrs)


def _draw_pairs(seed: int, purpose: str, index: Tensor, length: Tensor, size: int) -> Pair:
    """Draw pairs of curves until every stimulus has one that fits; of several, the one with the weakest cue."""
    points = torch.empty((len(index), 2, _n_segments(size) + 1, 2), dtype=torch.float64, device=index.device)
    gap = torch.empty(len(index), dtype=torch.float64, device=index.device)
    missing = torch.arange(len(index), device=index.device)
    for attempt, many in enumerate(CANDIDATES):
        found = _candidates(seed, f"{purpose}/{attempt}", index[missing], length[missing], size, many)
        fits = found.gap.reshape(len(missing), many) >= GAP_PX
        cue = torch.full_like(found.gap, torch.inf)
        cue[fits.flatten()] = _direction_cue(found.points[fits.flatten()])
        best = torch.arange(len(missing), device=index.device) * many + cue.reshape(fits.shape).argmin(1)
        done = fits.any(1)
        points[missing[done]] = found.points[best[done]]
        gap[missing[done]] = found.gap[best[done]]
        missing = missing[~done]
        if not len(missing):
            return Pair(points, gap)
    raise ValueError(
        f"no two curves of {length[missing[0]]:.1f} px that do not touch were found on {size} x {size} px in "
        f"{sum(CANDIDATES)} attempts: ask for shorter curves or a larger image"
    )


def _candidates(seed: int, purpose: str, index: Tensor, length: Tensor, size: int, many: int) -> Pair:
    """Draw `many` pairs of curves for each stimulus, shape (stimulus · many, ...).

    `gap` is -1 where a pair cannot be used: there is no kite, it is too large for the image, dots are too close, or a
    curve comes near itself.
    """
    start = 2 * math.pi * uniform(seed, purpose + "/heading", index, (many, 2)).to(torch.float64)
    bends = normal(seed, purpose + "/bends", index, (many, 2, 2 * N_BENDS)).to(torch.float64)
    curves = _snakes(start, bends, length[:, None, None].expand(-1, many, 2), size).flatten(0, 1)
    turn = 2 * math.pi * uniform(seed, purpose + "/turn", index, (many,)).to(torch.float64).flatten()
    side = 2 * integers(seed, purpose + "/side", index, 2, (many,)).flatten() - 1
    points, possible = _on_a_kite(curves, turn, side)
    corner, extent = points.amin((1, 2)), points.amax((1, 2)) - points.amin((1, 2))
    slack = size - 2 * MARGIN_PX - extent
    possible = possible & (slack >= 0).all(1)
    place = uniform(seed, purpose + "/place", index, (many, 2)).to(torch.float64).flatten(0, 1)
    points = points + (MARGIN_PX - corner + slack * place)[:, None, None]
    gap = torch.full_like(turn, -1)
    # most have failed by now, and distances are expensive
    rest = torch.nonzero(possible)[:, 0]
    rest = rest[_keeps_from_itself(points[rest], length.repeat_interleave(many)[rest])]
    gap[rest] = _gap(points[rest])
    return Pair(points, gap)


def _snakes(start: Tensor, bends: Tensor, length: Tensor, size: int) -> Tensor:
    """Draw curves whose heading is a sum of half waves, so that they bend smoothly and have exactly their length.

    Parameters
    ----------
    start : Tensor, shape (...)
        Mean heading, rad.
    bends : Tensor, shape (..., 2 · N_BENDS)
        Standard normal amplitudes of the half waves.
    length : Tensor, shape (...)
        px.
    size : int
        Side of the image, px.

    Returns
    -------
    Tensor, shape (..., point, 2)
        Points from end to end at equal distances along the curve; the first at the origin.
    """
    n = _n_segments(size)
    along = (torch.arange(n, dtype=torch.float64, device=start.device) + 0.5) / n
    heading = start[..., None]
    # an amplitude that falls as 1 / k and grows with the length: the curvature is alike for long and short curves
    reach = BEND * length / size / math.sqrt(N_BENDS) / math.pi
    for k in range(1, N_BENDS + 1):
        cosine, sine = torch.cos(k * math.pi * along), torch.sin(k * math.pi * along)
        wave = bends[..., 2 * k - 2, None] * cosine + bends[..., 2 * k - 1, None] * sine
        heading = heading + (reach / k)[..., None] * wave
    step = (length / n)[..., None, None] * torch.stack((torch.cos(heading), torch.sin(heading)), -1)
    return torch.nn.functional.pad(torch.cumsum(step, -2), (0, 0, 1, 0))


def _n_segments(size: int) -> int:
    return max(24, math.ceil(SEGMENT * size))


def _on_a_kite(curves: Tensor, turn: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """Turn and shift the second curve so that |a0 b0| = |a0 a1| and |a1 b1| = |b0 b1|.

    Parameters
    ----------
    curves : Tensor, shape (pair, 2, point, 2)
    turn : Tensor, shape (pair,)
        Direction from a0 to b0, rad.
    side : Tensor, shape (pair,)
        1 or -1: b1 is at one of two points that have the right distance from b0 and a1.

    Returns
    -------
    points : Tensor, shape (pair, 2, point, 2)
    possible : Tensor, shape (pair,), bool
        False where b0 and a1 are too far apart, or a dot would be too near another.
    """
    a, b = curves[:, 0], curves[:, 1]
    a0, a1 = a[:, 0], a[:, -1]
    chord_a, chord_b = _length(a1 - a0), _length(b[:, -1] - b[:, 0])
    b0 = a0 + chord_a[:, None] * torch.stack((torch.cos(turn), torch.sin(turn)), -1)
    base = a1 - b0
    half = _length(base) / 2
    height = torch.sqrt((chord_b**2 - half**2).clamp(min=0)) / (2 * half).clamp(min=1e-9)
    across = torch.stack((-base[:, 1], base[:, 0]), -1)
    wanted = base / 2 + (side * height)[:, None] * across  # from b0 to b1
    # the rotation of b's chord to the wanted direction: a division of complex numbers of the same modulus
    chord = b[:, -1] - b[:, 0]
    squared = (chord_b**2).clamp(min=1e-9)
    cosine = (chord * wanted).sum(-1) / squared
    sine = (chord[:, 0] * wanted[:, 1] - chord[:, 1] * wanted[:, 0]) / squared
    x, y = (b - b[:, :1]).unbind(-1)
    turned = torch.stack((x * cosine[:, None] - y * sine[:, None], x * sine[:, None] + y * cosine[:, None]), -1)
    possible = (half <= chord_b) & (torch.minimum(chord_a, chord_b) >= 0.9 * SHORTEST_PX)
    return torch.stack((a, turned + b0[:, None]), 1), possible


def _keeps_from_itself(points: Tensor, length: Tensor) -> Tensor:
    """Return where no curve comes back near itself; points (pair, 2, point, 2), length (pair,)."""
    place = torch.arange(points.shape[2], device=points.device)
    apart = (place[:, None] - place).abs() * (length / (points.shape[2] - 1))[:, None, None]
    near = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    for curve in points.unbind(1):
        close = _squared_distance(curve, curve) < GAP_PX**2
        near |= (close & (apart > 1.6 * GAP_PX)).any(2).any(1)
    return ~near


def _gap(points: Tensor) -> Tensor:
    """Smallest distance between the two curves of each pair, shape (pair,)."""
    return torch.sqrt(_squared_distance(points[:, 0], points[:, 1]).flatten(1).amin(1))


def _squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance of all points of one curve from all of another, shape (pair, point, point)."""
    return (a[:, :, None, 0] - b[:, None, :, 0]) ** 2 + (a[:, :, None, 1] - b[:, None, :, 1]) ** 2


def _direction_cue(points: Tensor) -> Tensor:
    """Measure how far the directions at the ends reveal which ends belong together, shape (pair,); 0: not at all.

    For the four pairs of ends that may be marked: do the curves start from the one towards the other? The cue is how
    much the two numbers of the answer "same" differ from the two of "different".
    """
    ends = points[:, :, [0, -1]]
    eighth = points.shape[2] // 8
    away = points[:, :, [eighth, -1 - eighth]] - ends
    towards = []
    for (curve, end), (other_curve, other_end) in (
        ((0, 0), (0, 1)),
        ((1, 0), (1, 1)),
        ((0, 0), (1, 0)),
        ((0, 1), (1, 1)),
    ):
        there = ends[:, other_curve, other_end] - ends[:, curve, end]
        start, finish = away[:, curve, end], away[:, other_curve, other_end]
        cosine = (start * there).sum(-1) / (_length(start) * _length(there))
        towards.append(cosine - (finish * there).sum(-1) / (_length(finish) * _length(there)))
    answers = torch.stack(towards, 1).reshape(-1, 2, 2).sort(2).values
    return (answers[:, 0] - answers[:, 1]).abs().sum(1)


def _choose_dots(points: Tensor, label: Tensor, which: Tensor) -> Tensor:
    """Mark both ends of a curve (label 1), or the same end of both (label 0), shape (stimulus, dot, 2)."""
    ends = points[:, :, [0, -1]]  # curve, end
    stimulus = torch.arange(len(label), device=label.device)
    return torch.where((label == 1)[:, None, None], ends[stimulus, which], ends[stimulus, :, which])


def _mark_one(pair: Pair, which: Tensor, length: Tensor, size: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Mark a0 or b1, whose kite has a foil exactly as far away as the other end of its curve; return dots and maps.

    Parameters
    ----------
    pair : Pair
    which : Tensor, shape (stimulus,)
        0 marks a0, 1 marks b1.
    length : Tensor, shape (stimulus,)
        px.
    size : int

    Returns
    -------
    dots : Tensor, shape (stimulus, 1, 2)
    factors : dict of str to Tensor
        Maps of shape (stimulus, y, x) and coordinates of shape (stimulus,).
    """
    # as if a0 were marked: first the marked curve, from its dot on; the other one begins with the foil
    marked_b = (which == 1)[:, None, None, None]
    points = torch.where(marked_b, pair.points.flip(1, 2), pair.points)
    fine = _finely(points.flatten(0, 1)).unflatten(0, (len(points), 2))
    cover = torch.stack([_splat(fine[:, k], LINE_HALF_WIDTH_PX, size).reshape(-1, size, size) for k in (0, 1)], 1)
    line = cover.amax(1) > COVERED
    target = line & (cover[:, 0] >= cover[:, 1])
    distance = torch.full(target.shape, -1, dtype=torch.int64, device=target.device)
    stimulus, y, x = torch.nonzero(target, as_tuple=True)
    centre = torch.stack((x, y), -1) + 0.5
    nearest = ((fine[stimulus, 0] - centre[:, None]) ** 2).sum(-1).argmin(1)
    distance[stimulus, y, x] = (nearest * length[stimulus] / (fine.shape[2] - 1)).round().long()
    places = {"cue": points[:, 0, 0], "end": points[:, 0, -1], "foil": points[:, 1, 0]}
    factors = {"target": target, "line": line, "distance": distance, "length": length}
    for what, place in places.items():
        factors[f"{what}_y"], factors[f"{what}_x"] = place[:, 1].long(), place[:, 0].long()
    return points[:, :1, 0], factors


def _render(points: Tensor, dots: Tensor, size: int) -> Tensor:
    """Draw anti-aliased lines and dots, shape (stimulus, 3, size, size), uint8."""
    fine = _finely(points.flatten(0, 1)).reshape(len(points), -1, 2)
    line = _splat(fine, LINE_HALF_WIDTH_PX, size)
    dot = _splat(dots, DOT_RADIUS_PX, size)
    image = line.new_tensor(BLACK)[:, None]
    for colour, alpha in ((WHITE, line), (ORANGE, dot)):
        image = image + alpha[:, None] * (line.new_tensor(colour)[:, None] - image)
    return (image * 255 + 0.5).to(torch.uint8).reshape(-1, 3, size, size)


def _finely(points: Tensor) -> Tensor:
    """Put four points for each one on curves of shape (curve, point, 2)."""
    fine = torch.nn.functional.interpolate(points.transpose(1, 2), scale_factor=4, mode="linear", align_corners=True)
    return fine.transpose(1, 2)


def _splat(points: Tensor, radius: float, size: int) -> Tensor:
    """Draw discs; where they overlap, the most opaque counts, shape (stimulus, pixel), 0 to 1."""
    reach = math.ceil(radius)
    offset = torch.arange(-reach, reach + 1, device=points.device)
    x = points[..., 0].floor()[..., None, None] + offset
    y = points[..., 1].floor()[..., None, None] + offset[:, None]
    distance = torch.sqrt((x + 0.5 - points[..., 0, None, None]) ** 2 + (y + 0.5 - points[..., 1, None, None]) ** 2)
    alpha = (radius + 0.5 - distance).clamp(0, 1).to(torch.float32)
    # a margin of the radius of a disc takes the pixels outside the image
    wide = size + 2 * reach
    pixel = ((y + reach) * wide + x + reach).to(torch.int64)
    drawn = torch.zeros((len(points), wide * wide), device=points.device)
    drawn.scatter_reduce_(1, pixel.flatten(1), alpha.flatten(1), "amax")
    return drawn.reshape(-1, wide, wide)[:, reach:-reach, reach:-reach].flatten(1)


def _length(vector: Tensor) -> Tensor:
    return torch.sqrt((vector**2).sum(-1))
