"""Tasks that panels offer: data with their difficulties, a pretrained model, and its feedforward control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from cortexsim.datasets.registry import SOURCES
from cortexsim.zoo.models import pretrained


class Difficulty(NamedTuple):
    """A label, and the arguments that are added to those of the task's data."""

    label: str
    adds: Mapping[str, Any]


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


_OCCLUSION = {
    "none": Difficulty("none", {"occlusion": "none"}),
    "light": Difficulty("light (5-20 %)", {"occlusion": "light"}),
    "heavy": Difficulty("heavy (30-50 %)", {"occlusion": "heavy"}),
}

TASKS: dict[str, Task] = {
    "contours": Task(
        title="contours: are both dots on one curve?",
        data={"name": "contours", "part": "test", "seed": 0},
        difficulty="curve length",
        difficulties={
            "short": Difficulty("short (8-14 px)", {"length": [8, 14]}),
            "medium": Difficulty("medium (14-21 px)", {"length": [14, 21]}),
            "long": Difficulty("long (21-28 px)", {"length": [21, 28]}),
        },
        model="ventral-stream-contours",
        control="ventral-stream-contours-feedforward",
        start={"kind": "sustained"},
    ),
    "digits": Task(
        title="digits in debris: which one is it?",
        data={"name": "digits", "part": "test", "seed": 0},
        difficulty="occlusion",
        difficulties=_OCCLUSION,
        model="ventral-stream-digits",
        control="ventral-stream-digits-feedforward",
    ),
    "digits-tiny": Task(
        title="digits in debris, a tiny model",
        data={"name": "digits", "part": "test", "seed": 0},
        difficulty="occlusion",
        difficulties=_OCCLUSION,
        model="digits-tiny",
    ),
}


def shipped() -> dict[str, Task]:
    """Return the tasks whose models are installed; a control that is not installed is left out."""
    there = pretrained()
    # registered datasets need no entry here; the entries add a choice of difficulty
    plain = {
        name: Task(
            title=f"{name}: {source.description}",
            data={"name": name, "part": "test", "seed": 0},
            difficulty="data",
            difficulties={"as drawn": Difficulty("as drawn", {})},
            model=source.model,
        )
        for name, source in SOURCES.items()
        if source.drawn and source.model is not None and name not in TASKS
    }
    return {
        name: task if task.control in there else replace(task, control=None)
        for name, task in {**TASKS, **plain}.items()
        if task.model in there
    }
