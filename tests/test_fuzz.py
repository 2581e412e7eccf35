"""Random calls and damaged files give a right result, or an error in the project's own words."""

import pytest

from benchmarks.fuzz.calls import CALLS, WrongResultError
from benchmarks.fuzz.files import KINDS as FILES
from benchmarks.fuzz.files import _by_name
from benchmarks.fuzz.run import calls, main, worded
from cortexsim._support.checks import whole

SHORT = 18  # cases of each kind of call


@pytest.mark.parametrize("kind", CALLS)
def test_random_calls_are_right_or_refused_in_words(kind):
    counts = calls(kind, SHORT, seed=0)
    assert counts.outcomes["right"]
    assert not counts.broken, counts.broken


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_words(capsys):
    assert main(["--cases", str(4 * len(FILES)), "--kind", "files"]) == 0
    assert "0 raw errors, 0 that hang, 0 wrong without an error" in capsys.readouterr().out


def test_only_a_raise_of_the_project_is_in_its_own_words():
    for call, own in ((lambda: whole("x", "n"), True), (lambda: whole(1, "n", "x"), False), (lambda: [][1], False)):
        with pytest.raises((ValueError, TypeError, IndexError)) as caught:
            call()
        assert worded(caught.value)[0] == own


def _fails(draw):
    raise KeyError("activation")


def _differs(draw):
    raise WrongResultError("the readout differs")


@pytest.mark.parametrize(("call", "outcome"), [(_fails, "raw"), (_differs, "wrong")])
def test_a_call_that_breaks_the_rule_is_counted_and_shown(call, outcome, monkeypatch, capsys):
    monkeypatch.setitem(CALLS, "graphs", call)
    assert main(["--cases", "3", "--kind", "graphs"]) == 1
    assert f"  {outcome} " in capsys.readouterr().out


def test_the_order_in_which_a_folder_lists_its_files_makes_no_difference():
    assert repr(_by_name({"b": {"y": [2, 1], "x": 0}, "a": 1})) == repr({"a": 1, "b": {"x": 0, "y": [2, 1]}})
