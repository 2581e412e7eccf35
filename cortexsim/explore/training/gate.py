"""Lets threads that train run side by side, but none while another draws a model's first weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Many may pass at once, or one alone.

    torch draws first weights from one generator for the whole process, which every step of a training sets and puts
    back: a model made in between would have other weights than its seed says.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._passing = 0
        self._alone = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Pass beside others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._passing += 1
        try:
            yield
        finally:
            with self._changed:
                self._passing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Pass with nobody beside; those who come later wait."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            self._changed.wait_for(lambda: not self._passing)
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


GATE = Gate()
