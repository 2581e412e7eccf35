"""The panel on what returns to V1: lines and arrows appear as far as they were predicted; a click cuts."""

import pytest

import cortexsim as cs
from cortexsim.protocols import feedback


@pytest.fixture
def panel():
    return cs.explore.Returning(question="returns")


def named(panel):
    return [trace.name for trace in panel.figures["returning"].data if "interval" not in trace.name]


def answered(panel, question, answer):
    panel.ask.question = question
    panel.ask.answer = answer
    panel.run()
    panel.wait(60)
    assert panel.error is None


def test_one_point_is_drawn_and_no_arrow_reacts_before_the_first_answer(panel):
    assert named(panel) == [""]
    assert list(panel.figures["returning"].data[-1].x) == [0]
    assert panel.wiring.enabled == []
    assert panel.wiring.invitation == "arrows react after your predictions"
    assert panel.wiring.notes == {}
    assert "%" not in panel.finding.value.replace("95 %", "")


def test_each_answer_uncovers_its_part(panel):
    answered(panel, "returns", 10)
    assert named(panel) == ["intact"]
    assert panel.wiring.enabled == []
    answered(panel, "cut", 10)
    assert named(panel) == ["intact", "V2->V1 cut"]
    assert panel.wiring.enabled == ["V2->V1"]
    assert panel.wiring.invitation == "click an arrow"
    assert panel.wiring.notes == {}
    answered(panel, "source", "IT->IT")
    assert "IT->V4" in panel.wiring.enabled
    assert set(panel.wiring.notes) == set(panel.wiring.enabled)
    panel.choose(cut="V4->V2")
    assert named(panel) == ["intact", "V4->V2 cut"]
    again = cs.explore.reopen(panel.settings)
    assert named(again) == named(panel)


def test_the_truths_are_those_of_the_bundled_result(panel):
    result = cs.protocols.shipped_feedback().sel(network="digits", seed=0, time=feedback.READ_AT)
    answered(panel, "returns", 10)
    answered(panel, "cut", 10)
    truths = [one["truth"] for one in panel.ask.answered]
    cut = result["decode"].sel(cut="V2->V1", version="recalibrated")
    assert truths == pytest.approx([100 * float(result["decode_intact"]), 100 * float(cut)], abs=0.05)


def test_another_network_is_drawn_at_once_with_its_own_connections():
    panel = cs.explore.Returning()
    panel.choose(network="digits, no lateral connections", cut="V2->V1")
    assert "V1->V1" not in panel.wiring.options
    assert named(panel) == ["intact", "V2->V1 cut"]
    panel.choose(network="digits, small")
    assert "five networks" in panel.finding.value


def test_a_connection_that_the_graph_lacks_is_refused():
    panel = cs.explore.Returning()
    with pytest.raises(ValueError, match=r"cut must be one of .*got 'V1->IT'"):
        panel.choose(cut="V1->IT")
