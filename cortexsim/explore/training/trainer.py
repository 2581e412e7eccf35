"""A thread that trains one model for a panel: it pauses, goes on and stops at the next report."""

from __future__ import annotations

import math
import threading
import time
from contextlib import closing
from typing import Any

import torch

from cortexsim.explore.training.lesson import Choices, Lesson, split
from cortexsim.explore.training.run import Run
from cortexsim.explore.training.snapshot import Snapshot, probe_of, take
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.images import as_images
from cortexsim.training._train import train
from cortexsim.training.evaluate import accuracies
from cortexsim.training.recipe import Recipe

REPORT_EVERY = 5
LOOK_EVERY_S = 0.5
N_SNAPSHOTS = 120


class Trainer:
    """Trains in a thread of its own. All that goes wrong there is kept in `error`.

    Parameters
    ----------
    lesson : Lesson
    choices : Choices
    run : Run
        Filled as it trains.

    Attributes
    ----------
    phase : str
        "drawing", "preparing", "training", "paused", "finishing" or "over".
    words : str
        What it does, with the time left.
    share : float
        How much of the phase is done, 0 to 1.
    model : Cortex or None
        With statistics once it is over, unless it failed.
    snapshots : list of Snapshot
        From step 0 on, at least half a second apart; at most 120, thinned out as they become more.
    error : Exception or None
    """

    def __init__(self, lesson: Lesson, choices: Choices, run: Run) -> None:
        self.lesson, self.choices, self.run = lesson, choices, run
        # what is not allowed is refused at once, where the person is looking
        self.recipe: Recipe = lesson.recipe_for(choices)
        self.phase, self.words, self.share = "drawing", "drawing images …", 0.0
        self.model: Cortex | None = None
        self.snapshots: list[Snapshot] = []
        self.error: Exception | None = None
        self._between = 0.0
        self._go, self._stop, self._abandon = threading.Event(), threading.Event(), threading.Event()
        self._go.set()
        # torch's setting belongs to the process where a thread has none of its own yet: it is put back to this
        self._threads = torch.get_num_threads()
        # a thread that outlives the kernel's own would keep the process alive: it stops by itself
        self._thread = threading.Thread(target=self._work, name="cortexsim-trains-for-a-panel")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Hold at the next report."""
        self._go.clear()

    def go_on(self) -> None:
        """Go on after a pause."""
        self._go.set()

    def stop(self) -> None:
        """End at the next report, then take statistics, so that the model can be used."""
        self._stop.set()
        self._go.set()

    def abandon(self) -> None:
        """End at the next report; the model is not wanted."""
        self._abandon.set()
        self.stop()

    @property
    def held(self) -> bool:
        """Whether it is paused, or will be at the next report."""
        return not self._go.is_set()

    @property
    def active(self) -> bool:
        """Whether the thread runs."""
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
        except Exception as error:  # the panel shows it: nobody reads what a thread has to say
            self.error = error
        finally:
            self.run.status = status
            torch.set_num_threads(self._threads)
            self.phase, self.words, self.share = "over", status, 1.0

    def _train(self) -> str:
        images = self.lesson.images(self._drawn, self._wanted)
        learned, held, names = split(images, self.lesson.held)
        probe = probe_of(held, names, self.lesson.n_probe)
        model = self.lesson.model_for(self.choices, len(names))
        presentation = self.recipe.presentation
        self.run.times = model.readable(presentation, model.readout_time)
        self.phase, self.words = "preparing", "preparing: torch loads what its optimizers need …"
        done = False
        with closing(train(model, learned, self.recipe, report_every=REPORT_EVERY)) as records:
            looked = -math.inf
            while self._wanted():
                record = next(records, None)
                if record is None:
                    break
                done = record.done
                if not record.done:
                    self.run.records.append(record)
                if time.monotonic() - looked >= LOOK_EVERY_S:
                    self._look(model, probe, record.step)
                    looked = time.monotonic()
                if record.step:
                    self.phase, self.share = "training", record.step / record.steps
                    self.words = f"step {record.step:,} of {record.steps:,}, {_left(record.seconds_left)}"
                self._hold()
        if self._abandon.is_set() or not threading.main_thread().is_alive():
            return "stopped"
        self.phase, self.words = "finishing", "taking statistics, and testing on held-out images …"
        step = self.run.records[-1].step if self.run.records else 0
        self._look(model, probe, step)
        if not done:
            some = as_images(learned)[: self.recipe.calibration_images]
            until = self.recipe.calibrate_until or 2 * model.readout_time
            calibrate(model, some, presentation, until=until, seed=self.recipe.seed)
            model.about = {"recipe": self.recipe.to_dict(), "data": str(learned.attrs.get("name", "unnamed"))}
        labels = torch.as_tensor(held["label"].values)
        self.run.validation = accuracies(model, as_images(held), labels, self.run.times, presentation)
        validation = {str(time): value for time, value in self.run.validation.items()}
        model.about |= {"steps": step, "validation": validation, "n_validation": len(labels)}
        self.model = model.eval()
        return "finished" if done else "stopped"

    def _drawn(self, n: int, seconds_left: float) -> None:
        self.share = n / self.lesson.n
        self.words = f"drawing images, {n:,} of {self.lesson.n:,}{'' if n == 0 else ', ' + _left(seconds_left)}"

    def _wanted(self) -> bool:
        return not self._stop.is_set() and threading.main_thread().is_alive()

    def _hold(self) -> None:
        words = self.words
        while not self._go.wait(0.2) and self._wanted():
            self.phase, self.words = "paused", f"paused at {words}"
        self.words = words
        if self.phase == "paused":
            self.phase = "training"

    def _look(self, model: Cortex, probe: Any, step: int) -> None:
        self.snapshots.append(take(model, probe, self.recipe.presentation, step))
        if len(self.snapshots) > N_SNAPSHOTS:
            # the first and the last stay
            self.snapshots = [*self.snapshots[:-1:2], self.snapshots[-1]]


def _left(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "time left not known yet"
    return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"
