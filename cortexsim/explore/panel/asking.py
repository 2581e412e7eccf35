"""Questions whose answers are read from the results of a panel: predictions before a run, and exercises after it."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import ipywidgets as widgets
import traitlets

from cortexsim._support.checks import unknown
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.widgets.choice import Choice, Option

NEVER = -1
BUILT = (True,)
"""The choices of an exercise in which something is built, so there is no answer to choose."""
JUST_LOOK = ("nothing, just look", "")
READY = "It is set: run it now."
RUNNING = "Wait for the run to end, then check again."
_OUTCOME = "cs-outcome"  # class of the verdict on a page
_REMINDER = "cs-reminder"  # and that of words which ask for an answer

Answer = float | int | str | bool


@dataclass(frozen=True)
class Guess:
    """A prediction to make, or an exercise to solve.

    Parameters
    ----------
    title : str
        For the menu.
    text : str or callable
        The question; or a function of the context that returns it. The context contains the facts that are known before
        the run.
    choices : sequence of int or str, or callable
        The possible answers; or a function of the context that returns them. Numbers are judged by their distance from
        the truth, words as right or wrong. `BUILT`: nothing is chosen, and the truth is whether the exercise is solved.
    truth : callable
        Takes a result, and returns the true answer: one of `choices`, or any number where these are numbers. None means
        that this result does not answer the question.
    because : callable
        Takes a result, and returns the reason for the answer, with its numbers.
    unit : str
        Of numbers, in the plural.
    needs : mapping of str to value
        The choices of the panel with which a result must have been made to answer the question.
    within : float
        Largest distance from the truth at which a number is still right.
    form : str
        How a number is written, such as "t = {:g}"; by default with its unit.
    label : str
        Text before the choices; by default the unit.
    never : callable, optional
        Takes the context, and returns the number that represents `NEVER`. Without it, -1 is an ordinary answer.
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

    @property
    def unit_of_distance(self) -> str:
        """The unit of the distance between two answers: two percentages differ by percentage points."""
        return "percentage points" if self.unit == "percent" else self.unit

    @property
    def written_unit(self) -> str:
        """The unit as it is written after a number."""
        return "%" if self.unit == "percent" else self.unit

    def formatted_distance(self, value: float) -> str:
        """Return a distance between two answers as text."""
        return f"{value:,g} {_with_number(value, self.unit_of_distance)}".strip()

    def fits(self, chosen: Mapping[str, Any]) -> bool:
        """Return whether a result that was made with these choices answers the question."""
        return all(chosen.get(name) == value for name, value in self.needs.items())

    def asked(self, context: Any) -> str:
        """Return the text of the question."""
        return self.text if isinstance(self.text, str) else self.text(context)

    def offered(self, context: Any) -> list[Answer]:
        """Return the possible answers."""
        return list(self.choices(context) if callable(self.choices) else self.choices)

    def formatted(self, value: Answer) -> str:
        """Return an answer as text, with its unit."""
        if isinstance(value, str):
            return value
        if value == NEVER and self.never is not None:
            return "never"
        if self.form:
            return self.form.format(value)
        return f"{value:,g} {_with_number(value, self.written_unit)}".strip()

    def option(self, value: Answer) -> Option:
        """Return an answer as an option to choose, without its unit."""
        if value == NEVER and self.never is not None:
            return Option(int(value), "never")
        return Option(value, f"{value:,}" if isinstance(value, int) else str(value))  # type: ignore[arg-type]

    def distance(self, context: Any, answer: float, truth: float) -> float:
        """Return the distance of a number from the truth."""
        one, other = (
            self.never(context) if value == NEVER and self.never is not None else value for value in (answer, truth)
        )
        return abs(one - other)


FORMER_QUESTIONS = {"sibling": "control"}  # in panels that were saved earlier


def present_name(question: str) -> str:
    """Return the present name of a question that may have its former one."""
    return FORMER_QUESTIONS.get(question, question)


