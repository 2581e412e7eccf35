"""A question with an answer that is read off what was run: asked before one looks, then told how close it was."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets as widgets
import traitlets

from cortexsim._support.checks import unknown
from cortexsim.explore.widgets.choice import Choice, Option

NEVER = -1
BUILT = (True,)
"""The choices of an exercise in which something is to be built: there is nothing to choose."""
JUST_LOOK = ("nothing, just look", "")

Answer = float | int | str | bool


@dataclass(frozen=True)
class Guess:
    """A prediction to make, or an exercise to solve.

    Parameters
    ----------
    title : str
        For the menu.
    text : str or callable
        The question; or what is known before, to it.
    choices : sequence of int or str, or callable
        What may be answered; or what is known before, to that. Numbers are told by their distance from the truth, words
        as right or wrong. `BUILT`: nothing is chosen, and the truth is whether it is solved.
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
    form : str
        How a number is written, such as "t = {:g}"; by default with its unit.
    label : str
        Stands before the choices; by default the unit.
    never : callable, optional
        What is known before, to the number as which `NEVER` counts. Only then -1 is never.
    """

    title: str
    text: str | Callable[[Any], str]
    choices: Sequence[Answer] | Callable[[Any], Sequence[Answer]]
    truth: Callable[[Any], Answer | None]
    because: Callable[[Any], str]
    unit: str = ""
    needs: Mapping[str, Any] = field(default_factory=dict)
    within: float = 0.0
    form: str = ""
    label: str = ""
    never: Callable[[Any], int] | None = None

    def fits(self, chosen: Mapping[str, Any]) -> bool:
        """Whether a result that was made with these choices is what is asked about."""
        return all(chosen.get(name) == value for name, value in self.needs.items())

    def asked(self, about: Any) -> str:
        """Write the question."""
        return self.text if isinstance(self.text, str) else self.text(about)

    def offered(self, about: Any) -> list[Answer]:
        """List what may be answered."""
        return list(self.choices(about) if callable(self.choices) else self.choices)

    def spelled(self, value: Answer) -> str:
        """Write an answer with its unit."""
        if isinstance(value, str):
            return value
        if value == NEVER and self.never is not None:
            return "never"
        return self.form.format(value) if self.form else f"{value:,g} {_of(value, self.unit)}".strip()

    def on_offer(self, value: Answer) -> Option:
        """Make it a choice, without its unit."""
        if value == NEVER and self.never is not None:
            return Option(int(value), "never")
        return Option(value, f"{value:,}" if isinstance(value, int) else str(value))  # type: ignore[arg-type]

    def distance(self, about: Any, answer: float, truth: float) -> float:
        """Say how far a number is from the truth."""
        one, other = (
            self.never(about) if value == NEVER and self.never is not None else value for value in (answer, truth)
        )
        return abs(one - other)


class Asking(widgets.VBox):
    """One of several questions, with what may be answered.

    Parameters
    ----------
    questions : mapping of str to Guess
    question : str
        A key, or "" for none.
    about : object
        What is known before, for questions that are worded by it.

    Attributes
    ----------
    question : str
    answer : int, str or None
        None is not answered yet.
    answered : list of dict
        `question`, `answer` and `truth` of each question that was answered; plain values.
    tries : list of (str, float)
        Unit and distance of each number that was told.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    question = traitlets.Unicode()
    answer = traitlets.Any(None, allow_none=True)

    def __init__(self, questions: Mapping[str, Guess], question: str = "", *, about: Any = None) -> None:
        if question and question not in questions:
            raise ValueError(unknown("question", question, questions))
        self.questions, self.about = questions, about
        self.answered: list[dict[str, Any]] = []
        self.tries: list[tuple[str, float]] = []
        self.menu = widgets.Dropdown(
            options=self._options(questions),
            value=question,
            description="predict",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="320px"),
        )
        self.text, self.result, self.choice = widgets.HTML(), widgets.HTML(), Choice(label="your answer")
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        self.answers = widgets.Box([self.choice], layout=row)
        super().__init__(
            [widgets.Box([self.menu, self.text], layout=row), self.answers, self.result], question=question
        )
        traitlets.link((self, "question"), (self.menu, "value"))
        traitlets.link((self, "answer"), (self.choice, "value"))
        self.observe(lambda _: self._ask(), names="question")
        self._ask()

    @traitlets.validate("question")
    def _known(self, proposal: Any) -> str:
        # before the menu refuses it in words that do not help
        if proposal["value"] and proposal["value"] not in self.questions:
            raise traitlets.TraitError(unknown("question", proposal["value"], self.questions))
        return proposal["value"]

    @property
    def asked(self) -> Guess | None:
        """The question, if there is one."""
        return self.questions.get(self.question)

    @property
    def missing(self) -> bool:
        """Whether a question is asked that has no answer yet; once it was told, one may go on without."""
        known = any(one["question"] == self.question for one in self.answered)
        return bool(self.question) and self.answer is None and not known

    def remind(self, words: str = "Predict first: choose an answer, or «nothing, just look» in the menu.") -> None:
        """Say that an answer is missing."""
        self._say(words)

    def recall(self, answered: Sequence[Mapping[str, Any]], exercises: Mapping[str, Guess]) -> None:
        """Take up what was told before, and say it.

        Parameters
        ----------
        answered : sequence of mapping
            As `answered`.
        exercises : mapping of str to Guess
            The panel's, which are told with its questions.
        """
        # in place: exercises add to the same list
        self.answered[:] = [dict(one) for one in answered]
        said = []
        for one in self.answered:
            asked = {**exercises, **self.questions}.get(one["question"])
            if asked is None:
                continue
            said.append(f"{asked.title}: " + _compared(asked, one["answer"], one["truth"]))
        if said:
            self._say(f"Answered before: {html.escape('; '.join(said))}.")

    def tell(self, result: Any, chosen: Mapping[str, Any]) -> bool | None:
        """Say how close the answer was; None where this result cannot tell, and the answer stays.

        Parameters
        ----------
        result : object
            What was measured.
        chosen : mapping
            The panel's choices that it was made with.
        """
        asked = self.asked
        if asked is None or self.answer is None:
            return None
        if not asked.fits(chosen):
            wanted = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in asked.needs.items())
            self._say(f"This result is not the one that is asked about: that needs {html.escape(wanted)}.")
            return None
        truth = asked.truth(result)
        if truth is None:
            self._say("This result cannot tell. " + html.escape(asked.because(result)))
            return None
        right, close = self._judge(asked, self.answer, truth)
        self.answered.append({"question": self.question, "answer": self.answer, "truth": truth})
        count = f" So far: {tally(self.tries)}." if self.tries else ""
        said = "" if self.answer is True else f"You {html.escape(_compared(asked, self.answer, truth))}: "
        self._say(f"{said}<b>{close}</b>. {html.escape(asked.because(result))}{count}")
        self.answer = self._only(asked.offered(self.about))
        return right

    # --- inside

    @staticmethod
    def _options(questions: Mapping[str, Guess]) -> list[tuple[str, str]]:
        return [JUST_LOOK, *((one.title, name) for name, one in questions.items())]

    @staticmethod
    def _only(choices: Sequence[Answer]) -> Answer | None:
        return True if tuple(choices) == BUILT else None

    def _judge(self, asked: Guess, answer: Any, truth: Any) -> tuple[bool, str]:
        if answer is True:
            return bool(truth), "✓ Solved" if truth else "○ Not yet"
        if isinstance(truth, str) or isinstance(answer, str):
            return answer == truth, "right" if answer == truth else "not so"
        distance = asked.distance(self.about, answer, truth)
        self.tries.append((asked.unit, distance))
        if distance <= asked.within:
            return True, "exactly right" if distance == 0 else f"right, to {asked.spelled(asked.within)}"
        return False, f"{distance:,g} {_of(distance, asked.unit)} off".replace("  ", " ")

    def _ask(self) -> None:
        """Ask anew."""
        asked = self.asked
        self.answer = None
        for control in (self.text, self.choice):
            control.layout.display = "none" if asked is None else ""
        self._say("")
        if asked is not None:
            self._offer(asked, None)

    def _offer(self, asked: Guess, kept: Any) -> None:
        choices = asked.offered(self.about)
        self.text.value = f'<div style="line-height:1.4">{html.escape(asked.asked(self.about))}</div>'
        self.choice.label = asked.label or asked.unit or "your answer"
        self.choice.offer(list(map(asked.on_offer, choices)), kept if kept in choices else self._only(choices))  # type: ignore[arg-type]

    def _say(self, text: str) -> None:
        # as high as a line even when empty, so that nothing jumps
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'


def tally(tries: Sequence[tuple[str, float]]) -> str:
    """Sum up several predictions, unit by unit.

    Parameters
    ----------
    tries : sequence of (str, number)
        Unit and distance of each.
    """
    parts = []
    for unit in dict.fromkeys(unit for unit, _ in tries):
        distances = [distance for own, distance in tries if own == unit]
        what = "prediction" if len(distances) == 1 else "predictions"
        parts.append(f"{len(distances)} {what}, on average {sum(distances) / len(distances):.1f} {unit} off")
    return "; ".join(parts)


def _compared(asked: Guess, answer: Any, truth: Any) -> str:
    if answer is True:
        return "solved" if truth else "not solved"
    return f"said {asked.spelled(answer)}, it is {asked.spelled(truth)}"


def _of(value: float, unit: str) -> str:
    """Write a unit in the number that a value wants."""
    return unit.removesuffix("s") if value == 1 else unit
