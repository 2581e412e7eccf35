"""The observer's panel without a browser: its trials, their accuracy, what it saves."""

import json

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.analyse.interval import wilson
from cortexsim.explore.masking_trials import model_curve
from cortexsim.explore.masking_trials.stimuli import CONDITIONS, EACH, N_TRIALS, NO_MASK, SOAS_MS, round_of
from cortexsim.plot._masking_of_observer import masking_of_observer


def trial(condition, *, right=True, missed=False, number=0, digit=3):
    """Make a trial as the browser sends it."""
    return {
        "round": number,
        "condition": condition,
        "digit": digit,
        "answer": None if missed else digit if right else (digit + 1) % 10,
        "flash_ms": 16.7,
        "soa_ms": None if condition == NO_MASK else SOAS_MS[condition] + 0.5,
        "response_ms": None if missed else 640.0,
        "frame_ms": 16.7,
        "missed": missed,
    }


ONE_ROUND = [trial(name, right=k < 1 + 2 * place) for place, name in enumerate(CONDITIONS) for k in range(EACH)]


@pytest.fixture
def panel():
    """Make a panel without trials."""
    return cs.explore.MaskingTrials()


def test_a_round_has_as_many_trials_of_each_condition_and_is_the_same_again():
    first, again, other = round_of(0), round_of(0), round_of(1)
    assert {name: first.conditions.count(name) for name in CONDITIONS} == dict.fromkeys(CONDITIONS, EACH)
    assert first == again
    assert first.pixels != other.pixels
    assert first.conditions != other.conditions


def test_the_mask_has_the_mean_of_its_digit():
    drawn = round_of(0)
    pixels = np.frombuffer(drawn.pixels, np.uint8).reshape(len(drawn.digits), 2, drawn.size, drawn.size, 3) / 255
    np.testing.assert_allclose(pixels[:, 0].mean((1, 2)), pixels[:, 1].mean((1, 2)), atol=0.01)
    assert np.abs(pixels[:, 0] - pixels[:, 1]).mean() > 0.05


def test_the_observer_sees_the_digits_that_the_data_set_draws():
    digits = cs.datasets.digits(N_TRIALS, part="test", seed=4)
    drawn = round_of(4)
    shown = np.frombuffer(drawn.pixels, np.uint8).reshape(len(drawn.digits), 2, drawn.size, drawn.size, 3)
    images = torch.as_tensor(digits["image"].values[0]).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(shown[0, 0], images if images.dtype == np.uint8 else 255 * images, atol=1)
    assert drawn.digits[0] == int(digits["label"][0])


def test_accuracy_by_soa_has_its_wilson_interval(panel):
    panel._view.trials = ONE_ROUND
    result = panel.result
    np.testing.assert_allclose(result["accuracy"], [0.2, 0.6, 1.0, 1.0])
    low, high = wilson(1, EACH)
    np.testing.assert_allclose([result["low"][0], result["high"][0]], [low, high])
    np.testing.assert_allclose(result["mean_soa_ms"], [17.5, 50.5, 100.5, np.nan])
    assert result["n"].values.tolist() == [EACH] * 4


def test_a_trial_with_a_missed_picture_does_not_count(panel):
    panel._view.trials = [trial("17 ms", missed=True), trial("17 ms", right=False), trial(NO_MASK)]
    assert panel.result["n"].values.tolist() == [1, 0, 0, 1]
    assert panel.result.attrs["n_missed"] == 1
    assert panel.figure is None


def test_nothing_starts_before_the_prediction_and_a_round_judges_it(panel):
    assert panel._view.waits
    panel.ask.answer = 40
    assert not panel._view.waits
    panel._view.trials = ONE_ROUND
    assert panel.ask.answered == [{"question": "yourself", "answer": 40, "truth": 20}]
    assert not panel._view.waits


def test_the_figure_has_the_observer_and_the_model_with_labels_at_line_ends(panel, small_model_curve):
    panel._view.trials = ONE_ROUND
    figure = masking_of_observer(panel.result, small_model_curve)
    assert [one.name for one in figure.data if one.error_y.array is not None] == ["the model", "you"]
    assert {one.text for one in figure.layout.annotations} == {"you", "the model"}
    np.testing.assert_allclose(figure.data[1].y, [0.2, 0.6, 1.0, 1.0])
    np.testing.assert_allclose(figure.data[0].x[:2], [33, 66])
    assert "which is an assumption" in figure.layout.title.text.replace("<br>", " ")


@pytest.fixture(scope="module")
def small_model_curve():
    """Measure the curve of a small untrained model."""
    images = cs.datasets.digits(4, part="test", seed=0)
    graph = cs.adjacent({"V1": 2, "IT": 2}, size=32, shortcut=0.5)
    model = cs.Cortex(graph, 10, 4, generator=torch.Generator().manual_seed(0)).eval()
    table = cs.protocols.masking(model, images, soas=(1, 2), masks=["noise"], readout_time=4, calibrate_on=images)
    return table.squeeze("duration", drop=True)


def test_a_round_is_drawn_at_once_with_the_model(panel):
    panel._view.trials = ONE_ROUND
    assert [one.name for one in panel.figure.data] == ["the model", "you", "guessing"]
    assert "20 trials counted" in panel.words.value


@pytest.mark.slow
def test_the_curve_that_ships_is_what_is_measured():
    measured = model_curve.measured(lambda fraction, message, /: None)
    np.testing.assert_allclose(model_curve.shipped()["accuracy"], measured["accuracy"], atol=0.02)


def test_a_reopened_panel_has_the_trials_and_asks_nothing_twice(panel, tmp_path):
    panel.ask.answer = 0
    panel._view.trials = [trial("17 ms", missed=True), *ONE_ROUND]
    panel.save(tmp_path / "me.json")
    again = cs.explore.reopen(tmp_path / "me.json")
    assert again.trials == panel.trials
    assert again.ask.answered == [{"question": "yourself", "answer": 0, "truth": 20}]
    assert not again._view.waits
    for one in (panel, again):
        one.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"digit": 12}, "trials are damaged at number 2: digit must be"),
        ({"condition": "18 ms"}, "number 2: unknown condition '18 ms'.*17 ms"),
        ({"answer": None}, "number 2: answer must be"),
        ({"soa_ms": "soon"}, "number 2: soa_ms must be"),
        ({"missed": 1}, "number 2: missed must be true or false, got 1"),
    ],
)
def test_a_damaged_trial_is_refused(panel, tmp_path, changes, message):
    panel._view.trials = ONE_ROUND[:3]
    path = tmp_path / "me.json"
    panel.save(path)
    saved = json.loads(path.read_text())
    saved["shows"]["trials"][1] |= changes
    path.write_text(json.dumps(saved))
    with pytest.raises((TypeError, ValueError), match=message):
        cs.explore.reopen(path)


def test_an_unknown_question_is_refused():
    with pytest.raises(ValueError, match=r"question.*'myself'.*yourself"):
        cs.explore.MaskingTrials("myself")
