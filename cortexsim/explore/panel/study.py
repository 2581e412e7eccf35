"""A panel that measures something: choices, a prediction, a run behind the cell, and figures of what came out."""

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
from cortexsim.explore.panel.controls import Chosen, Control
from cortexsim.explore.panel.jobs import LatestJob, Wanted
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.settings import MEASURED, write_settings
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.shortcuts import Panel


class Study(HasExercises, Panel):
    """What all such panels share; a panel of its own says which choices, what is measured, and how it is drawn.

    Parameters
    ----------
    subject : Subject or None
        Who is studied; None where a panel has other material.
    controls : mapping of str to Control or Widget
        By the names of the choices. Each has a `value`, which is plain: it is saved as JSON.
    question : str
        What to predict first: a key of `QUESTIONS`, or "" to just look.

    Attributes
    ----------
    choices : dict
        What is chosen now.
    result : Dataset, DataTree or None
        What was measured last.
    figures : dict of str to Figure
        Of that result.
    settings : dict
        What makes that result again, as plain values: `cortexsim.explore.reopen(settings).run()`, or
        `cortexsim rerun settings.json`.
    busy : bool
        Whether it measures.
    error : Exception or None
        Of the last run.

    Raises
    ------
    ValueError
        If there is no such question.
    """

    # choices of how a result is looked at: another one measures nothing anew, and the panel shows its control itself
    VIEWS: ClassVar[tuple[str, ...]] = ()
    QUESTIONS: ClassVar[Mapping[str, Guess]] = {}
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
        self._lock, self._jobs = threading.RLock(), LatestJob()
        self.ask = Asking(self.QUESTIONS, question)
        self.button = widgets.Button(
            description=self.ACTION, button_style="primary", layout=widgets.Layout(width="auto")
        )
        self.cancel_button = widgets.Button(description="cancel", layout=widgets.Layout(width="80px"))
        self.bar = widgets.FloatProgress(0.0, min=0.0, max=1.0, layout=widgets.Layout(width="160px"))
        self.words, self.notice, self.finding = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.place = widgets.VBox(layout=widgets.Layout(width="100%"))
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        action = widgets.Box([self.button, self.cancel_button, self.bar, self.words], layout=row)
        above = [control for name, control in self._controls.items() if name not in self.VIEWS]
        parts = [widgets.Box(above, layout=row), action, self.notice, self.finding, self.place]
        super().__init__([*([self.ask] if self.QUESTIONS else []), *parts], layout=widgets.Layout(width="100%"))
        self.button.on_click(lambda _: self.run())
        self.cancel_button.on_click(lambda _: self.cancel())
        for control in self._controls.values():
            control.observe(lambda _: self._follow(), names="value")
        for name in self.VIEWS:
            self._controls[name].observe(lambda _: self._look(), names="value")
        self._shows_busy(False)
        self._follow()

    # --- what a panel of its own says

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset | xr.DataTree:
        """Measure; in a thread, so no widget may be touched.

        Parameters
        ----------
        choices : mapping
        report : callable
            To be called now and then with the fraction that is done and a message; it raises InterruptedError once the
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
        """Say in a sentence what came out, with its numbers; plain text."""
        return ""

    def why_not(self, choices: Chosen) -> str:
        """Say why these choices cannot be run; "" if they can."""
        return ""

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Return what stands below the finding; a panel with more than figures adds to it."""
        return [Live(figure) for figure in figures.values()]

    def look(self, result: Any) -> None:
        """Change the figures of a result after a change in one of `VIEWS`; nothing is measured."""

    # --- what a person does

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen now."""
        return {name: control.value for name, control in self._controls.items()}

    def choose(self, **choices: Any) -> None:
        """Set choices by name.

        Raises
        ------
        ValueError
            If there is no such choice, or it cannot be that; the panel keeps what was chosen.
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
                raise ValueError(f"{name} must be {_allowed(control)}, got {value!r}") from error
            # a slider brings what is beyond its ends to them
            if control.value != wanted:
                control.value = before
                raise ValueError(f"{name} must be {_allowed(control)}, got {value!r}")

    def run(self) -> None:
        """Measure what is chosen, behind the cell; what was measured before is shown at once."""
        if self.ask.missing:
            self.ask.remind()
            return
        chosen = self.choices
        reason = self.why_not(chosen)
        if reason:
            self.notice.value = alert("This cannot be run", ValueError(reason), "Choose something else above.")
            return
        self.error, self.notice.value = None, ""
        key = self._name_of(chosen)
        if key in self._made:
            self._jobs.cancel()
            self._take(chosen, self._made[key][1])
            return
        self._shows_busy(True)
        self._jobs.start(lambda wanted: self._job(chosen, wanted))

    def compute(self) -> xr.Dataset | xr.DataTree:
        """Measure what is chosen here and now, without a prediction, and return it; nothing is caught.

        Raises
        ------
        ValueError
            If what is chosen cannot be run; the message says why.
        """
        chosen = self.choices
        reason = self.why_not(chosen)
        if reason:
            raise ValueError(reason)
        result = self.measure(chosen, silent)
        with self._lock:
            self._made[self._name_of(chosen)] = chosen, result
            self._take(chosen, result)
        return result

    def cancel(self) -> None:
        """Want what is being measured no longer; what was shown before stays."""
        self._jobs.cancel()
        with self._lock:
            self._shows_busy(False)
            self.words.value = "cancelled"

    def wait(self, timeout_s: float = 600) -> None:
        """Wait until it measures no more.

        Raises
        ------
        TimeoutError
            If it still does after so many seconds.
        """
        self._jobs.wait(timeout_s)

    @property
    def results(self) -> list[tuple[dict[str, Any], Any]]:
        """The choices and the result of each run, oldest first."""
        return list(self._made.values())

    @property
    def settings(self) -> dict[str, Any]:
        """Plain values that open the panel again, and what was answered in it and in its exercises."""
        return MEASURED.written(
            panel=type(self).__name__,
            subject=None if self.subject is None else self.subject.to_dict(),
            choices=json.loads(_key(self.choices)),
            question=self.ask.question,
            answered=list(self.ask.answered),
        )

    def save(self, path: str | Path) -> None:
        """Write the settings, and so the answers, to a JSON file; `cortexsim.explore.reopen` reads it.

        Raises
        ------
        OSError
            If it cannot be written; what was there before is whole.
        """
        write_settings(self.settings, path)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, model: Any = None, data: Any = None) -> Self:
        """Open a panel on another's `settings`.

        Parameters
        ----------
        settings : mapping
        model, data
            Where the settings name none, because they were given.

        Raises
        ------
        ValueError
            If something lacks, is unknown, or belongs to another panel or model.
        """
        checked = MEASURED.read(settings)
        if checked["panel"] != cls.__name__:
            raise ValueError(f"these settings are of the panel {checked['panel']}, not of {cls.__name__}")
        panel = cls._reopened(checked, model=model, data=data)
        panel.choose(**checked["choices"])
        panel.ask.recall(checked["answered"], cls.EXERCISES)
        return panel

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        subject = Subject.from_dict(settings["subject"], model=model, data=data)
        return cls(subject=subject, question=settings["question"])  # type: ignore[call-arg]

    # --- behind it

    @classmethod
    def _current(cls, name: str, value: Any) -> tuple[str, Any]:
        """Replace a choice of an earlier version by the present one."""
        name = cls.FORMER_NAMES.get(name, name)
        return name, cls.FORMER_VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value

    def _job(self, chosen: dict[str, Any], wanted: Wanted) -> None:
        clock = Clock()

        def show(fraction: float, message: str, /) -> None:
            left = clock.left(fraction)
            with self._lock:
                if wanted():
                    self.bar.value = fraction
                    self.words.value = html.escape(f"{message}, {left}" if left else message)

        # a thread that outlives the kernel's main thread would keep the process alive
        report = stop_unless(lambda: wanted() and threading.main_thread().is_alive(), show)
        try:
            report(0.0, "starting …")
            result = self.measure(chosen, report)
            report(1.0, "drawing …")
            with self._lock:
                if wanted():
                    self._made[self._name_of(chosen)] = chosen, result
                    self._take(chosen, result)
        except InterruptedError:
            return
        except Exception as error:  # shown in the panel: nobody reads what a thread has to say
            with self._lock:
                if wanted():
                    self.error = error
                    self.notice.value = alert(
                        "This could not be measured", error, "What is drawn below is from before. Choose otherwise."
                    )
        finally:
            with self._lock:
                if wanted():
                    self._shows_busy(False)

    def _name_of(self, chosen: Chosen) -> str:
        """Name what is measured with these choices, however it is looked at."""
        return _key({name: value for name, value in chosen.items() if name not in self.VIEWS})

    def _take(self, chosen: Chosen, result: Any) -> None:
        figures = self.draw(result)
        self.place.children = tuple(self.show(figures))
        self.result, self.figures = result, figures
        said = self.say(result)
        self.finding.value = f'<div role="status" style="line-height:1.45">{html.escape(said)}</div>' if said else ""
        self.ask.compare(result, chosen)
        self._shows_busy(False)

    def _shows_busy(self, busy: bool) -> None:
        self.busy = busy
        for control in (self.cancel_button, self.bar):
            control.layout.visibility = "visible" if busy else "hidden"
        if not busy:
            self.words.value = ""

    def _look(self) -> None:
        if self.result is None:
            return
        try:
            self.look(self.result)
        except Exception as error:  # nothing else would show an exception of a widget
            self.notice.value = alert("This could not be drawn", error)

    def _follow(self) -> None:
        """Say at once whether what is chosen can be run."""
        reason = self.why_not(self.choices)
        self.button.disabled = bool(reason)
        self.button.tooltip = reason
        self.words.value = html.escape(reason)


def _allowed(control: Any) -> str:
    """Say what a control can be set to."""
    options = getattr(control, "options", None)
    if options is not None:
        pairs = list(options.items()) if isinstance(options, Mapping) else list(options)
        values = [one[1] if isinstance(one, tuple) and len(one) == 2 else one for one in pairs]
        return f"{'some' if isinstance(control.value, tuple) else 'one'} of {values}"
    if hasattr(control, "min"):
        return f"a number from {control.min} to {control.max}"
    return f"of the type {type(control.value).__name__}"


def _key(choices: Chosen) -> str:
    return json.dumps(dict(choices), sort_keys=True)
