"""Panels that measure: choices, a prediction, a run in the background, and figures of the result."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.progress import Clock, Report, silent, stop_unless
from cortexsim.explore.panel.asking import Asking, Guess, HasExercises
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.controls import Chosen, Control, allowed_by, label_of, option_of
from cortexsim.explore.panel.interrupt import at_interrupt
from cortexsim.explore.panel.jobs import LatestJob, Wanted
from cortexsim.explore.panel.more_settings import MoreSettings
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.settings import MEASURED, write_settings
from cortexsim.explore.panel.subject import NeededClasses, Subject
from cortexsim.explore.widgets.copyable import Copyable
from cortexsim.explore.widgets.figure import Live


class Study(HasExercises, Panel):
    """A panel that measures; each kind of panel declares its choices, its measurement, and its figures.

    Parameters
    ----------
    subject : Subject or None
        The model and images that are studied; None for a panel with other material.
    controls : mapping of str to Control or Widget
        By the names of the choices. Each has a `value` that can be saved as JSON.
    question : str
        A key of `QUESTIONS`, to be answered before the first run, or "" for none.

    Attributes
    ----------
    choices : dict
        The present choices.
    result : Dataset, DataTree or None
        The last measurement.
    figures : dict of str to Figure
        The figures of that result.
    settings : dict
        Plain values that make that result again: `cortexsim.explore.reopen(settings).run()`, or
        `cortexsim rerun settings.json`.
    busy : bool
        True while a measurement runs.
    error : Exception or None
        The error of the last run.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    # choices whose controls are drawings, to the left of all others
    DRAWN: ClassVar[tuple[str, ...]] = ()
    # choices whose controls are behind *more settings*
    MORE: ClassVar[tuple[str, ...]] = ()
    # choices of how a result is shown: a change runs no measurement, and the panel places these controls
    VIEWS: ClassVar[tuple[str, ...]] = ()
    QUESTIONS: ClassVar[Mapping[str, Guess]] = {}
    # that images of your own need to have
    CLASSES: ClassVar[NeededClasses] = NeededClasses.MODELS
    ACTION: ClassVar[str] = "run"
    # names and values of choices in settings of earlier versions, with what replaces them
    FORMER_NAMES: ClassVar[Mapping[str, str]] = {}
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    busy = traitlets.Bool(False)

    def __init__(
        self, subject: Subject | None, controls: Mapping[str, Control | widgets.DOMWidget], question: str = ""
    ) -> None:
        self.subject = subject
        self._controls: dict[str, Any] = {
            name: one if isinstance(one, widgets.DOMWidget) else one.widget() for name, one in controls.items()
        }
        self.result: xr.Dataset | xr.DataTree | None = None
        self.figures: dict[str, go.Figure] = {}
        self.error: Exception | None = None
        self._made: dict[str, tuple[dict[str, Any], Any]] = {}
        self._drawn_key = ""  # of the measurement that is drawn
        self._lock, self._jobs = threading.RLock(), LatestJob()
        self.ask = Asking(self.QUESTIONS, question, panel=self)
        self.button = widgets.Button(
            description=self.ACTION, button_style="primary", layout=widgets.Layout(width="auto")
        )
        self.cancel_button = widgets.Button(description="cancel", layout=widgets.Layout(width="80px"))
        self.bar = widgets.FloatProgress(0.0, min=0.0, max=1.0, layout=widgets.Layout(width="160px"))
        self.words, self.notice, self.finding = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.copyable = Copyable()
        wide = {"width": "100%"}
        self.place, self._folded = widgets.VBox(layout=wide), widgets.VBox(layout=wide)
        # the same as long as the panel: a browser that replaces it while its figures are made reports errors
        self._more = widgets.Accordion([self._folded], selected_index=None, titles=("more figures",))
        self._more.layout.display = "none"
        self.body = widgets.VBox([self.place, self._more], layout=wide)
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        apart = (*self.VIEWS, *self.DRAWN, *self.MORE)
        above = [control for name, control in self._controls.items() if name not in apart]
        action = widgets.Box([*above, self.button], layout=row)
        self.more_settings = MoreSettings([self._controls[name] for name in self.MORE])
        if self.MORE:
            action.children = (*action.children, self.more_settings.button)
        # of a run, in the place of the sentence about the previous one
        progress = widgets.Box([self.cancel_button, self.bar, self.words], layout=row)
        said = [action, *([self.more_settings] if self.MORE else []), progress, self.notice, self.finding]
        if self.DRAWN:
            drawn = widgets.VBox([self._controls[name] for name in self.DRAWN], layout=widgets.Layout(flex="none"))
            rest = widgets.VBox(said, layout=widgets.Layout(flex="1 1 0", min_width="0"))
            said = [widgets.HBox([drawn, rest], layout=widgets.Layout(width="100%", grid_gap="16px"))]
        parts = [*said, self.body, self.copyable]
        super().__init__([*([self.ask] if self.QUESTIONS else []), *parts], layout=widgets.Layout(width="100%"))
        self.button.on_click(lambda _: self.run())
        self.cancel_button.on_click(lambda _: self.cancel())
        for control in self._controls.values():
            control.observe(lambda _: self._follow(), names="value")
        for name in self.VIEWS:
            self._controls[name].observe(lambda _: self._look(), names="value")
        self.notice.observe(lambda _: self._show_finding(), names="value")
        self._show_busy(False)
        self._follow()
        at_interrupt(self.cancel)

    # --- what each kind of panel defines

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset | xr.DataTree:
        """Measure, in a thread that may not touch any widget.

        Parameters
        ----------
        choices : mapping
        report : callable
            To be called regularly with the fraction that is done and a message; it raises InterruptedError once the
            run is cancelled.

        Raises
        ------
        Exception
            Any; it is shown in the panel.
        """
        raise NotImplementedError

    def draw(self, result: Any) -> dict[str, go.Figure]:
        """Draw a result."""
        raise NotImplementedError

    def say(self, result: Any) -> str:
        """Return a sentence about the result, with its numbers, as plain text."""
        return ""

    def why_not(self, choices: Chosen) -> str:
        """Return the reason why these choices cannot be run; "" if they can."""
        return ""

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Return the widgets below the finding; a panel that has more than figures adds to them."""
        return [Live(figure) for figure in figures.values()]

    def fold(self, parts: Sequence[widgets.Widget]) -> None:
        """Fold up the figures that a panel does not need for its question; they stay open once they were opened."""
        self._folded.children = tuple(parts)
        self._more.layout.display = "" if parts else "none"

    def ahead(self, choices: Chosen) -> xr.Dataset | None:
        """Return a result of these choices that ships with cortexsim; None if there is none."""
        return None

    def look(self, result: Any) -> None:
        """Change the figures of a result after a change in one of `VIEWS`; nothing is measured."""

    def script(self, choices: Chosen) -> str:
        """Write the Python lines that make the result of these choices again; "" if the panel has none.

        They define what `measure` returns, and the figures that `draw` makes of it.
        """
        return ""

    def in_advance(self, choices: Chosen) -> str:
        """Return what can be said about a run of these choices before it starts, as plain text."""
        return ""

    def cancelled(self, choices: Chosen) -> str:
        """Return what is said after a run of these choices was cancelled, as plain text."""
        return "cancelled"

    def covered(self, question: str) -> bool:
        """Return whether a part that reveals an answer is covered: the question is one of the panel's, and unanswered.

        A panel that was opened without a question covers nothing.
        """
        asks = bool(self.ask.question) and question in self.QUESTIONS
        return asks and all(one["question"] != question for one in self.ask.answered)

    def worded(self, needs: Chosen) -> str:
        """Write choices with the labels on the screen, and say where those are that the panel hides."""
        pairs = [self._current(*one) for one in needs.items()]
        said = ", ".join(
            f"«{label_of(self._controls[name], name)}» to «{option_of(self._controls[name], value)}»"
            for name, value in pairs
            if name in self._controls
        )
        return f"{said} (under «more settings»)" if any(name in self.MORE for name, _ in pairs) else said

    # --- actions

    @property
    def choices(self) -> dict[str, Any]:
        """The present choices."""
        return {name: control.value for name, control in self._controls.items()}

    def choose(self, **choices: Any) -> None:
        """Set choices by name.

        Raises
        ------
        ValueError
            If there is no such choice, or the value is not allowed; the panel keeps the present choice then.
        """
        for name, value in (self._current(*choice) for choice in choices.items()):
            if name not in self._controls:
                raise ValueError(unknown("choice", name, self._controls))
            control = self._controls[name]
            before = control.value
            # JSON has no tuples
            wanted = tuple(value) if isinstance(before, tuple) and isinstance(value, list) else value
            try:
                control.value = wanted
            except (traitlets.TraitError, TypeError, ValueError) as error:
                raise ValueError(f"{name} must be {allowed_by(control)}, got {value!r}") from error
            # a slider would clip a value beyond its ends
            if control.value != wanted:
                control.value = before
                raise ValueError(f"{name} must be {allowed_by(control)}, got {value!r}")

    def run(self) -> None:
        """Measure the present choices in the background; an earlier result is shown at once."""
        if self.ask.missing:
            self.ask.remind()
            return
        chosen = self.choices
        reason = self.why_not(chosen)
        if reason:
            self.notice.value = alert("This cannot be run", ValueError(reason), "Change the choices above.")
            return
        self.error, self.notice.value = None, ""
        if self._is_known(chosen):
            self._jobs.cancel()
            self._take(chosen, self._made[self._key_of(chosen)][1])
            return
        self._start(chosen, compares=True)

    def compute(self) -> xr.Dataset | xr.DataTree:
        """Measure the present choices, without a prediction, and return the result; errors are raised.

        Raises
        ------
        ValueError
            If these choices cannot be run; the message says why.
        """
        chosen = self.choices
        reason = self.why_not(chosen)
        if reason:
            raise ValueError(reason)
        result = self.measure(chosen, silent)
        with self._lock:
            self._made[self._key_of(chosen)] = chosen, result
            self._take(chosen, result)
        return result

    def cancel(self) -> None:
        """Cancel the present run, if there is one, and keep the previous result on display."""
        self._jobs.cancel()
        with self._lock:
            if not self.busy:
                return
            self._show_busy(False)
            self.words.value = "cancelled"

    def wait(self, timeout_s: float = 600) -> None:
        """Wait until no measurement runs.

        Raises
        ------
        TimeoutError
            If one still runs after this many seconds.
        """
        self._jobs.wait(timeout_s)

    @property
    def results(self) -> list[tuple[dict[str, Any], Any]]:
        """The choices and the result of each run, oldest first."""
        return list(self._made.values())

    @property
    def settings(self) -> dict[str, Any]:
        """Plain values that open the panel again, with the answers to its questions and exercises."""
        return MEASURED.written(
            panel=type(self).__name__,
            subject=None if self.subject is None else self.subject.to_dict(),
            choices=json.loads(_key(self.choices)),
            question=self.ask.question,
            answered=list(self.ask.answered),
        )

    @property
    def code(self) -> str:
        """Python lines that make the result of the present choices without the panel; "" if they cannot be run.

        A model or images of your own, which have no name, are the variables `model` and `data`.
        """
        chosen = self.choices
        return "" if self.why_not(chosen) else self.script(chosen)

    def save(self, path: str | Path) -> None:
        """Write the settings, with the answers, to a JSON file, which `cortexsim.explore.reopen` reads.

        Raises
        ------
        OSError
            If it cannot be written; an existing file is unchanged then.
        """
        write_settings(self.settings, path)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, model: Any = None, data: Any = None) -> Self:
        """Open a panel from the `settings` of another.

        Parameters
        ----------
        settings : mapping
        model, data
            For settings of a panel that was opened on a model or data of your own.

        Raises
        ------
        ValueError
            If a setting is missing, unknown, or of another panel or model.
        """
        checked = MEASURED.read(settings)
        if checked["panel"] != cls.__name__:
            raise ValueError(f"these settings are of the panel {checked['panel']}, not of {cls.__name__}")
        panel = cls._reopened(checked, model=model, data=data)
        panel.choose(**checked["choices"])
        panel.ask.recall(checked["answered"], cls.EXERCISES)
        if panel.result is None and not panel.button.disabled:
            panel.words.value = html.escape(f"opened again: «{cls.ACTION}» measures what was measured then")
        return panel

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        subject = Subject.from_dict(settings["subject"], model=model, data=data, needed=cls.CLASSES)
        return cls(subject=subject, question=settings["question"])  # type: ignore[call-arg]

    # --- inside

    @classmethod
    def _current(cls, name: str, value: Any) -> tuple[str, Any]:
        """Replace a choice of an earlier version by the present one."""
        name = cls.FORMER_NAMES.get(name, name)
        return name, cls.FORMER_VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value

    def _start(self, chosen: dict[str, Any], *, compares: bool) -> None:
        self._show_busy(True)
        self._jobs.start(lambda wanted: self._job(chosen, wanted, compares=compares))

    def _job(self, chosen: dict[str, Any], wanted: Wanted, *, compares: bool) -> None:
        clock = Clock()

        def show(fraction: float, message: str, /) -> None:
            left = clock.left(fraction)
            with self._lock:
                if wanted():
                    self.bar.value = fraction
                    self.words.value = html.escape(f"{message}, {left}" if left else message)

        # stops with the kernel's main thread: a running thread would keep the process alive
        report = stop_unless(lambda: wanted() and threading.main_thread().is_alive(), show)
        try:
            report(0.0, "starting …")
            result = self.measure(chosen, report)
            report(1.0, "drawing …")
            with self._lock:
                if wanted():
                    self._made[self._key_of(chosen)] = chosen, result
                    self._take(chosen, result, compares=compares)
        except InterruptedError:
            with self._lock:
                # unless another run has started
                if not self.busy:
                    self.words.value = html.escape(self.cancelled(chosen))
        except Exception as error:  # shown in the panel: Jupyter shows no exception of a thread
            with self._lock:
                if wanted():
                    self.error = error
                    kept = "" if self.result is None else "The figures below are those of the previous run."
                    self.notice.value = alert("This could not be measured", error, kept)
        finally:
            with self._lock:
                if wanted():
                    self._show_busy(False)

    def _is_known(self, chosen: dict[str, Any]) -> bool:
        """Return whether there is a result of these choices: of an earlier run, or one that ships."""
        key = self._key_of(chosen)
        if key not in self._made and (ships := self.ahead(chosen)) is not None:
            self._made[key] = chosen, ships
        return key in self._made

    def _key_of(self, chosen: Chosen) -> str:
        """Return the key of a measurement: all choices except those of its display."""
        return _key({name: value for name, value in chosen.items() if name not in self.VIEWS})

    def _take(self, chosen: Chosen, result: Any, *, compares: bool = True) -> None:
        # the answer is compared first, because it may uncover a part of the figures
        if compares:
            self.ask.compare(result, chosen)
        self._present(chosen, result)
        self._show_busy(False)
        self._show_known()  # of what was chosen during the run
        self._dim()

    def _present(self, chosen: Chosen, result: Any) -> None:
        """Draw the result of these choices."""
        self._draw(result)
        self._drawn_key = self._key_of(chosen)

    def _draw(self, result: Any) -> None:
        figures = self.draw(result)
        self.place.children = tuple(self.show(figures))
        self.result, self.figures = result, figures
        self._report(result)

    def _report(self, result: Any) -> None:
        """Write the sentence about a result."""
        ahead = " Measured ahead." if "measured_ahead" in getattr(result, "attrs", {}) else ""
        said = f"{self.say(result)}{ahead}"
        self.finding.value = f'<div role="status" style="line-height:1.45">{html.escape(said)}</div>' if said else ""

    def _show_known(self) -> None:
        """Draw the result of the present choices if it was measured before."""
        key = self._key_of(self.choices)
        if key == self._drawn_key or key not in self._made:
            return
        try:
            self._present(*self._made[key])
        except Exception as error:  # exceptions of widgets are not shown elsewhere
            self.notice.value = alert("This could not be drawn", error)

    def _dim(self) -> None:
        """Dim the figures while they are those of other choices than the present ones."""
        stale = self._drawn_key not in ("", self._key_of(self.choices))
        for part in (self.body, self.finding):
            (part.add_class if stale else part.remove_class)("cortexsim-stale")

    def _show_busy(self, busy: bool) -> None:
        self.busy = busy
        for control in (self.cancel_button, self.bar):
            control.layout.display = "" if busy else "none"
        if not busy:
            self.words.value = ""
        self._show_finding()

    def _show_finding(self) -> None:
        """Hide the sentence about a result while another run, or an error, takes its place."""
        self.finding.layout.display = "none" if self.busy or self.notice.value else ""

    def _look(self) -> None:
        if self.result is None:
            return
        try:
            self.look(self.result)
        except Exception as error:  # exceptions of widgets are not shown elsewhere
            self.notice.value = alert("This could not be drawn", error)

    def _follow(self) -> None:
        """Show at once whether the present choices can be run."""
        self.notice.value = ""  # an error of other choices
        reason = self.why_not(self.choices)
        self.button.disabled, self.button.tooltip = bool(reason), reason
        if not self.busy:
            self.words.value = html.escape(reason or self.in_advance(self.choices))
            self._show_known()
        self._dim()
        self.copyable.text = "" if reason else self.script(self.choices)


def _key(choices: Chosen) -> str:
    return json.dumps(dict(choices), sort_keys=True)
