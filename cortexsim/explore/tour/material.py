"""The models and images of the first panel, by task and difficulty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from cortexsim import zoo
from cortexsim._support.checks import unknown
from cortexsim.datasets.registry import Difficulty, draw
from cortexsim.explore.panel.tasks import Task, shipped
from cortexsim.model.cortex import Cortex

N_IMAGES = 200
OWN = "own"


class Material:
    """Material of a task: its model, its feedforward control, if there is one, and its images.

    Parameters
    ----------
    model, control : Cortex or str, optional
        Of your own, in place of the tasks'.
    data : Dataset or mapping, optional
        With `model`.

    Attributes
    ----------
    tasks : dict of str to Task
    task : Task
        The chosen one, with `model`, `control` and `images`; set by `choose`.

    Raises
    ------
    ValueError, TypeError
        If one of the arguments is not allowed without the others, or of another type.
    """

    def __init__(
        self,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, Any] | None = None,
        control: Cortex | str | None = None,
    ) -> None:
        if model is None and (data is not None or control is not None):
            what = "data" if data is not None else "control"
            raise ValueError(f"{what} goes with a model of your own: give model=, too, or choose one of the tasks")
        self.tasks = shipped() if model is None else {OWN: _own_task(model, data, control)}
        self._given = {"model": model, "control": control}
        self._images = data if isinstance(data, xr.Dataset) else None
        self._loaded: dict[str, Cortex] = {}

    def choose(self, task: str, difficulty: str | None = None) -> str:
        """Choose a task and a difficulty, by default the task's first, and return the difficulty.

        Raises
        ------
        ValueError
            If the task has no such difficulty.
        """
        chosen = self.tasks[task]
        _check_difficulty(chosen, difficulty)
        self.task = chosen
        model = self._model("model", chosen.model)
        assert model is not None
        self.model: Cortex = model
        self.control = self._model("control", chosen.control)
        difficulty = difficulty or next(iter(chosen.difficulties))
        self.draw(difficulty)
        return difficulty

    def draw(self, difficulty: str) -> None:
        """Draw the images of a difficulty.

        Raises
        ------
        ValueError
            If the task has no such difficulty.
        """
        _check_difficulty(self.task, difficulty)
        self.images = draw(self.task.data_for(difficulty), N_IMAGES) if self._images is None else self._images

    def _model(self, role: str, name: str | None) -> Cortex | None:
        given = self._given[role]
        if isinstance(given, Cortex) or name is None:
            return given if isinstance(given, Cortex) else None
        if name not in self._loaded:
            self._loaded[name] = zoo.get(name)
        return self._loaded[name]


def find_task(model: str | None, data: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Find the task and the difficulty with this model and these data; None if there are none."""
    for name, task in shipped().items():
        for difficulty in task.difficulties:
            if (task.model, task.data_for(difficulty)) == (model, data):
                return name, difficulty
    return None


def _check_difficulty(task: Task, difficulty: str | None) -> None:
    if difficulty is not None and difficulty not in task.difficulties:
        raise ValueError(unknown(task.difficulty, difficulty, task.difficulties))


def _own_task(model: Any, data: Any, control: Any) -> Task:
    """Describe the user's model and data as a task."""
    if not isinstance(model, Cortex | str):
        raise TypeError(f"model must be a Cortex, a name or a path, got {type(model).__name__}")
    if not isinstance(data, xr.Dataset | Mapping):
        raise TypeError(
            "with a model of your own, data must be a Dataset with `image` (and `label`), or a mapping such as "
            f"{{'name': 'digits', 'part': 'test'}}, got {type(data).__name__}"
        )
    return Task(
        title="your own model",
        data=None if isinstance(data, xr.Dataset) else dict(data),
        difficulty="data",
        difficulties={"as given": Difficulty("as given", {})},
        model=model if isinstance(model, str) else None,
        control=control if isinstance(control, str) else None,
    )
