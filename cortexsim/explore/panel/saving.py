"""A panel's settings, and what was answered in it, as one small JSON file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim._support.checks import unknown
from cortexsim._support.files import written_aside
from cortexsim.explore.panel.asking import BUILT, Guess

SCHEMA = 1
KEYS = ("schema", "version", "panel", "shows", "question", "told")
TOLD = ("question", "answer", "truth")


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
    if not isinstance(saved["shows"], Mapping):
        raise ValueError(f"'shows' must be a mapping, as panel.settings gives it, got {saved['shows']!r}")


def check_told(told: Any, questions: Mapping[str, Guess]) -> None:
    """Refuse answers that cannot have been given.

    Parameters
    ----------
    told : object
        As `Asking.told`.
    questions : mapping of str to Guess
        The panel's, and its exercises.

    Raises
    ------
    ValueError
        If they are no such list, or a question, an answer or a truth is impossible; the message says which, and what is
        allowed.
    """
    if not isinstance(told, list | tuple):
        raise ValueError(f"the saved answers are damaged: 'told' must be a list, got {told!r}")
    for place, one in enumerate(told):
        where = f"the saved answers are damaged at number {place + 1} of {len(told)} in 'told'"
        if not isinstance(one, Mapping) or set(one) != set(TOLD):
            raise ValueError(f"{where}: it must be a mapping with the keys {list(TOLD)}, got {one!r}")
        name = one["question"]
        if not isinstance(name, str) or name not in questions:
            raise ValueError(f"{where}: {unknown('question', name, questions)}")
        for part in ("answer", "truth"):
            allowed = _instead(questions[name], part, one[part])
            if allowed:
                raise ValueError(f"{where}: the {part} to {name!r} must be {allowed}, got {one[part]!r}")


def _instead(asked: Guess, part: str, value: Any) -> str:
    """Say what is allowed where a value is not; "" where it is."""
    if asked.choices == BUILT:
        allowed = (True,) if part == "answer" else (True, False)
        return "" if isinstance(value, bool) and value in allowed else " or ".join(map(str, allowed)).lower()
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    choices = None if callable(asked.choices) else list(asked.choices)
    words = choices is not None and all(isinstance(one, str) for one in choices)
    # choices that depend on a run are not known now, and a truth may be any number
    if choices is not None and (words or part == "answer"):
        return "" if (number or isinstance(value, str)) and value in choices else f"one of {choices}"
    return "" if number else "a finite number"
