"""Panels of any kind, opened from saved settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortexsim import explore
from cortexsim._support.checks import unknown
from cortexsim._support.settings import read_settings
from cortexsim.explore.panel.settings import MEASURED, SHOWN, check_answers

if TYPE_CHECKING:
    from cortexsim.explore.anatomy.panel import Anatomy
    from cortexsim.explore.masking_trials.panel import MaskingTrials
    from cortexsim.explore.panel.study import Study
    from cortexsim.explore.tour.panel import Tour
    from cortexsim.explore.tracer.panel import Tracer
    from cortexsim.explore.training.panel import Training

STUDIES = (
    "Brains",
    "Changes",
    "Drift",
    "EachLesion",
    "Experiment",
    "Folding",
    "HowLong",
    "Interruption",
    "Lesions",
    "Longer",
    "Masking",
    "Recorder",
    "Returning",
    "Sequences",
    "Sweep",
)


SHOWS = ("Anatomy", "MaskingTrials", "Tour", "Tracer", "Training")
"""Panels that show without a measurement."""


def reopen(
    settings: Mapping[str, Any] | str | Path, *, model: Any = None, data: Any = None, lesson: Any = None
) -> Study | Anatomy | MaskingTrials | Tour | Tracer | Training:
    """Open a panel from saved settings, with the answers that were given in it.

    Parameters
    ----------
    settings : mapping or path
        A panel's `settings`, or the file that `panel.save` wrote.
    model, data
        For settings of a panel that was opened on a model or data of your own.
    lesson : Lesson
        For settings of a training of your own.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If the file is not JSON, or these are not settings of a panel, or the answers are damaged; the message says
        where, and what is allowed.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.reopen(cs.explore.HowLong("contours", question="").settings)
    >>> type(panel).__name__
    'HowLong'
    """
    if isinstance(settings, str | Path):
        settings = read_settings(settings)
    known = (*STUDIES, *SHOWS)
    if not isinstance(settings, Mapping) or "panel" not in settings:
        raise ValueError(f"these are not settings of a panel ({', '.join(known)}): the key 'panel' is missing")
    name = settings["panel"]
    if not isinstance(name, str) or name not in known:
        raise ValueError(unknown("panel", name, known))
    kind = getattr(explore, name)
    if name in STUDIES:
        settings = MEASURED.read(settings)
        check_answers(settings["answered"], {**kind.QUESTIONS, **kind.EXERCISES})
        return kind.from_settings(settings, model=model, data=data)
    settings = SHOWN.read(settings)
    given = {"model": model, "data": data, "lesson": lesson}
    more = {key: value for key, value in given.items() if value is not None}
    panel = kind.from_settings(settings["shows"], question=settings["question"], **more)
    check_answers(settings["answered"], {**kind.EXERCISES, **panel.ask.questions})
    panel.ask.recall(settings["answered"], kind.EXERCISES)
    return panel
