"""A panel that measures something on the model and images of a task, which can be changed in the panel."""

from __future__ import annotations

from typing import Any

from cortexsim.explore.panel.controls import Chosen, Menu
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.panel.tasks import shipped

OWN_TASK = "your own"


class TaskStudy(SubjectStudy):
    """A panel with the choice `task`: each task brings its model, its control and its images.

    A model of your own is the only one that its panel offers. The arguments are those of `SubjectStudy`.
    """

    _subjects: dict[str, Subject]

    def task_menu(self, subject: Subject, *, label: str = "task", width_px: int = 330) -> Menu:
        """Declare the menu of tasks; to be used in `controls_for`."""
        named = subject.to_dict()["model"]
        task = next((name for name, known in shipped().items() if known.model == named), OWN_TASK)
        self._subjects = {task: subject}
        known = {known.title: name for name, known in shipped().items()}
        return Menu(label, {subject.title: OWN_TASK} if task == OWN_TASK else known, task, width_px)

    def offer(self, subject: Subject) -> None:
        """Set the controls whose options depend on the subject."""
        raise NotImplementedError

    def subject_of(self, choices: Chosen) -> Subject:
        """Return the subject of choices; its model is loaded at the first call."""
        task = choices["task"]
        if task not in self._subjects:
            self._subjects[task] = Subject(task, n=self.who.n)
        return self._subjects[task]

    def of_subject(self, choices: Chosen) -> tuple[Subject, dict[str, Any]]:
        """Return the subject of the chosen task, and the other choices."""
        return self.subject_of(choices), super().of_subject(choices)[1]

    def _follow(self) -> None:
        """Change to the chosen task, then show whether the choices can be run."""
        chosen = self.subject_of(self.choices)
        if chosen is not self.subject:
            self.subject = chosen
            self.offer(chosen)
        super()._follow()
