"""The panel on drift: the model's own thresholds, counted values, and one histogram at a time."""

import numpy as np
import pytest
import torch

import cortexsim as cs


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16, shortcut=0.5), 2, 4)
    data = cs.datasets.contours(20, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.sustained(), until=4)
    return {"model": model, "data": data, "n": 20}


@pytest.fixture(scope="module")
def measured(given):
    panel = cs.explore.Drift(**given)
    panel.compute()
    return panel


def test_the_shares_are_those_above_the_models_own_means(measured, given):
    model, result = given["model"], measured.result
    recording = cs.simulate(model, given["data"], cs.sustained(), until=4)
    statistics = model.find_statistics(cs.sustained())
    values = recording["IT"]["activation"].sel(time=3).values
    own, fixed = statistics.at("IT", 3)[0].numpy(), statistics.pooled(4).at("IT", 3)[0].numpy()
    above = [(values > level[:, None, None]).mean((0, 2, 3)) for level in (own, fixed)]
    np.testing.assert_allclose(result["above_own"].sel(time=3), above[0])
    np.testing.assert_allclose(result["above_fixed"].sel(time=3), above[1])
    assert result["time"].values.tolist() == [2, 3, 4]


def test_what_lies_above_the_fixed_line_is_in_colour(measured):
    measured.choose(time=4, feature=1)
    bars = measured.figures["drift"].data[0]
    fixed = float(measured.result["fixed"][1])
    grey = bars.marker.color[0] if bars.x[0] < fixed else "rgba(128, 128, 128, 0.55)"
    assert [colour != grey for colour in bars.marker.color] == [x > fixed for x in bars.x]
    assert sum(bars.y) == pytest.approx(1)


def test_later_times_stay_covered_until_the_answer(given):
    panel = cs.explore.Drift(**given, question="passes")
    # an answer is compared when it is asked for, not by what is measured for the question itself
    panel.ask.answer = 0
    panel.wait()
    assert not panel.ask.answered
    shares = panel.figures["drift"].data[1:]
    assert all(np.isfinite(np.asarray(one.y, float)).sum() == 1 for one in shares)
    assert panel._controls["time"].disabled
    panel.ask.answered.append({"question": "passes", "answer": 0, "truth": 1.0})
    panel._draw(panel.result)
    assert all(np.isfinite(np.asarray(one.y, float)).all() for one in panel.figures["drift"].data[1:])
    assert not panel._controls["time"].disabled


def test_a_model_without_statistics_is_refused(given):
    model = cs.Cortex(given["model"].graph, 2, 4, normalization="channel")
    panel = cs.explore.Drift(**{**given, "model": model})
    assert panel.button.disabled
    assert "normalizes without stored statistics" in panel.words.value
