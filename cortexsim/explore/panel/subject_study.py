"""Base of the panels that measure something on a model and its images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import ipywidgets as widgets
import xarray as xr

from cortexsim.explore.panel.ahead import measured_ahead, path_of
from cortexsim.explore.panel.controls import Chosen, Control
from cortexsim.explore.panel.study import Study
from cortexsim.explore.panel.subject import Subject
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images


class SubjectStudy(Study):
    """A panel with a subject, a model with images, and with controls that depend on it.

    Parameters
    ----------
    task : str, optional
        A task with a pretrained model, such as "contours"; by default the first, or the panel's own.
    model : Cortex or str, optional
        In place of a task: a model, the name of a pretrained one, or a path ending in .safetensors.
    data : Dataset or mapping, optional
        With `model`: images with the coordinate `label`, or `name` and arguments of a dataset.
    n : int, optional
        Number of images; by default the panel's own, or all if `data` has fewer.
    question : str
        A key of `QUESTIONS`, or "" for none.
    subject : Subject, optional
        In place of task, model, data and n.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. Later errors are shown in the panel.
    """

    TASK: ClassVar[str | None] = None
    N: ClassVar[int] = 200

    subject: Subject

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, object] | None = None,
        n: int | None = None,
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        if subject is None:
            named = self.TASK if task is None and model is None and data is None else task
            n = self._default_n(data) if n is None else n
            subject = Subject(named, model=model, data=data, n=n, needed=self.CLASSES)
        super().__init__(subject, self.controls_for(subject), question)

    def _default_n(self, data: object) -> int:
        return min(self.N, len(as_images(data))) if isinstance(data, xr.Dataset) else self.N

    def controls_for(self, subject: Subject) -> Mapping[str, Control | widgets.DOMWidget]:
        """Declare the controls by the names of the choices; called once, before the rest of the panel is made."""
        raise NotImplementedError

    def of_subject(self, choices: Chosen) -> tuple[Subject, dict[str, Any]]:
        """Return the subject of choices, and the choices of the measurement without the task that names it."""
        kept = {name: value for name, value in choices.items() if name not in (*self.VIEWS, "task")}
        return self.who, kept

    def ahead(self, choices: Chosen) -> xr.Dataset | None:
        """Open the result of these choices if it ships."""
        return measured_ahead(path_of(type(self).__name__, *self.of_subject(choices)))

    @property
    def who(self) -> Subject:
        """The subject of the present choices."""
        return self.subject
