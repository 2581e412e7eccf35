"""Conversion of presentations to and from plain values and text; silences and records from text."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

from cortexsim._support.checks import one_of
from cortexsim.stimuli.masks import MASKS, GivenMask
from cortexsim.stimuli.presentation import ARGUMENTS, AnyPresentation, Mixture, Presentation, mixture

# the arguments of each kind of presentation in its short form, "masked:DURATION:SOA[:MASK[:MASK_DURATION]]"
WRITTEN = {
    "flash": ("duration",),
    "sustained": (),
    "masked": ("duration", "soa", "mask", "mask_duration"),
    "sequence": ("steps_per_frame",),
}
ONE_IMAGE = ("flash", "sustained", "masked")  # the kinds that show one image
USUAL: dict[str, Any] = {"duration": 1, "soa": 3, "mask": "noise", "steps_per_frame": 1}
SHOW_HELP = (
    "flash, flash:STEPS, sustained, sequence, masked:DURATION:SOA[:MASK[:MASK_DURATION]]; join several with + for a "
    "mixture, 3*flash is drawn three times as often"
)


def mask_help() -> str:
    """Return the list of masks, for help texts."""
    return f"MASK: {', '.join(MASKS)}"


# --- plain values ----------------------------------------------------------------------------------------------------


def from_dict(saved: Mapping[str, Any], kinds: Iterable[str] = (*ARGUMENTS, "mixture")) -> AnyPresentation:
    """Build a presentation from the plain values of `to_dict`.

    Parameters
    ----------
    saved : mapping
        `kind`, and the arguments of that kind; a missing argument has its default value, such as duration 1.
    kinds : iterable of str
        The kinds that are allowed.

    Raises
    ------
    TypeError
        If it is not a mapping.
    ValueError
        If the kind is missing, the kind or an argument is unknown, a number is not allowed, or the pixels of a mask are
        damaged.
    """
    if not isinstance(saved, Mapping):
        raise TypeError(f"presentation must be a mapping, got {saved!r}")
    arguments, allowed = dict(saved), list(kinds)
    if "kind" not in arguments:
        raise ValueError(f"presentation lacks 'kind': the allowed values are {allowed}, got {arguments}")
    kind = one_of(arguments.pop("kind"), "kind of presentation", allowed)
    if kind == "mixture":
        return _mixture_from(arguments)
    for name in arguments:
        one_of(name, f"argument of {kind}()", ARGUMENTS[kind])
    if isinstance(arguments.get("mask"), Mapping):
        arguments["mask"] = _given_mask(arguments["mask"])
    usual = {name: USUAL.get(name) for name in ARGUMENTS[kind]}
    return Presentation(kind, **{"duration": None, **usual, **arguments})


def one_image_from_dict(saved: Mapping[str, Any]) -> Presentation:
    """Build a presentation of one image, as panels use them; see `from_dict`."""
    presentation = from_dict(saved, ONE_IMAGE)
    assert isinstance(presentation, Presentation)  # no mixture is among the kinds
    return presentation


def _mixture_from(arguments: Mapping[str, Any]) -> Mixture:
    if set(arguments) != {"components", "weights"}:
        raise ValueError(f"a mixture has 'components' and 'weights', got {sorted(arguments)}")
    components = [from_dict(component, ARGUMENTS) for component in arguments["components"]]
    # unchanged: `mixture` would divide the weights by their sum again
    return Mixture(tuple(c for c in components if isinstance(c, Presentation)), tuple(arguments["weights"]))


def _given_mask(described: Mapping[str, Any]) -> GivenMask:
    """Make a mask from the pixels in settings, as `Presentation.to_dict` writes them."""
    if set(described) != {"shape", "data"}:
        raise ValueError(
            f"mask must be one of {list(MASKS)}, or pixels as {{'shape': [3, height, width], 'data': float32 in "
            f"base64}}, got a mapping with the keys {list(described)}"
        )
    shape, data = described["shape"], described["data"]
    sides = list(shape) if isinstance(shape, list | tuple) else []
    if len(sides) != 3 or any(type(side) is not int or side < 1 for side in sides) or sides[0] != 3:
        raise ValueError(f"the shape of a mask must be [3, height, width], in pixels, got {shape!r}")
    wanted = 4 * math.prod(sides)
    try:
        found = len(base64.b64decode(data, validate=True))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the data of a mask of shape {sides} must be {wanted:,} bytes of float32 pixels in base64: {error}"
        ) from error
    if found != wanted:
        raise ValueError(
            f"the data of a mask of shape {sides} must be {wanted:,} bytes of float32 pixels, got {found:,}"
        )
    return GivenMask.of(GivenMask(tuple(sides), data).pixels())


# --- words -----------------------------------------------------------------------------------------------------------


def read_presentation(text: str) -> AnyPresentation:
    """Read a presentation: "flash", "flash:2", "masked:1:3:noise", several joined with "+" for a mixture.

    Raises
    ------
    ValueError
        If it cannot be read; the message says what is allowed.
    """
    parts: list[AnyPresentation] = []
    weights = []
    for part in text.split("+"):
        often, star, shown = part.rpartition("*")
        kind, *values = shown.split(":")
        if kind not in WRITTEN or len(values) > len(WRITTEN[kind]) or (star and not often.isdecimal()):
            raise ValueError(f"cannot read the presentation {part!r}: allowed are {SHOW_HELP}")
        numbers = [int(value) if value.isdecimal() else value for value in values]
        parts.append(from_dict({"kind": kind, **dict(zip(WRITTEN[kind], numbers, strict=False))}, ARGUMENTS))
        weights.append(int(often or 1))
    return parts[0] if len(parts) == 1 else mixture(*parts, weights=weights)


def write_presentation(presentation: AnyPresentation) -> str:
    """Write a presentation in the form of `read_presentation`; a noise mask until the end is left out.

    Equal weights of a mixture are left out. The pixels of a given mask are written as "given".
    """
    if isinstance(presentation, Mixture):
        least = min(presentation.weights)
        often = [round(weight / least) for weight in presentation.weights]
        parts = zip(often, presentation.components, strict=True)
        return "+".join(f"{n}*{write_presentation(c)}" if n > 1 else write_presentation(c) for n, c in parts)
    values = [getattr(presentation, name) for name in WRITTEN[presentation.kind]]
    if presentation.kind == "masked":
        # defaults are left out from the end: no duration of the mask, then noise
        values = values[:2] if values[2:] == ["noise", None] else values[:3] if values[3] is None else values
    return ":".join(["given" if isinstance(value, GivenMask) else str(value) for value in [presentation.kind, *values]])


def read_silence(text: str) -> tuple[str, range | None]:
    """Read a silenced transition: "V2->V1", "V2->V1:3", or "V2->V1:3-20" (both ends included).

    Instead of a transition, a state selects all transitions that leave it, and "forward", "lateral" or "feedback"
    selects all of that direction.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, times = text.partition(":")
    first, dash, last = times.partition("-")
    if times and not (first.isdecimal() and (not dash or (last.isdecimal() and int(last) >= int(first)))):
        raise ValueError(f"cannot read {text!r}: write V2->V1, V2->V1:3 or V2->V1:3-20, or feedback:3-20")
    return name, range(int(first), int(last or first) + 1) if times else None


