"""A question before each try: what is read out stays covered until it is answered; then it says how close that was."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from cortexsim.explore.panel.asking import NEVER, Asking
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.tour.questions import QUESTIONS, Facts, Question
from cortexsim.explore.widgets.editor import Editor
from cortexsim.explore.widgets.stage import Stage


class Prediction(Asking):
    """Ask, cover, reveal, and keep count.

    Parameters
    ----------
    stage : Stage or Editor
        What it covers.
    question : str
        A key of `questions`, or "" for none.
    questions : mapping of str to Question
        What can be asked.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    questions: Mapping[str, Question]

    def __init__(self, stage: Stage | Editor, question: str, questions: Mapping[str, Question] = QUESTIONS) -> None:
        self.stage = stage
        self._final = self._waits = self._starts = False
        # what the person wants to be asked, also while that cannot be
        self._wish = question
        narrow = widgets.Layout(width="80px")
        self.reveal_button = widgets.Button(description="reveal", button_style="primary", layout=narrow)
        self.skip_button = widgets.Button(description="skip", tooltip="look without a prediction", layout=narrow)
        super().__init__(questions, question)
        self.observe(lambda change: self._wished(change["new"]), names="question")
        self.answers.children = (self.choice, self.reveal_button, self.skip_button)
        self.reveal_button.on_click(lambda _: self._guarded(self.reveal))
        self.skip_button.on_click(lambda _: self._guarded(self.skip))

    # --- what the panel tells

    def start(self, facts: Facts, *, sibling: bool) -> None:
        """Ask anew, about another recording.

        Parameters
        ----------
        facts : Facts
        sibling : bool
            Whether there is one to measure.
        """
        self.about, self._final = facts, False
        labelled = any(right is not None for right in facts.right)
        needed = {"settled": labelled, "batch": labelled, "sibling": labelled and sibling}
        possible = {name: one for name, one in self.questions.items() if needed.get(name, True)}
        self._starts = True
        try:
            # a menu falls back on its first option when it gets others
            self.menu.options = self._options(possible)
            self.menu.value = self._wish if self._wish in possible else ""
        finally:
            self._starts = False
        self._ask()
        if self._wish and self._wish not in possible:
            lacks = "there is no sibling to measure" if labelled else "nothing is read out whose class is known"
            self._say(f"«{html.escape(self.questions[self._wish].title)}» cannot be asked here: {lacks}.")

    def update(self, facts: Facts) -> None:
        """Take in what became of the recording, without asking anew."""
        self.about = facts

    def learn(self, batch: Sequence[float | None] = (), sibling: Sequence[float | None] = (), *, final: bool) -> None:
        """Take in what was measured on the batch, and reveal what waits for it.

        Parameters
        ----------
        batch, sibling : sequence of (float or None)
            Accuracy at each time.
        final : bool
            Whether nothing more is to come, even if nothing came.
        """
        if self.about is None:
            return
        self.about = Facts(**{**vars(self.about), "batch": batch, "sibling": sibling})
        self._final = final
        if self._waits:
            self.reveal()

    # --- what the person does

    def reveal(self) -> None:
        """Uncover, and say how close the prediction was."""
        asked, facts = self.asked, self.about
        if not isinstance(asked, Question) or facts is None or not self.stage.cover:
            return
        if self.answer is None:
            self.remind("Choose an answer first, or skip.")
            return
        if asked.measured and not getattr(facts, asked.measured):
            self._waits = not self._final
            self._say("Measuring …" if self._waits else "That could not be measured, so it does not count.")
            if self._final:
                self._uncover()
            return
        answer = self.answer
        self.compare(facts, {})
        # it stays to be seen, beside what it was
        self.answer, truth = answer, self.answered[-1]["truth"]
        places = [(truth, "it is"), (answer, "you said")] if truth != answer else [(truth, "as you said")]
        self.stage.marks = [
            {"time": time, "label": label, "on": asked.mark} for time, label in places if asked.mark and time != NEVER
        ]
        self._uncover()

    def skip(self) -> None:
        """Uncover without a prediction; it does not count."""
        if self.stage.cover:
            self._say("Skipped: not counted.")
            self._uncover()

    # --- inside

    def _wished(self, question: str) -> None:
        if not self._starts:
            self._wish = question

    def _ask(self) -> None:
        asked = self.asked if self.about is not None else None
        self._waits = False
        self.stage.marks = []
        self.stage.cover = asked.cover if isinstance(asked, Question) else ""
        for control in (self.reveal_button, self.skip_button):
            control.layout.display = "none" if asked is None else ""
        if self.about is not None:
            super()._ask()
        self._enable(True)

    def _uncover(self) -> None:
        self._waits = False
        self.stage.cover = ""
        self._enable(False)

    def _enable(self, enabled: bool) -> None:
        for control in (self.choice, self.reveal_button, self.skip_button):
            control.disabled = not enabled

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # a widget's exception would show nowhere else
            self.result.value = alert("This prediction could not be taken", error, "Skip it, or choose another image.")
