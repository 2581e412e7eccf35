"""The panel on running longer: the bundled result of the tracer, covered until it is predicted."""

import pytest

import cortexsim as cs


def drawn(panel):
    return {trace.name: trace for trace in panel.figures["longer"].data if "interval" not in trace.name}


def answered(panel, question, answer):
    panel.ask.question = question
    panel.ask.answer = answer
    panel.run()
    panel.wait(60)


def test_only_what_was_trained_is_drawn_until_the_first_answer():
    panel = cs.explore.Longer(question="longer")
    assert list(drawn(panel)) == ["10 px"]
    assert max(drawn(panel)["10 px"].x) == 12
    assert "10 px at t = 12" in panel.finding.value
    panel.run()
    assert "Predict first" in panel.ask.result.value
    assert list(drawn(panel)) == ["10 px"]


def test_longer_curves_appear_with_the_first_answer_and_later_times_with_the_second():
    panel = cs.explore.Longer(question="longer")
    answered(panel, "longer", 50)
    assert {name: max(trace.x) for name, trace in drawn(panel).items()} == {
        f"{length} px": 3 * length for length in (10, 20, 30, 40, 60)
    }
    answered(panel, "stays", 100)
    assert max(drawn(panel)["40 px, last"].x) == 9 * 40


def test_the_truth_is_the_mean_over_seeds_of_the_bundled_result():
    panel = cs.explore.Longer(question="longer")
    result = cs.experiments.shipped("extrapolation").sel(model="tracer", length=40)
    answered(panel, "longer", 50)
    assert panel.ask.answered[0]["truth"] == pytest.approx(100 * float(result["exact"].sel(time=120).mean()), abs=0.05)
    answered(panel, "stays", 50)
    assert panel.ask.answered[1]["truth"] == pytest.approx(100 * float(result["exact_late"].mean()), abs=0.05)
    again = cs.explore.reopen(panel.settings)
    assert set(drawn(again)) == set(drawn(panel))


def test_without_a_question_everything_is_drawn():
    assert "60 px, last" in drawn(cs.explore.Longer())


def test_each_line_is_named_where_it_rises():
    panel = cs.explore.Longer()
    at = {one.text: 10**one.x for one in panel.figures["longer"].select_annotations({"name": "line"})}
    for length in (10, 20, 30, 40, 60):
        trace = next(one for one in panel.figures["longer"].data if one.name == f"{length} px")
        right = dict(zip(trace.x, trace.y, strict=True))
        assert right[int(at[f"{length} px"])] < 0.5 <= right[int(at[f"{length} px"]) + 1]
