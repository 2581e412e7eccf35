"""A question before each try: what is read out stays covered until it is answered; then it says how close that was."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from cortexsim.explore.choice import Choice, Option
from cortexsim.explore.editor import Editor
from cortexsim.explore.notice import alert
from cortexsim.explore.questions import NEVER, QUESTIONS, Facts, Question, tally
from cortexsim.explore.stage import Stage
from cortexsim.suggest import unknown

JUST_LOOK = ("nothing, just look", "")


class Prediction(widgets.VBox):
    """Ask, cover, reveal, and keep count.

    Parameters
    ----------
    stage : Stage or Editor
        What it covers.
    question : str
        A key of `questions`, or "" for none.
    questions : mapping of str to Question
        What can be asked.

    Attributes
    ----------
    question : str
    prediction : int or None
        A time in steps, a percentage, or `NEVER`; None is not made yet.
    tries : list of (str, int)
        Unit and distance of each prediction that was revealed.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    question = traitlets.Unicode()
    prediction = traitlets.Int(None, allow_none=True)

    def __init__(self, stage: Stage | Editor, question: str, questions: Mapping[str, Question] = QUESTIONS) -> None:
        if question and question not in questions:
            raise ValueError(unknown("question", question, questions))
        self.stage, self.questions = stage, questions
        self.tries: list[tuple[str, int]] = []
        self._facts: Facts | None = None
        self._final = self._waits = False
        self.menu = widgets.Dropdown(
            options=self._all(),
            value=question,
            description="predict",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="290px"),
        )
        self.text, self.result = widgets.HTML(), widgets.HTML()
        self.answer = Choice(label="your answer")
        narrow = widgets.Layout(width="80px")
        self.reveal_button = widgets.Button(description="reveal", button_style="primary", layout=narrow)
        self.skip_button = widgets.Button(description="skip", tooltip="look without a prediction", layout=narrow)
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        answered = [self.answer, self.reveal_button, self.skip_button]
        rows = [widgets.Box(line, layout=row) for line in ([self.menu, self.text], answered)]
        super().__init__([*rows, self.result], question=question)
        traitlets.link((self, "question"), (self.menu, "value"))
        traitlets.link((self, "prediction"), (self.answer, "value"))
        self.observe(lambda _: self._guarded(self._ask), names="question")
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
        self._facts, self._final = facts, False
        labelled = any(right is not None for right in facts.right)
        needed = {"settled": labelled, "batch": labelled, "sibling": labelled and sibling}
        possible = {**dict.fromkeys(["", *self.questions], True), **needed}
        wanted = self.question if possible[self.question] else ""
        # a menu falls back on its first option when it gets others
        self.menu.options = [option for option in self._all() if possible[option[1]]]
        self.menu.value = wanted
        self._ask()

    def update(self, facts: Facts) -> None:
        """Take in what became of the recording, without asking anew."""
        self._facts = facts

    def learn(self, batch: Sequence[float | None] = (), sibling: Sequence[float | None] = (), *, final: bool) -> None:
        """Take in what was measured on the batch, and reveal what waits for it.

        Parameters
        ----------
        batch, sibling : sequence of (float or None)
            Accuracy at each time.
        final : bool
            Whether nothing more is to come, even if nothing came.
        """
        if self._facts is None:
            return
        self._facts = Facts(**{**vars(self._facts), "batch": batch, "sibling": sibling})
        self._final = final
        if self._waits:
            self.reveal()

    # --- what the person does

    def reveal(self) -> None:
        """Uncover, and say how close the prediction was."""
        asked, facts = self._asked, self._facts
        if asked is None or facts is None or not self.stage.cover:
            return
        if self.prediction is None:
            self._say("Choose an answer first, or skip.")
            return
        if asked.needs and not getattr(facts, asked.needs):
            self._waits = not self._final
            self._say("Measuring …" if self._waits else "That could not be measured, so it does not count.")
            if self._final:
                self._uncover()
            return
        truth = asked.truth(facts)
        distance = asked.distance(facts, self.prediction, truth)
        self.tries.append((asked.unit, distance))
        unit = asked.unit[:-1] if distance == 1 else asked.unit
        close = "exactly right" if distance == 0 else f"{distance} {unit} off"
        self._say(
            f"You said {asked.spelled(self.prediction)}, it is {asked.spelled(truth)}: <b>{close}</b> "
            f"({html.escape(asked.because(facts, truth))}). So far: {tally(self.tries)}."
        )
        places = [(truth, "it is"), (self.prediction, "you said")] if distance else [(truth, "as you said")]
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

    @property
    def _asked(self) -> Question | None:
        return self.questions.get(self.question)

    def _all(self) -> list[tuple[str, str]]:
        return [JUST_LOOK, *((one.title, name) for name, one in self.questions.items())]

    def _ask(self) -> None:
        asked, facts = self._asked, self._facts
        self._waits = False
        self._say("")
        self.stage.marks = []
        self.prediction = None
        for control in (self.text, self.answer, self.reveal_button, self.skip_button):
            control.layout.display = "none" if asked is None else ""
        if asked is None or facts is None:
            self.stage.cover = ""
            return
        self.text.value = f'<div style="line-height:1.4">{html.escape(asked.text(facts))}</div>'
        self.answer.label = {"steps": "t (steps)", "points": "percent", "times": "number of times"}[asked.unit]
        self.answer.offer([Option(one, "never" if one == NEVER else str(one)) for one in asked.choices(facts)], None)
        self._enable(True)
        self.stage.cover = asked.cover

    def _uncover(self) -> None:
        self._waits = False
        self.stage.cover = ""
        self._enable(False)

    def _enable(self, enabled: bool) -> None:
        for control in (self.answer, self.reveal_button, self.skip_button):
            control.disabled = not enabled

    def _say(self, text: str) -> None:
        # as high as a line even when empty, so that nothing jumps
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # a widget's exception would show nowhere else
            self.result.value = alert("This prediction could not be taken", error, "Skip it, or choose another image.")
