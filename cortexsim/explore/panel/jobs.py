"""A thread behind a panel that does the latest job only."""

from __future__ import annotations

import threading
from collections.abc import Callable

Wanted = Callable[[], bool]


class Behind:
    """Does one job at a time; a newer one takes the place of all that were asked for before.

    A job is called with a function that tells whether it is still wanted. It catches its own exceptions.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._job: Callable[[Wanted], None] | None = None
        self._asked = 0
        self._thread: threading.Thread | None = None

    def do(self, job: Callable[[Wanted], None]) -> None:
        """Do a job, and whatever else was asked for no longer."""
        with self._lock:
            self._asked += 1
            self._job = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cortexsim-behind-a-panel")
                self._thread.start()

    def forget(self) -> None:
        """Want nothing any more."""
        with self._lock:
            self._asked += 1
            self._job = None

    def wait(self, timeout_s: float = 60) -> None:
        """Wait until there is nothing to do.

        Raises
        ------
        TimeoutError
            If there still is after so many seconds.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: self._thread is None, timeout_s):
                raise TimeoutError(f"still busy after {timeout_s} s")

    def _work(self) -> None:
        while True:
            with self._lock:
                job, self._job, number = self._job, None, self._asked
                if job is None:
                    self._thread = None
                    self._lock.notify_all()
                    return
            job(lambda number=number: number == self._asked)  # type: ignore[misc]
