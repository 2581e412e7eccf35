"""A question about what a panel measures: it is answered before one looks, and then told how close that was."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets as widgets
import traitlets

from cortexsim.explore.choice import Choice, Option
from cortexsim.explore.questions import tally
from cortexsim.suggest import unknown

JUST_LOOK = ("nothing, just look", "")


@dataclass(frozen=True)
class Guess:
    """A prediction to make, or an exercise to solve.

    Parameters
    ----------
    title : str
        For the menu.
    text : str
        The question.
    choices : sequence of int or str
        What may be answered. Numbers are told by their distance from the truth, words as right or wrong.
    truth : callable
        A result to the answer, one of `choices`, or any number where those are numbers; None where this result cannot
        tell.
    because : callable
        A result to what is behind the answer, with its numbers.
    unit : str
        Of numbers, in the plural.
    needs : mapping of str to value
        The choices of the panel with which a result must have been made to tell.
    within : float
        A number this far off is still right.
    """

    title: str
    text: str
    choices: Sequence[int | str]
    truth: Callable[[Any], float | int | str | None]
    because: Callable[[Any], str]
    unit: str = ""
    needs: Mapping[str, Any] = field(default_factory=dict)
    within: float = 0.0

    def fits(self, chosen: Mapping[str, Any]) -> bool:
        """Whether a result that was made with these choices is what is asked about."""
        return all(chosen.get(name) == value for name, value in self.needs.items())

    def spelled(self, value: float | int | str) -> str:
        """Write an answer with its unit."""
        return str(value) if isinstance(value, str) else f"{value:g} {self.unit}".strip()


class Asking(widgets.VBox):
    """One of several questions, with what may be answered.

    Parameters
    ----------
    questions : mapping of str to Guess
    question : str
        A key, or "" for none.

    Attributes
    ----------
    question : str
    answer : int, str or None
        None is not answered yet.
    told : list of dict
        `question`, `answer` and `truth` of each that was told; plain values.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    question = traitlets.Unicode()
    answer = traitlets.Any(None, allow_none=True)

    def __init__(self, questions: Mapping[str, Guess], question: str = "") -> None:
        if question and question not in questions:
            raise ValueError(unknown("question", question, questions))
        self.questions = questions
        self.told: list[dict[str, Any]] = []
        self._distances: list[tuple[str, float]] = []
        self.menu = widgets.Dropdown(
            options=[JUST_LOOK, *((one.title, name) for name, one in questions.items())],
            value=question,
            description="predict",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="320px"),
        )
        self.text, self.result, self.choice = widgets.HTML(), widgets.HTML(), Choice(label="your answer")
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        super().__init__(
            [widgets.Box([self.menu, self.text], layout=row), widgets.Box([self.choice], layout=row), self.result],
            question=question,
        )
        traitlets.link((self, "question"), (self.menu, "value"))
        traitlets.link((self, "answer"), (self.choice, "value"))
        self.observe(lambda _: self._ask(), names="question")
        self._ask()

    @property
    def missing(self) -> bool:
        """Whether a question is asked that has no answer yet; once it was told, one may go on without."""
        known = any(one["question"] == self.question for one in self.told)
        return bool(self.question) and self.answer is None and not known

    def remind(self) -> None:
        """Say that an answer is missing."""
        self._say("Predict first: choose an answer, or «nothing, just look» in the menu.")

    def tell(self, result: Any, chosen: Mapping[str, Any]) -> bool | None:
        """Say how close the answer was; None where this result cannot tell, and the answer stays.

        Parameters
        ----------
        result : object
            What was measured.
        chosen : mapping
            The panel's choices that it was made with.
        """
        if not self.question or self.answer is None:
            return None
        asked = self.questions[self.question]
        if not asked.fits(chosen):
            wanted = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in asked.needs.items())
            self._say(f"This result is not the one that is asked about: that needs {html.escape(wanted)}.")
            return None
        truth = asked.truth(result)
        if truth is None:
            self._say("This result cannot tell. " + html.escape(asked.because(result)))
            return None
        right, close = self._judge(asked, self.answer, truth)
        self.told.append({"question": self.question, "answer": self.answer, "truth": truth})
        count = f" So far: {tally(self._distances)}." if self._distances else ""
        self._say(
            f"You said {html.escape(asked.spelled(self.answer))}, it is {html.escape(asked.spelled(truth))}: "
            f"<b>{close}</b>. {html.escape(asked.because(result))}{count}"
        )
        self.answer = None
        return right

    def _judge(self, asked: Guess, answer: Any, truth: Any) -> tuple[bool, str]:
        if isinstance(truth, str) or isinstance(answer, str):
            return answer == truth, "right" if answer == truth else "not so"
        distance = abs(answer - truth)
        self._distances.append((asked.unit, distance))
        if distance <= asked.within:
            return True, "exactly right" if distance == 0 else f"right, to {asked.spelled(asked.within)}"
        return False, f"{distance:g} {asked.unit} off".replace("  ", " ")

    def _ask(self) -> None:
        asked = self.questions.get(self.question)
        self.answer = None
        for control in (self.text, self.choice):
            control.layout.display = "none" if asked is None else ""
        self._say("")
        if asked is not None:
            self.text.value = f'<div style="line-height:1.4">{html.escape(asked.text)}</div>'
            self.choice.label = asked.unit or "your answer"
            self.choice.offer([Option(one, str(one)) for one in asked.choices], None)

    def _say(self, text: str) -> None:
        # as high as a line even when empty, so that nothing jumps
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'
