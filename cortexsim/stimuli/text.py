"""Presentations, silences and what to record, as they are written on a command line or in a study file."""

from __future__ import annotations

from typing import Any

from cortexsim.stimuli import presentation
from cortexsim.stimuli.presentation import AnyPresentation


def read_presentation(text: str) -> AnyPresentation:
    """Read a presentation: "flash", "flash:2", "masked:1:3:noise", several joined with "+" for a mixture.

    Raises
    ------
    ValueError
        If it cannot be read; the message says what is allowed.
    """
    parts, weights = [], []
    for part in text.split("+"):
        often, star, shown = part.rpartition("*")
        name, *values = shown.split(":")
        numbers = [int(value) if value.isdigit() else value for value in values]
        most = {"flash": 1, "sustained": 0, "masked": 4, "sequence": 1}
        if name not in most or len(values) > most[name] or (star and not often.isdigit()):
            raise ValueError(
                f"cannot read the presentation {part!r}: allowed are flash, flash:STEPS, sustained, sequence, "
                "masked:DURATION:SOA[:MASK[:MASK_DURATION]], joined with +; 3*flash is drawn three times as often"
            )
        parts.append(getattr(presentation, name)(*numbers))
        weights.append(int(often or 1))
    return parts[0] if len(parts) == 1 else presentation.mixture(*parts, weights=weights)


def read_silence(text: str) -> tuple[str, Any]:
    """Read a silenced transition: "V2->V1", "V2->V1:3", or "V2->V1:3-20" (both ends included).

    In place of its name, a state stands for all that leave it, and "forward", "lateral" or "feedback" for all that go
    this way.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, times = text.partition(":")
    first, dash, last = times.partition("-")
    if times and not (first.isdigit() and (not dash or (last.isdigit() and int(last) >= int(first)))):
        raise ValueError(f"cannot read {text!r}: write V2->V1, V2->V1:3 or V2->V1:3-20, or feedback:3-20")
    return name, range(int(first), int(last or first) + 1) if times else None


def read_amount(text: str) -> tuple[str, tuple[float, Any]]:
    """Read how much of a gain or of noise a transition gets: "V2->V1:0.5", or "V2->V1:0.5:3-20"; names as for silence.

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


def read_record(text: str) -> list[str] | dict[str, Any]:
    """Read what to record: "V1,IT", or how much of each: "V1:spatial_mean,V2,IT:0+7+12" (units by their numbers).

    Raises
    ------
    ValueError
        If a state is named twice. What does not fit a model is left to `simulate`.
    """
    asked: dict[str, Any] = {}
    for part in text.split(",") if text else []:
        name, colon, way = part.partition(":")
        if name in asked:
            raise ValueError(f"{name} is recorded twice; give it once, as in V1:spatial_mean,IT")
        numbers = way.split("+")
        asked[name] = [int(n) for n in numbers] if all(n.isdigit() for n in numbers) else way if colon else "all"
    return asked if ":" in text else list(asked)
