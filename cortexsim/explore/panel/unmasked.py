"""Presentations without a mask, by the name under which panels offer and save them."""

from __future__ import annotations

from collections.abc import Mapping

from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.presentation import Presentation, flash, sustained

UNMASKED: Mapping[str, Presentation] = {"sustained": sustained(), "flash": flash(1)}
MENU = (("sustained", "sustained"), ("flash, 1 step", "flash"))
FORMER_NAMES = {"the image stays": "sustained", "a flash of one step": "flash"}
"""Names in settings that earlier versions saved."""


def first_of(model: Cortex) -> str:
    """Return the first of them for which a model has statistics; the first of all if it needs none, or has none."""
    if model.needs_statistics:
        for name, presentation in UNMASKED.items():
            if any(known.contains(presentation) for known in model.statistics):
                return name
    return next(iter(UNMASKED))
