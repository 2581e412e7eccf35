"""Changes of a panel are followed one at a time, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Whoever follows a change has its turn alone; another thread waits for its own.

    A kernel may hear of two choices of one person on two threads: ipykernel 7 does in JupyterLab 4.4 and later. What a
    turn changes itself is heard of within it, and is no change to follow.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._taken = False

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Wait for a turn; yield False within one that this thread has already."""
        with self._lock:
            if self._taken:
                yield False
                return
            self._taken = True
            try:
                yield True
            finally:
                self._taken = False
