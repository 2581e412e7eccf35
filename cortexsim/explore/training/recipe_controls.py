"""The controls of a training, one for each choice."""

from __future__ import annotations

import os
from collections.abc import Mapping

import ipywidgets as widgets

from cortexsim.explore.panel.more_settings import MoreSettings
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.lesson import Lesson
from cortexsim.explore.widgets.choice import Choice, Option

NAMES = (
    "learning_rate",
    "readout_time",
    "loss_at",
    "lateral",
    "feedback",
    "short_first",
    "progressive",
    "seed",
    "threads",
)
_WIDE = {"description_width": "initial"}


class RecipeControls(widgets.VBox):
    """The controls of a `Training`, one for each choice.

    It contains those of the recipe, behind a button; the panel places `task` and `more.button`.

    Parameters
    ----------
    lessons : mapping of str to Lesson
    """

    def __init__(self, lessons: Mapping[str, Lesson]) -> None:
        self.task = widgets.Dropdown(
            options=[(lesson.title, name) for name, lesson in lessons.items()],
            description="task",
            layout=widgets.Layout(width="390px"),
            style=_WIDE,
        )
        self.learning_rate = widgets.FloatText(
            description="learning rate", step=0.001, layout=widgets.Layout(width="165px"), style=_WIDE
        )
        self.readout_time = widgets.IntText(
            description="last readout time (steps)", layout=widgets.Layout(width="210px"), style=_WIDE
        )
        self.seed = widgets.IntText(description="seed", layout=widgets.Layout(width="100px"), style=_WIDE)
        self.lateral, self.feedback, self.short_first, self.progressive = (
            widgets.Checkbox(value=True, description=text, indent=False, layout=widgets.Layout(width="auto"))
            for text in ("lateral", "feedback", "short curves first", "progressive loss")
        )
        self.loss_at, self.threads = Choice(label="loss at"), Choice(label="threads")
        self.loss_at.offer([Option("all", "all readout times"), Option("readout", "the last only")], "all")
        # two threads on two busy cores can take many times as long as one
        most = max(2, min(os.cpu_count() or 1, 4))
        self.threads.offer([Option(n, str(n)) for n in range(1, most + 1)], 1)
        recipe = [self.learning_rate, self.readout_time, self.seed]
        recipe += [self.loss_at, self.lateral, self.feedback, self.short_first, self.progressive, self.threads]
        self.more = MoreSettings(recipe)
        super().__init__([self.more])

    def show(self, lesson: Lesson, choices: Choices) -> None:
        """Set every control."""
        for name in NAMES:
            getattr(self, name).value = getattr(choices, name)
            getattr(self, name).layout.display = "" if name in lesson.offers else "none"
        if not lesson.has_curriculum:
            self.short_first.layout.display = "none"

    def read(self) -> Choices:
        """Return the choices.

        Raises
        ------
        ValueError
            If a number is not allowed.
        """
        return Choices(**{name: getattr(self, name).value for name in NAMES})

    def enable(self, enabled: bool) -> None:
        """Enable or disable all controls."""
        for name in ("task", *NAMES):
            getattr(self, name).disabled = not enabled
