"""A question before each picture: the answer stays covered until a prediction is made, then both are compared."""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from cortexsim.explore.panel.asking import NEVER, Asking, present_name
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.tour.questions import PARTS, QUESTIONS, Facts, Question
from cortexsim.explore.widgets.editor import Editor
from cortexsim.explore.widgets.stage import Stage

COVERED = "covered until you have predicted, or skipped"
SKIPPED = "Skipped: not counted. Choose a question under «predict» to be asked again."


class Prediction(Asking):
    """A question that covers its answer, reveals it after a prediction, and counts the predictions.

    Each part of the picture stays covered until its own question is answered. What was answered is not asked again
    while its answer is the same.

    Parameters
    ----------
    stage : Stage or Editor
        The picture that it covers.
    question : str
        A key of `questions`, or "" for none.
    questions : mapping of str to Question
        The questions.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    questions: Mapping[str, Question]

    def __init__(self, stage: Stage | Editor, question: str, questions: Mapping[str, Question] = QUESTIONS) -> None:
        self.stage = stage
        self._final = self._waits = self._starts = self._skipped = False
        self._keys: Mapping[str, Hashable] = {}
        self._possible: set[str] = set()
        self._open: set[Hashable] = set()
        self._verdicts: dict[Hashable, tuple[Any, str, list[dict[str, Any]]]] = {}
        # the question that the user has chosen, even while it cannot be asked
        self._chosen = present_name(question)
        narrow = widgets.Layout(width="80px")
        self.reveal_button = widgets.Button(description="reveal", button_style="primary", layout=narrow)
        self.skip_button = widgets.Button(description="skip", tooltip="look without a prediction", layout=narrow)
        super().__init__(questions, question)
        self.observe(lambda change: self._remember(change["new"]), names="question")
        self.answers.children = (self.choice, self.reveal_button, self.skip_button)
        self.reveal_button.on_click(lambda _: self._guarded(self.reveal))
        self.skip_button.on_click(lambda _: self._guarded(self.skip))

    # --- called by the panel

    def start(self, facts: Facts, *, control: bool, keys: Mapping[str, Hashable] | None = None) -> None:
        """Ask about another recording.

        Parameters
        ----------
        facts : Facts
        control : bool
            True if there is a feedforward control.
        keys : mapping of str to hashable, optional
            What the answer to each question depends on; a question without a key is always asked again.
        """
        self.about, self._final, self._keys = facts, False, keys or {}
        labelled = any(right is not None for right in facts.right)
        needed = {"settled": labelled, "batch": labelled, "control": labelled and control}
        possible = {name: one for name, one in self.questions.items() if needed.get(name, True)}
        self._starts, self._possible = True, set(possible)
        try:
            # a menu with new options chooses the first one
            self.menu.options = self._options(possible)
            self.menu.value = self._chosen if self._chosen in possible else ""
        finally:
            self._starts = False
        self._ask()
        if self._chosen and self._chosen not in possible:
            lacks = "there is no feedforward control" if labelled else "the class of what is read out is not known"
            self._say(f"«{html.escape(self.questions[self._chosen].title)}» cannot be asked here: {lacks}.")

    def update(self, facts: Facts) -> None:
        """Update what is known of the recording, without asking again."""
        self.about = facts

    def learn(self, batch: Sequence[float | None] = (), control: Sequence[float | None] = (), *, final: bool) -> None:
        """Take the accuracies of the batch, and reveal an answer that waits for them.

        Parameters
        ----------
        batch, control : sequence of (float or None)
            Accuracy at each time.
        final : bool
            True if nothing more will be measured.
        """
        if self.about is None:
            return
        self.about = Facts(**{**vars(self.about), "batch": batch, "control": control})
        self._final = final
        if self._waits:
            self.reveal()

    def uncover(self, *questions: str) -> None:
        """Uncover what answers these questions about the present recording: it was shown elsewhere."""
        self._open |= {self._key(name) for name in questions}
        self._cover_parts()

    # --- actions

    def reveal(self) -> None:
        """Uncover the answer, and compare the prediction with it."""
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
        # the prediction stays visible next to the answer
        self.answer, truth = answer, self.answered[-1]["truth"]
        places = [(truth, "it is"), (answer, "you said")] if truth != answer else [(truth, "as you said")]
        self.stage.marks = [
            {"time": time, "label": label, "on": asked.mark} for time, label in places if asked.mark and time != NEVER
        ]
        key = self._key(self.question)
        self._open.add(key)
        self._verdicts[key] = answer, self.result.value, self.stage.marks
        self._uncover()

    def skip(self) -> None:
        """Uncover everything without a prediction, until another question is chosen; this is not counted."""
        if self.stage.cover:
            self._skipped = True
            self._say(SKIPPED)
            self._uncover()

    # --- inside

    def _remember(self, question: str) -> None:
        if not self._starts:
            self._chosen = question
            if self._skipped:
                self._skipped = False
                self._ask()

    def _key(self, question: str) -> Hashable:
        # without a key, none is like another
        return question, self._keys.get(question, object())

    def _ask(self) -> None:
        asked = self.asked if self.about is not None else None
        verdict = self._verdicts.get(self._key(self.question))
        asks = asked is not None and verdict is None and not self._skipped
        self._waits = False
        self.stage.marks = []
        self.stage.cover = asked.cover if isinstance(asked, Question) and asks else ""
        for control in (self.reveal_button, self.skip_button):
            control.layout.display = "none" if asked is None else ""
        if self.about is not None:
            super()._ask()
        self._enable(asks)
        if verdict is not None:
            self.answer, self.result.value, self.stage.marks = verdict
        elif asked is not None and self._skipped:
            self._say(SKIPPED)
        self._cover_parts()

    def _uncover(self) -> None:
        self._waits = False
        self.stage.cover = ""
        self._enable(False)
        self._cover_parts()

    def _cover_parts(self) -> None:
        if isinstance(self.stage, Stage):
            self.stage.covers = self._covers()

    def _covers(self) -> dict[str, str]:
        """Return the parts of the picture that are covered, and what is written there."""
        if self.about is None or not self.question or self._skipped:
            return {}
        if self.stage.cover == "time":
            return dict.fromkeys(PARTS, COVERED)
        covers = {}
        for part, names in PARTS.items():
            possible = [name for name in names if name in self._possible]
            if not possible or any(self._is_open(name) for name in possible):
                continue
            asked = f"covered: choose «{self.questions[possible[0]].title}» under «predict»"
            covers[part] = COVERED if self.question in possible else asked
        return covers

    def _is_open(self, question: str) -> bool:
        return self._key(question) in self._open or (question == self.question and not self.stage.cover)

    def _enable(self, enabled: bool) -> None:
        for control in (self.choice, self.reveal_button, self.skip_button):
            control.disabled = not enabled

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # Jupyter shows no exception of a widget's callback
            self.result.value = alert("This could not be compared", error, "Skip it, or choose another image.")