def read_amount(text: str) -> tuple[str, tuple[float, range | None]]:
    """Read the gain or noise of a transition: "V2->V1:0.5", or "V2->V1:0.5:3-20"; names as for silence.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, rest = text.partition(":")
    amount, colon, times = rest.partition(":")
    try:
        value = float(amount)
    except ValueError:
        raise ValueError(f"cannot read {text!r}: write V2->V1:0.5, or V2->V1:0.5:3-20 for a time") from None
    return name, (value, read_silence(f"{name}:{times}")[1] if colon else None)


def read_record(text: str) -> list[str] | dict[str, str | list[int]]:
    """Read a list of states to record: "V1,IT", or with a selection: "V1:spatial_mean,V2,IT:0+7+12" (unit numbers).

    Raises
    ------
    ValueError
        If a state is named twice. `simulate` checks the states against the model.
    """
    asked: dict[str, str | list[int]] = {}
    for part in text.split(",") if text else []:
        name, colon, selection = part.partition(":")
        if name in asked:
            raise ValueError(f"{name} is recorded twice; give it once, as in V1:spatial_mean,IT")
        numbers = selection.split("+")
        asked[name] = (
            [int(n) for n in numbers] if all(n.isdecimal() for n in numbers) else selection if colon else "all"
        )
    return asked if ":" in text else list(asked)
