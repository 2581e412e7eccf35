"""Presentations of a trial over time: flash, sustained, masked, sequence, and mixtures of them.

Random draws (masks, the component of a mixture) depend only on (seed, stimulus index), never on the batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from cortexsim._support import randomness
from cortexsim._support.checks import finite, one_of, shown, whole
from cortexsim._support.percentages import percent
from cortexsim.stimuli.frames import Frames, lay_out
from cortexsim.stimuli.masks import MASKS, GivenMask

Shown = Literal["nothing", "image", "mask"]
SHOWN: tuple[Shown, ...] = ("nothing", "image", "mask")
# the arguments of each kind of presentation
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "flash": ("duration",),
    "masked": ("duration", "soa", "mask", "mask_duration"),
    "sustained": (),
    "sequence": ("steps_per_frame", "n_frames"),
}
OPTIONAL = ("mask_duration", "n_frames")
UNITS = {"n_frames": "frames"}


@dataclass(frozen=True)
class Presentation:
    """The course of one trial. Create it with `flash`, `sustained`, `masked` or `sequence`.

    Parameters
    ----------
    kind : str
        "flash", "sustained", "masked" or "sequence".
    duration : int or None
        Steps for which the target is shown; None means until the end.
    soa : int or None
        Stimulus-onset asynchrony in steps: mask onset minus target onset.
    mask : str, GivenMask or None
        One of `MASKS`, or given pixels.
    mask_duration : int or None
        Steps for which the mask is shown; None means until the end.
    steps_per_frame, n_frames : int or None
        For a sequence; n_frames is known once images are given.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.Presentation("flash", duration=2) == cs.flash(2)
    True
    """

    kind: str
    duration: int | None = 1
    soa: int | None = None
    mask: str | GivenMask | None = None
    mask_duration: int | None = None
    steps_per_frame: int | None = None
    n_frames: int | None = None

    def __post_init__(self) -> None:
        allowed = ARGUMENTS[one_of(self.kind, "kind of presentation", ARGUMENTS)]
        for name in ("duration", "soa", "mask", "mask_duration", "steps_per_frame", "n_frames"):
            value = getattr(self, name)
            if name not in allowed:
                if value is not None:
                    raise ValueError(f"a {self.kind} presentation has no {name}, got {value!r}")
            elif name == "mask":
                if not isinstance(value, GivenMask):
                    one_of(value, "mask", MASKS)
            elif value is not None or name not in OPTIONAL:
                object.__setattr__(self, name, whole(value, name, 1, unit=UNITS.get(name, "steps")))
        if self.soa is not None and self.duration is not None and self.soa < self.duration:
            raise ValueError(
                f"the mask cannot come before the target ends: SOA {self.soa} is shorter than duration {self.duration}"
            )

    @property
    def components(self) -> tuple[Presentation, ...]:
        """The possible presentations of a stimulus: this one."""
        return (self,)

    @property
    def weights(self) -> tuple[float, ...]:
        """The probability of each component."""
        return (1.0,)

    def shown(self, time: int) -> Shown:
        """Return what is shown at a time: "image", "mask" or "nothing"."""
        if time < 0:
            raise ValueError(f"time must be at least 0, got {time}")
        if self.kind == "sequence":
            assert self.steps_per_frame is not None
            return "image" if self.n_frames is None or time < self.n_frames * self.steps_per_frame else "nothing"
        if self.duration is None or time < self.duration:
            return "image"
        if self.soa is None or time < self.soa:
            return "nothing"
        return "mask" if self.mask_duration is None or time < self.soa + self.mask_duration else "nothing"

    def contains(self, other: Presentation | Mixture) -> bool:
        """Return whether statistics measured with this presentation are valid for the other one."""
        return self == other

    def for_images(self, images: Tensor) -> Presentation:
        """Return the presentation completed for the images: a sequence gets its number of frames.

        Raises
        ------
        ValueError
            If a sequence is given single images, or another presentation is given movies.
        """
        if self.kind != "sequence":
            if images.ndim == 5:
                raise ValueError(
                    f"{self.kind} shows one image per stimulus, got movies of shape {tuple(images.shape)}; use "
                    "sequence()"
                )
            return self
        if images.ndim != 5:
            raise ValueError(
                "a sequence shows movies, shape (stimulus, frame, 3, height, width), got images of shape "
                f"{tuple(images.shape)}"
            )
        return replace(self, n_frames=images.shape[1])

    def draw(self, seed: int, index: Tensor) -> Tensor:
        """Return the component of each stimulus, shape (stimulus,): always the only one."""
        return torch.zeros(len(index), dtype=torch.int64, device=index.device)

    def frames(
        self,
        images: Tensor,
        until: int,
        *,
        seed: int = 0,
        index: Tensor | None = None,
        others: Tensor | None = None,
    ) -> Frames:
        """Lay out the pictures shown for each stimulus over time.

        Parameters
        ----------
        images : Tensor, shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a sequence
            The targets, RGB in [0, 1] or uint8.
        until : int
            Last time.
        seed : int
            Seed of the masks and of the components of a mixture.
        index : Tensor, shape (stimulus,), optional
            The stimuli's indices within their set, which determine the random draws; by default 0, 1, ...
        others : Tensor, optional
            The set from which "image" and "texture" masks are taken; by default the images themselves.

        Returns
        -------
        Frames
        """
        return lay_out(self, images, until, seed=seed, index=index, others=others)

    def __str__(self) -> str:
        if self.kind == "sequence":
            length = "" if self.n_frames is None else f" of {self.n_frames}"
            return f"sequence{length}: a new image every {_steps(self.steps_per_frame or 1)}"
        if self.duration is None:
            return "sustained"
        text = f"{self.kind}: image for {_steps(self.duration)}"
        if self.soa is None:
            return f"{text}, then nothing"
        name = "given mask" if isinstance(self.mask, GivenMask) else MASKS[str(self.mask)].words
        end = "to the end" if self.mask_duration is None else f"for {_steps(self.mask_duration)}"
        return f"{text}, {name} from t = {self.soa} {end} (SOA {self.soa}, ISI {self.soa - self.duration})"

    def timeline(self, until: int = 9) -> str:
        """Draw the trial as text: ■ image, ▒ mask, · nothing, one character for each time from 0."""
        signs = {"image": "■", "mask": "▒", "nothing": "·"}
        return "".join(signs[self.shown(time)] for time in range(until + 1))

    def _repr_html_(self) -> str:
        return _picture(str(self), [("", self)])

    def to_dict(self) -> dict[str, Any]:
        """Return the presentation as plain values, for JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Mixture:
    """One of several presentations for each stimulus, drawn by (seed, stimulus index). Create it with `mixture`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> shown = cs.mixture(cs.sustained(), cs.flash(1))
    >>> len(shown.components)
    2
    """

    components: tuple[Presentation, ...]
    weights: tuple[float, ...]

    kind = "mixture"

    def shown(self, time: int) -> Shown:
        """Return what is shown, if it is the same in every component.

        Raises
        ------
        ValueError
            If the components differ at this time.
        """
        kinds = {component.shown(time) for component in self.components}
        if len(kinds) > 1:
            raise ValueError(f"at time {time} the stimuli of this mixture are shown different things: {sorted(kinds)}")
        return kinds.pop()

    def contains(self, other: Presentation | Mixture) -> bool:
        """Return whether statistics measured with this mixture are valid for the other presentation."""
        return self == other or other in self.components

    def for_images(self, images: Tensor) -> Mixture:
        """Return the mixture completed for the images."""
        return replace(self, components=tuple(component.for_images(images) for component in self.components))

    def draw(self, seed: int, index: Tensor) -> Tensor:
        """Draw a component for each stimulus, shape (stimulus,)."""
        # summed on the CPU: a GPU has no deterministic cumsum
        edges = torch.tensor(self.weights, device="cpu").cumsum(0)[:-1].to(index.device)
        return torch.bucketize(randomness.uniform(seed, "mixture", index), edges, right=True)

    def frames(
        self,
        images: Tensor,
        until: int,
        *,
        seed: int = 0,
        index: Tensor | None = None,
        others: Tensor | None = None,
    ) -> Frames:
        """Lay out the pictures shown for each stimulus over time; see `Presentation.frames`."""
        return lay_out(self, images, until, seed=seed, index=index, others=others)

    def __str__(self) -> str:
        parts = [f"{percent(weight)} {c}" for c, weight in zip(self.components, self.weights, strict=True)]
        return "mixture: " + "; ".join(parts)

    def timeline(self, until: int = 9) -> str:
        """Draw the components as text, one line each."""
        return "\n".join(component.timeline(until) for component in self.components)

    def _repr_html_(self) -> str:
        rows = [(percent(weight), c) for c, weight in zip(self.components, self.weights, strict=True)]
        return _picture("mixture: one of these for each stimulus", rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the mixture as plain values, for JSON."""
        return {
            "kind": "mixture",
            "components": [component.to_dict() for component in self.components],
            "weights": list(self.weights),
        }


AnyPresentation = Presentation | Mixture


def _steps(n: int) -> str:
    return f"{n} step" if n == 1 else f"{n} steps"


def checked(presentation: Any) -> AnyPresentation:
    """Return a presentation after checking its type.

    Raises
    ------
    TypeError
        If it is not a presentation.
    """
    if isinstance(presentation, Presentation | Mixture):
        return presentation
    raise TypeError(
        "a presentation is made by flash(), sustained(), masked(), sequence() or mixture(), "
        f"got {presentation if isinstance(presentation, str) else type(presentation).__name__!r}"
    )


def flash(duration: int = 1) -> Presentation:
    """Show the image for `duration` steps from time 0, then nothing (no input, not a grey image).

    Raises
    ------
    ValueError
        If `duration` is not a whole number of at least 1.

    Examples
    --------
    >>> import cortexsim as cs
    >>> shown = cs.flash(2)
    >>> [shown.shown(time) for time in range(4)]
    ['image', 'image', 'nothing', 'nothing']
    """
    if duration is None:
        raise ValueError("duration must be a whole number of steps, at least 1, got None; use sustained()")
    return Presentation("flash", duration)


def sustained() -> Presentation:
    """Show the image at every time: the inhomogeneous system of Liao & Poggio (2016), appendix.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.sustained().shown(100)
    'image'
    """
    return Presentation("sustained", None)


def masked(
    duration: int = 1,
    soa: int = 3,
    mask: str | Tensor | GivenMask = "noise",
    mask_duration: int | None = None,
) -> Presentation:
    """Show the image briefly, then a mask.

    Parameters
    ----------
    duration : int
        Steps for which the target is shown.
    soa : int
        Stimulus-onset asynchrony: mask onset minus target onset, in steps, at least 1. Between target and mask there is
        no input. A run that ends before mask onset equals the run of a flash.
    mask : str or Tensor of shape (3, height, width)
        "noise" (white, a new one for each stimulus), "phase-scrambled" and "pixel-shuffled" (of the target), "texture"
        (a patchwork of pieces of other stimuli, a quarter of the field wide), "image" (another stimulus), "target" (the
        target itself, as a control), or pixels in [0, 1]. Every mask gets the target's mean and RMS contrast in each
        channel, after clipping to [0, 1].
    mask_duration : int, optional
        Steps for which the mask is shown; None means until the end.

    Raises
    ------
    ValueError
        If the SOA is shorter than the duration, a number is below 1, or the mask is unknown.

    Examples
    --------
    >>> import cortexsim as cs
    >>> shown = cs.masked(duration=1, soa=3, mask="noise")
    >>> [shown.shown(time) for time in range(5)]
    ['image', 'nothing', 'nothing', 'mask', 'mask']
    """
    if isinstance(mask, Tensor):
        mask = GivenMask.of(mask)
    elif not isinstance(mask, str | GivenMask):
        raise TypeError(f"mask must be one of {list(MASKS)}, or a torch.Tensor, got {type(mask).__name__}")
    return Presentation("masked", duration, soa, mask, mask_duration)


def sequence(steps_per_frame: int = 1) -> Presentation:
    """Show the frames of a movie one after the other, each for `steps_per_frame` steps, then nothing.

    Raises
    ------
    ValueError
        If `steps_per_frame` is not a whole number of at least 1.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.sequence(steps_per_frame=2).steps_per_frame
    2
    """
    return Presentation("sequence", None, steps_per_frame=steps_per_frame)


def mixture(*presentations: AnyPresentation, weights: Sequence[float] | None = None) -> Mixture:
    """Draw one of several presentations for each stimulus, by (seed, stimulus index).

    Parameters
    ----------
    presentations : Presentation
        At least one; nested mixtures are flattened.
    weights : sequence of float, optional
        Relative frequency of each; equal by default.

    Raises
    ------
    ValueError
        If there is no presentation, or the weights do not match them.

    Examples
    --------
    >>> import cortexsim as cs
    >>> shown = cs.mixture(cs.sustained(), cs.flash(1), weights=[3, 1])
    >>> shown.weights
    (0.75, 0.25)
    """
    if not presentations:
        raise ValueError("a mixture needs at least one presentation, got none")
    presentations = tuple(checked(presentation) for presentation in presentations)
    given = [1.0] * len(presentations) if weights is None else weights
    try:
        shares = [finite(weight, "a weight") for weight in given]
    except (TypeError, ValueError) as error:
        raise ValueError(f"weights must be {len(presentations)} positive numbers, got {shown(weights)}") from error
    if len(shares) != len(presentations) or min(shares) <= 0 or not math.isfinite(sum(shares)):
        raise ValueError(f"weights must be {len(presentations)} positive numbers, got {shown(weights)}")
    parts: dict[Presentation, float] = {}
    for presentation, share in zip(presentations, shares, strict=True):
        for component, weight in zip(presentation.components, presentation.weights, strict=True):
            parts[component] = parts.get(component, 0.0) + share * weight / sum(shares)
    # rounded so that 1/3 of 1/2 equals 1/6
    return Mixture(tuple(parts), tuple(round(weight, 12) for weight in parts.values()))


def _picture(caption: str, rows: Sequence[tuple[str, Presentation]], until: int = 9) -> str:
    """Draw the course of each presentation as a row of boxes, readable on light and dark pages."""
    side, left = 22, 48
    fills = {"image": "#0072B2", "mask": "#E69F00", "nothing": "none"}  # Okabe & Ito (2008)
    shapes = []
    for k, (name, presentation) in enumerate(rows):
        y = k * (side + 4)
        shapes.append(f'<text x="0" y="{y + 15}" fill="currentColor" font-size="12">{name}</text>')
        for time in range(until + 1):
            kind = presentation.shown(time)
            shapes.append(
                f'<rect x="{left + time * side}" y="{y}" width="{side - 3}" height="{side - 3}" fill="{fills[kind]}" '
                f'stroke="currentColor" stroke-opacity=".5"><title>t = {time}: {kind}</title></rect>'
            )
    bottom = len(rows) * (side + 4) + 12
    for time in range(until + 1):
        shapes.append(
            f'<text x="{left + time * side + 6}" y="{bottom}" fill="currentColor" font-size="11">{time}</text>'
        )
    shapes.append(f'<text x="0" y="{bottom}" fill="currentColor" font-size="11">time</text>')
    svg = f'<svg width="{left + (until + 1) * side}" height="{bottom + 6}">{"".join(shapes)}</svg>'
    legend = '<span style="color:#0072B2">■</span> image <span style="color:#E69F00">■</span> mask □ nothing'
    return f"<figure><figcaption>{caption} &nbsp; {legend}</figcaption>{svg}</figure>"
