"""A thread that trains one model for a panel, and that can pause, resume and stop between two reports."""

from __future__ import annotations

import math
import threading
import time
from contextlib import closing

import torch
import xarray as xr

from cortexsim._support.progress import duration, stop_unless
from cortexsim.explore.training.choices import Choices
from cortexsim.explore.training.images import split
from cortexsim.explore.training.lesson import Lesson
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.snapshot import Snapshot
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images
from cortexsim.training._train import train
from cortexsim.training.records import Progress
from cortexsim.training.trained_times import calibrated_until

REPORT_EVERY = 5  # steps
N_SNAPSHOTS = 120


class Trainer:
    """A training in a separate thread; errors there are stored in `error`.

    Parameters
    ----------
    lesson : Lesson
    choices : Choices
    run : Run
        Filled during the training.

    Attributes
    ----------
    phase : str
        "drawing", "preparing", "training", "paused", "finishing" or "over".
    words : str
        Description of the present work, with the time left.
    fraction : float
        Fraction of the phase that is done, 0 to 1; at the end, of all steps.
    model : Cortex or None
        With statistics at the end, unless the training failed.
    snapshots : list of Snapshot
        From step 0 on, at least half a second apart; at most 120; beyond that they are thinned out.
    error : Exception or None

    Raises
    ------
    ValueError
        If a choice is not allowed in the recipe.
    """

    def __init__(self, lesson: Lesson, choices: Choices, run: Run) -> None:
        self.lesson, self.choices, self.run = lesson, choices, run
        self.recipe = lesson.recipe_for(choices)
        self.phase, self.words, self.fraction = "drawing", "drawing images …", 0.0
        self.model: Cortex | None = None
        self.snapshots: list[Snapshot] = []
        self.error: Exception | None = None
        self._may_run, self._stop, self._abandon = threading.Event(), threading.Event(), threading.Event()
        self._may_run.set()
        # the new thread changes the number of threads of the process, which is restored to this
        self._threads = torch.get_num_threads()
        self._thread = threading.Thread(target=self._work, name="cortexsim-trains-for-a-panel")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def pause(self) -> None:
        """Pause at the next report."""
        self._may_run.clear()

    def resume(self) -> None:
        """Continue after a pause."""
        self._may_run.set()

    def stop(self) -> None:
        """End at the next report, then take statistics, so that the model can be used."""
        self._stop.set()
        self._may_run.set()

    def abandon(self) -> None:
        """End at the next report, without a model."""
        self._abandon.set()
        self.stop()

    @property
    def paused(self) -> bool:
        """True if it is paused, or will be at the next report."""
        return not self._may_run.is_set()

    @property
    def active(self) -> bool:
        """True while the thread runs."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the thread has ended; return whether it has."""
        self._thread.join(timeout_s)
        return not self.active

    # --- in the thread

    def _work(self) -> None:
        status = "failed"
        try:
            torch.set_num_threads(self.choices.threads)
            status = self._train()
        except InterruptedError:
            status = "stopped"
        except Exception as error:  # shown by the panel, because the output of a thread is not visible
            self.error = error
        finally:
            self.run.status = status
            torch.set_num_threads(self._threads)
            done = self.run.records[-1].step / self.lesson.steps if self.run.records else 0.0
            self.phase, self.words, self.fraction = "over", status, 1.0 if status == "finished" else done

    def _train(self) -> str:
        """Draw the images, train, and test on those held out; return how the training ended."""
        images = self.lesson.images(stop_unless(self._wanted, self._report))
        training, held_out, names = split(images, self.lesson.n_held_out)
        probe = self.lesson.probe(held_out, names)
        model = self.lesson.model_for(self.choices, len(names))
        self.run.times = self.lesson.readable(self.choices)
        self.run.changes = self.lesson.recipe_changes(self.choices)
        finished = self._learn(model, training, probe)
        if self._abandon.is_set() or not threading.main_thread().is_alive():
            return "stopped"
        self.phase, self.words = "finishing", "taking statistics, and testing on held-out images …"
        step = self.run.records[-1].step if self.run.records else 0
        self._look(model, probe, step)
        if not finished:
            self._calibrate(model, training)
        self._test(model, held_out, step)
        self.model = model.eval()
        return "finished" if finished else "stopped"

    def _learn(self, model: Cortex, training: xr.Dataset, probe: xr.Dataset) -> bool:
        """Train until the end of the recipe or a stop; return whether the end was reached."""
        self.phase, self.words = "preparing", "preparing: torch loads its optimizer …"
        finished, looked = False, -math.inf
        with closing(train(model, training, self.recipe, report_every=REPORT_EVERY)) as records:
            while self._wanted() and (record := next(records, None)) is not None:
                finished = record.done
                if not record.done:
                    self.run.records.append(record)
                self._test_while_learning(model, record)
                if time.monotonic() - looked >= self.lesson.looks_every_s:
                    self._look(model, probe, record.step)
                    looked = time.monotonic()
                if record.step:
                    self.phase = "training"
                    self._report(record.step / record.steps, _in_words(record))
                self._wait_while_paused()
        return finished

    def _calibrate(self, model: Cortex, training: xr.Dataset) -> None:
        """Take the statistics of a training that was stopped, as the recipe does at its end."""
        recipe = self.recipe
        images = as_images(training)[: recipe.calibration_images]
        if model.needs_statistics:
            until = calibrated_until(recipe, model)
            calibrate(model, images, recipe.presentation, until=until, seed=recipe.seed)
        model.about = {"recipe": recipe.to_dict(), "data": str(training.attrs.get("name", "unnamed"))}

    def _test(self, model: Cortex, held_out: xr.Dataset, step: int) -> None:
        """Measure the accuracy on held-out images at every readout time."""
        self.run.validation = self.lesson.validate(model, held_out, self.run.times)
        validation = {str(time): value for time, value in self.run.validation.items()}
        model.about |= {"steps": step, "validation": validation, "n_validation": held_out.sizes["stimulus"]}

    def _test_while_learning(self, model: Cortex, record: Progress) -> None:
        every = self.lesson.tests_every
        if every and not record.done and (record.step % every == 0 or record.step == record.steps):
            self.run.tested.append((record.step, self.lesson.test(model)))

    def _report(self, fraction: float, message: str, /) -> None:
        self.fraction, self.words = fraction, message

    def _wanted(self) -> bool:
        # a thread that outlives the kernel's main thread would keep the process alive
        return not self._stop.is_set() and threading.main_thread().is_alive()

    def _wait_while_paused(self) -> None:
        words = self.words
        while not self._may_run.wait(0.2) and self._wanted():
            self.phase, self.words = "paused", f"paused at {words}"
        self.words = words
        if self.phase == "paused":
            self.phase = "training"

    def _look(self, model: Cortex, probe: xr.Dataset, step: int) -> None:
        self.snapshots.append(self.lesson.look(model, probe, self.recipe.presentation, step))
        if len(self.snapshots) > N_SNAPSHOTS:
            # the first and the last stay
            self.snapshots = [*self.snapshots[:-1:2], self.snapshots[-1]]


def _in_words(record: Progress) -> str:
    left = f"{duration(record.seconds_left)} left" if math.isfinite(record.seconds_left) else "time left not known yet"
    return f"step {record.step:,} of {record.steps:,}, {left}"
