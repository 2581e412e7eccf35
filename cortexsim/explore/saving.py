"""A panel's settings, and what was answered in it, as one small JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim.files import written_aside

SCHEMA = 1
KEYS = ("schema", "version", "panel", "shows", "question", "told")


def answered(panel: Any) -> dict[str, Any]:
    """Return what a panel shows, and what was predicted and answered in it, as plain values.

    Parameters
    ----------
    panel : Tour, Anatomy or Training
        Of the panels that measure, `settings` hold all that.
    """
    return {
        "schema": SCHEMA,
        "version": __version__,
        "panel": type(panel).__name__,
        "shows": dict(panel.settings),
        "question": panel.ask.question,
        "told": list(panel.ask.told),
    }


def write_settings(settings: Mapping[str, Any], path: str | Path) -> None:
    """Write settings to a JSON file, which takes the place of one that is there.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is whole.
    """
    with written_aside(path, replacing=True) as aside:
        aside.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


class Saving:
    """What panels share that show at once, without a run: they save what they show and what was answered."""

    def save(self, path: str | Path) -> None:
        """Write the settings, and what was answered, to a JSON file; `cortexsim.explore.reopen` reads it.

        Raises
        ------
        OSError
            If it cannot be written; what was there before is whole.
        """
        write_settings(answered(self), path)


def check_answered(saved: Mapping[str, Any]) -> None:
    """Refuse what `answered` does not make.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or they are of another schema.
    """
    if set(saved) != set(KEYS) or saved["schema"] != SCHEMA:
        raise ValueError(
            f"what such a panel saves has {list(KEYS)} (schema {SCHEMA}), got {list(saved)} "
            f"(schema {saved.get('schema')})"
        )