class Asking(widgets.VBox):
    """A menu of questions, the present question, and its possible answers.

    Parameters
    ----------
    questions : mapping of str to Guess
    question : str
        A key of `questions`, or "" for none.
    about : object
        The context of questions that depend on one.
    panel : Study, optional
        The panel whose choices a question needs: they are written in its words, and can be set by a button.

    Attributes
    ----------
    question : str
    answer : int, str or None
        None if nothing is chosen yet.
    answered : list of dict
        `question`, `answer` and `truth` of each question that was answered; plain values.
    tries : list of (str, float)
        Unit and distance from the truth of each number that was answered.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    question = traitlets.Unicode()
    answer = traitlets.Any(None, allow_none=True)

    def __init__(
        self, questions: Mapping[str, Guess], question: str = "", *, about: Any = None, panel: Any = None
    ) -> None:
        question = present_name(question)
        if question and question not in questions:
            raise ValueError(unknown("question", question, questions))
        self.questions, self.about, self.panel = questions, about, panel
        self.answered: list[dict[str, Any]] = []
        self.tries: list[tuple[str, float]] = []
        self.menu = widgets.Dropdown(
            options=self._options(questions),
            value=question,
            description="predict",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="320px"),
        )
        self.set_button = widgets.Button(
            description="set it for me", layout=widgets.Layout(width="auto", display="none")
        )
        self.set_button.on_click(lambda _: self._set())
        self.text, self.result = widgets.HTML(), widgets.HTML()
        self.choice = Choice(label="your answer")
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
        self.answers = widgets.Box([self.choice], layout=row)
        super().__init__(
            [
                widgets.Box([self.menu, self.text], layout=row),
                self.answers,
                widgets.Box([self.result, self.set_button], layout=row),
            ],
            question=question,
        )
        traitlets.link((self, "question"), (self.menu, "value"))
        traitlets.link((self, "answer"), (self.choice, "value"))
        self.observe(lambda _: self._ask(), names="question")
        self.observe(lambda change: self._forget_reminder() if change["new"] is not None else None, names="answer")
        self._ask()

    @traitlets.validate("question")
    def _known(self, proposal: Any) -> str:
        # the menu itself would refuse it without naming the questions
        question = present_name(proposal["value"])
        if question and question not in self.questions:
            raise traitlets.TraitError(unknown("question", question, self.questions))
        return question

    @property
    def asked(self) -> Guess | None:
        """The present question, if there is one."""
        return self.questions.get(self.question)

    @property
    def judged(self) -> bool:
        """True while the verdict on an answer is shown."""
        return _OUTCOME in self.result.value

    @property
    def missing(self) -> bool:
        """True if the present question was never answered, and no answer is chosen."""
        known = any(one["question"] == self.question for one in self.answered)
        return bool(self.question) and self.answer is None and not known

    def states(self, result: Any) -> bool:
        """Return whether the verdict on the present question is that of this result, with its numbers."""
        asked, given = self.asked, [one["truth"] for one in self.answered if one["question"] == self.question]
        return asked is not None and bool(given) and asked.truth(result) == given[-1]

    def qualify(self, result: Any, since: str) -> None:
        """Add words to a verdict whose answer or reason differs from that of this result; remove them from another."""
        asked = self.asked
        if asked is None or not self.judged:
            return
        note = f" <b>{html.escape(since)}</b>"
        same = self.states(result) and html.escape(asked.because(result)) in self.result.value
        self.result.value = self.result.value.replace(note, "")
        if not same:
            self.result.value = self.result.value.removesuffix("</div>") + f"{note}</div>"

    def remind(self, words: str = "Predict first: choose an answer, or «nothing, just look» in the menu.") -> None:
        """Show that an answer is missing."""
        self.choice.given = None
        self._say(f'<span class="{_REMINDER}">{words}</span>')

    def recall(self, answered: Sequence[Mapping[str, Any]], exercises: Mapping[str, Guess]) -> None:
        """Take over saved answers, and show them.

        Parameters
        ----------
        answered : sequence of mapping
            As `answered`.
        exercises : mapping of str to Guess
            The panel's exercises, whose answers are saved with those to its questions.
        """
        # in place: exercises append to the same list
        self.answered[:] = [{**one, "question": present_name(one["question"])} for one in answered]
        said = []
        for one in self.answered:
            asked = {**exercises, **self.questions}.get(one["question"])
            if asked is None:
                continue
            said.append(f"{asked.title}: " + _compared(asked, one["answer"], one["truth"]))
        self.choice.given = self._given()
        if said:
            self._say(f"Answered before: {html.escape('; '.join(said))}.")

    def compare(self, result: Any, chosen: Mapping[str, Any]) -> bool | None:
        """Compare the answer with a result, and show how close it was.

        Parameters
        ----------
        result : object
            A measurement.
        chosen : mapping
            The choices of the panel with which it was made.

        Returns
        -------
        bool or None
            None if this result does not answer the question; the answer stays chosen then.
        """
        asked = self.asked
        if asked is None or self.answer is None:
            return None
        if not asked.fits(chosen):
            if asked.fits(getattr(self.panel, "choices", {})):
                self._say(getattr(self.panel, "READY", READY))
                return None
            missing = {name: value for name, value in asked.needs.items() if chosen.get(name) != value}
            then = "" if hasattr(self.panel, "READY") else ", and run it"
            self._say(f"Not yet: set {html.escape(self._worded(missing))}{then}.")
            self.set_button.layout.display = "" if hasattr(self.panel, "choose") else "none"
            return None
        truth = asked.truth(result)
        if truth is None:
            self._say("This result does not answer the question. " + html.escape(asked.because(result)))
            return None
        right, close = self._judge(asked, self.answer, truth)
        self.choice.given = self.answer
        self.answered.append({"question": self.question, "answer": self.answer, "truth": truth})
        count = f" So far: {tally(self.tries)}." if len(self.tries) > 1 else ""
        said = "" if self.answer is True else f" You {html.escape(_compared(asked, self.answer, truth))}."
        self._say(f'<b class="{_OUTCOME}">{close}.</b>{said} {html.escape(asked.because(result))}{count}')
        self.answer = self._only(asked.offered(self.about))
        return right

    # --- inside

    def _worded(self, needs: Mapping[str, Any]) -> str:
        if hasattr(self.panel, "worded"):
            return str(self.panel.worded(needs))
        switched = {True: "on", False: "off"}
        said = {name: switched[value] if isinstance(value, bool) else value for name, value in needs.items()}
        return ", ".join(f"«{name.replace('_', ' ')}» to «{value}»" for name, value in said.items())

    def _set(self) -> None:
        """Set what the present question needs."""
        asked = self.asked
        if asked is None:
            return
        try:
            self.panel.choose(**asked.needs)
            self._say(getattr(self.panel, "READY", READY))
        except Exception as error:  # exceptions in callbacks of widgets are not shown elsewhere
            self.result.value = alert("This could not be set", error, "Set it in the panel.")

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
            return answer == truth, "Right" if answer == truth else "Wrong"
        distance = asked.distance(self.about, answer, truth)
        self.tries.append((asked.unit_of_distance, distance))
        if distance == 0:
            return True, "Exactly right"
        if distance <= asked.within:
            return True, f"Right, to within {asked.formatted_distance(asked.within)}"
        return False, f"Wrong, {asked.formatted_distance(distance)} off"

    def _ask(self) -> None:
        """Show the present question, without an answer."""
        asked = self.asked
        self.answer = None
        for control in (self.text, self.choice):
            control.layout.display = "none" if asked is None else ""
        self._say("")
        if asked is not None:
            self._offer(asked, None)
            self.choice.given = self._given()

    def _forget_reminder(self) -> None:
        if _REMINDER in self.result.value:
            self._say("")

    def _given(self) -> Any:
        """Return the last answer to the present question; None if another one is asked for."""
        given = [one["answer"] for one in self.answered if one["question"] == self.question]
        return None if self.missing or not given else given[-1]

    def _offer(self, asked: Guess, answer: Any) -> None:
        """Show a question and its choices; an answer that is among them stays chosen."""
        choices = asked.offered(self.about)
        self.text.value = f'<div style="line-height:1.4">{html.escape(asked.asked(self.about))}</div>'
        self.choice.label = asked.label or asked.unit or "your answer"
        chosen: Any = answer if answer in choices else self._only(choices)
        self.choice.given = None
        self.choice.offer(list(map(asked.option, choices)), chosen)

    def _say(self, text: str) -> None:
        # at least one line high, so that the layout does not jump
        self.set_button.layout.display = "none"
        self.result.value = f'<div role="status" style="line-height:1.4;min-height:1.4em">{text}</div>'


class Exercise(Panel):
    """A question about a panel, whose answer is compared with that panel's results.

    Parameters
    ----------
    panel : HasExercises
    name : str
        A key of the panel's `EXERCISES`.

    Attributes
    ----------
    ask : Asking
        Its answers are saved with those of the panel.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """

    def __init__(self, panel: HasExercises, name: str) -> None:
        if name not in panel.EXERCISES:
            raise ValueError(unknown("exercise", name, panel.EXERCISES))
        self.panel, self._exercise = panel, panel.EXERCISES[name]
        self.ask = Asking({name: self._exercise}, name, panel=panel)
        self.ask.answered = panel.ask.answered
        self.ask.menu.layout.display = "none"
        self.button = widgets.Button(description="check", button_style="primary", layout=widgets.Layout(width="84px"))
        super().__init__([self.ask, self.button])
        self.button.on_click(lambda _: self._check_and_show_errors())

    def check(self) -> bool | None:
        """Compare the answer with the panel's results; None while none of them answers the question."""
        if self.ask.answer is None:
            if not self.ask.judged:
                self.ask.remind("Choose an answer first.")
            return None
        results = self.panel.results
        if not results and not self._exercise.needs:
            self.ask.remind("Nothing was run yet: run the panel, then check again.")
            return None
        fitting = [pair for pair in results if self._exercise.fits(pair[0])]
        present = getattr(self.panel, "choices", {})
        if not fitting and getattr(self.panel, "busy", False) and self._exercise.fits(present):
            self.ask.remind(RUNNING)
            return None
        # before a run, the exercise says what it needs
        chosen, result = (fitting or list(results) or [({}, None)])[-1]
        solved = self.ask.compare(result, chosen)
        if solved is not None:
            self.panel.exercise_answered()
        return solved

    def _check_and_show_errors(self) -> None:
        try:
            self.check()
        except Exception as error:  # Jupyter shows no exception of a widget's callback
            self.ask.result.value = alert("This answer could not be checked", error, "Run the panel, then check again.")


class HasExercises:
    """A panel that has exercises."""

    EXERCISES: ClassVar[Mapping[str, Guess]] = {}
    ask: Any

    @property
    def results(self) -> Sequence[tuple[Mapping[str, Any], Any]]:
        """The choices and the result of each run, oldest first."""
        raise NotImplementedError

    def exercise_answered(self) -> None:
        """Follow the answer to an exercise, which was compared with the results."""

    def exercise(self, name: str) -> Exercise:
        """Return an exercise about this panel.

        Parameters
        ----------
        name : str
            A key of `EXERCISES`.

        Raises
        ------
        ValueError
            If there is no such exercise.
        """
        return Exercise(self, name)


def tally(tries: Sequence[tuple[str, float]]) -> str:
    """Summarize several predictions, unit by unit.

    Parameters
    ----------
    tries : sequence of (str, number)
        Unit and distance from the truth of each.
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
    return f"said {asked.formatted(answer)}, it is {asked.formatted(truth)}"


def _with_number(value: float, unit: str) -> str:
    """Return a unit in the singular or plural that a value needs."""
    return unit.removesuffix("s") if value == 1 else unit
