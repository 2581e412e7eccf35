"""The training panel: start, pause, resume and stop a training; change the recipe and compare runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as widgets
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.files import as_path
from cortexsim._support.percentages import percent
from cortexsim._support.settings import Form, anything, text
from cortexsim.explore.panel.asking import Guess, HasExercises
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.interrupt import at_interrupt
from cortexsim.explore.panel.jobs import Turns
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.settings import shown_settings, write_settings
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.lesson import Lesson
from cortexsim.explore.training.lessons import LESSONS
from cortexsim.explore.training.questions import EXERCISES, Forecast, Outlook
from cortexsim.explore.training.recipe_controls import NAMES, RecipeControls
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.run_row import RunRow
from cortexsim.explore.training.snapshot import Snapshot
from cortexsim.explore.training.trainer import Trainer
from cortexsim.explore.training.views import LearningViews
from cortexsim.model.checkpoint import save
from cortexsim.model.cortex import Cortex
from cortexsim.training.records import TrainingDivergedError

FORM = Form({"task": text, "learning_rate": anything, "readout_time": anything}, dict.fromkeys(NAMES, anything))
REDRAW_EVERY_S = 0.5
N_EARLIER = 4  # earlier runs that are drawn with the present one

_ROW = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
_IN_FULL = widgets.Layout(width="100%", min_width="0")


class Training(HasExercises, Panel):
    """The training of a small model, with its loss, accuracy, kernels and one RDM while it learns.

    Nothing trains before *start* is pressed. The training runs in a thread, so that the notebook stays responsive; the
    figures are at most half a second old on a machine with a free core. It ends by *stop*, when the panel is closed,
    and with the kernel.

    Parameters
    ----------
    task : str or Lesson
        A key of `LESSONS`, or a training of your own.
    question : str
        What to predict first: a key of `questions.QUESTIONS`, or "" for none.
    **choices
        See `Choices`: `learning_rate`, `readout_time`, `loss_at`, `lateral`, `feedback`, `short_first`, `progressive`,
        `seed`, `threads`.

    Attributes
    ----------
    settings : dict
        The choices; `Training.from_settings(settings)` opens a panel with them.
    runs : dict of str to Dataset
        The curves of every run, as `Run.curves` returns them, also of the one in progress.
    models : dict of str to Cortex
        The models of the runs that have ended, with statistics.
    model : Cortex or None
        The last of them.
    phase : str
        "idle", or the phase of the run in progress: see `Trainer`.

    Raises
    ------
    ValueError
        If an argument is not allowed. Later errors are shown in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Training("contours", question="", learning_rate=0.05)
    >>> panel.phase
    'idle'
    """

    EXERCISES: ClassVar[Mapping[str, Guess]] = EXERCISES

    # Python closes a widget that it collects, even one whose constructor failed
    _trainer: Trainer | None = None
    _painter: threading.Thread | None = None

    def __init__(self, task: str | Lesson = "contours", *, question: str = "takeoff", **choices: Any) -> None:
        self._lessons = {"own": task} if isinstance(task, Lesson) else LESSONS
        name = "own" if isinstance(task, Lesson) else task
        if name not in self._lessons:
            raise ValueError(unknown("task", name, self._lessons))
        for key in choices:
            if key not in NAMES:
                raise ValueError(unknown("choice", key, NAMES))
        self._lock = threading.RLock()
        self._trainers: list[Trainer] = []
        self._runs: list[Run] = []
        self._number = 0
        self.models: dict[str, Cortex] = {}
        self._turns = Turns()
        with self._turns.take():
            self._build(question)
            super().__init__(self._rows, layout=_IN_FULL)
            at_interrupt(self.pause)
            self._open_lesson(name, Choices.from_dict({**self._lessons[name].default_choices.to_dict(), **choices}))
        self._changed()
        if self.notice.value:
            # arguments that cannot be trained raise an error here
            chosen = self.controls.read()
            self._lesson.recipe_for(chosen)
            self._lesson.readable(chosen)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, lesson: Lesson | None = None, **more: Any) -> Training:
        """Open a panel with the choices of settings.

        Parameters
        ----------
        settings : mapping
            As `settings` of a panel returns them.
        lesson : Lesson, optional
            Needed where the settings belong to a training of your own.
        **more
            `question`.

        Raises
        ------
        ValueError
            If they are of another schema, or a choice is unknown or not allowed.
        """
        choices = {name: value for name, value in FORM.read(settings).items() if name not in ("schema", "version")}
        task = choices.pop("task")
        if task == "own" and lesson is None:
            raise ValueError("these settings belong to a training of your own: give it as lesson=...")
        return cls(lesson or task, **{**choices, **more})

    # --- results

    @property
    def settings(self) -> dict[str, Any]:
        """Small JSON values that open a panel with the same choices."""
        return FORM.written(task=self.controls.task.value, **self.controls.read().to_dict())

    @property
    def runs(self) -> dict[str, xr.Dataset]:
        """The curves of each run."""
        return {run.name: run.curves() for run in list(self._runs)}

    @property
    def model(self) -> Cortex | None:
        """The model of the last run that ended."""
        return next(reversed(self.models.values()), None)

    @property
    def phase(self) -> str:
        """The phase of the run in progress."""
        trainer = self._trainer
        return "idle" if trainer is None or not self._busy else trainer.phase

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the last model, or the settings and answers, depending on the suffix of the path.

        Parameters
        ----------
        path : path
            Ending in .safetensors: the model, for `cs.load` and `Tour(model=path, data=...)`. Ending in .json: settings
            and answers, for `cortexsim.explore.reopen`.
        overwrite : bool
            Whether a model may replace an existing file; settings always do.

        Raises
        ------
        ValueError
            If no run has ended yet, so that there is no model, or the path has another suffix.
        FileExistsError
            If the file of a model exists and `overwrite` is False.
        """
        if as_path(path).suffix.lower() == ".json":
            write_settings(shown_settings(self), path)
            return
        if self.model is None:
            raise ValueError("there is no trained model yet: start a run, and let it end or stop it")
        save(self.model, path, overwrite=overwrite)

    @property
    def results(self) -> list[tuple[dict[str, Any], xr.Dataset]]:
        """The choices and the curves of each run that was tested on held-out images, oldest first."""
        runs = list(self._runs)
        return [(dict(run.settings), run.curves()) for run in runs if run.validation]

    # --- actions

    def start(self) -> None:
        """Start a run with the choices; an error is shown in the panel."""
        self._guarded(self._start, "This could not be started", "Change what is chosen above.")

    def pause(self) -> None:
        """Pause the run at its next report."""
        if self._trainer is not None and self._busy:
            self._trainer.pause()
            self._show_buttons()

    def resume(self) -> None:
        """Continue the run after a pause."""
        if self._trainer is not None:
            self._trainer.resume()
            self._show_buttons()

    def stop(self) -> None:
        """End the run, and test its model."""
        if self._trainer is not None:
            self._trainer.stop()
            self._show_buttons()

    def remove(self, name: str) -> None:
        """Remove a run that has ended, and its model.

        Raises
        ------
        ValueError
            If there is no such run, or it is in progress.
        """
        names = [run.name for run in self._runs]
        if name not in names:
            raise ValueError(unknown("run", name, names))
        if self._busy and name == names[-1]:
            raise ValueError(f"{name} is in progress: stop it first")
        with self._lock:
            removed = self._runs.pop(names.index(name))
            self.models.pop(name, None)
            self._trainers = [one for one in self._trainers if one.run is not removed]
            self.views.begin()
            if self._trainer is not None and self._trainer.run is removed:
                self._trainer = None
            self._draw()

    def rename(self, name: str, new: str) -> None:
        """Give a run, and its model, another name.

        Raises
        ------
        ValueError
            If there is no such run, the new name is empty, or another run has it.
        """
        names = [run.name for run in self._runs]
        if name not in names:
            raise ValueError(unknown("run", name, names))
        if not new.strip() or (new != name and new in names):
            raise ValueError(f"the name must be a text that no other run has ({', '.join(names)}), got {new!r}")
        with self._lock:
            self._runs[names.index(name)].name = new
            self.models = {new if one == name else one: model for one, model in self.models.items()}
            self._list_runs(look_at=new)
            self._draw()

    def wait(self, timeout_s: float = 60) -> None:
        """Wait until the run has ended and is drawn.

        Raises
        ------
        TimeoutError
            If it has not after this many seconds.
        """
        painter = self._painter
        if painter is not None:
            painter.join(timeout_s)
            if painter.is_alive():
                raise TimeoutError(f"still busy after {timeout_s} s: {self.phase}")

    def close(self) -> None:
        """End the run and its threads, and close the panel."""
        if self._trainer is not None:
            self._trainer.abandon()
            self._trainer.wait(30)
        painter = self._painter
        if painter is not None:
            painter.join(30)
        super().close()

    # --- construction

    def _build(self, question: str) -> None:
        narrow = widgets.Layout(width="84px")
        self.controls, self.ask, self.notice = RecipeControls(self._lessons), Forecast(question), widgets.HTML()
        self.start_button = widgets.Button(description="start", button_style="primary", layout=narrow)
        self.pause_button = widgets.Button(description="pause", layout=narrow)
        self.stop_button = widgets.Button(description="stop", tooltip="end the run, and test its model", layout=narrow)
        self.progress = widgets.FloatProgress(max=1.0, layout=widgets.Layout(width="150px"))
        self.words = widgets.HTML()
        drawn = "This could not be drawn", "Choose something else."
        self.run_row = RunRow(
            lambda: self._guarded(self._look_at_run, *drawn),
            lambda new: self._guarded(
                lambda: self.rename(self.run_row.menu.value, new), "This run could not be named", "Choose another name."
            ),
            lambda name: self._guarded(lambda: self.remove(name), "This run could not be removed", "Stop it first."),
        )
        self.views = LearningViews(lambda: self._guarded(self._look, *drawn), self.run_row)
        buttons = [self.start_button, self.pause_button, self.stop_button]
        progress = [self.progress, self.words]
        self._rows = [
            self.ask,
            widgets.Box([self.controls.task, *buttons, self.controls.more.button, *progress], layout=_ROW),
            self.controls,
            self.notice,
            self.views,
        ]
        for name in NAMES:
            getattr(self.controls, name).observe(lambda _: self._changed(), names="value")
        self.controls.task.observe(lambda change: self._changed_task(change["new"]), names="value")
        # the second click of a double click
        self.start_button.on_click(lambda _: None if self._busy else self.start())
        self.pause_button.on_click(lambda _: self.resume() if self._paused else self.pause())
        self.stop_button.on_click(lambda _: self.stop())

    # --- choices

    def _changed_task(self, name: str) -> None:
        with self._turns.take() as mine:
            if mine:
                self._open_lesson(name, self._lessons[name].default_choices)
        if mine:
            self._changed()

    def _open_lesson(self, name: str, choices: Choices) -> None:
        self._lesson = self._lessons[name]
        self.controls.task.value = name
        self.controls.show(self._lesson, choices)

    def _changed(self) -> None:
        """Follow a choice, and report at once one that cannot be trained."""
        with self._turns.take() as mine:
            if mine:
                self._guarded(self._fit, "This cannot be trained", "Change what is chosen above.")

    def _fit(self) -> None:
        choices, lesson = self.controls.read(), self._lesson
        lesson.recipe_for(choices)
        times = lesson.readable(choices)
        self.ask.ask(Outlook(lesson.steps, times, lesson.chance))
        self.notice.value = ""
        if not self._runs:
            empty = Run("the next run", {}, times, status="not started").curves()
            self.views.show_curves(empty, [], lesson.chance)
            self.views.preview(lesson.preview())
            self.words.value = f"not started; a run takes {lesson.steps:,} steps"
        self._show_buttons()

    # --- runs

    @property
    def _busy(self) -> bool:
        return self._painter is not None and self._painter.is_alive()

    @property
    def _paused(self) -> bool:
        return self._trainer is not None and self._trainer.paused

    def _start(self) -> None:
        if self._busy:
            raise ValueError("a run is in progress: stop it first")
        if self.ask.missing:
            self.ask.remind()
            return
        choices, lesson = self.controls.read(), self._lesson
        lesson.readable(choices)
        self._number += 1
        run = Run(f"run {self._number}", {"task": self.controls.task.value, **choices.to_dict()})
        trainer = Trainer(lesson, choices, run)
        with self._lock:
            self._runs.append(run)
            self._trainer = trainer
            self._trainers.append(trainer)
            self._list_runs(look_at=run.name)
        self.notice.value = ""
        self.ask.fix()
        self.views.begin()
        trainer.start()
        self._painter = threading.Thread(target=self._paint, args=(trainer,), name="cortexsim-draws-a-training")
        self._painter.start()
        self._show_buttons()

    def _paint(self, trainer: Trainer) -> None:
        """Redraw until the training is over, for at most a third of the time."""
        took = 0.0
        while not trainer.wait(max(REDRAW_EVERY_S, 2 * took)):
            started = time.perf_counter()
            self._guarded(self._draw, "This could not be drawn", "The training continues.")
            took = time.perf_counter() - started
        if trainer.model is not None:
            self.models[trainer.run.name] = trainer.model
        self._guarded(lambda: self._draw(over=True), "This could not be drawn", "The run is not lost.")
        if trainer.error is not None:
            diverged = isinstance(trainer.error, TrainingDivergedError)
            then = "Choose a lower learning rate" if diverged else "Change what is chosen above"
            self.notice.value = alert("The training ended with an error", trainer.error, f"{then}, then start again.")
        self._painter = None
        self._show_buttons()

    # --- figures

    def _draw(self, *, over: bool = False) -> None:
        with self._lock:
            trainer, runs = self._trainer, list(self._runs)
            if not runs:
                self.views.begin()
                self._fit()
            else:
                self._draw_runs(runs, trainer, over)
            self._list_runs()
            if trainer is not None:
                self.progress.value, self.words.value = trainer.fraction, self._in_words(trainer)
            if runs:
                self.views.follow(self._snapshots(self._looked(runs)))
        self._show_buttons()

    def _draw_runs(self, runs: list[Run], trainer: Trainer | None, over: bool) -> None:
        last, looked = runs[-1], self._looked(runs)
        # a run has no readout times before its model exists
        alike = [run for run in runs if run.times and run.settings["task"] == looked.settings["task"]]
        others = [run.curves() for run in alike if run is not looked][-N_EARLIER:]
        if looked.times:
            present, earlier = looked.curves(), others
            self.views.show_curves(present, earlier, self._lessons[looked.settings["task"]].chance)
        if trainer is not None and trainer.run is last:
            self.ask.learn(last.curves(), over=over)

    def _look(self) -> None:
        with self._lock:
            if self._runs:
                self.views.look(self._snapshots(self._looked(self._runs)))

    def _looked(self, runs: list[Run]) -> Run:
        """Return the run that is looked at: the one in the menu, or the last."""
        return next((run for run in runs if run.name == self.run_row.menu.value), runs[-1])

    def _snapshots(self, run: Run) -> list[Snapshot]:
        return next((list(one.snapshots) for one in self._trainers if one.run is run), [])

    def _look_at_run(self) -> None:
        """Draw the run that was chosen in the menu."""
        if self._runs:
            self.views.begin()
            self._draw()

    def _in_words(self, trainer: Trainer) -> str:
        """Report the progress of the training, or how it ended."""
        run = trainer.run
        if trainer.phase != "over" or not run.records:
            return trainer.words
        words = f"{run.name} {run.status} at step {run.records[-1].step:,}"
        if not run.validation:
            return words
        best, lesson = max(run.validation, key=lambda time: run.validation[time]), trainer.lesson
        accuracy, halfway = run.validation[best], (1 + lesson.chance) / 2
        words += f"; {percent(accuracy)} of {lesson.n_held_out} held-out images are classified correctly at t = {best}"
        if accuracy < halfway and run.status == "finished":
            words += (
                f". <b>It stayed below {percent(halfway)}.</b> Some seeds stay near chance: restart with another one"
            )
        return words

    def _list_runs(self, look_at: str | None = None) -> None:
        self.run_row.offer([(self._describe(run), run.name) for run in self._runs], look_at)

    def _describe(self, run: Run) -> str:
        """Describe a run by the choices that differ from those that the panel opens with."""
        default = self._lessons[run.settings["task"]].default_choices.to_dict()
        changed = [
            f"{name.replace('_', ' ')} {run.settings[name]}" for name in NAMES if run.settings[name] != default[name]
        ]
        return f"{run.name}, {run.status}: {', '.join(changed) or 'nothing changed'}"

    def _show_buttons(self) -> None:
        busy = self._busy
        self.controls.enable(not busy)
        self.start_button.disabled = busy
        self.pause_button.disabled = self.stop_button.disabled = not busy
        self.pause_button.description = "resume" if busy and self._paused else "pause"
        self.run_row.remove.disabled = not self._runs

    def _guarded(self, act: Callable[[], Any], what: str, then: str) -> None:
        try:
            act()
        except Exception as error:  # exceptions of widgets and threads are not shown elsewhere
            self.notice.value = alert(what, error, then)
