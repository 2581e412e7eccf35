"""One protocol of progress: fractions of parts add up, an exception stops the work, the time left shrinks."""

import math

import pytest

from cortexsim._support import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that was made 10 s ago."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    made = progress.Clock()
    now[0] = 10.0
    return made


def test_the_time_left_is_that_of_the_unfinished_work(clock):
    # a tenth took 10 s, so nine tenths take 90 s
    assert clock.seconds_left(0.1) == pytest.approx(90)
    assert clock.left(0.1) == "90 s left"
    assert clock.seconds_left(0.8) == pytest.approx(2.5)


def test_no_time_is_estimated_before_enough_is_done(clock):
    assert clock.seconds_left(0.0) == math.inf
    assert clock.left(0.01) == ""


def test_a_part_reports_its_fraction_of_the_whole():
    reported = []
    half = progress.part(lambda *one: reported.append(one), 0.5, 1.0, "second: ")
    for fraction in (0.0, 0.5, 1.0):
        half(fraction, "running")
    assert reported == [(0.5, "second: running"), (0.75, "second: running"), (1.0, "second: running")]


def test_cancelled_work_stops_and_reports_nothing_more():
    reported, wanted = [], [True]
    report = progress.stop_unless(lambda: wanted[0], lambda *one: reported.append(one))
    report(0.1, "first")
    wanted[0] = False
    with pytest.raises(InterruptedError, match="cancelled"):
        report(0.2, "second")
    assert reported == [(0.1, "first")]


@pytest.mark.parametrize(("seconds", "text"), [(3.2, "3 s"), (99.4, "99 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_are_short(seconds, text):
    assert progress.duration(seconds) == text


def test_a_report_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="report must be a function of a fraction and a message, got int"):
        progress.checked(3)
