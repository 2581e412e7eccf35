"""The panel on interruption: covered until it is answered, and its slider makes one line out of four."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.paper import experiments
from cortexsim.plot._interruption import halfway, interruption, masked_accuracy, speed


@pytest.fixture(scope="module")
def result():
    """The bundled result."""
    return experiments.shipped("extrapolation")


@pytest.fixture
def panel():
    """Make a panel without questions."""
    return cs.explore.Interruption(question="")


def drawn(panel):
    return {trace.name.split(" px")[0] for trace in panel.figures["interruption"].data if " px" in trace.name}


def apart(panel):
    return float(panel.finding.value.split("within ")[1].split()[0])


def test_the_speed_of_the_wave_makes_one_line_out_of_four(panel, result):
    before = apart(panel)
    panel.choose(steps_a_pixel=round(speed(result), 1))
    assert before > 10
    assert apart(panel) < 2
    panel.choose(steps_a_pixel=1.4)
    assert apart(panel) > 5


def test_a_line_is_moved_by_its_length(panel):
    still = {trace.name: np.array(trace.x) for trace in panel.figures["interruption"].data}
    panel.choose(steps_a_pixel=0.5)
    for trace in panel.figures["interruption"].data:
        if " px" in trace.name:
            np.testing.assert_allclose(still[trace.name] - trace.x, 0.5 * int(trace.name.split()[0]))


def test_the_name_of_guessing_lies_below_all_lines(panel):
    for decision in ("latched", "unlatched"):
        panel.choose(decision=decision)
        figure = panel.figures["interruption"]
        (name,) = (one for one in figure.layout.annotations if one.text == "guessing")
        assert (name.yanchor, name.xanchor) == ("top", "left")
        assert name.y <= min(trace.y[0] for trace in figure.data)
        assert name.yshift < 0
        assert all("text" not in trace.mode for trace in figure.data)


def test_the_line_of_30_px_is_covered_until_its_question_is_answered():
    panel = cs.explore.Interruption()
    assert panel.result is None
    panel.ask.answer = 90
    panel.run()
    panel.wait()
    assert drawn(panel) == {"10", "15", "20"}
    panel.ask.question = "thirty"
    panel.ask.answer = 28
    panel.run()
    panel.wait()
    assert drawn(panel) == {"10", "15", "20", "30"}
    assert [one["question"] for one in panel.ask.answered] == ["too-early", "thirty"]


def test_without_a_latch_only_what_was_measured_is_drawn(panel, result):
    panel.choose(decision="unlatched")
    (ten, *_) = panel.figures["interruption"].data
    assert list(ten.x) == result["unlatched_soa"].values.tolist()
    assert max(ten.y) < 0.75


def test_exercises_are_answered_by_the_result(panel):
    right = {"collapse": 0.9, "no-latch": 50}
    for name, answer in right.items():
        exercise = panel.exercise(name)
        exercise.ask.answer = answer
        assert exercise.check() is True


def test_halfway_is_interpolated_between_two_soas():
    accuracy = xr.DataArray(
        [[0.5, 1.0, 0.5], [0.6, 1.0, 0.5], [0.9, 1.0, 0.5]],
        dims=("soa", "masked_length"),
        coords={"soa": [4, 8, 12], "masked_length": [10, 20, 30]},
    )
    np.testing.assert_allclose(halfway(accuracy), [10, np.nan, np.nan])


def test_the_picture_as_its_own_mask_costs_nothing(panel, result):
    assert float(masked_accuracy(result).sel(mask="target").min()) == 1
    panel.choose(mask="target")
    assert "costs nothing" in panel.finding.value


def test_a_panel_opens_again_with_its_choices(panel, tmp_path):
    panel.choose(steps_a_pixel=0.9, mask="lines")
    panel.save(tmp_path / "panel.json")
    assert cs.explore.reopen(tmp_path / "panel.json").choices == panel.choices


def test_three_masks_at_once_are_refused(result):
    with pytest.raises(ValueError, match=r"one or two of \['noise', 'lines', 'target', 'blank'\]"):
        interruption(result, ["noise", "lines", "blank"])
