"""The settings of panels, with the answers that were given in them, as one small JSON file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cortexsim._support.checks import unknown
from cortexsim._support.files import refuse_existing, written_aside
from cortexsim._support.settings import (
    Form,
    anything,
    listed,
    mapping,
    mapping_or_none,
    name_or_path,
    text,
    text_or_none,
)
from cortexsim.explore.panel.asking import BUILT, Guess, present_name

_PANEL = {"panel": text, "question": text, "answered": listed}
FORMER = {"told": "answered"}

MEASURED = Form({**_PANEL, "subject": mapping_or_none, "choices": mapping}, former=FORMER)
"""Fields of a panel that measures: `choices` and `subject` determine its result."""

SHOWN = Form({**_PANEL, "shows": mapping}, former=FORMER)
"""Fields of a panel that shows its content without a run: `shows` are its settings."""

SUBJECT = Form(
    {"model": name_or_path, "data": mapping_or_none, "n": anything},
    {"model_checksum": text_or_none},
    what="the settings of the subject",
    versioned=False,
)

ANSWER = Form(
    {"question": anything, "answer": anything, "truth": anything}, what="the settings of an answer", versioned=False
)


def write_settings(settings: Mapping[str, Any], path: str | Path) -> None:
    """Write settings to a JSON file, which replaces an existing one.

    Raises
    ------
    OSError
        If it cannot be written; an existing file is unchanged then.
    """
    path = refuse_existing(path, replacing=True)
    with written_aside(path, replacing=True) as aside:
        aside.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def shown_settings(panel: Any) -> dict[str, Any]:
    """Return the settings and the answers of a Tour, an Anatomy or a Training, as plain values."""
    return SHOWN.written(
        panel=type(panel).__name__,
        shows=dict(panel.settings),
        question=panel.ask.question,
        answered=list(panel.ask.answered),
    )


class Saving:
    """A panel that shows its content without a run, and saves its settings and answers."""

    def save(self, path: str | Path) -> None:
        """Write the settings and the answers to a JSON file, which `cortexsim.explore.reopen` reads.

        Raises
        ------
        OSError
            If it cannot be written; an existing file is unchanged then.
        """
        write_settings(shown_settings(self), path)


def check_answers(answered: Any, questions: Mapping[str, Guess]) -> None:
    """Refuse answers that cannot have been given.

    Parameters
    ----------
    answered : object
        As `Asking.answered`.
    questions : mapping of str to Guess
        The panel's questions and exercises.

    Raises
    ------
    ValueError
        If a question, an answer or a truth is impossible; the message says which, and what is allowed.
    """
    for place, one in enumerate(answered, 1):
        where = f"the saved answers are damaged at number {place} of {len(answered)}"
        try:
            answer = ANSWER.read(one)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None
        name = answer["question"]
        name = present_name(name) if isinstance(name, str) else name
        if not isinstance(name, str) or name not in questions:
            raise ValueError(f"{where}: {unknown('question', name, questions)}")
        for part in ("answer", "truth"):
            allowed = _instead(questions[name], part, answer[part])
            if allowed:
                raise ValueError(f"{where}: the {part} to {name!r} must be {allowed}, got {answer[part]!r}")


def _instead(asked: Guess, part: str, value: Any) -> str:
    """Return what is allowed if a value is not; "" if it is."""
    if asked.choices == BUILT:
        allowed = (True,) if part == "answer" else (True, False)
        return "" if isinstance(value, bool) and value in allowed else " or ".join(map(str, allowed)).lower()
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    choices = None if callable(asked.choices) else list(asked.choices)
    words = choices is not None and all(isinstance(one, str) for one in choices)
    # choices that depend on a run are unknown here, and a truth can be any number
    if choices is not None and (words or part == "answer"):
        return "" if (number or isinstance(value, str)) and value in choices else f"one of {choices}"
    return "" if number else "a finite number"
