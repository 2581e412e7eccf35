"""Tasks that panels offer: data with their difficulties, a pretrained model, and its feedforward control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cortexsim.datasets.registry import SOURCES, Difficulty
from cortexsim.zoo.models import pretrained


@dataclass(frozen=True)
class Task:
    """A task.

    Parameters
    ----------
    title : str
    data : mapping or None
        `name` and arguments of a dataset, as `rerun` reads them; None for images of your own.
    difficulty : str
        The name of the difficulty, such as "occlusion".
    difficulties : mapping of str to Difficulty
        At least one.
    model : str or None
        Name of a pretrained model, or a path; None for a model of your own.
    control : str or None
        The feedforward control.
    start : mapping
        The first presentation.
    """

    title: str
    data: Mapping[str, Any] | None
    difficulty: str
    difficulties: Mapping[str, Difficulty]
    model: str | None
    control: str | None = None
    start: Mapping[str, Any] = field(default_factory=lambda: {"kind": "flash", "duration": 1})

    def data_for(self, difficulty: str) -> dict[str, Any] | None:
        """Return the data to draw, as `rerun` reads them."""
        return None if self.data is None else {**self.data, **self.difficulties[difficulty].adds}


def _of(dataset: str, title: str, model: str | None, **more: Any) -> Task:
    """Return the task of a registered dataset, with the difficulties listed there."""
    source = SOURCES[dataset]
    return Task(
        title, {"name": dataset, "part": "test", "seed": 0}, source.difficulty, source.difficulties, model, **more
    )


TASKS: dict[str, Task] = {
    "contours": _of(
        "contours",
        "contours: are both dots on one curve?",
        "ventral-stream-contours",
        control="ventral-stream-contours-feedforward",
        start={"kind": "sustained"},
    ),
    "digits": _of(
        "digits",
        "digits in debris: which one is it?",
        "ventral-stream-digits",
        control="ventral-stream-digits-feedforward",
    ),
    "digits-tiny": _of("digits", "digits in debris, a tiny model", "digits-tiny"),
}


def shipped() -> dict[str, Task]:
    """Return the tasks whose models are installed; a control that is not installed is left out."""
    there = pretrained()
    # a registered dataset with a model needs no entry in TASKS
    plain = {
        name: _of(name, f"{name}: {source.description}", source.model)
        for name, source in SOURCES.items()
        if source.drawn and source.model is not None and name not in TASKS
    }
    return {
        name: task if task.control in there else replace(task, control=None)
        for name, task in {**TASKS, **plain}.items()
        if task.model in there
    }
