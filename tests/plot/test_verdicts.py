"""The numbers behind each verdict: a row each, a mark where there is one, another symbol for controls."""

import pytest

import cortexsim as cs
from cortexsim.paper.predictions import HOLDS, UNDECIDED, Measured, Verdict
from cortexsim.plot import verdicts


def judged(*numbers, controls=(), verdict=HOLDS):
    return Verdict(1, "growth", "it grows", "by 5 points", verdict, "because", numbers, tuple(controls), "chance")


def marks(figure, name, column):
    return next(t for t in figure.data if t.name == name and t.xaxis == ("x" if column == 1 else "x2"))


def test_each_number_has_a_row_with_its_mean_and_its_range():
    figure = verdicts([judged(Measured("on arrival", 0.6, 0.5, 0.8, 4), Measured("growth", 0.3, 0.2, 0.35, 4, True))])
    accuracy, change = marks(figure, "measured", 1), marks(figure, "measured", 2)
    assert (list(accuracy.x), list(accuracy.y)) == ([60], [1])
    assert (list(change.x), list(change.y)) == ([30], [2])
    assert accuracy.error_x.array[0] == pytest.approx(20)
    assert accuracy.error_x.arrayminus[0] == pytest.approx(10)
    assert list(figure.layout.yaxis.ticktext) == ["<b>✓ 1. growth: holds</b>", "on arrival", "growth"]


def test_a_control_without_a_readout_is_a_row_without_a_mark():
    missing = Measured("control", float("nan"), float("nan"), float("nan"), 0)
    figure = verdicts([judged(controls=[missing], verdict=UNDECIDED)])
    assert len(marks(figure, "control", 1).x) == 0
    assert [note.text for note in figure.layout.annotations] == ["no readout"]
    assert figure.layout.yaxis.ticktext[0] == "<b>? 1. growth: cannot be decided from what ships</b>"


def test_what_ships_is_drawn_whole():
    found = cs.predictions.check()
    figure = verdicts(found)
    drawn = sum(len(trace.x) for trace in figure.data)
    assert drawn == sum(number.seeds > 0 for one in found for number in (*one.numbers, *one.controls))


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="no verdicts to draw"):
        verdicts([])
