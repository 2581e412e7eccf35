"""Work of a panel in threads: the latest job in the background, and changes that are handled one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Wanted = Callable[[], bool]
"""Returns whether the job that received it is still the latest one."""


class LatestJob:
    """A thread that runs one job at a time; a new job replaces all earlier ones.

    A job takes a function that returns whether it is still wanted, and catches its own exceptions.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._job: Callable[[Wanted], None] | None = None
        self._number = 0
        self._thread: threading.Thread | None = None

    def start(self, job: Callable[[Wanted], None]) -> None:
        """Run a job once the present one, which is no longer wanted, has ended."""
        with self._lock:
            self._number += 1
            self._job = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cortexsim-panel-job")
                self._thread.start()

    def cancel(self) -> None:
        """Drop all pending work, and mark the present job as no longer wanted."""
        with self._lock:
            self._number += 1
            self._job = None

    def wait(self, timeout_s: float = 60) -> None:
        """Wait until no job is running or pending.

        Raises
        ------
        TimeoutError
            If one still is after this many seconds.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: self._thread is None, timeout_s):
                raise TimeoutError(f"still busy after {timeout_s} s")

    def _work(self) -> None:
        while True:
            with self._lock:
                job, self._job, number = self._job, None, self._number
                if job is None:
                    self._thread = None
                    self._lock.notify_all()
                    return
            job(lambda number=number: number == self._number)  # type: ignore[misc]


class Turns:
    """A lock that handles the changes of a panel one at a time, so that none is lost; other threads wait.

    A kernel may receive two choices of one person in two threads, as ipykernel 7 does in JupyterLab 4.4 and later.
    Changes that are made while a change is being handled are part of it, and do not wait.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._taken = False

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Wait for a turn; yield False if this thread already has one."""
        with self._lock:
            if self._taken:
                yield False
                return
            self._taken = True
            try:
                yield True
            finally:
                self._taken = False
