"""Presentations without a mask, by the name under which panels offer and save them."""

from __future__ import annotations

from collections.abc import Mapping

from cortexsim.stimuli.presentation import Presentation, flash, sustained

UNMASKED: Mapping[str, Presentation] = {"sustained": sustained(), "flash": flash(1)}
MENU = (("sustained", "sustained"), ("flash, 1 step", "flash"))
FORMER_NAMES = {"the image stays": "sustained", "a flash of one step": "flash"}
"""Names in settings that earlier versions saved."""
