"""The kernel's stop button ends what runs in panels, also while no cell runs."""

import asyncio
import os
import signal

import pytest

from cortexsim.explore.panel import interrupt


class Running:
    def __init__(self):
        self.stopped = 0
        interrupt.at_interrupt(self.stop)

    def stop(self):
        self.stopped += 1


@pytest.fixture
def kernel(monkeypatch):
    """Let this process be a kernel, which ignores the signal while no cell runs."""
    monkeypatch.setattr(interrupt, "_is_kernel", lambda: True)
    monkeypatch.setattr(interrupt, "_STOPS", [])
    monkeypatch.setattr(interrupt, "AGAIN_S", 0.01)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_runs_is_stopped_when_the_kernel_is_interrupted_between_two_cells(kernel):
    async def lives():
        # a panel is made in a cell, which has a handler of its own
        signal.signal(signal.SIGINT, signal.default_int_handler)
        one = Running()
        await asyncio.sleep(0.03)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        return one.stopped

    assert asyncio.run(lives()) == 1


def test_outside_of_a_kernel_the_signal_keeps_its_meaning():
    before = signal.getsignal(signal.SIGINT)
    Running()
    assert signal.getsignal(signal.SIGINT) is before
