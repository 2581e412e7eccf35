"""Accuracy over time of the models of the first panel, measured in a thread while the panel is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from cortexsim._support.progress import stop_unless
from cortexsim.explore.panel.batch import as_series, right_over_time
from cortexsim.explore.panel.jobs import LatestJob, Wanted
from cortexsim.explore.tour.material import Material
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import Presentation

MEASURING = "measuring …"


class Accuracies:
    """The latest measurement that was requested; an earlier one stops, and none is repeated.

    Parameters
    ----------
    lock : RLock
        Acquired while a result or an error is shown.
    show : callable
        Takes what the stage shows: `title` and, as they are known, `series`, `chance` and `message`.
    fail : callable
        Takes the error of a measurement.
    """

    def __init__(
        self,
        lock: threading.RLock,
        show: Callable[[dict[str, Any]], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._lock, self._show, self._fail = lock, show, fail
        self._measured: dict[Hashable, dict[str, Any]] = {}
        self._jobs = LatestJob()

    def show(self, key: Hashable, material: Material, presentation: Presentation, until: int) -> None:
        """Show the accuracies on a material's images: at once if they are known, else when they are measured.

        Parameters
        ----------
        key : hashable
            Identifies the measurement.
        material : Material
        presentation : Presentation
        until : int
            Last time.
        """
        # copies, because each of these may change before the thread reads it
        images, models = material.images, {"recurrent": material.model, "feedforward": material.control}
        n, chance = len(as_images(images)), 1 / material.model.n_classes
        result: dict[str, Any] = {"title": f"accuracy, {n} such images (bars: 95 %)"}
        if key in self._measured:
            self._jobs.cancel()
            self._show(self._measured[key])
            return
        if "label" not in images.coords:
            self._jobs.cancel()
            self._show({**result, "message": "these images have no labels"})
            return
        self._show({**result, "message": MEASURING})
        result |= {"chance": chance, "series": []}

        def measure(wanted: Wanted) -> None:
            try:
                for name, model in models.items():
                    if model is not None:
                        right = right_over_time(model, images, presentation, until, report=stop_unless(wanted))
                        result["series"] = [*result["series"], as_series(name, right, n)]
            except InterruptedError:
                return
            except Exception as error:  # shown in the panel: Jupyter shows no exception of a thread
                with self._lock:
                    if wanted():
                        self._fail(error)
                        self._show({**result, "message": "could not be measured (see above)"})
                return
            with self._lock:
                self._measured[key] = result
                if wanted():
                    self._show(result)

        self._jobs.start(measure)

    def wait(self, timeout_s: float) -> None:
        """Wait until nothing is being measured.

        Raises
        ------
        TimeoutError
            If something still is after this many seconds.
        """
        self._jobs.wait(timeout_s)
